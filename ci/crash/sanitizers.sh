#!/bin/sh
# ThreadSanitizer on the tests of many threads, and miri on the code that needs no files: both take
# the nightly tool chain, and are skipped loudly where it, or a part of it, is not there.
#
# usage: ci/crash/sanitizers.sh [slice|full]; a slice runs nothing: the standard library has to be
# built first, which takes minutes.
set -eu
cd "$(dirname "$0")/../.."

not_run() {
    echo "sanitizers: NOT RUN: $1"
    exit 0
}

case ${1:-slice} in
slice) not_run "building the standard library with a sanitizer takes minutes: use full" ;;
full) ;;
*)
    echo "usage: ci/crash/sanitizers.sh [slice|full]" >&2
    exit 2
    ;;
esac

command -v rustup >/dev/null || not_run "no rustup, so no nightly tool chain"
parts=$(rustup component list --toolchain nightly --installed 2>/dev/null) ||
    not_run "no nightly tool chain: rustup toolchain install nightly"
host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$(date +%s)
violations=0
tests=0

# Counts the tests that passed, and what went wrong. A finding ends a test binary with failure.
judge() {
    passed=$(sed -n 's/^test result: .* \([0-9]*\) passed.*/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
    tests=$((tests + passed))
    if [ "$2" -ne 0 ]; then
        violations=$((violations + 1))
        echo "sanitizers: VIOLATION: $1"
        cat "$log"
    fi
}

case $parts in
*rust-src*)
    result=0
    RUSTFLAGS="-Zsanitizer=thread" CARGO_TARGET_DIR="$target/sanitizers" \
        TSAN_OPTIONS="halt_on_error=1 exitcode=66" \
        cargo +nightly test -q -Zbuild-std --target "$host" -p wal-core \
        --test concurrency --test threads >"$log" 2>&1 || result=$?
    judge ThreadSanitizer "$result"
    echo "sanitizers: ThreadSanitizer ended with $result"
    ;;
*) echo "sanitizers: NOT RUN: ThreadSanitizer: rustup component add --toolchain nightly rust-src" ;;
esac

# Left out: what maps files or opens them (miri knows neither), and what tries thousands of bit
# flips or rounds (miri takes a thousand times as long; the native tests run them).
case $parts in
*miri*)
    result=0
    MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR="$target/miri" \
        cargo +nightly miri test -q -p wal-core --lib -- \
        append::claims::tests::offsets append::pace append::ring::tests::bytes append::waiters::tests::it_is \
        append::waiters::tests::only append::waiters::tests::whoever_is \
        append::waiters::tests::whoever_waits frame::commit frame::opening frame::seed live::tests::a_cut \
        lsn:: memory:: views::tests::a_view_in_use >"$log" 2>&1 || result=$?
    judge miri "$result"
    echo "sanitizers: miri ended with $result"
    ;;
*) echo "sanitizers: NOT RUN: miri: rustup component add --toolchain nightly miri" ;;
esac

line="sanitizers: tests $tests, violations $violations, $(($(date +%s) - started)) s"
echo "$line"
[ -z "${WAL_CRASH_TALLY:-}" ] || echo "$line" >>"$WAL_CRASH_TALLY"
[ "$violations" -eq 0 ]
