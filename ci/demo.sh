#!/usr/bin/env bash
# Appends a real text to a log in a process that is killed ten times, and shows that nothing
# acknowledged is lost; then hands one log from language to language, each killed while it writes.
# FILE=path chooses the text, DEMO_SEED=number repeats a run.
set -euo pipefail
# A relative FILE means the caller's directory, not the checkout.
file=${FILE:+$(realpath -- "$FILE")}
cd "$(dirname "$0")/.."
[ ! -x ci/setup.sh ] || ci/setup.sh demo

echo "Building the command (about a minute the first time)"
cargo build --release --locked -p wal-cli -p wal-demo
target=${CARGO_TARGET_DIR:-target}

# On the disk of the checkout: /tmp may be memory, where durability proves nothing.
mkdir -p "$target/demo"
work=$(mktemp -d "$target/demo/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$target/release/wal-demo" "$target/release/wal" "$work" ${file:+"$file"}

# The languages: what is missing for one is installed where that is possible, or said.
ci/setup.sh languages
for language in python java node php; do
  printf 'Building the package for %s ... ' "$language"
  started=$SECONDS log=$target/demo/$language.log
  if ! ci/bindings/$language.sh runner >"$log" 2>&1; then
    echo "failed: $log"
  elif reason=$(sed -n 's/.*NOT RUN: //p' "$log" | head -n 1) && [ -n "$reason" ]; then
    echo "left out: $reason"
  else
    echo "$((SECONDS - started)) s"
  fi
done
ci/bindings/conformance.sh relay
