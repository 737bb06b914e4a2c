#!/usr/bin/env bash
# The C++ header: `test` compiles it as every dialect with every compiler there is, runs its tests and
# the examples in C and C++ plainly, under the sanitizers and under valgrind, and looks at it with
# clang-tidy. The library itself is not instrumented: the sanitizers watch the C++ side of each call.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

case ${1:-test} in
  test) ;;
  *) echo "usage: ci/bindings/cpp.sh [test]"; exit 2 ;;
esac

here=bindings/cpp
target=$(target_dir)
work=$target/bindings/cpp
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror)
link=(-L"$work/lib" -lwal "-Wl,-rpath,$work/lib" -pthread)
tests=("$here"/tests/*.cpp)
drivers=("$here"/tests/drivers/*.cpp)
programs=(examples/cpp/*.cpp examples/c/event_loop.c examples/c/collector.c)
# A program that hangs is a failure, not a test run without an end.
limit=(timeout --kill-after=5 300)

if ! has c++; then
  skip "c++: test" "no c++ (apt-get install g++)"
  finish
  exit
fi
compilers=(c++)
if has clang++; then
  compilers=(g++ clang++)
else
  skip "c++: clang++" "no clang++ (apt-get install clang)"
fi

# The shared library under the name programs load it by.
library() {
  cargo build --quiet --locked -p wal-ffi
  mkdir -p "$work/lib"
  local soname
  soname=libwal.so.$(sed -n 's/^#define WAL_VERSION_MAJOR //p' include/wal.h)
  ln -sf "$target/debug/libwal.so" "$work/lib/libwal.so"
  ln -sf "$target/debug/libwal.so" "$work/lib/$soname"
}

# Every header by itself, and all of them by every compiler as every dialect, without a warning.
dialects() {
  local compiler dialect header
  for header in include/wal/*.hpp; do
    echo "#include \"$PWD/$header\"" |
      "${compilers[0]}" -std=c++17 "${warnings[@]}" -fsyntax-only -Iinclude -x c++ -
  done
  for compiler in "${compilers[@]}"; do
    for dialect in c++17 c++20; do
      echo '#include <wal.hpp>' |
        "$compiler" "-std=$dialect" "${warnings[@]}" -fsyntax-only -Iinclude -x c++ -
    done
    "$compiler" -std=c++17 "${warnings[@]}" -fsyntax-only -Iinclude "$here/bench/measure.cpp"
    echo "$compiler: c++17, c++20"
  done
}

# The C compiler that goes with a C++ compiler.
c_compiler() {
  case $1 in
    clang++) echo clang ;;
    g++) echo gcc ;;
    *) echo cc ;;
  esac
}

# abreast COMMAND ITEM...: the command for every item, as many at once as there are cores.
abreast() {
  local command=$1 item code=0 running=()
  shift
  for item in "$@"; do
    if [ "${#running[@]}" -ge "$(nproc)" ]; then
      wait "${running[0]}" || code=1
      running=("${running[@]:1}")
    fi
    "$command" "$item" &
    running+=("$!")
  done
  for item in "${running[@]}"; do
    wait "$item" || code=1
  done
  return "$code"
}

# build DIRECTORY COMPILER DIALECT FLAG...: the tests and the examples; C is C99 whatever the dialect.
build() {
  local directory=$work/$1 compiler=$2 dialect=$3
  local flags=("${@:4}")
  mkdir -p "$directory"
  abreast compile "${tests[@]}" "${drivers[@]}" "${programs[@]}"
}

compile() {
  local program
  program=$directory/$(program_of "$1")
  if [[ $1 == *.c ]]; then
    "$(c_compiler "$compiler")" -std=c99 -D_POSIX_C_SOURCE=200809L -g -Wall -Wextra -Wpedantic \
      -Werror "${flags[@]}" -Iinclude "$1" -o "$program" "${link[@]}"
  else
    "$compiler" "-std=$dialect" -g "${warnings[@]}" "${flags[@]}" -Iinclude "$1" -o "$program" \
      "${link[@]}"
  fi
}

# The examples have the names of those in C.
program_of() {
  local name
  name=$(basename "${1%.*}")
  [[ $1 != examples/* ]] || name=example-$name
  echo "$name"
}

# run DIRECTORY COMMAND...: every program of a build, each in a directory of its own, through COMMAND.
run() {
  local directory=$work/$1
  local through=("${@:2}")
  abreast run_one "${tests[@]}" "${programs[@]}"
}

run_one() {
  local name scratch
  name=$(program_of "$1")
  scratch=$(mktemp -d -p "$STEPS_DIR")
  case $name in
    example-collector)
      "${limit[@]}" "$directory/collector_is_killed" "$scratch" "${through[@]}" "$directory/$name"
      ;;
    example-*)
      "${limit[@]}" "${through[@]}" "$directory/$name" "$scratch/log" >"$scratch/output"
      says "$name" "$scratch/output"
      ;;
    *) "${limit[@]}" "${through[@]}" "$directory/$name" "$scratch" ;;
  esac
  echo "$name: good"
}

# says PROGRAM FILE: what an example printed is what it is there to show.
says() {
  local lines
  case $1 in
    example-append) lines='^1:_order_placed$ ^3:_order_shipped$' ;;
    example-batch) lines='^one_batch:_1_to_3$ ^10000_in_flight,_durable_up_to_10003$' ;;
    example-follow) lines='^1:_event_1$ ^5:_event_5$' ;;
    example-recover) lines='^recovery:_ ^[0-9]*_acknowledged,_[0-9]*_records_found,_the_last' ;;
    example-server) lines='^800_requests_answered,_0_lost$' ;;
    example-event_loop) lines='^20000_records_in_[0-9]*_wake-ups,_0_lost$' ;;
    *) echo "$1: nobody has said what it prints"; return 1 ;;
  esac
  local line
  for line in $lines; do
    grep -q "${line//_/ }" "$2" || { echo "$1 does not print ${line//_/ }:"; cat "$2"; return 1; }
  done
}

tidy() {
  abreast tidy_one "${tests[@]}" "${drivers[@]}" examples/cpp/*.cpp
}

tidy_one() {
  # How many warnings of other headers it has left out is nothing to read.
  clang-tidy --quiet --config-file="$here/.clang-tidy" "$1" -- -std=c++17 -Iinclude \
    2> >(grep -v "warnings generated" >&2 || true)
}

step "c++: library" library
step "c++: every header alone, every dialect" dialects
plain=${compilers[0]} other=${compilers[-1]}
step "c++: build with $plain" build plain "$plain" c++17 -O1
step "c++: tests and examples" run plain
if has valgrind; then
  # The library's threads outlive main, and what they hold is only possibly lost. A child of fork has
  # none of the threads, and ends without being searched for leaks.
  step "c++: under valgrind" run plain valgrind --quiet --error-exitcode=99 --leak-check=full \
    --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
    --fair-sched=yes --child-silent-after-fork=yes
else
  skip "c++: under valgrind" "no valgrind"
fi
if [ "$other" != "$plain" ]; then
  step "c++: build with $other" build other "$other" c++20 -O1
  step "c++: tests and examples by $other" run other
fi
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/$here/tsan.supp"
step "c++: build for address and undefined" build address "$other" c++17 -O1 \
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
step "c++: under AddressSanitizer and UBSan" run address
step "c++: build for threads" build threads "$plain" c++17 -O1 -fsanitize=thread
step "c++: under ThreadSanitizer" run threads
if has clang-tidy; then
  step "c++: clang-tidy" tidy
else
  skip "c++: clang-tidy" "no clang-tidy (apt-get install clang-tidy)"
fi
finish
