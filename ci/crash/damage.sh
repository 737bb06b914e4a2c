#!/usr/bin/env bash
# Damages small logs - every bit, sector and file - and holds every reader, the opening, verify and
# repair to the contract: damage.sh [slice|full].
set -euo pipefail
cd "$(dirname "$0")/../.."

extent="${1:-slice}"
ci/crash/build.sh plain
target="${CARGO_TARGET_DIR:-target}/crash"
case "$extent" in
  slice) exec "$target/crash-damage" slice ;;
  full) exec "$target/crash-damage" full --seed "${WAL_CRASH_SEED:-$(date +%s)}" \
    --seconds "${WAL_CRASH_SECONDS:-180}" ;;
  *) echo "damage.sh [slice|full]" >&2; exit 2 ;;
esac
