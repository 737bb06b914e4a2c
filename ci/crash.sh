#!/usr/bin/env bash
# The long crash campaign: WAL_CRASH_STATES simulated crashes (a million unless set), each followed
# by recovery, appends and another recovery. `make test` runs a short one.
set -euo pipefail
cd "$(dirname "$0")/.."

export WAL_CRASH_STATES="${WAL_CRASH_STATES:-1000000}"
echo "crash: $WAL_CRASH_STATES states"
cargo test --release --locked -p wal-core --test crash -- --ignored --nocapture
