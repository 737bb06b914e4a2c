#!/usr/bin/env bash
# Other logs on the same disks as libwal: a plain workload, the same crash states, and a table of what
# was found. `ci/crash/peers.sh [slice|full] [log]`. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-full} in
  slice) states=60 ;;
  *) states=400 ;;
esac
if [ "$(uname -s)" != Linux ]; then
  echo "NOT RUN: other logs on real file systems (Linux alone)"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --locked --profile crash -p wal-crash --features peers --bin crash-disks
exec "$target/crash/crash-disks" peers --states "$states" ${2:+--log "$2"}
