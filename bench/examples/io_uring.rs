//! One write and one data sync, as two system calls and as one linked pair through `io_uring`:
//! whether a backend for it would make commits faster (`docs/decisions/0011`).
//!
//! `cargo run --release -p wal-bench --features io-uring --example io_uring -- DIRECTORY`
#![allow(clippy::unwrap_used)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use io_uring::squeue::Flags;
use io_uring::{IoUring, opcode, types};
use memmap2::MmapMut;

const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let Some(directory) = directory else {
        return Err(io::Error::other("which directory is to be measured in?"));
    };
    println!("p50 of a write with a data sync, medians of {ROUNDS} interleaved rounds\n");
    println!("{:>9} {:>10} {:>12} {:>10} {:>6}", "bytes", "way", "two calls", "io_uring", "ratio");
    for (bytes, commits, is_direct) in
        [(4096, 2000, false), (4096, 2000, true), (1 << 20, 200, false), (1 << 20, 200, true)]
    {
        let file = zeroed(&directory, bytes * commits, is_direct)?;
        let (mut calls, mut ring) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            calls.push(median(two_calls(&file, bytes, commits)?));
            ring.push(median(linked(&file, bytes, commits)?));
        }
        let (calls, ring) = (median(calls), median(ring));
        let way = if is_direct { "direct" } else { "buffered" };
        let ratio = ring.as_secs_f64() / calls.as_secs_f64();
        println!("{bytes:>9} {way:>10} {calls:>12.1?} {ring:>10.1?} {ratio:>6.2}");
    }
    std::fs::remove_file(directory.join(FILE))
}

const FILE: &str = "io-uring-or-not";

/// A file of zeros that are on the disk, so that no write changes metadata.
fn zeroed(directory: &Path, bytes: usize, is_direct: bool) -> io::Result<File> {
    let path = directory.join(FILE);
    let file = File::create(&path)?;
    let zeros = vec![0; 1 << 20];
    for at in (0..bytes).step_by(zeros.len()) {
        file.write_all_at(&zeros, at as u64)?;
    }
    file.sync_all()?;
    let flags = if is_direct { libc::O_DIRECT } else { 0 };
    OpenOptions::new().write(true).custom_flags(flags).open(path)
}

fn two_calls(file: &File, bytes: usize, commits: usize) -> io::Result<Vec<Duration>> {
    let data = MmapMut::map_anon(bytes)?;
    (0..commits)
        .map(|at| {
            let started = Instant::now();
            file.write_all_at(&data, (at * bytes) as u64)?;
            file.sync_data()?;
            Ok(started.elapsed())
        })
        .collect()
}

/// The sync is linked to the write: it begins when that has ended, and one call waits for both.
fn linked(file: &File, bytes: usize, commits: usize) -> io::Result<Vec<Duration>> {
    let data = MmapMut::map_anon(bytes)?;
    let mut ring: IoUring =
        IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8)?;
    let fd = types::Fd(file.as_raw_fd());
    (0..commits)
        .map(|at| {
            let started = Instant::now();
            let write = opcode::Write::new(fd, data.as_ptr(), bytes as u32)
                .offset((at * bytes) as u64)
                .build()
                .flags(Flags::IO_LINK);
            let sync = opcode::Fsync::new(fd).flags(types::FsyncFlags::DATASYNC).build();
            // SAFETY: both are waited for below, before the data or the file can go.
            unsafe { ring.submission().push_multiple(&[write, sync]) }.map_err(io::Error::other)?;
            ring.submit_and_wait(2)?;
            let took = started.elapsed();
            let results: Vec<i32> = ring.completion().map(|entry| entry.result()).collect();
            if results.len() == 2 && results.contains(&(bytes as i32)) && results.contains(&0) {
                Ok(took)
            } else {
                Err(io::Error::other(format!("a write and a sync ended with {results:?}")))
            }
        })
        .collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
