#!/usr/bin/env bash
# Installs libwal below DESTDIR/PREFIX: libraries, headers, pkg-config and CMake files, the command,
# manual pages, completions and examples. `ci/install.sh uninstall` removes the same files again, and
# the directories that are empty then.
# Files are put in place with `install`, which replaces a library that is in use instead of writing
# into it.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

mode=${1:-install}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
mandir=${MANDIR:-$prefix/share/man}
destdir=${DESTDIR:-}
# What libwal.pc calls the prefix: a tree that is unpacked anywhere says it relative to the file.
pc_prefix=${PC_PREFIX:-$prefix}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
major=${version%%.*}

case $mode in
  install | uninstall) ;;
  *) echo "usage: ci/install.sh [install|uninstall]"; exit 2 ;;
esac
for directory in "$prefix" "$libdir" "$includedir" "$mandir"; do
  case $directory in
    /*) ;;
    *) echo "$mode: $directory: PREFIX and the directories must be absolute paths"; exit 2 ;;
  esac
done

built=$(target_dir)/release
if [ "$mode" = install ]; then
  # Under sudo there is often no cargo: then what was built before is installed.
  if has cargo; then
    cargo build --quiet --release --locked -p wal-ffi -p wal-cli
  fi
  for file in libwal.so libwal.a wal; do
    [ -e "$built/$file" ] || { echo "install: no $built/$file: build it first"; exit 1; }
  done
fi

# put MODE FILE DIRECTORY [NAME]
put() {
  local path="$destdir$3/${4:-$(basename "$2")}"
  if [ "$mode" = uninstall ]; then
    remove "$path" "$3"
    return
  fi
  install -D -m "$1" "$2" "$path"
  echo "  $path"
}

# link TARGET DIRECTORY NAME
link() {
  if [ "$mode" = uninstall ]; then
    remove "$destdir$2/$3" "$2"
  else
    ln -sfn "$1" "$destdir$2/$3"
  fi
}

# fill TEMPLATE DIRECTORY: the template with its @NAMES@ replaced.
fill() {
  local name filled
  name=$(basename "$1" .in)
  filled=$(mktemp)
  sed -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|$major|g" -e "s|@PREFIX@|$pc_prefix|g" \
    -e "s|@LIBDIR@|$(below_prefix "$libdir")|g" \
    -e "s|@INCLUDEDIR@|$(below_prefix "$includedir")|g" \
    -e "s|@INCLUDEDIR_FROM_CMAKE@|$(realpath -m --relative-to="$libdir/cmake/wal" "$includedir")|g" \
    "$1" >"$filled"
  put 644 "$filled" "$2" "$name"
  rm -f "$filled"
}

# A directory as libwal.pc says it.
below_prefix() {
  case $1 in
    "$prefix"/*) printf '${prefix}%s\n' "${1#"$prefix"}" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# remove PATH DIRECTORY: the file, and upwards what is empty then. A foreign file keeps its
# directory, and the system keeps its own ones.
remove() {
  local directory=$2
  [ -e "$1" ] || [ -L "$1" ] || return 0
  rm -f "$1"
  echo "  $1"
  while ! is_of_system "$destdir$directory" && rmdir "$destdir$directory" 2>/dev/null; do
    directory=$(dirname "$directory")
    case $directory in
      "$prefix"/*) ;;
      *) break ;;
    esac
  done
}

is_of_system() {
  case $1 in
    /usr | /usr/bin | /usr/include | /usr/lib | /usr/share | /usr/share/man) ;;
    /usr/local | /usr/local/bin | /usr/local/include | /usr/local/lib | /usr/local/share) ;;
    /usr/local/share/man) ;;
    *) return 1 ;;
  esac
}

put 755 "$built/libwal.so" "$libdir" "libwal.so.$version"
link "libwal.so.$version" "$libdir" "libwal.so.$major"
link "libwal.so.$major" "$libdir" libwal.so
put 644 "$built/libwal.a" "$libdir"
for header in include/*.h include/*.hpp include/wal/*; do
  directory=$(dirname "$header")
  [ ! -e "$header" ] || put 644 "$header" "$includedir${directory#include}"
done
for header in include/wal/*.hpp; do put 644 "$header" "$includedir/wal"; done
fill bindings/c/libwal.pc.in "$libdir/pkgconfig"
fill bindings/c/walConfig.cmake.in "$libdir/cmake/wal"
fill bindings/c/walConfigVersion.cmake.in "$libdir/cmake/wal"
put 755 "$built/wal" "$prefix/bin"
for page in wal-cli/pages/*.1; do
  put 644 "$page" "$mandir/man1"
done
put 644 bindings/c/libwal.3 "$mandir/man3"
put 644 wal-cli/pages/wal.bash "$prefix/share/bash-completion/completions" wal
put 644 wal-cli/pages/wal.fish "$prefix/share/fish/vendor_completions.d"
# What Debian's zsh looks through: one directory for packages, another for the rest.
if [ "$prefix" = /usr ]; then
  put 644 wal-cli/pages/_wal "$prefix/share/zsh/vendor-completions"
else
  put 644 wal-cli/pages/_wal "$prefix/share/zsh/site-functions"
fi
for example in examples/c/*.c examples/cpp/*.cpp examples/{c,cpp}/{Makefile,CMakeLists.txt}; do
  directory=$(dirname "$example")
  [ ! -e "$example" ] || put 644 "$example" "$prefix/share/doc/libwal/$directory"
done

# Programs find the library from now on, and no longer.
if [ -z "$destdir" ] && [ "$(id -u)" -eq 0 ] && has ldconfig; then
  case $prefix in /usr | /usr/local) ldconfig ;; esac
fi
