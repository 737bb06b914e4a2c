//! A log that may take so much room and no more.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{AppendOptions, AtCapacity, ErrorKind, Level, Log, Lsn, Options, Wait};

const SEGMENT: u64 = 256 << 10;
const MAX: u64 = 4 * SEGMENT;

fn memory(at_capacity: AtCapacity) -> (MemVfs, Log) {
    let vfs = MemVfs::new();
    let log = open(&vfs, at_capacity);
    (vfs, log)
}

fn open(vfs: &MemVfs, at_capacity: AtCapacity) -> Log {
    let options = Options {
        segment_bytes: SEGMENT,
        ring_bytes: 64 << 10,
        max_bytes: Some(MAX),
        at_capacity,
        level: Level::Os,
        ..Options::default()
    };
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap().0
}

fn disk_bytes(vfs: &MemVfs) -> u64 {
    let path = Path::new("/log");
    let names = vfs.list(path).unwrap();
    let segments = names.iter().filter(|name| name.to_string_lossy().ends_with(".wal"));
    // A file may go between the list and the look.
    segments
        .map(|name| vfs.file_bytes(&path.join(name)).map_or(0, |bytes| bytes.len() as u64))
        .sum()
}

/// Appends until the log is full; returns how many records went in.
fn fill(log: &Log, size: usize) -> u64 {
    let mut count = 0;
    loop {
        match log.append(&vec![7; size]) {
            Ok(_) => count += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full);
                assert!(error.message().contains("max_bytes"), "{error}");
                return count;
            }
        }
        assert!(count < 100_000, "never full");
    }
}

#[test]
fn an_append_at_capacity_is_refused_and_changes_nothing() {
    let (vfs, log) = memory(AtCapacity::Reject);
    let count = fill(&log, 1000);
    let fits = MAX / 1016;
    assert!((fits * 8 / 10..fits).contains(&count), "{count} of {fits}");
    let next = log.next_lsn();
    assert_eq!(log.append(&[7; 1000]).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(log.append_batch(&[[7; 500]; 2]).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(log.submit(&[7; 1000]).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!((log.next_lsn(), log.last_lsn().unwrap().next()), (next, Some(next)));
    assert!(log.stats().unwrap().poisoned.is_none());
    assert_eq!(log.read(Lsn::FIRST).unwrap().len(), 1000);
    log.sync().unwrap();
    log.close().unwrap();
    assert!(disk_bytes(&vfs) <= MAX + SEGMENT, "one spare at the most beyond it");
    // A full log opens, reads and is still full.
    let log = open(&vfs, AtCapacity::Reject);
    assert_eq!(log.next_lsn(), next);
    while log.append(&[7; 1000]).is_ok() {}
    assert_eq!(log.append(&[7; 1000]).unwrap_err().kind(), ErrorKind::Full);
}

/// What a sealed segment did not use of its size stayed counted, so that a log that was trimmed
/// again and again came to be full for good.
#[test]
fn a_full_log_works_again_after_a_trim_for_ever() {
    let (_, log) = memory(AtCapacity::Reject);
    let first_count = fill(&log, 100_000);
    for round in 0..30 {
        log.trim(log.next_lsn()).unwrap();
        let count = fill(&log, 100_000);
        assert!(count + 2 >= first_count, "round {round}: {count} instead of {first_count}");
    }
    for round in 0..20u64 {
        let third = log.stats().unwrap().segments[2].first_lsn;
        log.trim(third).unwrap();
        assert!(fill(&log, 1000) > 50, "round {round}");
    }
}

#[test]
fn a_record_that_never_fits_is_refused_and_not_waited_for() {
    for at_capacity in [AtCapacity::Reject, AtCapacity::Block, AtCapacity::TrimOldest] {
        let (_, log) = memory(at_capacity);
        log.append(b"small").unwrap();
        let error = log.append(&vec![0; MAX as usize]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Full | ErrorKind::Invalid), "{error}");
        assert_eq!(log.append(b"small").unwrap().get(), 2);
        assert_eq!(log.first_lsn(), Some(Lsn::FIRST), "nothing was trimmed for it");
    }
}

#[test]
fn a_blocked_append_goes_on_after_a_trim() {
    let (_, log) = memory(AtCapacity::Block);
    let wait = |wait| AppendOptions { wait, ..AppendOptions::default() };
    while log.with(wait(Wait::Try)).append(&[7; 1000]).is_ok() {}
    let next = log.next_lsn();
    let refused = log.with(wait(Wait::Try)).append(&[7; 1000]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    let started = Instant::now();
    let refused =
        log.with(wait(Wait::AtMost(Duration::from_millis(50)))).append(&[7; 1000]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Timeout);
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(log.next_lsn(), next);
    thread::scope(|scope| {
        let blocked: Vec<_> =
            (0..4).map(|_| scope.spawn(|| log.append(&[8; 1000]).unwrap().get())).collect();
        thread::sleep(Duration::from_millis(50));
        assert!(blocked.iter().all(|append| !append.is_finished()));
        log.trim(Lsn::new(next.get() / 2).unwrap()).unwrap();
        let mut lsns: Vec<_> = blocked.into_iter().map(|append| append.join().unwrap()).collect();
        lsns.sort_unstable();
        assert_eq!(lsns, (next.get()..next.get() + 4).collect::<Vec<_>>());
    });
}

#[test]
fn a_producer_and_a_consumer_share_a_bounded_log() {
    let (vfs, log) = memory(AtCapacity::Block);
    const RECORDS: u64 = 5000;
    thread::scope(|scope| {
        scope.spawn(|| (0..RECORDS).map(|_| log.append(&[7; 1000]).unwrap()).max());
        let mut follower = log.follow(Lsn::FIRST).unwrap();
        for number in 1..=RECORDS {
            assert_eq!(follower.next().unwrap().lsn().get(), number);
            if number % 100 == 0 {
                log.trim(Lsn::new(number + 1).unwrap()).unwrap();
            }
        }
    });
    assert!(disk_bytes(&vfs) <= MAX + SEGMENT);
}

#[test]
fn the_oldest_records_make_room_for_the_newest() {
    let (vfs, log) = memory(AtCapacity::TrimOldest);
    let mut most = 0;
    for number in 1..=6000u64 {
        assert_eq!(log.append(&[number as u8; 1000]).unwrap().get(), number);
        if number % 50 == 0 {
            most = most.max(disk_bytes(&vfs));
        }
    }
    assert!(most <= MAX + SEGMENT, "{most} bytes on disk");
    let (first, last) = (log.first_lsn().unwrap().get(), log.last_lsn().unwrap().get());
    assert_eq!(last, 6000);
    assert!(last - first > 2 * SEGMENT / 1016, "{first} to {last} are kept");
    assert_eq!(log.read(Lsn::FIRST).unwrap_err().kind(), ErrorKind::Trimmed);
    for number in first..=last {
        assert_eq!(log.read(Lsn::new(number).unwrap()).unwrap()[..], [number as u8; 1000]);
    }
    drop(log);
    let log = open(&vfs, AtCapacity::TrimOldest);
    assert_eq!(log.last_lsn().unwrap().get(), 6000);
    assert!(log.first_lsn().unwrap().get() >= first);
    log.append(b"on").unwrap();
}

#[test]
fn a_large_record_at_capacity_trims_as_much_as_it_needs() {
    let (vfs, log) = memory(AtCapacity::TrimOldest);
    for _ in 0..1500 {
        log.append(&[7; 1000]).unwrap();
    }
    let lsn = log.append(&vec![9; 2 * SEGMENT as usize]).unwrap();
    assert_eq!(log.read(lsn).unwrap().len(), 2 * SEGMENT as usize);
    log.sync().unwrap();
    for _ in 0..1000 {
        log.append(&[7; 1000]).unwrap();
    }
    assert!(disk_bytes(&vfs) <= MAX + SEGMENT, "{} bytes", disk_bytes(&vfs));
    assert!(log.stats().unwrap().poisoned.is_none());
}

#[test]
fn a_disk_that_fills_up_and_is_freed_is_gone_on_with() {
    let vfs = MemVfs::new();
    let options = Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() };
    let log = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap().0;
    for _ in 0..3 {
        log.append(&[1; 1000]).unwrap();
    }
    vfs.set_capacity(Some(1 << 20));
    let mut acknowledged = 3;
    let full = loop {
        match log.append(&[1; 1000]) {
            Ok(lsn) => {
                acknowledged += 1;
                assert_eq!(lsn.get(), acknowledged);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), ErrorKind::Full);
    assert_eq!(log.next_lsn().get(), acknowledged + 1);
    // A spare that did not get done may have left some room.
    while log.append(&[1; 1000]).is_ok() {
        acknowledged += 1;
    }
    assert_eq!(log.read(Lsn::FIRST).unwrap().len(), 1000);
    vfs.set_capacity(None);
    for _ in 0..100 {
        acknowledged += 1;
        assert_eq!(log.append(&[2; 1000]).unwrap().get(), acknowledged);
    }
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    let log = Log::open_with(Arc::new(found), "/log", options).unwrap().0;
    assert_eq!(log.last_lsn().unwrap().get(), acknowledged);
    assert_eq!(log.cursor(Lsn::FIRST).unwrap().map(Result::unwrap).count() as u64, acknowledged);
}
