#!/usr/bin/env bash
# Installs into a temporary directory and uses what was installed as a stranger would: through
# pkg-config, through CMake, by running the command and reading its manual. The same for the packages;
# in the end everything is uninstalled.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

scratch=$(mktemp -d "$STEPS_DIR/installed.XXXXXX")
prefix=$scratch/usr
# Programs are built away from the checkout, whose headers they must not find.
program=$scratch/program/installed.c
mkdir -p "$scratch/program"
cp bindings/c/tests/installed.c "$program"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
warnings=(-Wall -Wextra -Wpedantic -Werror)

install_files() {
  PREFIX=$prefix DESTDIR='' ci/install.sh
  # A package is built with DESTDIR: nothing may land elsewhere, and no file may name it.
  PREFIX=/usr DESTDIR=$scratch/package ci/install.sh >/dev/null
  [ "$(ls "$scratch/package")" = usr ]
  if grep -rIl "$scratch" "$scratch/package"; then
    echo "these files name the place where the package was built"
    exit 1
  fi
  # Completions of zsh are where the system's packages put them below /usr alone.
  diff <(cd "$prefix" && find . -type f | sort) \
    <(cd "$scratch/package/usr" && find . -type f | sed 's|vendor-completions|site-functions|' | sort)
  local header
  for header in include/*.h include/*.hpp include/wal/*; do
    [ ! -e "$header" ] || cmp "$header" "$prefix/$header"
  done
}

soname() {
  local major=${version%%.*}
  [ -L "$prefix/lib/libwal.so" ]
  [ -L "$prefix/lib/libwal.so.$major" ]
  objdump -p "$prefix/lib/libwal.so" | grep -E "SONAME +libwal\.so\.$major\$"
}

# build COMPILER NAME FLAG...: the program, with what pkg-config says, run once.
build() {
  local compiler=$1 name=$2
  shift 2
  # The flags of pkg-config are words.
  # shellcheck disable=SC2046
  (cd "$scratch/program" && "$compiler" "${warnings[@]}" "$@" $(pkg-config --cflags libwal) \
    -o "$scratch/$name" "$program" $(pkg-config --libs libwal))
  LD_LIBRARY_PATH=$(pkg-config --variable=libdir libwal) "$scratch/$name" "$scratch/$name.log"
}

# The same with libwal.a in the place of the shared library.
build_static() {
  local compiler=$1 name=$2
  shift 2
  # shellcheck disable=SC2046
  (cd "$scratch/program" && "$compiler" "${warnings[@]}" "$@" $(pkg-config --cflags libwal) \
    -o "$scratch/$name" "$program" "$(pkg-config --variable=libdir libwal)/libwal.a" \
    $(pkg-config --static --libs-only-l libwal | sed 's/-lwal//'))
  "$scratch/$name" "$scratch/$name.log"
}

programs() {
  local compiler=$1 dialect
  for dialect in c99 c11 c17 c2x; do
    build "$compiler" "$compiler-$dialect" "-std=$dialect"
  done
  build_static "$compiler" "$compiler-static" -std=c99
}

sanitized() {
  local compiler=$1 flags=(-std=c99 -g -fsanitize=address,undefined -fno-sanitize-recover=all)
  build "$compiler" "$compiler-sanitized" "${flags[@]}"
  build_static "$compiler" "$compiler-static-sanitized" "${flags[@]}"
}

# The examples as they were installed, by the Makefile beside them.
examples() {
  cp -r "$prefix/share/doc/libwal/examples" "$scratch/examples"
  local language name example
  for language in c cpp; do
    [ -e "$scratch/examples/$language/Makefile" ] || continue
    make --silent -C "$scratch/examples/$language" CFLAGS=-Werror
  done
  for name in append batch follow recover; do
    LD_LIBRARY_PATH=$prefix/lib "$scratch/examples/c/$name" "$scratch/example-$name" >/dev/null
  done
}

# A header of C++ is compiled by itself, with what pkg-config says.
cplusplus() {
  local dialect header
  for header in "$prefix"/include/*.h*; do
    [ "$(basename "$header")" != wal_php.h ] || continue
    for dialect in c++17 c++20; do
      printf '#include <%s>\nint main() { return wal_version_number() == 0; }\n' \
        "$(basename "$header")" >"$scratch/program/main.cpp"
      # shellcheck disable=SC2046
      (cd "$scratch/program" && c++ "${warnings[@]}" "-std=$dialect" \
        $(pkg-config --cflags libwal) -o "$scratch/cplusplus" main.cpp $(pkg-config --libs libwal))
      LD_LIBRARY_PATH=$prefix/lib "$scratch/cplusplus"
    done
  done
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

# cmake_package PREFIX NAME
cmake_package() {
  mkdir -p "$scratch/$2"
  cat >"$scratch/$2/CMakeLists.txt" <<TEXT
cmake_minimum_required(VERSION 3.16)
project(installed C)
find_package(wal 0.1 REQUIRED)
add_executable(shared $program)
target_link_libraries(shared PRIVATE wal::wal)
add_executable(static $program)
target_link_libraries(static PRIVATE wal::wal_static)
TEXT
  cmake -S "$scratch/$2" -B "$scratch/$2/build" -DCMAKE_PREFIX_PATH="$1" >/dev/null
  cmake --build "$scratch/$2/build" >/dev/null
  "$scratch/$2/build/shared" "$scratch/$2-shared.log"
  "$scratch/$2/build/static" "$scratch/$2-static.log"
}

# What a C program appended, the command reads.
command_reads() {
  "$prefix/bin/wal" --version
  diff <("$prefix/bin/wal" cat "$scratch/cc-c99.log") <(printf 'one\ntwo\nthree\n')
}

manual_pages() {
  local page said
  [ "$(find "$prefix/share/man" -type f | wc -l)" -ge 16 ]
  for page in "$prefix"/share/man/man[13]/*; do
    said=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
    [ -z "$said" ] || { echo "$page: $said"; return 1; }
  done
  # Every command has its page, and every option is in it.
  "$prefix/bin/wal" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' | grep -v '^help$' >"$scratch/commands"
  [ "$(wc -l <"$scratch/commands")" -ge 14 ]
  while read -r page; do
    "$prefix/bin/wal" "$page" --help | grep -o -- '^ *\(-., \)\?--[a-z-]*' | grep -o -- '--.*' |
      while read -r option; do
        LC_ALL=C.UTF-8 man -E ASCII -P cat -l "$prefix/share/man/man1/wal-$page.1" |
          grep -q -- "$option" || { echo "wal-$page.1 lacks $option"; return 1; }
      done
  done <"$scratch/commands"
}

lint_pages() {
  mandoc -T lint -W error "$prefix"/share/man/man[13]/*
}

completions() {
  local page
  bash -n "$prefix/share/bash-completion/completions/wal"
  # What bash offers after `wal re`.
  page=$(bash -c "source '$prefix/share/bash-completion/completions/wal'
    COMP_WORDS=(wal re) COMP_CWORD=1; _wal wal re wal; echo \"\${COMPREPLY[*]}\"")
  [ "$page" = repair ] || { echo "bash completes re to $page"; return 1; }
  if has zsh; then zsh -n "$prefix/share/zsh/site-functions/_wal"; fi
  if has fish; then fish --no-execute "$prefix/share/fish/vendor_completions.d/wal.fish"; fi
}

# Directories of another layout than lib and include.
other_directories() {
  local root=$scratch/elsewhere
  PREFIX=$root LIBDIR=$root/lib/elsewhere INCLUDEDIR=$root/include/libwal MANDIR=$root/man \
    ci/install.sh >/dev/null
  [ -e "$root/lib/elsewhere/libwal.so.$version" ] && [ -e "$root/include/libwal/wal.h" ]
  [ -e "$root/man/man1/wal.1" ] && [ ! -e "$root/include/wal.h" ]
  PKG_CONFIG_PATH=$root/lib/elsewhere/pkgconfig build cc other -std=c99
  PREFIX=$root LIBDIR=$root/lib/elsewhere INCLUDEDIR=$root/include/libwal MANDIR=$root/man \
    ci/install.sh uninstall >/dev/null
  [ -z "$(ls -A "$root")" ]
}

# What is foreign stays, with its directory; of what was installed nothing does.
uninstall() {
  mkdir -p "$prefix/share/man/man1" "$prefix/etc"
  touch "$prefix/share/man/man1/foreign.1" "$prefix/lib/libforeign.so"
  PREFIX=$prefix ci/install.sh uninstall
  diff <(cd "$prefix" && find . | sort) - <<TEXT
.
./etc
./lib
./lib/libforeign.so
./share
./share/man
./share/man/man1
./share/man/man1/foreign.1
TEXT
  # A second time there is nothing to do.
  [ -z "$(PREFIX=$prefix ci/install.sh uninstall)" ]
  PREFIX=/usr DESTDIR=$scratch/package ci/install.sh uninstall >/dev/null
  [ -z "$(find "$scratch/package" ! -type d)" ]
}

step "installation: files" install_files
if has objdump; then
  step "installation: SONAME" soname
else
  skip "installation: SONAME" "no objdump"
fi
if has pkg-config && has cc; then
  step "installation: C programs, shared and static" programs cc
  step "installation: C programs with sanitizers" sanitized cc
  if has clang; then
    step "installation: C programs of clang" programs clang
  else
    skip "installation: C programs of clang" "no clang"
  fi
  step "installation: C program of the README" readme
  step "installation: the command reads the log of C" command_reads
  step "installation: other directories" other_directories
  if has c++; then
    step "installation: headers in C++" cplusplus
  else
    skip "installation: headers in C++" "no c++"
  fi
  if has make; then
    step "installation: examples" examples
  else
    skip "installation: examples" "no make"
  fi
else
  skip "installation: C programs" "no pkg-config or no cc"
fi
if has cmake; then
  step "installation: CMake package" cmake_package "$prefix" cmake
else
  skip "installation: CMake package" "no cmake"
fi
if has man; then
  step "installation: manual pages" manual_pages
else
  skip "installation: manual pages" "no man: apt-get install man-db"
fi
if has mandoc; then
  step "installation: manual pages by mandoc" lint_pages
else
  skip "installation: manual pages by mandoc" "no mandoc"
fi
step "installation: completions" completions
for shell in zsh fish; do
  has "$shell" || skip "installation: completions of $shell" "no $shell"
done
step "installation: everything is uninstalled" uninstall
steps_of ci/packaged.sh
finish
