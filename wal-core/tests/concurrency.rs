//! What threads that append, read and maintain one log at the same time can rely on.

#![allow(missing_docs, clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{FaultVfs, MemVfs, Operation, RealVfs};
use wal_core::{
    AppendOptions, Error, ErrorKind, Follower, Level, Log, Lsn, Options, Position, ReplayOptions,
};

fn small() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

fn memory(options: Options) -> (FaultVfs, Log) {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (vfs, log)
}

fn at(level: Level) -> AppendOptions {
    AppendOptions { level: Some(level), ..AppendOptions::default() }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

/// Runs `work` on a thread of its own and fails when it has no end.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let worker = thread::spawn(move || {
        let value = work();
        let _ = done.send(());
        value
    });
    match is_done.recv_timeout(limit) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end after {limit:?}"),
        _ => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// A record that tells whose it is, and is wrong if any byte of it is.
fn payload(writer: u64, number: u64, len: usize) -> Vec<u8> {
    let stream = (0..).map(|at: u64| {
        let mixed = (writer << 40 ^ number << 20 ^ at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as u8
    });
    let head = [writer, number].into_iter().flat_map(u64::to_le_bytes);
    head.chain(stream.take(len)).collect()
}

/// The writer and the number of a record that is whole.
fn author(record: &[u8]) -> (u64, u64) {
    let number = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().unwrap());
    let (writer, number) = (number(0), number(8));
    assert!(*record == *payload(writer, number, record.len() - 16), "record {writer}/{number}");
    (writer, number)
}

#[test]
fn of_two_conditional_appends_one_succeeds() {
    within(LIMIT, || {
        let (_, log) = memory(small());
        let (threads, rounds) = (4, 150);
        let barrier = Barrier::new(threads);
        let winners = Mutex::new(vec![Vec::new(); rounds]);
        thread::scope(|scope| {
            for me in 0..threads {
                let (log, barrier, winners) = (&log, &barrier, &winners);
                scope.spawn(move || {
                    for round in 0..rounds {
                        barrier.wait();
                        let expected = lsn(round as u64 + 1);
                        match log.append_at(expected, &[me as u8]) {
                            Ok(at) => {
                                assert_eq!(at, expected);
                                winners.lock().unwrap()[round].push(me as u8);
                            }
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::Conflict);
                                assert_eq!(error.lsn(), expected.next());
                            }
                        }
                        barrier.wait();
                    }
                });
            }
        });
        assert_eq!(log.next_lsn(), lsn(rounds as u64 + 1));
        for (round, winners) in winners.into_inner().unwrap().into_iter().enumerate() {
            let record = log.read(lsn(round as u64 + 1)).unwrap();
            assert_eq!(winners, *record, "round {round}");
        }
    });
}

#[test]
fn waiting_for_what_is_durable_already_returns() {
    within(LIMIT, || {
        let (vfs, log) = memory(small());
        for number in 1..=20 {
            let at = log.append(b"durable").unwrap();
            assert_eq!(log.wait_durable(at, None).unwrap(), lsn(number));
            assert_eq!(log.wait_durable(lsn(1), Some(Duration::ZERO)).unwrap(), lsn(number));
        }
        log.with(at(Level::Buffered)).append(b"not yet").unwrap();
        assert_eq!(log.sync().unwrap(), Some(lsn(21)));
        assert_eq!(log.wait_durable(lsn(21), None).unwrap(), lsn(21));
        log.truncate(lsn(10)).unwrap();
        assert_eq!(log.wait_durable(lsn(10), None).unwrap(), lsn(10));
        let timeout = Some(Duration::from_millis(1));
        let error = log.wait_durable(lsn(11), timeout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        log.trim(lsn(5)).unwrap();
        assert_eq!(log.wait_durable(lsn(2), None).unwrap(), lsn(10));
        log.close().unwrap();
        let (log, _) = Log::open_with(Arc::new(vfs), "/log", small()).unwrap();
        let syncs = log.stats().unwrap().counters.syncs;
        assert_eq!(log.wait_durable(lsn(10), None).unwrap(), lsn(10));
        assert_eq!(log.stats().unwrap().counters.syncs, syncs);
    });
}

#[test]
fn watermarks_never_fall() {
    within(LIMIT, || {
        let (_, log) = memory(Options { level: Level::Os, ..small() });
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            let samplers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let (mut before, mut samples) = ([None; 4], 0);
                        while !ends.load(Ordering::Acquire) {
                            // Each is read before those that may not be behind it.
                            let now = [
                                log.durable_lsn(),
                                log.last_lsn(),
                                log.written_lsn(),
                                log.submitted_lsn(),
                            ];
                            assert!(now.is_sorted(), "{now:?}");
                            let falls = now.iter().zip(before).any(|(now, before)| *now < before);
                            assert!(!falls, "{before:?} {now:?}");
                            (before, samples) = (now, samples + 1);
                        }
                        samples
                    })
                })
                .collect();
            let appenders: Vec<_> = [Level::Disk, Level::Os, Level::Buffered]
                .into_iter()
                .map(|level| {
                    let log = &log;
                    scope.spawn(move || {
                        for number in 0..400 {
                            let len = number % 7 * 300;
                            let here = log.with(at(level)).append(&vec![1; len]).unwrap();
                            let mark = match level {
                                Level::Disk => log.durable_lsn(),
                                Level::Os => log.written_lsn(),
                                Level::Buffered => log.submitted_lsn(),
                            };
                            assert!(mark >= Some(here), "{mark:?} after {here}");
                        }
                    })
                })
                .collect();
            appenders.into_iter().for_each(|appender| appender.join().unwrap());
            ends.store(true, Ordering::Release);
            assert!(samplers.into_iter().all(|sampler| sampler.join().unwrap() > 0));
        });
        assert_eq!(log.sync().unwrap(), Some(lsn(1200)));
    });
}

#[test]
fn resets_beside_appends_lose_nothing_acknowledged_after() {
    within(LIMIT, || {
        let (vfs, log) = memory(small());
        let resets = AtomicU64::new(0);
        let kept = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for writer in 0..3 {
                let (log, resets, kept) = (&log, &resets, &kept);
                scope.spawn(move || {
                    let mut left = 40;
                    for number in 0.. {
                        let known = resets.load(Ordering::Acquire);
                        let record = payload(writer, number, 500);
                        let lsn = log.append(&record).unwrap();
                        if known == RESETS {
                            kept.lock().unwrap().push((lsn, record));
                            left -= 1;
                        }
                        if left == 0 {
                            break;
                        }
                    }
                });
            }
            for reset in 1..=RESETS {
                thread::sleep(Duration::from_millis(2));
                log.reset_to(lsn(reset * 1_000_000)).unwrap();
                assert!(log.next_lsn() >= lsn(reset * 1_000_000));
                resets.store(reset, Ordering::Release);
            }
        });
        let kept = kept.into_inner().unwrap();
        assert_eq!(kept.len(), 120);
        let check = |log: &Log| {
            assert_eq!(log.first_lsn(), Some(lsn(RESETS * 1_000_000)));
            for (lsn, record) in &kept {
                assert!(log.read(*lsn).unwrap()[..] == record[..], "{lsn}");
            }
            let all = log.cursor(Position::First).unwrap().map(|record| author(&record.unwrap()));
            assert!(all.count() >= kept.len());
        };
        check(&log);
        drop(log);
        check(&Log::open_with(Arc::new(vfs), "/log", small()).unwrap().0);
    });
}

/// Reads on until `last`, and holds every record against the one before it.
fn read_in_order(log: &Log, last: u64) {
    let mut cursor = log.cursor(lsn(1)).unwrap();
    let mut last_of = [None; 4];
    let mut number = 1;
    while number <= last {
        let Some(record) = cursor.next().unwrap() else {
            thread::yield_now();
            continue;
        };
        assert_eq!(record.lsn(), lsn(number));
        let (writer, count) = author(&record);
        let before = last_of[writer as usize].replace(count);
        assert_eq!(before.map_or(0, |before: u64| before + 1), count, "of writer {writer}");
        number += 1;
    }
}

#[test]
fn readers_never_pass_a_gap() {
    for level in [Level::Disk, Level::Os, Level::Buffered] {
        within(LIMIT, move || {
            let (_, log) = memory(Options { level, ..small() });
            let (writers, records) = (4, 300);
            let last = writers * records;
            thread::scope(|scope| {
                for writer in 0..writers {
                    let log = &log;
                    scope.spawn(move || {
                        let mut number = 0;
                        while number < records {
                            // Short and long ones, so that later claims are filled first.
                            let len = if number % 9 == 0 { 9000 } else { 30 };
                            let batch: Vec<_> = (number..records.min(number + 1 + number % 3))
                                .map(|number| payload(writer, number, len))
                                .collect();
                            log.append_batch(&batch).unwrap();
                            number += batch.len() as u64;
                        }
                    });
                }
                for _ in 0..2 {
                    scope.spawn(|| read_in_order(&log, last));
                }
                // Whatever the last visible record is, it can be read.
                scope.spawn(|| {
                    while log.last_lsn() < Lsn::new(last) {
                        if let Some(visible) = log.last_lsn() {
                            author(&log.read(visible).unwrap());
                        }
                    }
                });
                if level == Level::Buffered {
                    // Nothing else shows the last of them soon.
                    scope.spawn(|| log.wait_durable(lsn(last), None).unwrap());
                }
            });
        });
    }
}

fn follow_to(mut follower: Follower, place: &AtomicU64, last: u64) {
    for number in 1..=last {
        let record = follower.next().unwrap();
        assert_eq!(record.lsn(), lsn(number));
        assert_eq!(author(&record), (0, number));
        place.store(number, Ordering::Release);
    }
}

#[test]
fn a_follower_across_recycling_sees_every_record_once() {
    within(LIMIT, || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let options = Options { level: Level::Os, ..small() };
        let (log, _) = Log::open_with(Arc::new(RealVfs), &path, options.clone()).unwrap();
        let (beside, _) = Log::open_read_only_with(Arc::new(RealVfs), &path, options).unwrap();
        let last = 3000;
        let places = [AtomicU64::new(0), AtomicU64::new(0)];
        thread::scope(|scope| {
            let [here, there] = &places;
            let (one, other) = (&log, &beside);
            scope.spawn(move || follow_to(one.follow(Position::First).unwrap(), here, last));
            let from = lsn(1);
            scope.spawn(move || follow_to(other.follow(from).unwrap(), there, last));
            for number in 1..=last {
                log.append(&payload(0, number, 700)).unwrap();
                if number % 50 == 0 {
                    let place = || places.iter().map(|place| place.load(Ordering::Acquire)).min();
                    while number - place().unwrap() > 300 {
                        thread::yield_now();
                    }
                    log.trim(lsn(place().unwrap().max(1))).unwrap();
                }
            }
        });
        let counters = log.stats().unwrap().counters;
        assert!(counters.rotations > 20, "{counters:?}");
        assert!(counters.recycled > 0, "{counters:?}");
        log.close().unwrap();
    });
}

#[test]
fn a_submitted_record_is_the_callers_no_more() {
    within(LIMIT, || {
        let (vfs, log) = memory(small());
        // Whatever is written is written after the callers' memory has changed.
        vfs.delay(Operation::Write, Duration::from_millis(20));
        let sizes = [0, 1, 100, 5000, 30_000, 200_000];
        let mut tickets = Vec::new();
        for (number, len) in sizes.into_iter().enumerate() {
            let mut record = payload(1, number as u64, len);
            tickets.push(log.submit(&record).unwrap());
            record.fill(0xee);
            let mut batch = vec![payload(2, number as u64, len), payload(3, number as u64, len)];
            tickets.push(log.submit_batch(&batch).unwrap());
            batch.iter_mut().for_each(|record| record.fill(0xee));
            let mut record = payload(4, number as u64, len);
            tickets.push(log.with(at(Level::Buffered)).submit(&record).unwrap());
            record.fill(0xee);
        }
        vfs.heal();
        for ticket in tickets {
            ticket.wait().unwrap();
        }
        log.sync().unwrap();
        let records = log.cursor(Position::First).unwrap().map(|record| author(&record.unwrap()));
        let expected = (0..sizes.len() as u64).flat_map(|at| [(1, at), (2, at), (3, at), (4, at)]);
        assert_eq!(records.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    });
}

/// A record whose bytes cannot be had, or are others when they are asked for again.
struct Treacherous<'a> {
    asked: &'a AtomicU64,
    dies_at: u64,
}

impl AsRef<[u8]> for Treacherous<'_> {
    fn as_ref(&self) -> &[u8] {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(asked != self.dies_at, "no bytes to be had");
        &[0x5a; 64][..asked as usize % 64]
    }
}

#[test]
fn an_appender_that_dies_poisons_and_nobody_hangs() {
    for dies_at in 0..12 {
        within(LIMIT, move || {
            let (_, log) = memory(small());
            log.append(b"before").unwrap();
            let dying = thread::spawn({
                let log = log.clone();
                move || {
                    let asked = AtomicU64::new(0);
                    let batch: Vec<_> =
                        (0..4).map(|_| Treacherous { asked: &asked, dies_at }).collect();
                    log.append_batch(&batch).map(|lsns| lsns.count())
                }
            });
            let beside = thread::spawn({
                let log = log.clone();
                move || (0..20).try_for_each(|_| log.append(b"beside").map(drop))
            });
            let died = dying.join();
            assert!(died.as_ref().map_or(true, |appended| appended.is_ok()), "{died:?}");
            let is_usable = |result: Result<(), Error>| match result {
                Ok(()) => true,
                Err(error) => {
                    assert!(died.is_err());
                    let kinds = [ErrorKind::Poisoned, ErrorKind::Internal];
                    assert!(kinds.contains(&error.kind()), "{error:?}");
                    false
                }
            };
            is_usable(beside.join().unwrap());
            let goes_on = is_usable(log.append(b"after").map(drop));
            assert_eq!(log.stats().unwrap().poisoned.is_none(), goes_on);
            assert_eq!(&log.read(lsn(1)).unwrap()[..], b"before");
            let lsns = log.cursor(Position::First).unwrap().map(|record| record.unwrap().lsn());
            assert!(lsns.zip(1..).all(|(found, number)| found == lsn(number)));
            is_usable(log.close());
        });
    }
}

/// Whoever maintains the log here, the readers' calls end, also those made from callbacks.
#[test]
fn readers_and_maintenance_do_not_deadlock() {
    within(LIMIT, || {
        let (_, log) = memory(Options { level: Level::Os, ..small() });
        for number in 0..50 {
            log.append(&payload(0, number, 900)).unwrap();
        }
        let until = Instant::now() + Duration::from_millis(1500);
        let told = Arc::new(AtomicU64::new(0));
        let subscription = log.on_durable({
            let (log, told) = (log.clone(), Arc::clone(&told));
            move |news| {
                news.unwrap();
                log.append(b"from the callback, a record without an author").unwrap();
                drop(log.stats().unwrap());
                told.fetch_add(1, Ordering::Relaxed);
            }
        });
        let gone = [
            ErrorKind::Trimmed,
            ErrorKind::Truncated,
            ErrorKind::NotFound,
            ErrorKind::Invalid,
            ErrorKind::Timeout,
        ];
        let allow = |error: Error| assert!(gone.contains(&error.kind()), "{error:?}");
        let allow = &allow;
        let log = &log;
        let again = |work: &(dyn Fn() -> Result<(), Error> + Sync)| {
            while Instant::now() < until {
                work().unwrap_or_else(allow);
            }
        };
        let again = &again;
        let middle = || {
            let (first, last) = (log.first_lsn(), log.last_lsn());
            Lsn::new((first.map_or(1, Lsn::get) + last.map_or(1, Lsn::get)) / 2).unwrap()
        };
        let middle = &middle;
        thread::scope(|scope| {
            scope.spawn(|| again(&|| log.append(&payload(1, 1, 700)).map(drop)));
            scope.spawn(|| again(&|| log.trim(middle()).map(drop)));
            scope.spawn(|| again(&|| log.truncate(middle())));
            scope.spawn(|| again(&|| log.values().set(b"key", &[7; 500])));
            scope.spawn(|| again(&|| log.time_of(middle()).map(drop)));
            scope.spawn(|| again(&|| log.sync().map(drop)));
            scope.spawn(|| again(&|| log.wait_durable(middle(), Some(TICK)).map(drop)));
            scope.spawn(|| {
                again(&|| {
                    // Nested calls, with a maintainer waiting in between.
                    log.replay::<Error>(Position::First, |record| {
                        log.read(record.lsn()).map(drop).unwrap_or_else(allow);
                        log.trim(middle()).map(drop).unwrap_or_else(allow);
                        Ok(ControlFlow::Continue(()))
                    })
                    .map(drop)
                });
            });
            scope.spawn(|| {
                again(&|| {
                    let options = ReplayOptions { threads: 2, in_order: false };
                    let callback = |_: &_| Ok(ControlFlow::Continue(()));
                    log.replay_parallel::<Error>(Position::First, options, callback).map(drop)
                });
            });
            scope.spawn(|| {
                again(&|| {
                    let mut follower = log.follow(middle())?;
                    while follower.next_timeout(TICK)?.is_some() && Instant::now() < until {}
                    follower.cursor().prev().map(drop)
                });
            });
        });
        assert!(told.load(Ordering::Relaxed) > 0);
        drop(subscription);
        log.close().unwrap();
    });
}

/// Far above what any of these takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(90);
const TICK: Duration = Duration::from_millis(1);
const RESETS: u64 = 12;

/// Whoever looked for the state of a log that somebody else was making, and then for its segments,
/// found no state beside segments and called the log damaged.
#[test]
fn a_log_that_several_make_at_once_is_damaged_for_none_of_them() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    // Between the look for the state and the look for segments.
    vfs.delay(Operation::CreateDirAll, Duration::from_millis(30));
    let options = Options { lock_wait: Duration::from_secs(20), ..Options::default() };
    thread::scope(|scope| {
        for begins_ms in [0, 5, 10, 25, 28] {
            let (vfs, options) = (vfs.clone(), options.clone());
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(begins_ms));
                let (log, _) = Log::open_with(Arc::new(vfs), "/log", options).unwrap();
                log.append(b"mine").unwrap();
                log.close().unwrap();
            });
        }
    });
    let (log, _) = Log::open_with(Arc::new(vfs), "/log", options).unwrap();
    assert_eq!(log.last_lsn().map(Lsn::get), Some(5));
}
