#!/usr/bin/env bash
# Builds the programs of the campaign: build.sh [plain|simulate|shuttle|loom]... Each is another form
# of the engine; a form that is built already costs a moment.
#
# WAL_CRASH_AHEAD is where a process that builds ahead notes the forms it has done, and its `pid`.
set -euo pipefail
cd "$(dirname "$0")/../.."

build() {
  cargo build --quiet --locked --profile crash -p wal-crash "$@"
}

# Whether somebody has built this form ahead: waits for whoever is at it. Cargo would wait for the
# forms that come after it as well.
built_ahead() {
  local ahead=${WAL_CRASH_AHEAD:-}
  [ -n "$ahead" ] || return 1
  while [ ! -e "$ahead/$1" ] && kill -0 "$(cat "$ahead/pid")" 2>/dev/null; do
    sleep 0.2
  done
  [ -e "$ahead/$1" ]
}

for form in "$@"; do
  start=$SECONDS
  ! built_ahead "$form" || continue
  case $form in
    # The C ABI with it, so that one call builds what all rungs on the engine as it ships run.
    plain) build -p wal-ffi ;;
    simulate) build --no-default-features --features simulate --bin crash-states ;;
    shuttle) build --no-default-features --features shuttle --bin crash-schedules ;;
    loom) build --no-default-features --features loom --bin crash-models ;;
    *) echo "usage: $0 [plain|simulate|shuttle|loom]..." >&2; exit 2 ;;
  esac
  [ "$SECONDS" -eq "$start" ] || echo "build: $form, $((SECONDS - start)) s"
done
