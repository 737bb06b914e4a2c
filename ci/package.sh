#!/usr/bin/env bash
# Builds the packages in <target directory>/package: libwal0, libwal-dev and libwal-tools for Debian,
# and an archive that can be unpacked anywhere. Each is made from what ci/install.sh installs.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
major=${version%%.*}
output=$(target_dir)/package
work=$STEPS_DIR/package
rm -rf "$work" "$output"
mkdir -p "$work" "$output"
# Two builds of one change give the same bytes.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)
fi
export SOURCE_DATE_EPOCH

# The archive: bin, include, lib and share below one directory.
archive() {
  local name
  name=libwal-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
  PREFIX=/$name DESTDIR=$work/archive PC_PREFIX='${pcfiledir}/../..' ci/install.sh >/dev/null
  install -m 644 LICENSE-APACHE LICENSE-MIT CHANGELOG.md "$work/archive/$name"
  strip_files "$work/archive/$name/lib" "$work/archive/$name/bin"
  tar --create --gzip --file "$output/$name.tar.gz" --directory "$work/archive" \
    --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$name"
  echo "  $output/$name.tar.gz"
}

# What a debugger needs is several times what runs.
strip_files() {
  local file
  while IFS= read -r file; do
    case $file in
      *.a) strip --strip-debug --enable-deterministic-archives "$file" ;;
      *) strip --strip-unneeded --remove-section=.comment "$file" ;;
    esac
  done < <(find "$@" -type f \( -name '*.a' -o -name '*.so*' -o -path '*/bin/*' \))
}

debian() {
  local triplet architecture tree=$work/all
  triplet=$(cc -print-multiarch)
  architecture=$(dpkg --print-architecture)
  PREFIX=/usr LIBDIR=/usr/lib/$triplet DESTDIR=$tree ci/install.sh >/dev/null
  strip_files "$tree/usr/lib" "$tree/usr/bin"
  chmod 644 "$tree/usr/lib/$triplet/libwal.so.$version"
  find "$tree/usr/share/man" -type f -exec gzip --best --no-name {} +

  move "$tree" "libwal$major" "usr/lib/$triplet/libwal.so.$major*"
  move "$tree" libwal-dev usr/include "usr/lib/$triplet/*" usr/share/man/man3
  move "$tree" libwal-tools usr/bin usr/share/man/man1 usr/share/bash-completion usr/share/fish \
    usr/share/zsh
  mkdir -p "$work/libwal-dev/usr/share/doc/libwal-dev"
  mv "$tree/usr/share/doc/libwal/examples" "$work/libwal-dev/usr/share/doc/libwal-dev/"
  # Whatever is installed belongs to a package.
  [ -z "$(find "$tree" ! -type d)" ] || { find "$tree" ! -type d; return 1; }

  local library=$work/libwal$major tools=$work/libwal-tools libc
  libc="libc6 (>= $(libc_needed "$library/usr/lib/$triplet/libwal.so.$version"))"
  mkdir -p "$library/DEBIAN"
  printf 'libwal %s libwal%s (>= %s)\n' "$major" "$major" "$version" >"$library/DEBIAN/shlibs"
  printf 'activate-noawait ldconfig\n' >"$library/DEBIAN/triggers"
  describe "libwal$major" libs "$architecture" "$libc, libgcc-s1 (>= 3.0)" same \
    "embeddable, crash-safe write-ahead log - library" \
    "the shared library that programs load."
  describe libwal-dev libdevel "$architecture" "libwal$major (= $version-1)" same \
    "embeddable, crash-safe write-ahead log - development files" \
    "the headers for C and C++, the static library, files for pkg-config and
 CMake, the manual page and examples."
  libc="libc6 (>= $(libc_needed "$tools/usr/bin/wal"))"
  describe libwal-tools utils "$architecture" "$libc, libgcc-s1 (>= 3.0)" foreign \
    "embeddable, crash-safe write-ahead log - command" \
    "the command wal, which appends to, reads, inspects, verifies and repairs
 logs."
}

# move TREE PACKAGE PATTERN...: from the installed tree to the package's.
move() {
  local tree=$1 package=$work/$2 pattern path
  shift 2
  for pattern in "$@"; do
    # The patterns are to be expanded.
    # shellcheck disable=SC2086
    for path in "$tree"/$pattern; do
      mkdir -p "$package/$(dirname "${path#"$tree/"}")"
      mv "$path" "$package/${path#"$tree/"}"
    done
  done
}

# The newest version of the C library that a file asks for.
libc_needed() {
  objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1
}

# describe PACKAGE SECTION ARCHITECTURE DEPENDS MULTI-ARCH SUMMARY CONTENTS
describe() {
  local tree=$work/$1 docs=$work/$1/usr/share/doc/$1
  mkdir -p "$tree/DEBIAN" "$docs"
  sed 's/^/ /; s/^ $/ ./' LICENSE-MIT >"$work/licence"
  cat >"$docs/copyright" <<TEXT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: libwal
Source: https://github.com/libwal/libwal

Files: *
Copyright: the libwal contributors
License: Apache-2.0 or Expat

License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

License: Expat
$(cat "$work/licence")
TEXT
  gzip --best --no-name >"$docs/changelog.Debian.gz" <<TEXT
libwal ($version-1) unstable; urgency=medium

  * The changes are in CHANGELOG.md of the source.

 -- $MAINTAINER  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT
  find "$tree" -type d -exec chmod 755 {} +
  # Sorted and without the control files, as dpkg wants it.
  (cd "$tree" && find usr -type f | LC_ALL=C sort | xargs -d '\n' md5sum) >"$tree/DEBIAN/md5sums"
  cat >"$tree/DEBIAN/control" <<TEXT
Package: $1
Source: libwal
Version: $version-1
Section: $2
Priority: optional
Architecture: $3
Multi-Arch: $5
Maintainer: $MAINTAINER
Installed-Size: $(du --apparent-size -k -s "$tree/usr" | cut -f 1)
Depends: $4
Homepage: https://github.com/libwal/libwal
Description: $6
 libwal keeps an append-only sequence of records in a directory. When an
 append returns, the record survives power loss, unless the program has
 chosen less; after a crash every acknowledged record is there, in order
 and without a hole.
 .
 This package has
 $7
TEXT
  find "$tree/DEBIAN" -type f -exec chmod 644 {} +
  find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --build --root-owner-group "$tree" "$output/$1_$version-1_$3.deb" >/dev/null
  echo "  $output/$1_$version-1_$3.deb"
}

MAINTAINER="libwal contributors <libwal@users.noreply.github.com>"

step "package: archive" archive
if has dpkg-deb; then
  step "package: Debian" debian
else
  skip "package: Debian" "no dpkg-deb"
fi
finish
