#!/usr/bin/env bash
# Power cuts of a virtual machine: `ci/crash/machines.sh slice` makes two, and only where qemu and a
# kernel are there already; `full` fetches a kernel of Debian (unpacked below the target directory,
# never installed) and goes on for WAL_CRASH_SECONDS (80) from WAL_CRASH_SEED (the clock).
# WAL_CRASH_KERNEL is a directory with another kernel: boot/vmlinuz-* and lib/modules/*.
set -euo pipefail
cd "$(dirname "$0")/../.."

effort=${1:-slice}
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "NOT RUN: power cuts of a virtual machine (Linux on x86-64 alone)"
  exit 0
fi
# Where file systems are made, for those who are not root.
PATH=$PATH:/usr/sbin:/sbin
target=${CARGO_TARGET_DIR:-target}
kernel=${WAL_CRASH_KERNEL:-$target/machines/kernel}

# The package of the newest kernel for virtual machines that this system's repositories have.
newest_kernel() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# Unpacks it.
fetch_kernel() {
  local newest package=$target/machines/package
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
  newest=$(newest_kernel)
  if [ -z "$newest" ] && [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq || true
    newest=$(newest_kernel)
  fi
  [ -n "$newest" ] || return
  rm -rf "$package"
  mkdir -p "$package"
  # As the user who asks: the directory is nobody else's.
  (cd "$package" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$newest") || return
  dpkg-deb -x "$package"/linux-image-*.deb "$package/kernel"
  mv "$package/kernel" "$kernel"
  rm -rf "$package"
}

if [ "$effort" = full ] && [ ! -d "$kernel" ]; then
  fetch_kernel || echo "machines: no kernel is to be had from this system's repositories"
fi
if ! command -v qemu-system-x86_64 >/dev/null; then
  echo "NOT RUN: power cuts of a virtual machine (qemu-system-x86 is not installed)"
  exit 0
fi
if [ ! -d "$kernel" ]; then
  echo "NOT RUN: power cuts of a virtual machine (no kernel in $kernel; the full run fetches one)"
  exit 0
fi
cargo build --quiet --locked --profile crash -p wal-crash --bin crash-machines
exec "$target/crash/crash-machines" "$effort" --kernel "$kernel"
