#!/usr/bin/env bash
# Long histories of a log in memory, with every fault there is, from a seed.
#   slice: a fixed number of histories of a fixed seed
#   full:  for WAL_CRASH_SECONDS (600 unless set), of WAL_CRASH_SEED (the clock unless set)
set -euo pipefail
cd "$(dirname "$0")/../.."

ci/crash/build.sh simulate
run() {
  "${CARGO_TARGET_DIR:-target}/crash/crash-states" random "$@"
}

case "${1:-slice}" in
  slice) run --seed 1 --count-max 220 --seconds 600 ;;
  full) run ${WAL_CRASH_SEED:+--seed "$WAL_CRASH_SEED"} --seconds "${WAL_CRASH_SECONDS:-600}" ;;
  *) echo "usage: $0 [slice|full]" >&2; exit 2 ;;
esac
