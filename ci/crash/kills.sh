#!/usr/bin/env bash
# SIGKILL at system calls, through Rust and through C: kills.sh [slice|full]. A full run takes every
# entry and exit of the life of a log, then kills at random.
set -euo pipefail

exec "$(dirname "$0")/processes.sh" kills 240 "${1:-slice}"
