#!/usr/bin/env bash
# Measures libwal against the bare device and against other logs, and writes the results into
# bench/*.json, docs/PERFORMANCE.md and docs/performance/. `ci/bench.sh run` is P1 to P11,
# `ci/bench.sh scale` shows how cost grows.
#
#   BENCH_DIR=path   where to measure (below the target directory unless set)
#   QUICK=1          fewer rounds, shorter and smaller: for a look, not for a claim
#   JOURNAL=0        no second file system
#   BENCH_ARGS=...   more arguments of `wal-bench run`, such as '--only P4 --system libwal'; what is
#                    measured in part is printed and leaves results and documents alone
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}
ci/setup.sh bench

target=$(cargo metadata --format-version 1 --no-deps --locked 2>/dev/null |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
quick=()
if [ "${QUICK:-0}" = 1 ]; then quick=(--quick); fi
read -r -a more <<<"${BENCH_ARGS:-}"

echo "Building (some minutes the first time: the other logs are built too)"
cargo build --quiet --release --locked -p wal-bench --features peers
program=$target/release/wal-bench

base=${BENCH_DIR:-$target/bench}
mkdir -p "$base"
work=$(mktemp -d "$base/run.XXXXXX")
device=
cleanup() {
  # Whatever goes wrong here must not keep the rest from going.
  if mountpoint -q "$work/journal"; then umount "$work/journal" || umount -l "$work/journal" || true; fi
  [ -z "$device" ] || losetup -d "$device" || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

loud() { printf '\n*** %s\n\n' "$*" >&2; }

# An image with a journal, its blocks written beforehand: the file system inside must not wait for
# the one outside to find room.
mount_journal() {
  local mib=12288 free_mib
  [ "${#quick[@]}" -eq 0 ] || mib=5120
  free_mib=$(df --output=avail -BM "$base" | tail -n 1 | tr -dc 0-9)
  if [ "$(id -u)" -ne 0 ]; then
    loud "NO FILE SYSTEM WITH A JOURNAL: mounting one needs root"
    return 1
  fi
  if ! command -v losetup >/dev/null || ! command -v mkfs.ext4 >/dev/null; then
    loud "NO FILE SYSTEM WITH A JOURNAL: no losetup or no mkfs.ext4"
    return 1
  fi
  if [ "$free_mib" -lt $((mib + 16384)) ]; then
    loud "NO FILE SYSTEM WITH A JOURNAL: $free_mib MiB free in $base, $((mib + 16384)) needed"
    return 1
  fi
  dd if=/dev/zero of="$work/journal.img" bs=1M count="$mib" oflag=direct conv=fsync status=none &&
    device=$(losetup --direct-io=on --find --show "$work/journal.img") &&
    mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$device" &&
    mkdir "$work/journal" &&
    mount "$device" "$work/journal" && return
  loud "NO FILE SYSTEM WITH A JOURNAL: it could not be made or mounted here"
  return 1
}

directories=(--directory "$work")
case $what in
  run)
    results=bench/results.json
    if [ "${JOURNAL:-1}" = 1 ] && mount_journal; then
      directories+=(--directory "$work/journal")
    fi
    ;;
  scale) results=bench/scale.json ;;
  *) echo "bench: $what is neither run nor scale"; exit 2 ;;
esac

if [ "${#more[@]}" -gt 0 ]; then results=$base/part.json; fi
"$program" "$what" "${directories[@]}" "${quick[@]}" "${more[@]}" --results "$results"
if [ "${#more[@]}" -eq 0 ] && [ -e bench/results.json ]; then
  "$program" report
  echo "docs/PERFORMANCE.md and docs/performance/ are written"
fi
