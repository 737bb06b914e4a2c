#!/usr/bin/env bash
# Changes the code of recovery and of the format a little, one change at a time, and sees that a
# test notices: first with the units near that code, then with all units, and with the tests of
# crashes, damage and recovery what those let through. Every change that survives has to be explained
# in crash/planted/survivors.md.
#
# All of it takes hours: FILES='wal-core/src/frame/**' takes a part of the sources, SHARD=0/20 one
# change in twenty, STAGES=near only the first of near, units and whole.
set -euo pipefail
cd "$(dirname "$0")/.."

explained=$PWD/crash/planted/survivors.md
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
output=${OUTPUT:-$CARGO_TARGET_DIR/mutants}
files=${FILES:-wal-core/src/frame/** wal-core/src/state/** wal-core/src/segment/** wal-core/src/recovery/**}
stages=${STAGES:-near units whole}

# What a change costs is a build: nobody debugs one, and the near units are quick without optimising.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_INCREMENTAL=1

whole=(--test=crash --test=damage --test=recovery_table --test=closed_tail --test=check_repair
  --test=hostile)

if ! cargo mutants --version >/dev/null 2>&1; then
  echo "mutants: cargo-mutants is missing, it is built once"
  cargo install cargo-mutants --locked
fi

# One at a time: they share the target directory.
options=(--package wal-core --jobs 1 --output "$output" --colors never --no-shuffle
  --gitignore true --baseline skip --build-timeout 300)
set -f
for pattern in $files; do
  options+=(--file "$pattern")
done
set +f
[ -z "${SHARD:-}" ] || options+=(--shard "$SHARD")

mkdir -p "$output"
rm -rf "$output/mutants.out" "$output/mutants.out.old" "$output/timeouts.txt"

# stage NAME SECONDS FILTERS TARGETS...: what the stage before let through, against these tests. A
# change that makes them take longer than SECONDS counts as noticed, and is told apart in the sum.
stage() {
  local name=$1 seconds=$2 code=0 filters target targets=()
  read -ra filters <<<"$3"
  shift 3
  [[ " $stages " == *" $name "* ]] || return 0
  if [ -e "$output/mutants.out/missed.txt" ]; then
    options+=(--iterate)
    [ -s "$output/mutants.out/missed.txt" ] || return 0
  fi
  echo "mutants: $name, first without a change"
  cargo test --locked --quiet --package wal-core "$@" -- "${filters[@]}"
  # As arguments of cargo, not of its test: otherwise each change builds all the test binaries.
  for target in "$@"; do targets+=("--cargo-arg=$target"); done
  cargo mutants "${options[@]}" --timeout "$seconds" "${targets[@]}" -- -- "${filters[@]}" || code=$?
  # Survivors are no failure of the tool: they are held against the list below.
  case $code in 0 | 2 | 3) ;; *) exit "$code" ;; esac
  cat "$output/mutants.out/timeout.txt" >>"$output/timeouts.txt"
}

# A survivor as the list names it: by what stands in its line, since the number of the line changes.
named() {
  local file line column name source indent
  IFS=: read -r file line column name <<<"$1"
  source=$(sed -n "${line}p" "$file")
  indent=${source%%[! ]*}
  printf '`%s:%s` in `%s`, column %d' "$file" "$name" "${source#"$indent"}" $((column - ${#indent}))
}

# Before any stage: a list made after one leaves out what was noticed.
total=$(cargo mutants --list "${options[@]}" | wc -l)
stage near "${TIMEOUT:-30}" 'frame:: state:: segment:: recovery::' --lib
stage units "${TIMEOUT:-120}" '' --lib
stage whole "${TIMEOUT:-600}" '' "${whole[@]}"

out=$output/mutants.out
survived=0 unexplained=0
while IFS= read -r mutant; do
  survived=$((survived + 1))
  name=$(named "$mutant")
  if ! grep -qF -- "$name" "$explained"; then
    echo "mutants: SURVIVED, and nothing says why: $name"
    unexplained=$((unexplained + 1))
  fi
done < <(sort -u "$out/missed.txt")
slow=$(sort -u "$output/timeouts.txt" | wc -l)
echo "mutants: $total changes, survived $survived, of these $unexplained without an explanation;" \
  "$slow noticed only by the time they took"
[ "$unexplained" -eq 0 ]
