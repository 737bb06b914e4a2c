#!/usr/bin/env bash
# Every crash state of every short workload, in memory.
#   slice: all workloads of up to 2 operations and a fixed sample of 3
#   full:  of up to 5, for WAL_CRASH_SECONDS (600 unless set)
set -euo pipefail
cd "$(dirname "$0")/../.."

ci/crash/build.sh simulate
run() {
  "${CARGO_TARGET_DIR:-target}/crash/crash-states" exhaustive "$@"
}

case "${1:-slice}" in
  slice) run --length-max 3 --count-max 400 ;;
  full) run --length-max 5 --seconds "${WAL_CRASH_SECONDS:-600}" ;;
  *) echo "usage: $0 [slice|full]" >&2; exit 2 ;;
esac
