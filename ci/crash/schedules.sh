#!/bin/sh
# Schedules and crashes together: the engine's threads under a scheduler that decides at every step
# whose turn it is, over a simulated disk that is crashed at its operations.
#
# usage: ci/crash/schedules.sh [slice|full]; full honours WAL_CRASH_SECONDS and WAL_CRASH_SEED.
set -eu
cd "$(dirname "$0")/../.."

what=${1:-slice}
ci/crash/build.sh shuttle
run="${CARGO_TARGET_DIR:-target}/crash/crash-schedules"
case $what in
slice) exec "$run" --seed 1 --cases 16000 ;;
full)
    seed=${WAL_CRASH_SEED:-$(date +%s)}
    exec "$run" --seed "$seed" --seconds "${WAL_CRASH_SECONDS:-240}" --crashes 8
    ;;
*)
    echo "usage: ci/crash/schedules.sh [slice|full]" >&2
    exit 2
    ;;
esac
