#!/usr/bin/env bash
# The Python package: `test` builds it and holds it to its promises, `runner` builds it for what goes
# through all languages, `package` makes wheel and sdist and installs both where nothing of the
# checkout is in reach, `bench` measures each call, `measurer` is for what measures all
# languages (ci/bindings/bench.sh).
# Everything it installs lies below the target directory.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

mode=${1:-test}
here=bindings/python
target=$(target_dir)
work=$target/bindings/python
venv=$work/venv
# What maturin sets too, so that cargo and maturin build the same thing once.
export PYO3_BUILD_EXTENSION_MODULE=1 CARGO_TARGET_DIR="$target"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

case $mode in
  test | runner | package | bench | measurer) ;;
  *) echo "usage: ci/bindings/python.sh [test|runner|package|bench|measurer]"; exit 2 ;;
esac

# 3.11 is the oldest the package is for.
find_python() {
  local python
  for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if has "$python" && "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      2>/dev/null; then
      echo "$python"
      return
    fi
  done
}
python=$(find_python)
if [ -z "$python" ]; then
  skip "python: $mode" "no Python 3.11 with venv (apt-get install python3 python3-venv)"
  finish
  exit
fi
export PYO3_PYTHON
PYO3_PYTHON=$(command -v "$python")

# environment REQUIREMENTS: installs anew only when the list or the interpreter has changed.
environment() {
  local stamp
  stamp=$("$python" -VV; cat "$@")
  if [ ! -e "$venv/stamp" ] || [ "$(cat "$venv/stamp")" != "$stamp" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    local list
    for list in "$@"; do
      "$venv/bin/pip" install --quiet --requirement "$list"
    done
    printf '%s' "$stamp" >"$venv/stamp"
  fi
}

# The tests run against what is installed: no source of the package is on their path.
install_profile() {
  rm -rf "$work/$1"
  "$venv/bin/maturin" build --quiet --locked --profile "$1" --interpreter "$python" \
    --manifest-path "$here/Cargo.toml" --out "$work/$1"
  "$venv/bin/pip" install --quiet --force-reinstall --no-deps "$work/$1"/*.whl
}

lint_rust() {
  cargo fmt --check -p wal-python
  cargo clippy --quiet --locked -p wal-python -- -D warnings
}

lint_python() {
  local sources=("$here/python" "$here/tests" "$here/conformance" "$here/bench" "$here/packaging")
  sources+=(examples/python)
  "$venv/bin/ruff" format --no-cache --check --quiet --config "$here/pyproject.toml" "${sources[@]}"
  "$venv/bin/ruff" check --no-cache --quiet --config "$here/pyproject.toml" "${sources[@]}"
}

types() {
  local mypy=("$venv/bin/mypy" --config-file "$PWD/$here/pyproject.toml" --cache-dir "$work/mypy")
  "${mypy[@]}" -p libwal
  (cd "$here/tests" && "${mypy[@]}" .)
  (cd "$here/conformance" && "${mypy[@]}" .)
  (cd "$here/bench" && "${mypy[@]}" .)
  local example
  for example in examples/python/*.py; do
    "${mypy[@]}" "$example"
  done
  (cd "$work" && "$venv/bin/stubtest" libwal)
}

promises() {
  (cd "$here/tests" &&
    "$venv/bin/python" -m pytest -q -p no:cacheprovider -c ../pyproject.toml --rootdir . .)
}

examples() {
  local example scratch
  scratch=$(mktemp -d -p "$STEPS_DIR")
  for example in examples/python/*.py; do
    "$venv/bin/python" -W error "$example" "$scratch/$(basename "$example").wal" >"$scratch/output"
    tail -n 1 "$scratch/output"
  done
}

leave_runner() {
  mkdir -p "$target/bindings/runners"
  local runner=$target/bindings/runners/python
  printf '#!/bin/sh\nexec "%s" -B "%s" "$@"\n' "$venv/bin/python" \
    "$PWD/$here/conformance/runner.py" >"$runner"
  chmod +x "$runner"
  local scratch
  scratch=$(mktemp -d -p "$STEPS_DIR")
  "$runner" write "$scratch/log" 100 1 | tail -n 1
  "$runner" read "$scratch/log"
}

# contents LIST FILE: what is in the package is what the list says, with VERSION for the version.
contents() {
  local version
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  "$venv/bin/python" "$here/packaging/contents.py" "$2" "$version" >"$work/contents"
  diff -u "$here/packaging/$1" "$work/contents"
}

build_packages() {
  rm -rf "$work/dist"
  "$venv/bin/maturin" build --quiet --locked --release --interpreter "$python" \
    --manifest-path "$here/Cargo.toml" --out "$work/dist"
  "$venv/bin/maturin" sdist --manifest-path "$here/Cargo.toml" --out "$work/dist"
  ls -l "$work/dist"
}

# try_package NAME FILE: installs into an environment of its own, far from the checkout.
try_package() {
  local away=$work/try-$1
  rm -rf "$away"
  mkdir -p "$away"
  cp "$2" "$away/"
  cp "$here/packaging/smoke.py" "$away/"
  (
    cd "$away"
    # A build of its own, as on the machine of somebody who has nothing but the file.
    unset CARGO_TARGET_DIR PYO3_BUILD_EXTENSION_MODULE
    "$python" -m venv venv
    venv/bin/pip install --quiet "./$(basename "$2")"
    venv/bin/python -I smoke.py "$away/log"
  )
}

benchmark() {
  mkdir -p "$work/bench"
  rm -f "$work/bench/calls.json"
  # shellcheck disable=SC2086 # several flags
  "$venv/bin/python" "$here/bench/calls.py" --dir "$work/bench" -o "$work/bench/calls.json" \
    ${BENCH_FLAGS:-}
}

leave_measurers() {
  leave_measurer python measure.py
  leave_measurer python-sqlite3 peers.py sqlite3
  leave_measurer python-persist-queue peers.py persist-queue
}

# leave_measurer NAME PROGRAM ARGUMENT...
leave_measurer() {
  mkdir -p "$target/bindings/measurers"
  local measurer=$target/bindings/measurers/$1
  printf '#!/bin/sh\nexec "%s" -B "%s" %s\n' "$venv/bin/python" "$PWD/$here/bench/$2" "${*:3}" \
    >"$measurer"
  chmod +x "$measurer"
}

case $mode in
  runner)
    step "python: environment" environment "$here/requirements-dev.txt"
    step "python: build and install" install_profile dev
    step "python: conformance runner" leave_runner
    ;;
  measurer)
    step "python: environment" environment "$here/requirements-dev.txt" "$here/requirements-bench.txt"
    step "python: build and install" install_profile release
    step "python: measurers" leave_measurers
    ;;
  test)
    step "python: environment" environment "$here/requirements-dev.txt"
    step "python: build and install" install_profile dev
    step "python: format and lints, Rust" lint_rust
    step "python: format and lints, Python" lint_python
    step "python: mypy --strict and stubtest" types
    step "python: promises" promises
    step "python: examples" examples
    step "python: conformance runner" leave_runner
    ;;
  package)
    step "python: environment" environment "$here/requirements-dev.txt"
    step "python: wheel and sdist" build_packages
    step "python: what is in the wheel" contents wheel.txt "$work"/dist/*.whl
    step "python: what is in the sdist" contents sdist.txt "$work"/dist/*.tar.gz
    step "python: the wheel, installed alone" try_package wheel "$work"/dist/*.whl
    step "python: the sdist, installed alone" try_package sdist "$work"/dist/*.tar.gz
    ;;
  bench)
    step "python: environment" environment "$here/requirements-dev.txt" "$here/requirements-bench.txt"
    step "python: build and install" install_profile release
    step "python: benchmark" benchmark
    ;;
esac
finish
