#!/usr/bin/env bash
# The checks that only read the checkout. `ci/fix.sh` mends what a program can mend.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

scripts() {
  local script
  for script in ci/*.sh ci/crash/*.sh ci/bindings/*.sh .ci/run; do
    bash -n "$script"
    [ "$script" = ci/steps.sh ] || [ -x "$script" ] || { echo "$script is not executable"; exit 1; }
  done
}

documentation() {
  RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --locked --no-deps -p wal-core -p wal-ffi
}

licences() {
  cargo run --quiet --locked -p xtask -- licences
  if has cargo-deny; then
    cargo deny --all-features check licenses bans sources
  fi
}

step "scripts" scripts
if cargo fmt --version >/dev/null 2>&1; then
  step "format of the code" cargo fmt --all --check
else
  skip "format of the code" "no rustfmt"
fi
step "shape and layers of the code" cargo run --quiet --locked -p xtask -- tidy
step "links and names in the documents" cargo run --quiet --locked -p xtask -- docs
step "codes and options" cargo run --quiet --locked -p xtask -- codes
step "one version number" cargo run --quiet --locked -p xtask -- versions
step "licences" licences
step "figures of docs/PERFORMANCE.md" cargo run --quiet --locked -p wal-bench -- report --check
if cargo clippy --version >/dev/null 2>&1; then
  step "lints" cargo clippy --quiet --locked --workspace --exclude wal-bench \
    --exclude wal-crash --all-targets --features wal-core/tracing -- -D warnings
  # Without the other logs: they are built by `ci/bench.sh` alone.
  step "lints of the benchmark" cargo clippy --quiet --locked -p wal-bench --all-targets -- -D warnings
  # The engine is another one with each of these but the first.
  for feature in plain simulate shuttle loom; do
    step "lints of the crash campaign ($feature)" cargo clippy --quiet --locked -p wal-crash \
      --all-targets --no-default-features --features "$feature" -- -D warnings
  done
else
  skip "lints" "no clippy"
fi
step "documentation of the crates" documentation
finish
