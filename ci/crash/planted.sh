#!/usr/bin/env bash
# Rung 9: bugs that are planted one at a time, each to be caught by the rung named for it.
# `check` holds the bank against the sources and builds no copy; `slice` plants some bugs, `full`
# all; `one NAME...` those named.
set -euo pipefail
cd "$(dirname "$0")/../.."

exec cargo run --quiet --locked --profile crash -p wal-crash --bin crash-planted -- "${@:-full}"
