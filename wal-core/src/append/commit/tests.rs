//! What commits are promised beside what the tests of the log see.

use std::path::Path;

use super::super::submit::Timer;
use super::*;
use crate::log::Log;
use crate::options::{AppendOptions, Level, Options};
use crate::vfs::MemVfs;

fn open(vfs: &MemVfs) -> Log {
    Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).expect("a new log").0
}

fn segment(vfs: &MemVfs) -> Vec<u8> {
    vfs.file_bytes(Path::new("/log/00000000000000000001.wal")).expect("there")
}

/// A sync that failed has lost bytes, and the next one succeeds all the same. Whoever was waiting
/// for the committer meanwhile must not make records durable behind the gap.
#[test]
fn who_gets_the_committer_after_a_failure_writes_nothing() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    log.append(b"before").expect("written");
    let engine = log.writer().expect("writing");
    let mut committer = engine.committer();
    let ticket = log.submit(b"behind").expect("claimed");
    let (before, durable) = (segment(&vfs), engine.marks.durable.load(Ordering::Acquire));
    engine.poison(Error::plain(ErrorKind::Io, "the disk has lost something"));
    for is_inline in [true, false] {
        let error = engine.flush(&mut committer, is_inline).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Io);
    }
    drop(committer);
    assert!(ticket.wait().is_err());
    assert_eq!(engine.marks.durable.load(Ordering::Acquire), durable);
    assert!(segment(&vfs) == before, "nothing was written");
}

/// Who takes the committer to flush what turns out not to be due leaves it to the others.
#[test]
fn an_inline_flush_leaves_alone_what_nobody_waits_for() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    log.append(b"first").expect("written");
    let engine = log.writer().expect("writing");
    let mut committer = engine.committer();
    // The timer that would want it in a moment counts as armed already.
    engine.timers.fetch_or(Timer::Flush as u32, Ordering::Relaxed);
    let buffered = AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() };
    drop(log.with(buffered).submit(b"later").expect("claimed"));
    assert!(!engine.flush(&mut committer, true).expect("nothing is wrong"));
    assert_eq!(engine.marks.written.load(Ordering::Acquire), 2);
    assert!(engine.flush(&mut committer, false).expect("nothing is wrong"));
    assert_eq!(engine.marks.written.load(Ordering::Acquire), 3);
}

/// The ring that an inline commit leaves to be given back is given back before the committer goes:
/// otherwise it would fill up for good.
#[test]
fn inline_commits_give_the_ring_back() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    let os = AppendOptions { level: Some(Level::Os), ..AppendOptions::default() };
    for number in 0..100u64 {
        log.with(os).append(&number.to_le_bytes()).expect("written");
        assert_eq!(log.writer().expect("writing").ring_bytes_used(), 0, "after {number}");
    }
}
