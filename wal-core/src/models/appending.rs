//! Appending to a whole log in memory.

use std::path::Path;

use crate::error::ErrorKind;
use crate::log::Log;
use crate::lsn::Lsn;
use crate::options::{AppendOptions, Level, Options};
use crate::sync::Arc;
use crate::sync::modelled::background::Worker;
use crate::vfs::{Fault, FaultVfs, MemVfs, Operation};

pub(super) fn open(vfs: &FaultVfs) -> Log {
    let options = Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() };
    let opened = Log::open_with(Arc::new(vfs.clone()), Path::new("log"), options);
    opened.expect("a new log opens").0
}

/// What was submitted before a sync is durable after it, whoever was still copying.
pub(super) fn publish() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let log = open(&vfs);
    let worker = Worker::start();
    loom::explore();
    let other = log.clone();
    let other = crate::sync::thread::spawn(move || submit(&other, b"two"));
    let mine = submit(&log, b"one");
    log.sync().expect("a sync");
    assert!(log.durable_lsn() >= Some(mine), "what was submitted before is durable");
    other.join().expect("it submits");
    loom::stop_exploring();
    log.sync().expect("a sync");
    end(log, worker, &[b"one", b"two"]);
}

/// Both appends return, and what they return can be read.
pub(super) fn group() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let log = open(&vfs);
    let worker = Worker::start();
    loom::explore();
    let other = log.clone();
    let other = crate::sync::thread::spawn(move || other.append(b"two").expect("an append"));
    let mine = log.append(b"one").expect("an append");
    assert!(log.durable_lsn() >= Some(mine));
    other.join().expect("it appends");
    loom::stop_exploring();
    end(log, worker, &[b"one", b"two"]);
}

/// An append beside closing is durable or refused.
pub(super) fn close() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let log = open(&vfs);
    let worker = Worker::start();
    loom::explore();
    let other = log.clone();
    let other = crate::sync::thread::spawn(move || other.append(b"one"));
    log.close().expect("closing");
    let appended = other.join().expect("it ends");
    loom::stop_exploring();
    worker.end();
    match appended {
        Ok(lsn) => assert_eq!(log.durable_lsn(), Some(lsn)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Closed),
    }
}

/// Everybody who waits for a sync that fails is told, and so is who comes later.
pub(super) fn poison() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let log = open(&vfs);
    let worker = Worker::start();
    // The first commit makes its segment before it syncs.
    log.append(b"zero").expect("an append");
    let is_segment = |path: &Path| !path.ends_with("STATE");
    vfs.fail(Operation::Sync, is_segment, 1, false, Fault::LoseUnsynced(libc::EIO));
    loom::explore();
    let other = log.clone();
    let other = crate::sync::thread::spawn(move || other.append(b"two"));
    let mine = log.append(b"one");
    let others = other.join().expect("it ends");
    loom::stop_exploring();
    assert!(mine.is_err() && others.is_err(), "one sync failed, and none came after it");
    assert_eq!(log.append(b"three").expect_err("refused").kind(), ErrorKind::Poisoned);
    assert_eq!(log.close().expect_err("told").kind(), ErrorKind::Poisoned);
    worker.end();
}

fn submit(log: &Log, record: &[u8]) -> Lsn {
    let level = Some(Level::Buffered);
    let options = AppendOptions { level, ..AppendOptions::default() };
    log.with(options).append(record).expect("an append")
}

/// Closes the log, which holds these records in whichever order.
fn end(log: Log, worker: Worker, records: &[&[u8]]) {
    let mut found = Vec::new();
    for number in 1..=records.len() as u64 {
        let lsn = Lsn::new(number).expect("a small number");
        found.push(log.read(lsn).expect("it is durable").to_vec());
    }
    found.sort();
    let mut expected: Vec<_> = records.iter().map(|record| record.to_vec()).collect();
    expected.sort();
    assert_eq!(found, expected);
    log.close().expect("closing");
    worker.end();
}
