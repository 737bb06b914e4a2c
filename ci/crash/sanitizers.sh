#!/usr/bin/env bash
# ThreadSanitizer on the tests of many threads, and miri on the code that needs no files.
#
# usage: ci/crash/sanitizers.sh [slice|full]; a slice runs nothing: the standard library has to be
# built first, which takes minutes.
#
# Both need a compiler whose library comes with its source: nightly of rustup with rust-src (and miri),
# or, for ThreadSanitizer, what Debian packs for browsers, unpacked below the target directory and
# never installed. Without either the part says NOT RUN.
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-slice} in
  slice)
    echo "sanitizers: NOT RUN: building the standard library with a sanitizer takes minutes: use full"
    exit 0
    ;;
  full) ;;
  *) echo "usage: $0 [slice|full]" >&2; exit 2 ;;
esac

host=$(rustc -vV | sed -n 's/^host: //p')
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
nightly=$(rustup component list --toolchain nightly --installed 2>/dev/null || true)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
violations=0
tests=0

# Counts the tests that passed, and what went wrong. A finding ends a test binary with failure.
judge() {
  local what=$1 result=$2 passed
  passed=$(awk '/^test result: / { sum += $4 } END { print sum + 0 }' "$log")
  tests=$((tests + passed))
  echo "sanitizers: $what ended with $result, $passed tests"
  if [ "$result" -ne 0 ] || [ "$passed" -eq 0 ]; then
    violations=$((violations + 1))
    echo "sanitizers: VIOLATION: $what"
    cat "$log"
  fi
}

# The tests whose threads meet at the engine's own atomics and locks; `lib` is the units.
watched() {
  local result=0
  # A run that is instrumented takes ten times as long: what tries thousands of inputs in one thread
  # shows nothing here.
  CARGO_TARGET_DIR="$target/sanitizers" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-Zsanitizer=thread" \
    TSAN_OPTIONS="halt_on_error=1 exitcode=66" \
    "$@" test --locked --quiet -Zbuild-std --target "$host" -p wal-core \
    --test concurrency --test threads --test completions >"$log" 2>&1 || result=$?
  judge ThreadSanitizer "$result"
}

# Debian's compiler: it, its library built and as source, its LLVM, and the sanitizer's run time of
# that LLVM, put where the compiler looks for it.
debian() {
  local tools=$target/sanitizers/tools llvm library
  if [ ! -d "$tools/usr" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
    apt-cache show rust-web-src >/dev/null 2>&1 || apt-get update -qq || return
    library=$(depends libstd-rust-web-dev 'libstd-rust-web-[0-9.]*') || return
    llvm=$(depends "$library" 'libllvm[0-9]*') || return
    rm -rf "$tools.part"
    mkdir -p "$tools.part"
    # As the user who asks: the directory is nobody else's.
    (cd "$tools.part" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download \
      rustc-web rust-web-src libstd-rust-web-dev "$library" "$llvm" \
      "libclang-rt-${llvm#libllvm}-dev") || return
    for package in "$tools.part"/*.deb; do
      dpkg-deb -x "$package" "$tools.part"
      rm "$package"
    done
    cp "$tools.part"/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.tsan-x86_64.a \
      "$tools.part/usr/lib/rustlib/$host/lib/librustc-stable_rt.tsan.a" || return
    mv "$tools.part" "$tools"
  fi
  printf '%s\n' "$tools/usr"
}

# The package of this name that another one needs.
depends() {
  apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p" | grep -m 1 .
}

case "$host $nightly" in
  x86_64-unknown-linux-gnu*rust-src*) watched cargo +nightly ;;
  x86_64-unknown-linux-gnu*)
    if tools=$(debian); then
      # The features of nightly, in a compiler of this version.
      watched env LD_LIBRARY_PATH="$tools/lib/$(uname -m)-linux-gnu" RUSTC="$tools/bin/rustc" \
        RUSTDOC="$tools/bin/rustdoc" RUSTC_BOOTSTRAP=1 cargo
    else
      echo "sanitizers: NOT RUN: ThreadSanitizer: no compiler with the source of its library" \
        "(rustup component add --toolchain nightly rust-src)"
    fi
    ;;
  *) echo "sanitizers: NOT RUN: ThreadSanitizer (Linux on x86-64 alone)" ;;
esac

# Left out: what maps files or opens them (miri knows neither), and what tries thousands of bit
# flips or rounds (miri takes a thousand times as long; the native tests run them).
case $nightly in
  *miri*)
    result=0
    MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR="$target/miri" \
      cargo +nightly miri test --locked -q -p wal-core --lib -- \
      append::claims::tests::offsets append::pace append::ring::tests::bytes \
      append::waiters::tests::it_is append::waiters::tests::only \
      append::waiters::tests::whoever_is append::waiters::tests::whoever_waits \
      frame::commit frame::opening frame::seed live::tests::a_cut lsn:: memory:: \
      views::tests::a_view_in_use >"$log" 2>&1 || result=$?
    judge miri "$result"
    ;;
  *) echo "sanitizers: NOT RUN: miri: rustup component add --toolchain nightly miri" ;;
esac

line="sanitizers: tests $tests, violations $violations, $((SECONDS - started)) s"
echo "$line"
[ -z "${WAL_CRASH_TALLY:-}" ] || echo "$line" >>"$WAL_CRASH_TALLY"
[ "$violations" -eq 0 ]
