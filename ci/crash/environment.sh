#!/usr/bin/env bash
# Puts logs into full disks, jumping clocks, second openers, strange files and tight limits:
# environment.sh [slice|full]. Cases that need root say NOT RUN without it.
set -euo pipefail
cd "$(dirname "$0")/../.."

ci/crash/build.sh plain
exec "${CARGO_TARGET_DIR:-target}/crash/crash-environment" "${1:-slice}"
