#!/usr/bin/env bash
# Installs libwal below DESTDIR/PREFIX: libraries, headers, pkg-config and CMake files, the command.
# Files are put in place with `install`, which replaces a library that is in use instead of writing
# into it.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
destdir=${DESTDIR:-}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
major=${version%%.*}

case $prefix in
  /*) ;;
  *) echo "install: PREFIX is $prefix: it must be an absolute path"; exit 2 ;;
esac

# Under sudo there is often no cargo: then what was built before is installed.
if has cargo; then
  cargo build --quiet --release --locked -p wal-ffi -p wal-cli
fi
built=$(target_dir)/release
for file in libwal.so libwal.a wal; do
  [ -e "$built/$file" ] || { echo "install: no $built/$file: build it first"; exit 1; }
done

# put MODE FILE DIRECTORY [NAME]
put() {
  local path="$destdir$3/${4:-$(basename "$2")}"
  install -D -m "$1" "$2" "$path"
  echo "  $path"
}

# fill TEMPLATE DIRECTORY: the template with its @NAMES@ replaced.
fill() {
  local name filled
  name=$(basename "$1" .in)
  filled=$(mktemp)
  sed -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|$major|g" -e "s|@PREFIX@|$prefix|g" \
    -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" \
    -e "s|@INCLUDEDIR_FROM_CMAKE@|$(realpath -m --relative-to="$libdir/cmake/wal" "$includedir")|g" \
    "$1" >"$filled"
  put 644 "$filled" "$2" "$name"
  rm -f "$filled"
}

put 755 "$built/libwal.so" "$libdir" "libwal.so.$version"
ln -sf "libwal.so.$version" "$destdir$libdir/libwal.so.$major"
ln -sf "libwal.so.$major" "$destdir$libdir/libwal.so"
put 644 "$built/libwal.a" "$libdir"
for header in include/*.h include/*.hpp; do
  [ ! -e "$header" ] || put 644 "$header" "$includedir"
done
fill bindings/c/libwal.pc.in "$libdir/pkgconfig"
fill bindings/c/walConfig.cmake.in "$libdir/cmake/wal"
fill bindings/c/walConfigVersion.cmake.in "$libdir/cmake/wal"
put 755 "$built/wal" "$prefix/bin"
