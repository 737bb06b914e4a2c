#!/usr/bin/env bash
# Whether the C ABI is the committed one (wal-ffi/abi/libwal.abi); `ci/abi.sh update` commits to the
# one there is. And whether Doxygen understands the header.
#
# The ABI is read from the header, not from libwal.so: the library's debug information speaks of Rust
# types behind the handles, which change with every change of the engine and every compiler, and are
# nobody's business. The header is what programs are compiled with; tests/header.rs holds it to the
# sources and tests/symbols.rs holds the library to it.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

mode=${1:-check}
baseline=wal-ffi/abi/libwal.abi
work=$STEPS_DIR/abi
mkdir -p "$work"

# A library with every function of the header and nothing in it, and a variable of every enum: they
# are passed as int32_t, so no function mentions them.
library_of() {
  {
    cat "$1"
    sed -n 's/^typedef enum \(wal_[a-z_]*\) {$/\1 abi_\1;/p' "$1"
  } | awk '
    /^#if|^#endif|^extern "C"|^}  \/\/ extern/ { next }
    /^ *\/\*/ { inside = 1 }
    inside { if (/\*\//) inside = 0; next }
    # A declaration of a function becomes its definition.
    /^[a-z]/ && !/^typedef/ && /[ *]wal_[a-z_]*\(/ { declares = 1 }
    declares && /\);$/ { sub(/;$/, " { __builtin_trap(); }"); declares = 0 }
    { print }
  ' >"$work/wal.c"
  cc -std=c11 -g -O0 -fPIC -shared -Wl,-soname,libwal.so -o "$work/libwal.so" "$work/wal.c"
}

abi() {
  local code=0
  library_of include/wal.h
  (cd "$work" && abidw --no-show-locs --no-comp-dir-path --no-corpus-path --no-architecture \
    libwal.so) >"$work/libwal.abi"
  if [ "$mode" = update ]; then
    cp "$work/libwal.abi" "$baseline"
    return
  fi
  abidiff "$baseline" "$work/libwal.abi" || code=$?
  [ "$code" -ne 0 ] || return 0
  echo "the C ABI is another one: if that is meant, run ci/abi.sh update and say so in CHANGELOG.md"
  return 1
}

case $mode in
  check | update) ;;
  *) echo "usage: ci/abi.sh [check|update]"; exit 2 ;;
esac
if has abidw; then
  step "C ABI against its baseline" abi
else
  skip "C ABI against its baseline" "no abidw: apt-get install abigail-tools"
fi
if has doxygen; then
  step "Doxygen of wal.h" env OUTPUT="$work" doxygen bindings/c/Doxyfile
else
  skip "Doxygen of wal.h" "no doxygen"
fi
finish
