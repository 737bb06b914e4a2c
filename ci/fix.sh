#!/usr/bin/env bash
# Mends what a program can mend, and writes what is generated. Look at the difference afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo clippy --fix --allow-dirty --allow-staged --workspace --all-targets --all-features
cargo fmt --all
WAL_UPDATE_HEADER=1 cargo test --quiet -p wal-ffi --test header --test manual
WAL_UPDATE_PAGES=1 cargo test --quiet -p wal-cli --bin wal pages
cargo run --quiet -p xtask -- codes --write
