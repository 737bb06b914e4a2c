#!/usr/bin/env bash
# Measures libwal against the bare device and against other logs, and writes the results into
# bench/*.json, docs/PERFORMANCE.md and docs/performance/. `ci/bench.sh run` is P1 to P11,
# `ci/bench.sh scale` shows how cost grows.
#
#   BENCH_DIR=path   where to measure (below the target directory unless set)
#   QUICK=1          fewer rounds, shorter and smaller: for a look, not for a claim
#                    (on two cores `run` takes about 15 minutes, or 4; `scale` about 15, or 2)
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

started=$SECONDS
base=${BENCH_DIR:-$target/bench}
mkdir -p "$base"
base=$(cd "$base" && pwd -P)

# Takes a run's directory away, and what is mounted in it. Whatever goes wrong here must not keep
# the rest from going.
remove_run() {
  local run=$1 device
  # A process that was ended a moment ago may hold it still.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if ! mountpoint -q "$run/journal" || umount "$run/journal" 2>/dev/null; then break; fi
    sleep 0.3
  done
  if mountpoint -q "$run/journal"; then umount -l "$run/journal" || true; fi
  if command -v losetup >/dev/null; then
    for device in $(losetup --noheadings --output NAME --associated "$run/journal.img" 2>/dev/null); do
      losetup -d "$device" || true
    done
  fi
  rm -rf "$run"
}

# A run that was killed could not clean up behind itself: the next one does.
for run in "$base"/run.*; do
  [ -d "$run" ] || continue
  if ! kill -0 "${run##*.}" 2>/dev/null; then remove_run "$run"; fi
done

work=$base/run.$$
mkdir "$work"
measuring=
cleanup() {
  trap - EXIT
  if [ -n "$measuring" ]; then
    # The measurement that it started ends with it.
    kill "$measuring" 2>/dev/null || true
    wait "$measuring" 2>/dev/null || true
  fi
  remove_run "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

loud() { printf '\n*** %s\n\n' "$*" >&2; }

# An image with a journal, its blocks written beforehand: the file system inside must not wait for
# the one outside to find room.
mount_journal() {
  local mib=10240 device free_mib
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
  scale)
    results=bench/scale.json
    # The log of 10 GB, and the same bytes for the floor.
    free_mib=$(df --output=avail -BM "$base" | tail -n 1 | tr -dc 0-9)
    if [ "${#quick[@]}" -eq 0 ] && [ "$free_mib" -lt 30720 ]; then
      loud "NOT MEASURED: $free_mib MiB free in $base, 30720 needed; QUICK=1 needs a tenth"
      exit 1
    fi
    ;;
  *) echo "bench: $what is neither run nor scale"; exit 2 ;;
esac

if [ "${#more[@]}" -gt 0 ]; then results=$base/part.json; fi
echo "Ready to measure after $((SECONDS - started)) s"
# In the background, so that an interruption is dealt with at once and not when it has ended.
"$program" "$what" "${directories[@]}" "${quick[@]}" "${more[@]}" --results "$results" &
measuring=$!
wait "$measuring"
measuring=
if [ "${#more[@]}" -eq 0 ] && [ -e bench/results.json ]; then
  "$program" report
  echo "docs/PERFORMANCE.md and docs/performance/ are written"
fi
echo "All of it took $((SECONDS - started)) s"
