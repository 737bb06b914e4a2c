#!/bin/sh
# Models of what the engine's threads meet at, explored with loom: every order of their steps up to
# a number of switches, and what weak memory orderings allow.
#
# usage: ci/crash/loom.sh [slice|full]; full honours WAL_CRASH_SECONDS.
set -eu
cd "$(dirname "$0")/../.."

what=${1:-slice}
ci/crash/build.sh loom
run="${CARGO_TARGET_DIR:-target}/crash/crash-models"
case $what in
slice) exec "$run" --preemptions 2 --seconds 2 ;;
# Eight models share the time.
full) exec "$run" --preemptions 3 --seconds "$((${WAL_CRASH_SECONDS:-60} / 8 + 1))" ;;
*)
    echo "usage: ci/crash/loom.sh [slice|full]" >&2
    exit 2
    ;;
esac
