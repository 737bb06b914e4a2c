#!/usr/bin/env bash
# The guard against getting slower, without a clock: counts instructions, syncs and journal commits
# and compares them with ci/guard.toml. `ci/guard.sh update` makes what it counts the baseline.
# GUARD_DIR keeps the profiles, for callgrind_annotate.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

mode=${1:-check}
scratch=$(mktemp -d "$STEPS_DIR/guard.XXXXXX")
directory=$(target_dir)/guard
[ -z "${GUARD_DIR:-}" ] || directory=$(realpath -m "$GUARD_DIR")
guard=$(target_dir)/release/wal-guard

build() {
  # All three, so that what the installation has built already serves here as well.
  cargo build --quiet --release --locked -p wal-ffi -p wal-cli -p wal-guard
}

count() {
  "$guard" "$@" | tee "$file"
}

xtask() { cargo run --quiet --locked -p xtask -- "$@"; }

# A file system with a journal, whatever the one below is.
mount_image() {
  truncate -s 192M "$scratch/image"
  mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$scratch/image"
  mkdir "$scratch/mounted"
  mount -o loop "$scratch/image" "$scratch/mounted"
}

# The journal's own statistics, the witness; nothing where they are not to be seen.
journal() {
  local device
  device=$(basename "$(findmnt -n -o SOURCE "$scratch/mounted")")
  find /proc/fs/jbd2 -path "*/$device-*/info" 2>/dev/null | head -n 1
}

can_count_journal() {
  [ "$(id -u)" -eq 0 ] && has losetup && has mkfs.ext4 && has findmnt &&
    mount_image 2>/dev/null && [ -n "$(journal)" ]
}

# The figures in $file against the baseline.
compare() {
  xtask guard "$file"
}

# Comparing under other terms than the baseline's own is never silent.
compare_instructions() {
  local terms
  terms=$(xtask guard --terms "$file")
  case $terms in
    strictly) step "guard: instructions" compare ;;
    loosely:*) step "guard: instructions, no more than 15 % above (${terms#loosely: })" compare ;;
    *) skip "guard: instructions" "not compared, ${terms#not at all: }" ;;
  esac
  grep -q '^\[direct\]' "$file" || skip "guard: past the page cache" "no O_DIRECT in $directory"
}

# take STEP COMMAND...: a step, and whether it passed.
take() {
  local before
  before=$(failed_count)
  step "$@"
  [ "$(failed_count)" -eq "$before" ]
}

update() {
  cat "$scratch"/*.toml >"$scratch/all"
  xtask guard --write "$scratch/all"
  git --no-pager diff --stat -- ci/guard.toml || true
}

# An image that stayed mounted would keep the temporary directory from going.
leave() {
  umount "$scratch/mounted" 2>/dev/null || true
  [ "${STEPS_OWNER:-}" != "$$" ] || rm -rf "$STEPS_DIR"
}
trap leave EXIT

guard_instructions() {
  if ! has valgrind; then
    skip "guard: instructions" "no valgrind"
    return
  fi
  file=$scratch/1.toml
  if take "guard: count instructions" count instructions "$directory" && [ "$mode" = check ]; then
    compare_instructions
  fi
}

guard_commits() {
  local command=(count commits "$directory") what="syncs"
  if can_count_journal; then
    command=(count commits "$scratch/mounted" "$(journal)") what="syncs and journal commits"
  else
    skip "guard: journal commits" "no ext4 image can be mounted here, or its journal not be seen"
  fi
  file=$scratch/2.toml
  if take "guard: count $what" "${command[@]}" && [ "$mode" = check ]; then
    step "guard: $what" compare
  fi
}

if take "guard: build" build; then
  guard_instructions
  guard_commits
  if [ "$mode" = update ] && [ "$(failed_count)" -eq 0 ]; then
    step "guard: new baseline" update
  fi
fi
finish
