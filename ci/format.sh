#!/usr/bin/env bash
# Whether docs/FORMAT.md is enough to read a log: a reader in Python that was written from the
# document alone has to give what `wal cat` gives, on logs in the states a log can be in.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

reader=docs/reader.py
scratch=$(mktemp -d "$STEPS_DIR/format.XXXXXX")
wal=$(target_dir)/debug/wal

# Each of these leaves a log in $1.
clean() { seq -f 'record %.0f' 1 5000 | "$wal" append --segment-bytes 65536 "$1"; }
empty() { "$wal" append "$1" </dev/null; }
batches() { seq 1 1000 | "$wal" append --batch 7 "$1"; }
long_records() { head -c 3000000 /dev/zero | tr '\0' x | fold -w 300000 | "$wal" append "$1"; }
reopened() {
  clean "$1"
  seq 1 10 | "$wal" append --durability os "$1"
}
cut_at_both_ends() {
  clean "$1"
  "$wal" trim --before 2000 "$1"
  "$wal" truncate --after 4000 "$1"
  echo again | "$wal" append "$1"
}
killed() {
  local writer
  "$wal" append --durability buffered "$1" < <(seq 1 100000000 2>/dev/null) &
  writer=$!
  sleep 1
  kill -9 "$writer"
  wait "$writer" 2>/dev/null || true
}

compare() {
  "$1" "$scratch/$1" >/dev/null
  "$wal" cat "$scratch/$1" >"$scratch/$1.command"
  python3 "$reader" "$scratch/$1" >"$scratch/$1.reader"
  cmp "$scratch/$1.command" "$scratch/$1.reader"
  echo "$(wc -l <"$scratch/$1.reader") records"
}

if [ ! -e "$reader" ]; then
  skip "format: the reader of the document" "no $reader"
elif ! has python3; then
  skip "format: the reader of the document" "no python3"
else
  step "format: the command" cargo build --quiet --locked -p wal-cli
  for state in clean empty batches long_records reopened cut_at_both_ends killed; do
    step "format: $state" compare "$state"
  done
fi
finish
