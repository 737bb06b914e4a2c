#!/usr/bin/env bash
# SIGKILL at system calls, through Rust and through C: `ci/crash/kills.sh slice` has a fixed sample
# and a fixed seed; `full` takes every entry and exit of the life of a log, then kills at random until
# WAL_CRASH_SECONDS (240) are over, from WAL_CRASH_SEED (the clock). Logs lie below WAL_CRASH_DIR, in
# memory (/dev/shm) unless it is set: what the death of a process leaves is what the kernel has, on
# any medium.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "NOT RUN: kills at system calls (Linux on x86-64 alone)"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --locked --profile crash -p wal-crash -p wal-ffi
case ${1:-slice} in
  slice) exec "$target/crash/crash-processes" kills --slice ;;
  *)
    exec "$target/crash/crash-processes" kills --seconds "${WAL_CRASH_SECONDS:-240}" \
      ${WAL_CRASH_SEED:+--seed "$WAL_CRASH_SEED"}
    ;;
esac
