//! What an append does, in every form it has.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::io::IoSlice;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{ErrorKind, Io, Level, Log, Lsn, Options, Position, ReadMode, RecoveryCase};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn open(vfs: &MemVfs, options: Options) -> Log {
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap().0
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

fn contents(log: &Log) -> Vec<Vec<u8>> {
    log.cursor(Position::First).unwrap().map(|record| record.unwrap().to_vec()).collect()
}

/// A clean reopening puts a frame of its own before the next record. A record too large for the
/// ring goes around the ring, and went without it: it was acknowledged and then read as corrupt.
#[test]
fn a_large_record_right_after_a_clean_reopening_is_kept() {
    for size in [20_000, 32_000, 33_000, 40_000, 200_000] {
        for io in [Io::Buffered, Io::Direct] {
            for pad_to_block in [false, true] {
                let vfs = MemVfs::new();
                let options = Options { segment_bytes: 512 << 10, io, pad_to_block, ..small() };
                let log = open(&vfs, options.clone());
                log.append(b"small").unwrap();
                log.close().unwrap();
                let log = open(&vfs, options.clone());
                log.append(&vec![7; size]).unwrap();
                log.append(b"after").unwrap();
                let expected = [b"small".to_vec(), vec![7; size], b"after".to_vec()];
                assert!(contents(&log) == expected);
                let log = open(&vfs.crash_at(vfs.op_count(), &mut |_| 0), options);
                assert!(contents(&log) == expected, "{size} bytes, {io:?}");
            }
        }
    }
}

#[test]
fn a_record_in_pieces_is_their_concatenation() {
    let log = open(&MemVfs::new(), small());
    let pieces: Vec<Vec<u8>> = (0..1500u32).map(|n| vec![n as u8; n as usize % 70]).collect();
    let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let at = log.append_vectored(&slices).unwrap();
    assert_eq!(log.read(at).unwrap()[..], pieces.concat());
    let at = log.append_vectored(&[]).unwrap();
    assert!(log.read(at).unwrap().is_empty());
    let at = log.append_vectored(&[IoSlice::new(b""), IoSlice::new(b"a"), IoSlice::new(b"")]);
    assert_eq!(&log.read(at.unwrap()).unwrap()[..], b"a");
}

#[test]
fn a_batch_is_there_whole_or_not_at_all_at_every_level() {
    for level in [Level::Disk, Level::Os, Level::Buffered] {
        let vfs = MemVfs::new();
        let options = Options { level, ..small() };
        let log = open(&vfs, options.clone());
        let mut ends = vec![0];
        for batch in 0..12usize {
            let records: Vec<_> =
                (0..1 + batch % 5).map(|at| vec![batch as u8; at * 900]).collect();
            let lsns = log.append_batch(&records).unwrap();
            assert_eq!(lsns.count(), records.len() as u64);
            ends.push(lsns.final_.get());
        }
        log.sync().unwrap();
        let ops = vfs.op_count();
        let mut seed = 12345u64;
        for op in 20..=ops {
            let mut any = |choices: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize % choices
            };
            for found in [vfs.kill_at(op), vfs.crash_at(op, &mut any)] {
                let log = open(&found, options.clone());
                let last = log.last_lsn().map_or(0, Lsn::get);
                assert!(ends.contains(&last), "a batch was cut at {last}, after operation {op}");
                assert_eq!(contents(&log).len() as u64, last);
            }
        }
    }
}

#[test]
fn an_append_at_another_lsn_is_a_conflict_and_changes_nothing() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    assert_eq!(log.append_at(lsn(1), b"a").unwrap(), lsn(1));
    let before = vfs.op_count();
    for wrong in [1, 3, 4, Lsn::MAX.get()] {
        let error = log.append_at(lsn(wrong), b"b").unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Conflict, Some(lsn(2))));
    }
    assert_eq!((vfs.op_count(), log.next_lsn()), (before, lsn(2)));
    assert_eq!(log.append_at(lsn(2), b"b").unwrap(), lsn(2));
}

#[test]
fn of_two_that_expect_the_same_lsn_one_gets_it() {
    let log = open(&MemVfs::new(), small());
    thread::scope(|scope| {
        for name in 0..4u8 {
            let log = &log;
            scope.spawn(move || {
                for number in 1..=200 {
                    match log.append_at(lsn(number), &[name]) {
                        Ok(at) => assert_eq!(at.get(), number),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                    }
                    while log.next_lsn().get() <= number {
                        thread::yield_now();
                    }
                }
            });
        }
    });
    assert_eq!(log.last_lsn(), Some(lsn(200)));
}

/// After a failed sync nobody knows; `append_at` after the next opening finds out.
#[test]
fn an_append_of_unknown_outcome_is_found_out_about() {
    for arrived in [true, false] {
        let machine = MemVfs::new();
        let vfs = FaultVfs::over_memory(machine.clone());
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
        log.append(b"1").unwrap();
        let fault = if arrived { Fault::Fail(libc::EIO) } else { Fault::LoseUnsynced(libc::EIO) };
        vfs.fail_nth(Operation::Sync, 1, fault);
        assert_eq!(log.append(b"2").unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(log.append_at(lsn(2), b"2").unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(log.sync().unwrap_err().kind(), ErrorKind::Poisoned);
        let found = machine.crash_at(machine.op_count(), &mut |n| if arrived { n - 1 } else { 0 });
        let log = open(&found, small());
        match log.append_at(lsn(2), b"2") {
            Ok(_) => assert!(!arrived),
            Err(error) => {
                assert!(arrived);
                assert_eq!((error.kind(), error.lsn()), (ErrorKind::Conflict, Some(lsn(3))));
            }
        }
        assert_eq!(contents(&log), [b"1", b"2"]);
    }
}

#[test]
fn a_delay_gathers_more_records_for_each_sync() {
    let commits = |delay| {
        let options = Options { max_batch_delay: delay, ..small() };
        let log = open(&MemVfs::new(), options);
        let started = Instant::now();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..25).for_each(|_| {
                        log.append(b"x").unwrap();
                    })
                });
            }
        });
        assert!(started.elapsed() < Duration::from_secs(30));
        log.stats().unwrap().counters.commits
    };
    let gathered = commits(Duration::from_millis(5));
    assert!(gathered <= 80, "{gathered} commits of 100 records");
}

#[test]
fn every_way_to_write_and_to_read_is_the_same_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected: Vec<Vec<u8>> = Vec::new();
    let path = directory.path().join("log");
    let mut round = 0usize;
    for pad_to_block in [false, true] {
        for io in [Io::Auto, Io::Buffered, Io::Direct] {
            for read_mode in [ReadMode::Map, ReadMode::Pread] {
                let options = Options { io, read_mode, pad_to_block, ..small() };
                let (log, report) = Log::open(&path, options).unwrap();
                assert!(matches!(report.case, RecoveryCase::Created | RecoveryCase::Clean));
                assert!(contents(&log) == expected, "{io:?}, {read_mode:?}, {pad_to_block}");
                for number in 0..25 {
                    round += 1;
                    let record = vec![round as u8; round * 97 % 7000 + number];
                    log.append(&record).unwrap();
                    expected.push(record);
                }
                log.append_batch(&[vec![1; 40_000], vec![2; 10]]).unwrap();
                expected.extend([vec![1; 40_000], vec![2; 10]]);
                assert!(contents(&log) == expected, "{io:?}, {read_mode:?}, {pad_to_block}");
                if pad_to_block {
                    let end = log.stats().unwrap().segments.last().unwrap().end.0;
                    assert_eq!(end % 4096, 0);
                }
                log.close().unwrap();
            }
        }
    }
}

#[test]
fn what_the_caller_does_with_its_buffer_afterwards_is_its_own_business() {
    let log = open(&MemVfs::new(), Options { level: Level::Buffered, ..small() });
    let mut buffer = vec![0u8; 700];
    for number in 0..200u8 {
        buffer.fill(number);
        drop(log.submit(&buffer).unwrap());
        buffer.fill(0xee);
    }
    log.sync().unwrap();
    for (number, record) in contents(&log).into_iter().enumerate() {
        assert_eq!(record, [number as u8; 700]);
    }
}

/// The records are asked for their bytes before anything is claimed: a panic there costs nothing.
#[test]
fn a_record_that_panics_when_asked_for_its_bytes_harms_nobody() {
    struct Bomb(bool);
    impl AsRef<[u8]> for Bomb {
        fn as_ref(&self) -> &[u8] {
            assert!(!self.0, "boom");
            b"fine"
        }
    }
    let log = open(&MemVfs::new(), small());
    let appending = || log.append_batch(&[Bomb(false), Bomb(true)]);
    let appended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(appending));
    assert!(appended.is_err());
    assert_eq!(log.next_lsn(), Lsn::FIRST);
    assert_eq!(log.append_batch(&[Bomb(false), Bomb(false)]).unwrap().count(), 2);
}

#[test]
fn a_log_used_and_reopened_a_hundred_times_goes_on_and_stays_small() {
    let vfs = MemVfs::new();
    for round in 0..100u64 {
        let log = open(&vfs, small());
        assert_eq!(log.next_lsn().get(), round + 1);
        log.append(&round.to_le_bytes()).unwrap();
        log.close().unwrap();
    }
    let log = open(&vfs, small());
    assert!(log.stats().unwrap().segments.len() <= 3);
    for (round, record) in contents(&log).into_iter().enumerate() {
        assert_eq!(record, (round as u64).to_le_bytes());
    }
    // The same after a hundred crashes.
    let mut vfs = vfs;
    drop(log);
    for round in 100..200u64 {
        let log = open(&vfs, small());
        assert_eq!(log.append(&round.to_le_bytes()).unwrap().get(), round + 1);
        vfs = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    }
    assert_eq!(contents(&open(&vfs, small())).len(), 200);
}

#[test]
fn an_opening_without_an_append_changes_no_record_and_is_repeated_at_will() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    for number in 0..100 {
        log.append(&[number; 1000]).unwrap();
    }
    let mut vfs = vfs.kill_at(vfs.op_count());
    for round in 0..30 {
        let log = open(&vfs, small());
        assert_eq!(contents(&log).len(), 100);
        match round % 3 {
            0 => drop(log),
            1 => vfs = vfs.kill_at(vfs.op_count()),
            _ => vfs = vfs.crash_at(vfs.op_count(), &mut |choices| choices / 2),
        }
    }
}

/// A page that was mapped before its block was written past the page cache may go on showing what
/// it held.
#[cfg(target_os = "linux")]
#[test]
fn a_segment_that_is_written_past_the_page_cache_is_not_mapped() {
    for (io, is_mapped) in [(Io::Buffered, true), (Io::Direct, false)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let (log, _) = Log::open(&path, Options { io, ..Options::default() }).unwrap();
        for number in 1..=20 {
            assert_eq!(log.append(&[7; 3000]).unwrap().get(), number);
            for _ in 0..3 {
                assert_eq!(log.read(Lsn::new(number).unwrap()).unwrap()[..], [7; 3000]);
            }
        }
        if io == Io::Direct && !log.stats().unwrap().direct_io {
            println!("not checked: no O_DIRECT in {}", path.display());
            continue;
        }
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert_eq!(maps.contains(path.to_str().unwrap()), is_mapped, "{io:?}");
    }
}
