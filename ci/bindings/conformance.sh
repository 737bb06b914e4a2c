#!/usr/bin/env bash
# Whether all languages do the same (bindings/conformance/README.md): `slice` for every change,
# `full` with 200 kills a language, `relay` to see one log go through all their hands. A language takes part when its own script has left a runner in
# <target directory>/bindings/runners/<language>.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

case ${1:-slice} in
  slice) kills=10 rounds=1 ;;
  full) kills=200 rounds=5 ;;
  relay) kills=0 rounds=2 ;;
  *) echo "usage: ci/bindings/conformance.sh [slice|full|relay]"; exit 2 ;;
esac
# The same kills each time, so that a failure is the change's; SEED=... looks for new ones.
seed=${SEED:-20261201}
target=$(target_dir)
runners=$target/bindings/runners
harness=$target/debug/conformance
languages=(rust c cpp python java node php)
for runner in "$runners"/*; do
  # Whatever else has left a runner takes part as well.
  language=${runner##*/}
  [ ! -x "$runner" ] || [[ " ${languages[*]} " == *" $language "* ]] || languages+=("$language")
done

build_rust() {
  cargo build --quiet --locked -p wal-conformance
  mkdir -p "$runners"
  ln -sf "$target/debug/conformance-runner" "$runners/rust"
}

# Strict C99, against the header and the shared library under the name programs load it by.
build_c() {
  cargo build --quiet --locked -p wal-ffi
  local library=$target/bindings/c soname
  soname=libwal.so.$(sed -n 's/^#define WAL_VERSION_MAJOR //p' include/wal.h)
  mkdir -p "$library" "$runners"
  ln -sf "$target/debug/libwal.so" "$library/libwal.so"
  ln -sf "$target/debug/libwal.so" "$library/$soname"
  cc -std=c99 -D_POSIX_C_SOURCE=200809L -O2 -g -Wall -Wextra -Wpedantic -Werror -pthread -Iinclude \
    -o "$runners/c" bindings/conformance/c/*.c -L"$library" -lwal -Wl,-rpath,"$library"
}

# Header only, over the same library.
build_cpp() {
  c++ -std=c++17 -O2 -g -Wall -Wextra -Wpedantic -Werror -pthread -Iinclude -o "$runners/cpp" \
    bindings/conformance/cpp/*.cpp -L"$target/bindings/c" -lwal -Wl,-rpath,"$target/bindings/c"
}

# A runner of an earlier checkout would prove nothing.
rm -f "$runners/rust" "$runners/c" "$runners/cpp"
step "conformance: runner of Rust, and the harness" build_rust
if has cc; then
  step "conformance: runner of C" build_c
else
  skip "conformance: runner of C" "no cc"
fi
if has cc && has c++; then
  step "conformance: runner of C++" build_cpp
else
  skip "conformance: runner of C++" "no c++"
fi
if [ "$kills" -gt 0 ]; then
  step "conformance: tests of the harness" cargo test --quiet --locked -p wal-conformance
fi

ready=()
for language in "${languages[@]}"; do
  if [ -x "$runners/$language" ]; then
    ready+=("$language=$runners/$language")
  else
    skip "conformance: $language" "no runner $runners/$language: ci/bindings/$language.sh makes it"
  fi
done
if [ ! -x "$harness" ] || [ "${#ready[@]}" -eq 0 ]; then
  skip "conformance: scenarios, matrix and kills" "nothing was built"
  finish
  exit
fi

if [ "$kills" -eq 0 ]; then
  step "one log through the hands of ${#ready[@]} languages, each killed while it writes" \
    "$harness" relay "$rounds" "$seed" "${ready[@]}"
  finish
  exit
fi
if has python3; then
  step "conformance: golden logs by the document of the format" "$harness" reread docs/reader.py
else
  skip "conformance: golden logs by the document of the format" "no python3"
fi
for runner in "${ready[@]}"; do
  step "conformance: scenarios in ${runner%%=*}" "$harness" compare "$runner"
done
step "conformance: one writes, is killed, another one reads" \
  "$harness" matrix "$rounds" "$seed" "${ready[@]}"
for runner in "${ready[@]}"; do
  step "conformance: $kills kills of ${runner%%=*}" "$harness" kills "$kills" "$seed" "$runner"
done
finish
