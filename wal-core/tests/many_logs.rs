//! A thousand logs in one process, and very small ones.
//!
//! In a process of its own per test: what is counted here is the whole process.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::{Log, Lsn, Options, RecoveryCase};

/// One test at a time, so that each counts its own.
static ALONE: Mutex<()> = Mutex::new(());

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident bytes of this process that belong to no file.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

fn disk_bytes(path: &Path) -> u64 {
    let files = fs::read_dir(path).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().blocks() * 512).sum()
}

#[test]
fn a_thousand_idle_logs_cost_little() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    const LOGS: usize = 1000;
    // SAFETY-free way to more descriptors: none is needed, the limit is looked at instead.
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: usize = files.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    let logs = LOGS.min(files.saturating_sub(100) / 5);
    let directory = tempfile::tempdir().unwrap();
    let (threads_before, descriptors_before) = (threads(), descriptors());
    let resident_before = resident_bytes();
    let open: Vec<_> = (0..logs)
        .map(|number| {
            let path = directory.path().join(number.to_string());
            let (log, _) = Log::open(path, Options::default()).unwrap();
            log.append(&[7; 1000]).unwrap();
            log
        })
        .collect();
    let busy_threads = threads() - threads_before;
    // The watermark goes to the state file after a second of quiet, threads go after two more.
    thread::sleep(Duration::from_millis(5500));
    let idle_threads = threads().saturating_sub(threads_before);
    let descriptors_each = (descriptors() - descriptors_before).div_ceil(logs);
    let resident_each = resident_bytes().saturating_sub(resident_before) / logs as u64;
    println!(
        "{logs} logs: {busy_threads} threads busy, {idle_threads} idle, {descriptors_each} \
         descriptors and {resident_each} bytes of memory each"
    );
    assert!(idle_threads <= 4, "{idle_threads} threads");
    assert!(descriptors_each <= 4, "{descriptors_each} descriptors each");
    assert!(resident_each <= 64 << 10, "{resident_each} bytes of memory each");
    for log in &open {
        assert_eq!(log.append(b"still there").unwrap().get(), 2);
        assert_eq!(log.read(Lsn::FIRST).unwrap()[..], [7; 1000]);
    }
    drop(open);
    let path = directory.path().join("0");
    assert_eq!(Log::open(path, Options::default()).unwrap().1.case, RecoveryCase::Clean);
}

/// A ring that was filled once gives its memory back when the log is quiet.
#[test]
fn a_log_that_was_busy_once_gives_its_memory_back() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    const LOGS: u64 = 8;
    let directory = tempfile::tempdir().unwrap();
    let before = resident_bytes();
    let logs: Vec<_> = (0..LOGS)
        .map(|number| {
            let path = directory.path().join(number.to_string());
            let options = Options { segment_bytes: 4 << 20, ..Options::default() };
            let (log, _) = Log::open(path, options).unwrap();
            for _ in 0..160 {
                drop(log.submit(&[7; 64 << 10]).unwrap());
            }
            log.sync().unwrap();
            log
        })
        .collect();
    let busy = resident_bytes().saturating_sub(before) / LOGS;
    assert!(busy > 4 << 20, "the rings were used: {busy} bytes each");
    let started = Instant::now();
    let mut idle = busy;
    while idle > 512 << 10 && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(100));
        idle = resident_bytes().saturating_sub(before) / LOGS;
    }
    println!("{busy} bytes each while busy, {idle} when quiet");
    assert!(idle <= 512 << 10, "{idle} bytes each");
    for log in &logs {
        let next = log.next_lsn();
        assert_eq!(log.append(&[8; 3 << 20]).unwrap(), next);
        assert!(log.read(next).unwrap().iter().all(|&byte| byte == 8));
    }
}

#[test]
fn a_small_log_stays_small() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let directory = tempfile::tempdir().unwrap();
    let mut fastest = Duration::MAX;
    for number in 0..5 {
        let path = directory.path().join(number.to_string());
        let started = Instant::now();
        let (log, _) = Log::open(&path, Options::default()).unwrap();
        log.append(&[7; 1024]).unwrap();
        fastest = fastest.min(started.elapsed());
        thread::sleep(Duration::from_millis(50));
        let open = disk_bytes(&path);
        log.close().unwrap();
        let closed = disk_bytes(&path);
        assert!(open <= 256 << 10, "{open} bytes on disk while open");
        assert!(closed <= 256 << 10, "{closed} bytes on disk");
        if number == 0 {
            println!("1 KiB of log takes {open} bytes of disk open, {closed} closed");
        }
    }
    println!("created and appended to in {fastest:?}");
    assert!(fastest < Duration::from_secs(3));
}

/// An idle log keeps writing nothing.
#[test]
fn a_quiet_log_comes_to_rest() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    use std::sync::Arc;
    use wal_core::vfs::MemVfs;
    let vfs = MemVfs::new();
    let options = Options { sync_every: Some(Duration::from_millis(10)), ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    log.append(b"x").unwrap();
    log.values().set(b"k", b"v").unwrap();
    thread::sleep(Duration::from_millis(3500));
    let before = vfs.op_count();
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(vfs.op_count(), before);
    drop(log);
}
