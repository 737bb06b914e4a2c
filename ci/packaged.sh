#!/usr/bin/env bash
# Builds the packages (ci/package.sh), looks at what is in them, unpacks them elsewhere and builds and
# runs a program with nothing but what they brought.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

scratch=$(mktemp -d "$STEPS_DIR/packaged.XXXXXX")
packages=$(target_dir)/package
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
major=${version%%.*}
program=$scratch/installed.c
cp bindings/c/tests/installed.c "$program"

# use NAME LIBRARIES COMMAND: builds the program with pkg-config as it is set, and reads its log.
use() {
  # The flags of pkg-config are words.
  # shellcheck disable=SC2046
  (cd "$scratch" && cc -std=c99 -Wall -Wextra -Werror $(pkg-config --cflags libwal) \
    -o "$1" "$program" $(pkg-config --libs libwal))
  LD_LIBRARY_PATH=$2 "$scratch/$1" "$scratch/$1.log"
  diff <("$3" cat "$scratch/$1.log") <(printf 'one\ntwo\nthree\n')
}

archive() {
  local file=("$packages"/libwal-"$version"-*.tar.gz) root
  tar --list --file "${file[0]}" >"$scratch/archive.list"
  grep -q '/LICENSE-MIT$' "$scratch/archive.list"
  tar --extract --file "${file[0]}" --directory "$scratch"
  # It may be moved.
  root=$scratch/moved
  mv "$scratch/$(basename "${file[0]}" .tar.gz)" "$root"
  PKG_CONFIG_PATH=$root/lib/pkgconfig use archive "$root/lib" "$root/bin/wal"
}

# Which file is in which package; numbers of the version are left out.
listed() {
  local package
  for package in "libwal$major" libwal-dev libwal-tools; do
    dpkg-deb --contents "$packages/${package}_"*.deb | awk -v package="$package" \
      '$1 !~ /^d/ { print package, $6 $7 $8 }'
  done | sed "s|$(cc -print-multiarch)|TRIPLET|; s|$version|VERSION|g"
}

contents() {
  listed | tee "$scratch/listed"
  local wanted
  for wanted in "libwal$major ./usr/lib/TRIPLET/libwal.so.VERSION" \
    "libwal$major ./usr/lib/TRIPLET/libwal.so.$major->libwal.so.VERSION" \
    "libwal-dev ./usr/lib/TRIPLET/libwal.so->libwal.so.$major" \
    "libwal-dev ./usr/lib/TRIPLET/libwal.a" "libwal-dev ./usr/include/wal.h" \
    "libwal-dev ./usr/lib/TRIPLET/pkgconfig/libwal.pc" \
    "libwal-dev ./usr/lib/TRIPLET/cmake/wal/walConfig.cmake" \
    "libwal-dev ./usr/share/man/man3/libwal.3.gz" "libwal-tools ./usr/bin/wal" \
    "libwal-tools ./usr/share/man/man1/wal-append.1.gz" \
    "libwal-tools ./usr/share/zsh/vendor-completions/_wal"; do
    grep -qxF "$wanted" "$scratch/listed" || { echo "not there: $wanted"; return 1; }
  done
  [ -z "$(cut -d ' ' -f 2 "$scratch/listed" | sort | uniq -d)" ]
  local package
  for package in "$packages"/*.deb; do
    dpkg-deb --field "$package" Package Version Depends
    rm -rf "$scratch/control"
    dpkg-deb --control "$package" "$scratch/control"
    mkdir -p "$scratch/all"
    dpkg-deb --extract "$package" "$scratch/all"
    (cd "$scratch/all" && md5sum --quiet --check "$scratch/control/md5sums")
  done
}

unpacked() {
  local root=$scratch/all libraries
  libraries=$root/usr/lib/$(cc -print-multiarch)
  PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$libraries/pkgconfig \
    use unpacked "$libraries" "$root/usr/bin/wal"
}

# dpkg's own view: an installation into a directory, and a removal that leaves nothing.
installed() {
  local root=$scratch/root
  mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
  touch "$root/var/lib/dpkg/status"
  # The directory has no C library that could be depended on.
  dpkg --root="$root" --force-depends --force-not-root --install "$packages"/*.deb >/dev/null 2>&1
  [ "$(dpkg --root="$root" --list 'libwal*' | grep -c '^ii')" -eq 3 ]
  "$root/usr/bin/wal" --version
  dpkg --root="$root" --force-not-root --purge libwal-tools libwal-dev "libwal$major" >/dev/null 2>&1
  [ ! -e "$root/usr" ] || [ -z "$(find "$root/usr" ! -type d)" ]
}

reproduced() {
  (cd "$packages" && sha256sum ./*) >"$scratch/first"
  env -u STEPS_DIR ci/package.sh >/dev/null
  (cd "$packages" && sha256sum --quiet --check "$scratch/first")
}

steps_of ci/package.sh
if has pkg-config && has cc; then
  step "package: the archive is used" archive
fi
if has dpkg-deb; then
  step "package: contents" contents
  step "package: unpacked and used" unpacked
  step "package: installed and removed by dpkg" installed
else
  skip "package: contents" "no dpkg-deb"
fi
if has lintian; then
  step "package: lintian" lintian --fail-on error "$packages"/*.deb
else
  skip "package: lintian" "no lintian"
fi
step "package: built twice, the same bytes" reproduced
finish
