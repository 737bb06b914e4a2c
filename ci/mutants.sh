#!/usr/bin/env bash
# Changes the code of recovery and of the format a little, one change at a time, and sees that a
# test notices: with the units first, and with the tests of crashes, damage and recovery what those
# let through. Every change that survives has to be explained in crash/planted/survivors.md.
#
# All of it takes hours: FILES='wal-core/src/frame/**' takes a part of the sources, SHARD=0/20 one
# change in twenty; JOBS=2 takes two at a time.
set -euo pipefail
cd "$(dirname "$0")/.."

explained=crash/planted/survivors.md
output=${OUTPUT:-${CARGO_TARGET_DIR:-target}/mutants}
files=${FILES:-wal-core/src/frame/** wal-core/src/state/** wal-core/src/segment/** wal-core/src/recovery/**}

if ! cargo mutants --version >/dev/null 2>&1; then
  echo "mutants: cargo-mutants is missing, it is built once"
  cargo install cargo-mutants --locked
fi

options=(--package wal-core --jobs "${JOBS:-1}" --output "$output" --line-col false
  --colors never --no-shuffle --gitignore true --timeout 120)
set -f
for pattern in $files; do
  options+=(--file "$pattern")
done
[ -z "${SHARD:-}" ] || options+=(--shard "$SHARD")

# Survivors are no failure of the tool: they are held against the list below.
run() {
  local code=0
  cargo mutants "${options[@]}" "$@" || code=$?
  case $code in 0 | 2 | 3) ;; *) exit "$code" ;; esac
}

mkdir -p "$output"
rm -rf "$output/mutants.out" "$output/mutants.out.old"
run --cargo-test-arg=--lib
# Only what the units let through.
run --iterate --cargo-test-arg=--test=crash --cargo-test-arg=--test=damage \
  --cargo-test-arg=--test=recovery_table --cargo-test-arg=--test=closed_tail \
  --cargo-test-arg=--test=check_repair --cargo-test-arg=--test=hostile

survived=0 unexplained=0
while IFS= read -r mutant; do
  survived=$((survived + 1))
  if ! grep -qF -- "$mutant" "$explained"; then
    echo "mutants: SURVIVED, and nothing says why: $mutant"
    unexplained=$((unexplained + 1))
  fi
done < <(sort -u "$output/mutants.out/missed.txt")
caught=$(cat "$output"/mutants.out*/{caught,timeout}.txt 2>/dev/null | sort -u | wc -l)
echo "mutants: caught $caught, survived $survived, of these $unexplained without an explanation"
[ "$unexplained" -eq 0 ]
