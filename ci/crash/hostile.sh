#!/usr/bin/env bash
# Shows hostile bytes to everything that reads bytes: hostile.sh [slice|full]. The slice needs no
# tool; the full run fuzzes with cargo-fuzz where it is installed, and with the rung's own mutator.
set -euo pipefail
cd "$(dirname "$0")/../.."

extent="${1:-slice}"
seconds="${WAL_CRASH_SECONDS:-120}"
cargo build --locked --quiet --profile crash -p wal-crash --bin crash-hostile
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
for target in frame directory mutated operations packed; do
  # New inputs go to a directory of their own: the corpus stays as it is.
  found="$(mktemp -d)"
  cargo fuzz run --sanitizer none "$target" "$found" "fuzz/corpus/$target" -- \
    -rss_limit_mb=512 -malloc_limit_mb=128 -timeout=60 -print_final_stats=1 \
    -max_total_time="$((seconds / 10))"
  rm -rf "$found"
done
