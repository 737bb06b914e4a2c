#!/usr/bin/env bash
# Everything a change has to pass: the machine's set-up, the checks, the tests, the installation.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

ci/setup.sh test
steps_of ci/verify.sh

step "the engine alone" cargo check --quiet --locked -p wal-core --all-targets
step "the engine with tracing" \
  cargo check --quiet --locked -p wal-core --all-targets --features tracing
# The same cases each time, so that a failure is the change's; `make crash` looks for new ones.
step "tests of the crates" env PROPTEST_RNG_SEED=20261122 cargo test --quiet --locked
step "tests of the benchmark" cargo test --quiet --locked -p wal-bench
step "tests of the crash campaign" cargo test --quiet --locked -p wal-crash
step "fuzz targets" env CARGO_TARGET_DIR="$(target_dir)/fuzz" \
  cargo check --quiet --locked --manifest-path fuzz/Cargo.toml
steps_of ci/crash.sh slice
steps_of ci/format.sh
for language in python java node php; do
  steps_of "ci/bindings/$language.sh" test
  steps_of "ci/bindings/$language.sh" package
done
steps_of ci/bindings/cpp.sh test
steps_of ci/bindings/conformance.sh slice
steps_of ci/abi.sh
steps_of ci/installed.sh
steps_of ci/guard.sh
finish
