//! Records leave at the head and at the tail, and do not come back.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation, Vfs};
use wal_core::{AppendOptions, ErrorKind, Level, Log, Lsn, Options, Position};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn open(vfs: &MemVfs) -> Log {
    Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap().0
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

/// Ten records to a segment.
fn fill(log: &Log, count: u64, mark: u8) {
    for _ in 0..count {
        let next = log.next_lsn().get();
        log.append(&[&next.to_le_bytes()[..], &[mark; 5800]].concat()).unwrap();
    }
}

fn marks(log: &Log) -> BTreeMap<u64, u8> {
    let records = log.cursor(Position::First).unwrap();
    records
        .map(|record| {
            let record = record.unwrap();
            assert_eq!(record[..8], record.lsn().get().to_le_bytes());
            (record.lsn().get(), record[8])
        })
        .collect()
}

fn segments(vfs: &dyn Vfs) -> usize {
    let names = vfs.list(Path::new("/log")).unwrap();
    names.iter().filter(|name| name.to_string_lossy().ends_with(".wal")).count()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn places_that_are_not_there_are_refused() {
    let log = open(&MemVfs::new());
    assert_eq!(log.trim(lsn(2)).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(log.trim(lsn(1)).unwrap(), None);
    assert_eq!(log.truncate(lsn(1)).unwrap_err().kind(), ErrorKind::Invalid);
    fill(&log, 30, 1);
    let error = log.trim(lsn(32)).unwrap_err();
    assert_eq!((error.kind(), error.lsn()), (ErrorKind::Invalid, Some(lsn(31))));
    let error = log.truncate(lsn(31)).unwrap_err();
    assert_eq!((error.kind(), error.lsn()), (ErrorKind::Invalid, Some(lsn(30))));
    assert_eq!(log.trim(lsn(20)).unwrap(), Some(lsn(20)));
    assert_eq!(log.trim(lsn(5)).unwrap(), Some(lsn(20)), "trimming twice is trimming once");
    let error = log.truncate(lsn(18)).unwrap_err();
    assert_eq!((error.kind(), error.lsn()), (ErrorKind::Trimmed, Some(lsn(20))));
    log.truncate(lsn(30)).unwrap();
    assert_eq!(marks(&log).len(), 11);
    log.truncate(lsn(19)).unwrap();
    assert_eq!((log.first_lsn(), log.last_lsn(), log.next_lsn()), (None, None, lsn(20)));
    assert_eq!(log.append(b"x").unwrap(), lsn(20));
}

#[test]
fn trimmed_records_are_gone_and_their_files_follow() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    fill(&log, 100, 1);
    let before = segments(&vfs);
    log.trim(lsn(75)).unwrap();
    for gone in [1, 50, 74] {
        let error = log.read(lsn(gone)).unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Trimmed, Some(lsn(75))));
        assert_eq!(log.cursor(lsn(gone)).unwrap_err().kind(), ErrorKind::Trimmed);
    }
    eventually("files go", || segments(&vfs) <= before - 6);
    for found in [vfs.kill_at(vfs.op_count()), vfs.crash_at(vfs.op_count(), &mut |_| 0)] {
        let log = open(&found);
        assert_eq!(*marks(&log).first_key_value().unwrap().0, 75);
        assert_eq!(log.last_lsn(), Some(lsn(100)));
    }
    // Everything can go, and the LSNs go on.
    log.trim(lsn(101)).unwrap();
    assert_eq!((log.first_lsn(), log.next_lsn()), (None, lsn(101)));
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    assert_eq!(open(&found).append(b"x").unwrap(), lsn(101));
}

#[test]
fn a_reader_keeps_what_it_holds_through_a_trim() {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("log"), small()).unwrap();
    fill(&log, 60, 1);
    let mut cursor = log.cursor(Position::First).unwrap();
    let held: Vec<_> = (0..25).map(|_| cursor.next().unwrap().unwrap()).collect();
    for round in 0..20 {
        log.trim(log.next_lsn()).unwrap();
        fill(&log, 40, round);
    }
    for (at, record) in held.iter().enumerate() {
        assert_eq!(record[..8], (at as u64 + 1).to_le_bytes());
        assert!(record[8..].iter().all(|&byte| byte == 1), "a recycled file shines through");
    }
    assert_eq!(cursor.next().unwrap_err().kind(), ErrorKind::Trimmed);
}

/// A crash at any operation leaves the log before the change or after it.
#[test]
fn a_crash_at_any_moment_leaves_a_cut_undone_or_done() {
    type Change = fn(&Log);
    let changes: [(&str, Change); 4] = [
        ("trim", |log| assert_eq!(log.trim(lsn(25)).unwrap(), Some(lsn(25)))),
        ("truncate", |log| log.truncate(lsn(25)).unwrap()),
        ("truncate in the last segment", |log| log.truncate(lsn(58)).unwrap()),
        ("reset", |log| log.reset_to(lsn(1000)).unwrap()),
    ];
    for (name, change) in changes {
        let vfs = MemVfs::new();
        let log = open(&vfs);
        fill(&log, 60, 1);
        thread::sleep(Duration::from_millis(5));
        let before = marks(&log);
        let first_op = vfs.op_count();
        change(&log);
        let after = marks(&log);
        let done_op = vfs.op_count();
        thread::sleep(Duration::from_millis(5));
        let mut seed = 99u64;
        for op in first_op..=vfs.op_count() {
            for round in 0..6 {
                let mut any = |choices: usize| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    match round {
                        0 => 0,
                        1 => choices - 1,
                        _ => (seed >> 33) as usize % choices,
                    }
                };
                let found = if round == 5 { vfs.kill_at(op) } else { vfs.crash_at(op, &mut any) };
                let log = open(&found);
                let is = marks(&log);
                assert!(is == before || is == after, "{name}, operation {op}");
                assert!(op < done_op || is == after, "{name}, operation {op}");
                // Once seen, it stays so through further crashes, and the log goes on.
                let next = log.next_lsn();
                fill(&log, 1, 9);
                let log = open(&found.crash_at(found.op_count(), &mut |_| 0));
                let mut expected = is;
                expected.insert(next.get(), 9);
                assert_eq!(marks(&log), expected, "{name}, operation {op}");
            }
        }
    }
}

#[test]
fn what_was_cut_never_comes_back() {
    let mut vfs = MemVfs::new();
    let mut expected = BTreeMap::new();
    for round in 0..25u8 {
        let log = open(&vfs);
        assert_eq!(marks(&log), expected, "round {round}");
        let next = log.next_lsn().get();
        fill(&log, 23, round);
        expected.extend((next..next + 23).map(|number| (number, round)));
        let keep = next + 23 - 1 - u64::from(round) % 19;
        log.truncate(lsn(keep)).unwrap();
        expected.split_off(&(keep + 1));
        fill(&log, u64::from(round) % 3, 100 + round);
        expected.extend(
            (keep + 1..keep + 1 + u64::from(round) % 3).map(|number| (number, 100 + round)),
        );
        if round % 4 == 3 {
            let first = keep - 15;
            log.trim(lsn(first)).unwrap();
            expected = expected.split_off(&first);
        }
        vfs = match round % 3 {
            0 => {
                log.close().unwrap();
                vfs
            }
            1 => vfs.kill_at(vfs.op_count()),
            _ => vfs.crash_at(vfs.op_count(), &mut |choices| usize::from(round) % choices),
        };
    }
}

#[test]
fn a_truncation_costs_one_data_sync_and_keeps_sealed_segments_as_they_are() {
    let machine = MemVfs::new();
    let vfs = FaultVfs::over_memory(machine.clone());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    fill(&log, 40, 1);
    thread::sleep(Duration::from_millis(20));
    let sealed = machine.file_bytes(Path::new("/log/00000000000000000002.wal")).unwrap();
    let syncs = log.stats().unwrap().counters.syncs;
    log.truncate(lsn(15)).unwrap();
    assert_eq!(log.stats().unwrap().counters.syncs, syncs + 1);
    assert!(sealed == machine.file_bytes(Path::new("/log/00000000000000000002.wal")).unwrap());
}

#[test]
fn a_truncation_without_room_changes_nothing() {
    let machine = MemVfs::new();
    let vfs = FaultVfs::over_memory(machine.clone());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    fill(&log, 3, 1);
    vfs.fail_from(Operation::Create, 1, Fault::Fail(libc::ENOSPC));
    assert_eq!(log.truncate(lsn(1)).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(marks(&log).len(), 3);
    fill(&log, 1, 2);
    vfs.heal();
    log.truncate(lsn(1)).unwrap();
    assert_eq!(marks(&log).len(), 1);
}

#[test]
fn a_failed_trim_poisons_and_reads_go_on() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    fill(&log, 30, 1);
    vfs.fail_from(Operation::Sync, 1, Fault::Fail(libc::EIO));
    assert_eq!(log.trim(lsn(20)).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(log.trim(lsn(25)).unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(marks(&log).len(), 30);
}

#[test]
fn a_reset_starts_anywhere_and_tells_readers() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    log.reset_to(lsn(5)).unwrap();
    assert_eq!(log.append(b"x").unwrap(), lsn(5));
    for next in [100, 3, 3, 50, 1] {
        fill(&log, 12, 1);
        let mut cursor = log.cursor(Position::End).unwrap();
        log.reset_to(lsn(next)).unwrap();
        assert_eq!((log.first_lsn(), log.next_lsn()), (None, lsn(next)));
        assert_eq!(cursor.next().unwrap_err().kind(), ErrorKind::Truncated);
        fill(&log, 12, 2);
        assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(next));
        let found = open(&vfs.crash_at(vfs.op_count(), &mut |_| 0));
        assert_eq!(found.first_lsn(), Some(lsn(next)));
        assert_eq!(marks(&found).len(), 12);
    }
}

#[test]
fn a_cut_of_records_in_flight_leaves_no_ticket_hanging() {
    for round in 0..30 {
        let vfs = FaultVfs::over_memory(MemVfs::new());
        let options = Options { level: Level::Disk, ..small() };
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
        fill(&log, 5, 1);
        vfs.delay(Operation::Sync, Duration::from_micros(100 * round));
        let tickets: Vec<_> = (0..40).map(|_| log.submit(&[2; 900]).unwrap()).collect();
        log.truncate(lsn(10)).unwrap();
        assert_eq!(log.last_lsn(), Some(lsn(10)));
        // They were flushed and synced before they were cut.
        for ticket in tickets {
            ticket.wait_timeout(Duration::from_secs(20)).unwrap();
        }
        assert_eq!(log.append(b"x").unwrap(), lsn(11));
    }
}

#[test]
fn appends_beside_cuts_keep_their_lsns_dense() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    fill(&log, 20, 1);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..300 {
                    log.append(&[3; 700]).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..50 {
                let last = log.last_lsn().unwrap().get();
                let kind =
                    log.truncate(lsn(last.saturating_sub(5).max(20))).map_err(|error| error.kind());
                assert_eq!(kind, Ok(()));
            }
        });
    });
    let lsns: Vec<_> =
        log.cursor(Position::First).unwrap().map(|record| record.unwrap().lsn().get()).collect();
    assert_eq!(lsns, (1..=log.last_lsn().unwrap().get()).collect::<Vec<_>>());
    let found = open(&vfs.crash_at(vfs.op_count(), &mut |_| 0));
    assert_eq!(found.last_lsn(), log.last_lsn());
}

/// The newest segment may be lost as a whole while its records are at `Os`: the one before it has
/// to stay, or nothing would tell where the log goes on.
#[test]
fn a_trim_up_to_a_segment_that_is_not_durable_survives_power_loss() {
    let vfs = MemVfs::new();
    let log = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap().0;
    let os = AppendOptions { level: Some(Level::Os), ..AppendOptions::default() };
    while log.stats().unwrap().segments.len() < 2 {
        let next = log.next_lsn().get();
        let record = [&next.to_le_bytes()[..], &[1; 5800]].concat();
        log.with(os).append(&record).unwrap();
    }
    let durable = log.durable_lsn().unwrap();
    let written = log.written_lsn().unwrap();
    assert!(written > durable, "the new segment holds what is not durable");
    let first_kept = lsn(durable.get() + 1);
    // Nothing is left that a log at `Disk` shows.
    assert_eq!(log.trim(first_kept).unwrap(), None);
    thread::sleep(Duration::from_millis(20));
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    let log = open(&found);
    assert_eq!(log.next_lsn(), first_kept, "a trim to what is durable syncs nothing");
    fill(&log, 1, 9);
    assert_eq!(marks(&log), BTreeMap::from([(first_kept.get(), 9)]));
}
