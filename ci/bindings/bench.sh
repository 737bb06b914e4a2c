#!/usr/bin/env bash
# Measures the packages of all languages: run it on a quiet machine.
#
#   ci/bindings/bench.sh             both of the following
#   ci/bindings/bench.sh languages   the same work in all languages and in what their users would
#                                    otherwise take, in turns: bench/languages.json and
#                                    docs/PERFORMANCE.md
#   ci/bindings/bench.sh calls       each call by itself, by the harness that is usual in the
#                                    language (pyperf, JMH, tinybench): <target directory>/bindings/
#
# BENCH_DIR=path is where to measure (below the target directory unless set), ROUNDS=7 how often.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

what=${1:-all}
target=$(target_dir)
measurers=$target/bindings/measurers
place=${BENCH_DIR:-$target/bench}/languages
languages=(python java node php)

build_native() {
  cargo build --quiet --release --locked -p wal-bench -p wal-ffi
  mkdir -p "$measurers"
  local library=$target/bindings/c-release soname
  soname=libwal.so.$(sed -n 's/^#define WAL_VERSION_MAJOR //p' include/wal.h)
  mkdir -p "$library"
  ln -sf "$target/release/libwal.so" "$library/libwal.so"
  ln -sf "$target/release/libwal.so" "$library/$soname"
  cc -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$measurers/c" \
    bindings/c/bench/measure.c -L"$library" -lwal -Wl,-rpath,"$library"
  c++ -std=c++17 -O2 -Wall -Wextra -Wpedantic -Werror -pthread -Iinclude -o "$measurers/cpp" \
    bindings/cpp/bench/measure.cpp -L"$library" -lwal -Wl,-rpath,"$library"
}

measure() {
  local named=(c="$measurers/c" cpp="$measurers/cpp") language peer
  for language in "${languages[@]}"; do
    [ ! -x "$measurers/$language" ] || named+=("$language=$measurers/$language")
    for peer in "$measurers/$language"-*; do
      [ ! -x "$peer" ] || named+=("$language/${peer##*/"$language"-}=$peer")
    done
  done
  "$target/release/wal-bench" languages --directory "$place" --rounds "${ROUNDS:-7}" \
    --results bench/languages.json "${named[@]}"
  "$target/release/wal-bench" report
}

case $what in
  all | languages | calls) ;;
  *) echo "usage: ci/bindings/bench.sh [all|languages|calls]"; exit 2 ;;
esac
ci/setup.sh languages
if [ "$what" != calls ]; then
  rm -rf "$measurers"
  step "Rust, C and C++, optimised" build_native
  for language in "${languages[@]}"; do
    steps_of "ci/bindings/$language.sh" measurer
  done
  step "the same work in all languages" measure
fi
if [ "$what" != languages ]; then
  for language in python java node; do
    steps_of "ci/bindings/$language.sh" bench
  done
fi
finish
