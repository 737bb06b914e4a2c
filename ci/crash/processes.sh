#!/usr/bin/env bash
# What kills.sh and faults.sh share: processes.sh RUNG SECONDS [slice|full]. `slice` has a fixed sample
# and a fixed seed; `full` scatters its cases from WAL_CRASH_SEED (the clock) on and goes on for
# WAL_CRASH_SECONDS (SECONDS unless set). Logs lie below WAL_CRASH_DIR, in memory (/dev/shm) unless it
# is set: what the death of a process leaves is what the kernel has, on any medium.
set -euo pipefail
cd "$(dirname "$0")/../.."

rung=$1
seconds=${WAL_CRASH_SECONDS:-$2}
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "NOT RUN: $rung at system calls (Linux on x86-64 alone)"
  exit 0
fi
ci/crash/build.sh plain
program=${CARGO_TARGET_DIR:-target}/crash/crash-processes
case ${3:-slice} in
  slice) exec "$program" "$rung" --slice ;;
  full)
    exec "$program" "$rung" --seconds "$seconds" ${WAL_CRASH_SEED:+--seed "$WAL_CRASH_SEED"}
    ;;
  *) echo "usage: ci/crash/$rung.sh [slice|full]" >&2; exit 2 ;;
esac
