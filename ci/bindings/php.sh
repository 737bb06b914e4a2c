#!/usr/bin/env bash
# The PHP package: `test` holds it to its promises, `runner` builds what goes through all languages,
# `package` packs it and uses the archive where nothing of the checkout is in reach, `measurer` is for
# what measures all languages (ci/bindings/bench.sh).
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

mode=${1:-test}
here=bindings/php
target=$(target_dir)
work=$target/bindings/php
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
archive=$work/libwal-php-$version.tar.gz

case $mode in
  test | runner | package | measurer) ;;
  *) echo "usage: ci/bindings/php.sh [test|runner|package|measurer]"; exit 2 ;;
esac

if ! has php ||
  ! php -r 'exit((int) !(PHP_VERSION_ID >= 80100 && extension_loaded("ffi")));' 2>/dev/null; then
  skip "php: $mode" "no PHP 8.1 with FFI (apt-get install php-cli)"
  finish
  exit
fi
echo "PHP $(php -r 'echo PHP_VERSION;')"
# Where the machine's php.ini would decide what is tested; as packages set it.
php=(php -d display_errors=stderr -d log_errors=0 -d error_reporting=-1 -d zend.assertions=1
  -d assert.exception=1 -d ffi.enable=preload)

# build PROFILE: the library under the name programs load it by.
build() {
  local profile=$1
  if [ "$profile" = release ]; then
    cargo build --quiet --locked --release -p wal-ffi
  else
    cargo build --quiet --locked -p wal-ffi
  fi
  mkdir -p "$work/$profile"
  ln -sf "$target/$profile/libwal.so" "$work/$profile/libwal.so.0"
}

sources() {
  find "$here" examples/php -name '*.php' | LC_ALL=C sort
}

lint() {
  local file
  while read -r file; do
    "${php[@]}" -l "$file" >/dev/null
    # A file without it would take numbers for strings.
    grep -q '^declare(strict_types=1);' "$file" || { echo "$file: no strict types"; exit 1; }
  done < <(sources)
  if sources | xargs grep -n '.\{101\}'; then
    echo "these lines are longer than 100 columns"
    exit 1
  fi
}

promises() {
  LIBWAL_LIBRARY=$work/debug/libwal.so.0 "${php[@]}" "$(command -v phpunit)" \
    -c "$here/phpunit.xml" --do-not-cache-result
}

# Each example as a reader would start it, twice: the second time finds the log of the first.
examples() {
  local name scratch
  scratch=$(mktemp -d -p "$STEPS_DIR")
  for name in append batch follow recover; do
    for _ in first second; do
      LIBWAL_LIBRARY=$work/debug/libwal.so.0 "${php[@]}" "examples/php/$name.php" \
        "$scratch/$name.wal" >"$scratch/output"
    done
    tail -n 1 "$scratch/output"
  done
}

# A shop that is killed while it takes orders.
orders() {
  LIBWAL_LIBRARY=$work/debug/libwal.so.0 "${php[@]}" examples/php/orders_test.php
}

leave_runner() {
  local runner=$target/bindings/runners/php scratch
  mkdir -p "$target/bindings/runners"
  printf '#!/bin/sh\nLIBWAL_LIBRARY="%s" exec %s "%s" "$@"\n' "$work/debug/libwal.so.0" \
    "${php[*]}" "$PWD/$here/conformance/runner.php" >"$runner"
  chmod +x "$runner"
  scratch=$(mktemp -d -p "$STEPS_DIR")
  "$runner" write "$scratch/log" 100 1 | tail -n 1
  "$runner" read "$scratch/log"
}

# What Composer unpacks below vendor/: the header and the licences as files of their own.
pack() {
  local stage
  stage=$(mktemp -d -p "$STEPS_DIR")/libwal
  mkdir -p "$stage"
  cp -rL "$here"/{composer.json,README.md,autoload.php,preload.php,resources,src} "$stage/"
  cp LICENSE-APACHE LICENSE-MIT "$stage/"
  tar -C "$(dirname "$stage")" --sort=name --owner=0 --group=0 --numeric-owner \
    -czf "$archive" libwal
  ls -l "$archive"
}

contents() {
  tar -tzf "$archive" | grep -v '/$' | LC_ALL=C sort | diff "$here/packaging/contents.txt" -
}

# use_package: unpacked far from the checkout, with the library found in each of the ways.
use_package() {
  local away
  away=$(mktemp -d -p "$STEPS_DIR")
  tar -C "$away" -xzf "$archive"
  mkdir "$away/system"
  cp "$target/debug/libwal.so" "$away/system/libwal.so.0"
  cp "$here/packaging/smoke.php" "$away/"
  cd "$away"
  unset LIBWAL_LIBRARY
  echo "by its name, where the system finds it"
  LD_LIBRARY_PATH=$away/system "${php[@]}" smoke.php "$away/log"
  echo "beside the package"
  mv system libwal/lib
  "${php[@]}" smoke.php "$away/log"
  echo "where php.ini says"
  mv libwal/lib elsewhere
  "${php[@]}" -d libwal.library="$away/elsewhere/libwal.so.0" smoke.php "$away/log"
  echo "where the environment says"
  LIBWAL_LIBRARY=$away/elsewhere/libwal.so.0 "${php[@]}" smoke.php "$away/log"
}

# leave_measurer NAME PROGRAM
leave_measurer() {
  mkdir -p "$target/bindings/measurers"
  local measurer=$target/bindings/measurers/$1
  printf '#!/bin/sh\nLIBWAL_LIBRARY="%s" exec php -d opcache.enable_cli=1 -d ffi.enable=preload "%s"\n' \
    "$work/release/libwal.so.0" "$PWD/$here/bench/$2" >"$measurer"
  chmod +x "$measurer"
}

case $mode in
  runner)
    step "php: the library" build debug
    step "php: conformance runner" leave_runner
    ;;
  measurer)
    step "php: the library, optimised" build release
    step "php: measurer" leave_measurer php measure.php
    if php -r 'exit((int) !extension_loaded("sqlite3"));'; then
      step "php: measurer of SQLite" leave_measurer php-sqlite3 peers.php
    else
      skip "php: measurer of SQLite" "no sqlite3 (apt-get install php-sqlite3)"
    fi
    ;;
  test)
    step "php: the library" build debug
    step "php: syntax" lint
    if has phpunit; then
      step "php: promises" promises
    else
      skip "php: promises" "no phpunit (apt-get install phpunit)"
    fi
    step "php: examples" examples
    step "php: orders while the server is killed" orders
    step "php: conformance runner" leave_runner
    ;;
  package)
    step "php: the library" build debug
    step "php: the archive" pack
    step "php: contents of the archive" contents
    step "php: the archive, unpacked alone" use_package
    ;;
esac
finish
