#!/usr/bin/env bash
# Installs into a temporary directory and uses what was installed as a stranger would: through
# pkg-config, through CMake and by running the command.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

scratch=$(mktemp -d "$STEPS_DIR/installed.XXXXXX")
prefix=$scratch/usr
program=bindings/c/tests/installed.c
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig

install_files() {
  PREFIX=$prefix DESTDIR='' ci/install.sh
  # A package is built with DESTDIR: nothing may land elsewhere, and no file may name it.
  PREFIX=/usr DESTDIR=$scratch/package ci/install.sh >/dev/null
  [ "$(ls "$scratch/package")" = usr ]
  if grep -rIl "$scratch" "$scratch/package"; then
    echo "these files name the place where the package was built"
    exit 1
  fi
  diff <(cd "$prefix" && find . | sort) <(cd "$scratch/package/usr" && find . | sort)
}

soname() {
  local version=${1%%.*}
  [ -L "$prefix/lib/libwal.so" ]
  [ -L "$prefix/lib/libwal.so.$version" ]
  objdump -p "$prefix/lib/libwal.so" | grep -E "SONAME +libwal\.so\.$version\$"
}

shared() {
  # The flags of pkg-config are words.
  # shellcheck disable=SC2046
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags libwal) \
    -o "$scratch/shared" "$program" $(pkg-config --libs libwal)
  LD_LIBRARY_PATH=$prefix/lib "$scratch/shared" "$scratch/shared.log"
}

static() {
  # shellcheck disable=SC2046
  cc -std=c99 $(pkg-config --cflags libwal) -o "$scratch/static" "$program" \
    "$prefix/lib/libwal.a" $(pkg-config --static --libs-only-l libwal | sed 's/-lwal//')
  "$scratch/static" "$scratch/static.log"
}

# The program that README.md shows, taken out of it.
readme() {
  awk '/^```$/ { inside = 0 } inside { print } /^```c$/ { inside = 1 }' README.md >"$scratch/readme.c"
  [ -s "$scratch/readme.c" ]
  # shellcheck disable=SC2046
  cc -Wall -Wextra -Werror $(pkg-config --cflags libwal) \
    -o "$scratch/readme" "$scratch/readme.c" $(pkg-config --libs libwal)
  (cd "$scratch" && LD_LIBRARY_PATH=$prefix/lib ./readme)
  [ "$("$prefix/bin/wal" cat "$scratch/events")" = paid ]
}

cmake_package() {
  mkdir -p "$scratch/cmake"
  cat >"$scratch/cmake/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.16)
project(installed C)
find_package(wal 0.1 REQUIRED)
add_executable(shared $PWD/$program)
target_link_libraries(shared PRIVATE wal::wal)
add_executable(static $PWD/$program)
target_link_libraries(static PRIVATE wal::wal_static)
EOF
  cmake -S "$scratch/cmake" -B "$scratch/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
  cmake --build "$scratch/cmake/build" >/dev/null
  "$scratch/cmake/build/shared" "$scratch/cmake-shared.log"
  "$scratch/cmake/build/static" "$scratch/cmake-static.log"
}

# What a C program appended, the command reads.
command_reads() {
  "$prefix/bin/wal" --version
  diff <("$prefix/bin/wal" cat "$scratch/shared.log") <(printf 'one\ntwo\nthree\n')
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
step "installation: files" install_files
if has objdump; then
  step "installation: SONAME" soname "$version"
else
  skip "installation: SONAME" "no objdump"
fi
if has pkg-config && has cc; then
  step "installation: C program, shared" shared
  step "installation: C program, static" static
  step "installation: C program of the README" readme
  step "installation: the command reads the log of C" command_reads
else
  skip "installation: C programs" "no pkg-config or no cc"
fi
if has cmake; then
  step "installation: CMake package" cmake_package
else
  skip "installation: CMake package" "no cmake"
fi
finish
