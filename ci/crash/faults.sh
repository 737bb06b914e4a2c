#!/usr/bin/env bash
# System calls that fail, through Rust and through C: `ci/crash/faults.sh slice` has a fixed sample
# and a fixed seed; `full` takes every file call of the life of a log with every error, once and for
# ever, scattered from WAL_CRASH_SEED (the clock) on, as far as WAL_CRASH_SECONDS (300) go.
# Logs lie below WAL_CRASH_DIR, in memory (/dev/shm) unless it is set.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "NOT RUN: system calls that fail (Linux on x86-64 alone)"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --locked --profile crash -p wal-crash -p wal-ffi
case ${1:-slice} in
  slice) exec "$target/crash/crash-processes" faults --slice ;;
  *)
    exec "$target/crash/crash-processes" faults --seconds "${WAL_CRASH_SECONDS:-300}" \
      ${WAL_CRASH_SEED:+--seed "$WAL_CRASH_SEED"}
    ;;
esac
