#!/usr/bin/env bash
# System calls that fail, through Rust and through C: faults.sh [slice|full]. A full run takes every
# file call of the life of a log with every error, once and for ever, as far as its time goes.
set -euo pipefail

exec "$(dirname "$0")/processes.sh" faults 300 "${1:-slice}"
