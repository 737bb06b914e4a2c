#!/usr/bin/env bash
# Real file systems on a disk that loses power: `ci/crash/disks.sh slice` has fixed counts and a
# fixed seed, `full` goes on for WAL_CRASH_SECONDS (480) from WAL_CRASH_SEED (the clock). Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

effort=${1:-slice}
if [ "$(uname -s)" != Linux ]; then
  echo "NOT RUN: real file systems (Linux alone)"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}
ci/crash/build.sh plain
exec "$target/crash/crash-disks" "$effort"
