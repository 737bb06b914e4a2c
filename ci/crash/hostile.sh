#!/usr/bin/env bash
# Shows hostile bytes to everything that reads bytes: hostile.sh [slice|full]. The slice needs no
# tool; the full run fuzzes with cargo-fuzz where it is installed, and with the rung's own mutator.
set -euo pipefail
cd "$(dirname "$0")/../.."

extent="${1:-slice}"
seconds="${WAL_CRASH_SECONDS:-120}"
ci/crash/build.sh plain
hostile="${CARGO_TARGET_DIR:-target}/crash/crash-hostile"
case "$extent" in
  slice) exec "$hostile" slice ;;
  full) ;;
  *) echo "hostile.sh [slice|full]" >&2; exit 2 ;;
esac

"$hostile" full --seed "${WAL_CRASH_SEED:-$(date +%s)}" --seconds "$((seconds / 2))"
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "hostile: NOT RUN: the fuzzer (cargo install cargo-fuzz); the mutator alone was at work"
  exit 0
fi
# Plain `cargo` does, of whatever tool chain: the coverage it asks for is LLVM's, not a sanitizer's.
# Building comes first, so that it takes none of a target's time.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo fuzz build --sanitizer none
started=$SECONDS
count=0
violations=0
for target in frame directory mutated operations packed; do
  # New inputs go to a directory of their own: the corpus stays as it is.
  found="$(mktemp -d)"
  cargo fuzz run --sanitizer none "$target" "$found" "fuzz/corpus/$target" -- \
    -rss_limit_mb=512 -malloc_limit_mb=128 -timeout=60 -print_final_stats=1 \
    -max_total_time="$((seconds / 10))" >"$log" 2>&1 || {
    violations=$((violations + 1))
    echo "hostile: VIOLATION: the fuzzer on $target (fuzz/artifacts/$target keeps the input)"
    cat "$log"
  }
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "hostile: the fuzzer showed $target ${inputs:-0} inputs"
  count=$((count + ${inputs:-0}))
  rm -rf "$found"
done
line="hostile: inputs fuzzed $count, violations $violations, $((SECONDS - started)) s"
echo "$line"
[ -z "${WAL_CRASH_TALLY:-}" ] || echo "$line" >>"$WAL_CRASH_TALLY"
[ "$violations" -eq 0 ]
