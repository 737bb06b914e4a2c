//! Reading through the public interface: cursors, followers, replays.

#![allow(missing_docs, clippy::unwrap_used)]

use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::packed::Packed;
use wal_core::vfs::MemVfs;
use wal_core::{
    Cursor, Error, ErrorKind, Level, Log, Lsn, Options, Position, ReadMode, ReplayOptions,
};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

fn payload(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(8 + (number as usize * 37) % 2500, number as u8);
    bytes
}

fn filled(count: u64) -> (MemVfs, Log) {
    let vfs = MemVfs::new();
    let options = Options { level: Level::Os, ..small() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    for number in 1..=count {
        log.append(&payload(number)).unwrap();
    }
    (vfs, log)
}

/// An error of the caller's own.
#[derive(Debug)]
enum Mine {
    Poison(u64),
    Log,
}

impl From<Error> for Mine {
    fn from(_: Error) -> Mine {
        Mine::Log
    }
}

#[test]
fn the_error_of_a_callback_ends_a_replay_and_is_returned_as_it_is() {
    let (_, log) = filled(300);
    let mut calls = 0;
    let result = log.replay(Position::First, |record| {
        calls += 1;
        match record.lsn().get() {
            77 => Err(Mine::Poison(77)),
            _ => Ok(ControlFlow::Continue(())),
        }
    });
    assert!(matches!(result, Err(Mine::Poison(77))));
    assert_eq!(calls, 77);
    for in_order in [true, false] {
        let calls = AtomicU64::new(0);
        let options = ReplayOptions { threads: 3, in_order };
        let result = log.replay_parallel(Position::First, options, |record| {
            calls.fetch_add(1, Ordering::SeqCst);
            match record.lsn().get() {
                77 => Err(Mine::Poison(77)),
                _ => Ok(ControlFlow::Continue(())),
            }
        });
        assert!(matches!(result, Err(Mine::Poison(77))));
        if in_order {
            assert_eq!(calls.into_inner(), 77);
        }
    }
    let result = log.replay::<Mine>(lsn(302), |_| Ok(ControlFlow::Continue(())));
    assert!(matches!(result, Err(Mine::Log)));
}

#[test]
fn a_callback_stops_a_replay_where_it_wants() {
    let (_, log) = filled(300);
    let stop_at = |number| {
        move |record: &wal_core::Record| -> Result<_, Error> {
            assert!(**record == *payload(record.lsn().get()));
            let is_it = record.lsn().get() == number;
            Ok(if is_it { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        }
    };
    assert_eq!(log.replay(lsn(50), stop_at(120)).unwrap(), Some(lsn(120)));
    assert_eq!(log.replay(lsn(50), stop_at(0)).unwrap(), Some(lsn(300)));
    assert_eq!(log.replay(Position::End, stop_at(0)).unwrap(), None);
    let options = ReplayOptions { threads: 4, in_order: true };
    assert_eq!(log.replay_parallel(lsn(50), options, stop_at(120)).unwrap(), 71);
    assert_eq!(log.replay_parallel(Position::End, options, stop_at(0)).unwrap(), 0);
}

#[test]
fn a_parallel_replay_delivers_each_record_once() {
    let (_, log) = filled(1000);
    for threads in [0, 1, 2, 7] {
        for in_order in [true, false] {
            let seen: Vec<_> = (0..=1000).map(|_| AtomicU64::new(0)).collect();
            let last = AtomicU64::new(0);
            let options = ReplayOptions { threads, in_order };
            let count = log
                .replay_parallel::<Error>(Position::First, options, |record| {
                    let number = record.lsn().get();
                    assert!(**record == *payload(number));
                    seen[number as usize].fetch_add(1, Ordering::Relaxed);
                    let before = last.swap(number, Ordering::Relaxed);
                    assert!(!in_order || before + 1 == number);
                    Ok(ControlFlow::Continue(()))
                })
                .unwrap();
            assert_eq!(count, 1000);
            assert!(seen[1..].iter().all(|seen| seen.load(Ordering::Relaxed) == 1));
        }
    }
}

#[test]
fn a_follower_sees_every_record_once_through_rotations_and_trims_behind_it() {
    let (_, log) = filled(0);
    const RECORDS: u64 = 3000;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut follower = log.follow(Position::First).unwrap();
                for number in 1..=RECORDS {
                    let record = match number % 3 {
                        0 => follower.next().unwrap(),
                        1 => follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap(),
                        _ => loop {
                            match follower.try_next().unwrap() {
                                Some(record) => break record,
                                None => thread::yield_now(),
                            }
                        },
                    };
                    assert_eq!(record.lsn().get(), number);
                    assert!(*record == *payload(number));
                }
            });
        }
        for number in 1..=RECORDS {
            log.append(&payload(number)).unwrap();
        }
    });
}

#[test]
fn a_follower_waits_as_long_as_it_was_told() {
    let (_, log) = filled(1);
    let mut follower = log.follow(Position::End).unwrap();
    let started = Instant::now();
    assert!(follower.next_timeout(Duration::from_millis(60)).unwrap().is_none());
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert!(follower.next_timeout(Duration::ZERO).unwrap().is_none());
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            log.append(b"x").unwrap();
        });
        assert_eq!(&follower.next_timeout(Duration::MAX).unwrap().unwrap()[..], b"x");
    });
    log.close().unwrap();
    assert_eq!(follower.next().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(
        follower.next_timeout(Duration::from_secs(9)).unwrap_err().kind(),
        ErrorKind::Closed
    );
}

/// A view from outside may be behind: what it saw before the cut comes first.
fn until_told(follower: &mut wal_core::Follower) -> Error {
    for _ in 0..1000 {
        match follower.next_timeout(Duration::from_secs(20)) {
            Ok(record) => assert!(record.is_some(), "nothing more comes, and nobody says why"),
            Err(error) => return error,
        }
    }
    panic!("never told");
}

#[test]
fn a_read_only_log_follows_cuts_and_reopenings_of_its_writer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, small()).unwrap();
    for number in 1..=100 {
        log.append(&payload(number)).unwrap();
    }
    for read_mode in [ReadMode::Map, ReadMode::Pread] {
        let options = Options { read_mode, ..small() };
        let (view, report) = Log::open_read_only(&path, options).unwrap();
        assert_eq!(report.last_lsn, log.last_lsn());
        let mut follower = view.follow(Position::End).unwrap();
        let next = log.next_lsn().get();
        for number in next..next + 100 {
            log.append(&payload(number)).unwrap();
            let record = follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap();
            assert_eq!(record.lsn().get(), number);
            assert!(*record == *payload(number));
            assert!(*view.read(lsn(number)).unwrap() == *payload(number));
        }
        log.truncate(lsn(next + 49)).unwrap();
        for number in next + 50..next + 60 {
            log.append(&payload(number + 1000)).unwrap();
        }
        let error = follower.next_timeout(Duration::from_secs(20)).unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Truncated, Some(lsn(next + 49))));
        for number in next + 50..next + 60 {
            let record = follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap();
            assert!(*record == *payload(number + 1000), "record {}", record.lsn());
        }
        // As many records again as were cut, and more: the end alone does not tell of it.
        log.truncate(lsn(next + 9)).unwrap();
        for number in next + 10..next + 90 {
            log.append(&payload(number + 5000)).unwrap();
        }
        let error = until_told(&mut follower);
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Truncated, Some(lsn(next + 9))));
        let record = follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap();
        assert!(*record == *payload(next + 10 + 5000));
        log.reset_to(lsn(1)).unwrap();
        for number in 1..=100 {
            log.append(&payload(number)).unwrap();
        }
        assert_eq!(until_told(&mut follower).kind(), ErrorKind::Truncated);
        let record = follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap();
        assert!((record.lsn(), &record[..]) == (lsn(1), &payload(1)[..]));
    }
}

#[test]
fn a_view_of_a_log_survives_a_trim_of_everything_it_saw() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, small()).unwrap();
    for number in 1..=300 {
        log.append(&payload(number)).unwrap();
    }
    let (view, _) = Log::open_read_only(&path, small()).unwrap();
    let mut cursor = view.cursor(Position::First).unwrap();
    let held: Vec<_> = (0..40).map(|_| cursor.next().unwrap().unwrap()).collect();
    for round in 0..10u64 {
        log.trim(log.next_lsn()).unwrap();
        for number in 301 + round * 100..401 + round * 100 {
            log.append(&payload(number)).unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
    for (at, record) in held.iter().enumerate() {
        assert!(**record == *payload(at as u64 + 1), "a recycled file shines through");
    }
    // What it reads from now on is right, or said to be gone.
    loop {
        match cursor.next() {
            Ok(Some(record)) => assert!(*record == *payload(record.lsn().get())),
            Ok(None) => break,
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Trimmed | ErrorKind::Io | ErrorKind::Corrupt),
                    "{error}"
                );
                break;
            }
        }
    }
    assert!(*view.read(lsn(1300)).unwrap() == *payload(1300));
}

/// The records of packed memory, by the layout as the manual describes it.
fn unpacked(memory: &[u8]) -> Vec<(u64, u32, Vec<u8>)> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < memory.len() {
        let len = u32::from_le_bytes(memory[at..at + 4].try_into().unwrap()) as usize;
        let flags = u32::from_le_bytes(memory[at + 4..at + 8].try_into().unwrap());
        let number = u64::from_le_bytes(memory[at + 8..at + 16].try_into().unwrap());
        records.push((number, flags, memory[at + 16..at + 16 + len].to_vec()));
        at += 16 + len.next_multiple_of(8);
    }
    records
}

/// What a packed read delivers, through memory of `capacity` bytes.
fn read_packed(cursor: &mut Cursor, capacity: usize) -> wal_core::Result<Vec<(u64, u32, Vec<u8>)>> {
    let mut memory = vec![MaybeUninit::new(0xee); capacity];
    let Packed { count, bytes, bytes_needed } = cursor.read_packed(&mut memory, usize::MAX)?;
    assert!(bytes_needed == 0 || (count == 0 && bytes_needed > capacity));
    // SAFETY: all of it was initialised when it was made.
    let filled: Vec<u8> =
        memory[..bytes].iter().map(|byte| unsafe { byte.assume_init() }).collect();
    let records = unpacked(&filled);
    assert_eq!(records.len(), count);
    Ok(records)
}

#[test]
fn packed_reads_of_any_size_deliver_what_single_reads_do() {
    let (_, log) = filled(400);
    log.append_batch(&["one", "two", ""]).unwrap();
    let expected: Vec<_> = log
        .cursor(Position::First)
        .unwrap()
        .map(|record| record.unwrap())
        .map(|record| (record.lsn().get(), u32::from(record.batch_continues()), record.to_vec()))
        .collect();
    assert_eq!(expected[400..].iter().map(|(_, flags, _)| *flags).collect::<Vec<_>>(), [1, 1, 0]);
    for capacity in [2600, 5000, 70_000, 2_000_000] {
        let mut cursor = log.cursor(Position::First).unwrap();
        let mut found = Vec::new();
        loop {
            let records = read_packed(&mut cursor, capacity).unwrap();
            if records.is_empty() {
                break;
            }
            found.extend(records);
            assert_eq!(cursor.next_lsn().get(), found.len() as u64 + 1);
            assert_eq!(cursor.time().unwrap(), log.time_of(lsn(found.len() as u64)).unwrap());
        }
        assert_eq!(found, expected, "{capacity}");
        // The position is that of single steps.
        assert_eq!(cursor.prev().unwrap().unwrap().lsn().get(), 403);
    }
}

#[test]
fn a_record_without_room_says_how_much_it_needs_and_stays_the_next_one() {
    let (_, log) = filled(3);
    let mut cursor = log.cursor(Position::First).unwrap();
    let needed = 16 + payload(1).len().next_multiple_of(8);
    for capacity in [0, 15, needed - 1] {
        let mut memory = vec![MaybeUninit::uninit(); capacity];
        let packed = cursor.read_packed(&mut memory, 5).unwrap();
        assert_eq!(packed, Packed { count: 0, bytes: 0, bytes_needed: needed });
    }
    let mut memory = vec![MaybeUninit::uninit(); 100_000];
    assert_eq!(cursor.read_packed(&mut memory, 0).unwrap(), Packed::default());
    let packed = cursor.read_packed(&mut memory, 1).unwrap();
    assert_eq!(packed, Packed { count: 1, bytes: needed, bytes_needed: 0 });
    assert_eq!(cursor.next().unwrap().unwrap().lsn().get(), 2);
}

/// A packed read that met a truncation after its first records used to swallow it: the cursor had
/// been moved behind what was kept, and the caller never heard that records it had read are gone.
#[test]
fn trouble_behind_packed_records_is_told_by_the_next_call() {
    for way in 0..3 {
        let (_, log) = filled(200);
        let mut cursor = log.cursor(lsn(50)).unwrap();
        // The first segment alone is in view: the rest is looked for after the cut.
        let first = read_packed(&mut cursor, 3000).unwrap();
        assert!(!first.is_empty() && cursor.next_lsn().get() < 190);
        let at = cursor.next_lsn().get();
        log.truncate(lsn(20)).unwrap();
        let told = match way {
            0 => read_packed(&mut cursor, 100_000).map(drop),
            1 => cursor.next().map(drop),
            _ => cursor.prev().map(drop),
        };
        let error = told.unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Truncated, Some(lsn(20))), "{at}");
        log.append(b"after").unwrap();
        assert_eq!(read_packed(&mut cursor, 100_000).unwrap(), [(21, 0, b"after".to_vec())]);
    }
}

#[test]
fn damage_behind_packed_records_is_told_after_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let options = Options { read_mode: ReadMode::Pread, ..small() };
    let (log, _) = Log::open(&path, options.clone()).unwrap();
    for number in 1..=10 {
        log.append(&payload(number)).unwrap();
    }
    log.close().unwrap();
    let (log, _) = Log::open_read_only(&path, options).unwrap();
    let segment = path.join("00000000000000000001.wal");
    let mut bytes = std::fs::read(&segment).unwrap();
    let wanted = payload(6);
    let at = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    bytes[at + 9] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let mut cursor = log.cursor(Position::First).unwrap();
    let before = read_packed(&mut cursor, 1 << 20).unwrap();
    assert_eq!(before.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    for _ in 0..2 {
        let error = read_packed(&mut cursor, 1 << 20).unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Corrupt, Some(lsn(6))));
    }
    // Whoever moves away has not asked.
    cursor.seek(lsn(7)).unwrap();
    assert_eq!(read_packed(&mut cursor, 1 << 20).unwrap().len(), 4);
}
