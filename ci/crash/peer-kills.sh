#!/usr/bin/env bash
# The same kills for libwal and other logs, each through what all of them can do, and a table of what
# was found. `ci/crash/peer-kills.sh [slice|full] [log]`.
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-full} in
  slice) kills=100 ;;
  *) kills=1000 ;;
esac
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "NOT RUN: kills of other logs (Linux on x86-64 alone)"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --locked --profile crash -p wal-crash -p wal-ffi --features wal-crash/peers
exec "$target/crash/crash-processes" peers --kills "$kills" ${2:+--log "$2"}
