#!/usr/bin/env bash
# Installs what is missing: `ci/setup.sh demo` (a C linker), `ci/setup.sh languages` (what the packages
# for other languages are built and measured with), `ci/setup.sh test` (everything the tests use),
# `ci/setup.sh bench` (what the measurements use) or `ci/setup.sh crash` (file systems and machines
# that lose power). Quick when nothing is missing; on other systems than Debian it says what to
# install.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-test}
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'setup: %s\n' "$*"; }

# The packages that are missing, by what they are looked up by.
missing_packages() {
  has cc || echo gcc
  [ -e /usr/include/stdio.h ] || echo libc6-dev
  [ "$purpose" = demo ] && return
  if [ "$purpose" = bench ]; then
    # The sync counts of other logs; a file system with a journal.
    has strace || echo strace
    has mkfs.ext4 || echo e2fsprogs
    has losetup || echo mount
    return
  fi
  if [ "$purpose" = crash ]; then
    has mkfs.ext4 || echo e2fsprogs
    has mkfs.xfs || echo xfsprogs
    has mkfs.btrfs || echo btrfs-progs
    has fusermount3 || echo fuse3
    has umount || echo mount
    # Virtual machines to lose power; the kernel they boot comes with the first full run.
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
      has qemu-system-x86_64 || echo qemu-system-x86
    fi
    return
  fi
  # A Node that is too old fetches a newer one by itself.
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3 python3-venv
  has javac || echo openjdk-17-jdk-headless
  has mvn || echo maven
  has npm || echo nodejs npm
  php -r 'exit((int) !extension_loaded("ffi"));' 2>/dev/null || echo php-cli
  has c++ || echo g++
  if [ "$purpose" = languages ]; then
    # What PHP is measured beside.
    php -r 'exit((int) !extension_loaded("sqlite3"));' 2>/dev/null || echo php-sqlite3
    return
  fi
  has clang++ || echo clang libclang-rt-dev
  has clang-tidy || echo clang-tidy
  has pkg-config || echo pkg-config
  has valgrind || echo valgrind
  has cmake || echo cmake
  has phpunit || echo phpunit
  has unzip || echo unzip
  has nm || echo binutils
  # The installation, the C ABI and the packages.
  has man || echo man-db
  has mandoc || echo mandoc
  has zsh || echo zsh
  has fish || echo fish
  has abidw || echo abigail-tools
  has doxygen || echo doxygen
  has lintian || echo lintian
}

install_packages() {
  local packages=("$@") root=()
  if ! has apt-get; then
    say "no apt-get here: please install ${packages[*]} (or what they are called on this system)"
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! has sudo; then
      say "not root and no sudo: please run  apt-get install ${packages[*]}"
      return 1
    fi
    root=(sudo)
    # Nobody is there to type a password.
    [ "${CI:-}" != true ] || root+=(-n)
  fi
  say "installing ${packages[*]}"
  local get=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
  "${get[@]}" update -qq || true
  "${get[@]}" install -y -qq --no-install-recommends "${packages[@]}" && return
  # One package that is not to be had must not cost the others.
  local package
  for package in "${packages[@]}"; do
    "${get[@]}" install -y -qq --no-install-recommends "$package" || true
  done
}

# The Rust toolchain is the user's own: nothing is installed over it.
check_rust() {
  local wanted found
  if ! has cargo || ! has rustc; then
    say "no Rust toolchain: see https://rustup.rs"
    exit 1
  fi
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
  if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
    say "Rust $found is too old: $wanted or newer is needed (rustup update)"
    exit 1
  fi
}

# rustfmt and clippy are parts of the toolchain that a minimal installation leaves out.
check_components() {
  local component
  for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 && continue
    if ! has rustup || ! rustup component add "$component"; then
      say "no $component: the checks that need it will not run"
    fi
  done
}

check_rust
mapfile -t packages < <(missing_packages | tr ' ' '\n')
if [ "${#packages[@]}" -gt 0 ]; then
  install_packages "${packages[@]}" || true
  mapfile -t packages < <(missing_packages | tr ' ' '\n')
fi
if [ "${#packages[@]}" -gt 0 ]; then
  say "going on without ${packages[*]}: what needs them will not run, and say so"
fi
if ! has cc || [ ! -e /usr/include/stdio.h ]; then
  say "no C compiler: Rust cannot link without one (apt-get install gcc libc6-dev)"
  exit 1
fi
[ "$purpose" != test ] || check_components
