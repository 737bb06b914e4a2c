#!/bin/sh
# build.sh FILE: builds the native library and puts it there, without its symbols.
set -eu
cd "$(dirname "$0")"
cargo build --quiet --release --locked -p wal-java
built=$(cargo metadata --format-version 1 --no-deps --locked --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/libwal_java.so
mkdir -p "$(dirname "$1")"
strip --strip-unneeded -o "$1.new" "$built"
mv "$1.new" "$1"
cp ../../../LICENSE-APACHE ../../../LICENSE-MIT "$(dirname "$1")/../.."
