//! Many threads on one log: group commit, and nobody is ever left waiting.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{FaultVfs, MemVfs, Operation};
use wal_core::{AppendOptions, Error, ErrorKind, Level, Log, Lsn, Options, Position, Wait};

fn memory(options: Options) -> (FaultVfs, Log) {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (vfs, log)
}

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

/// Runs `work` and fails loudly, instead of hanging, when it does not end in time.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let worker = thread::spawn(move || {
        let _ = done.send(work());
    });
    match is_done.recv_timeout(limit) {
        Ok(value) => {
            worker.join().unwrap();
            value
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("somebody was left waiting"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().unwrap_err())
        }
    }
}

#[test]
fn threads_share_syncs_and_keep_their_own_order() {
    let (vfs, log) = memory(Options::default());
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(2));
    vfs.clear_calls();
    const THREADS: u64 = 32;
    const RECORDS: u64 = 20;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let log = &log;
            scope.spawn(move || {
                let mut last = 0;
                for number in 0..RECORDS {
                    let lsn = log.append(format!("{thread} {number}").as_bytes()).unwrap().get();
                    assert!(lsn > last);
                    assert!(log.durable_lsn().unwrap().get() >= lsn);
                    last = lsn;
                }
            });
        }
    });
    let commits = log.stats().unwrap().counters.commits;
    assert!(commits < THREADS * RECORDS / 4, "{commits} commits");
    let syncs = vfs.calls().iter().filter(|call| call.operation == Operation::Sync).count() as u64;
    assert!(syncs < THREADS * RECORDS / 4, "{syncs} syncs");
    let mut next = [0; THREADS as usize];
    for record in log.cursor(Lsn::new(2).unwrap()).unwrap() {
        let text = String::from_utf8(record.unwrap().to_vec()).unwrap();
        let (thread, number) = text.split_once(' ').unwrap();
        let next = &mut next[thread.parse::<usize>().unwrap()];
        assert_eq!(number.parse::<u64>().unwrap(), *next);
        *next += 1;
    }
    assert_eq!(next, [RECORDS; THREADS as usize]);
}

#[test]
fn a_submission_does_not_wait_for_a_sync_at_work() {
    let (vfs, log) = memory(Options::default());
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(700));
    let slow = log.submit(b"slow").unwrap();
    thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    let tickets: Vec<_> = (0..100).map(|_| log.submit(b"fast").unwrap()).collect();
    assert!(log.read(Lsn::FIRST).is_ok());
    assert!(log.cursor(Position::First).unwrap().next().unwrap().is_some());
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
    assert!(slow.poll_now().is_none());
    for ticket in &tickets {
        ticket.wait().unwrap();
    }
    slow.wait().unwrap();
    assert_eq!(log.durable_lsn().unwrap().get(), 102);
}

#[test]
fn a_wait_with_a_time_out_does_not_outlast_it_when_the_disk_hangs() {
    let (vfs, log) = memory(Options::default());
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_secs(1));
    for _ in 0..3 {
        let ticket = log.submit(b"slow").unwrap();
        let started = Instant::now();
        let error = ticket.wait_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let error =
            log.wait_durable(ticket.lsns().first, Some(Duration::from_millis(20))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
        ticket.wait().unwrap();
    }
}

/// `stats` takes the committer's lock for a moment. An appender that met it there went to sleep,
/// and nobody woke it.
#[test]
fn looking_at_the_log_leaves_no_appender_waiting() {
    within(Duration::from_secs(60), || {
        let (_, log) = memory(small());
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let stats = log.stats().unwrap();
                        assert!(stats.durable_lsn <= stats.submitted_lsn);
                    }
                });
            }
            for _ in 0..20_000 {
                log.append(b"x").unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

/// Every way of waiting at once, on rings and groups so small that all of them meet.
#[test]
fn nobody_is_left_waiting() {
    within(Duration::from_secs(120), || {
        for level in [Level::Disk, Level::Os, Level::Buffered] {
            let (_, log) = memory(Options { level, max_batch_bytes: 4096, ..small() });
            let start = Barrier::new(9);
            let appended = AtomicU64::new(0);
            thread::scope(|scope| {
                for thread in 0..8u64 {
                    let (log, start, appended) = (&log, &start, &appended);
                    scope.spawn(move || {
                        start.wait();
                        for number in 0..400u64 {
                            let record = vec![thread as u8; (number * 37 % 3000) as usize];
                            match (thread + number) % 6 {
                                0 => drop(log.append(&record).unwrap()),
                                1 => drop(log.submit(&record).unwrap().wait().unwrap()),
                                2 => drop(log.submit(&record).unwrap()),
                                3 => {
                                    let lsn = log.append(&record).unwrap();
                                    log.wait_durable(lsn, None).unwrap();
                                }
                                4 => {
                                    let lsn = log.append(&record).unwrap();
                                    assert!(log.sync().unwrap().unwrap() >= lsn);
                                }
                                _ => {
                                    let options = AppendOptions {
                                        level: Some(Level::Disk),
                                        ..Default::default()
                                    };
                                    let lsn = log.with(options).append(&record).unwrap();
                                    assert!(log.durable_lsn().unwrap() >= lsn);
                                }
                            }
                            appended.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
                scope.spawn(|| {
                    start.wait();
                    let mut follower = log.follow(Position::First).unwrap();
                    for lsn in 1..=8 * 400u64 {
                        assert_eq!(follower.next().unwrap().lsn().get(), lsn);
                    }
                });
            });
            assert_eq!(log.next_lsn().get(), 8 * 400 + 1);
            log.close().unwrap();
        }
    });
}

#[test]
fn a_record_yet_to_come_can_be_waited_for_at_every_level() {
    for level in [Level::Disk, Level::Os, Level::Buffered] {
        within(Duration::from_secs(20), move || {
            let (_, log) = memory(Options { level, ..small() });
            for round in 0..50u64 {
                let wanted = Lsn::new(round * 3 + 3).unwrap();
                thread::scope(|scope| {
                    let waiter = scope.spawn(|| log.wait_durable(wanted, None).unwrap());
                    if round % 2 == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                    (0..3).for_each(|_| {
                        log.append(b"x").unwrap();
                    });
                    assert!(waiter.join().unwrap() >= wanted);
                });
            }
        });
    }
}

#[test]
fn a_close_in_another_thread_ends_every_wait() {
    for _ in 0..20 {
        within(Duration::from_secs(20), || {
            let (_, log) = memory(Options {
                max_bytes: Some(128 << 10),
                at_capacity: wal_core::AtCapacity::Block,
                ..small()
            });
            // Opened here: on a busy machine the thread may begin only once the log is closed.
            let mut follower = log.follow(Position::End).unwrap();
            thread::scope(|scope| {
                let future = scope.spawn(|| log.wait_durable(Lsn::MAX, None).unwrap_err().kind());
                let follower = scope.spawn(|| {
                    loop {
                        match follower.next() {
                            Ok(_) => {}
                            Err(error) => return error.kind(),
                        }
                    }
                });
                let blocked = scope.spawn(|| {
                    loop {
                        match log.append(&[1; 5000]) {
                            Ok(_) => {}
                            Err(error) => return error.kind(),
                        }
                    }
                });
                thread::sleep(Duration::from_millis(5));
                log.close().unwrap();
                assert_eq!(future.join().unwrap(), ErrorKind::Closed);
                assert_eq!(follower.join().unwrap(), ErrorKind::Closed);
                assert_eq!(blocked.join().unwrap(), ErrorKind::Closed);
            });
        });
    }
}

#[test]
fn a_close_beside_appends_loses_nothing_acknowledged() {
    for round in 0..30 {
        let (vfs, log) = memory(small());
        let acknowledged = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        match log.append(b"record") {
                            Ok(lsn) => drop(acknowledged.fetch_max(lsn.get(), Ordering::SeqCst)),
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::Closed);
                                break;
                            }
                        }
                    }
                });
            }
            thread::sleep(Duration::from_micros(100 * round));
            log.close().unwrap();
        });
        let (log, report) = Log::open_with(Arc::new(vfs), "/log", small()).unwrap();
        assert_eq!(report.case, wal_core::RecoveryCase::Clean);
        let last = log.last_lsn().map_or(0, Lsn::get);
        assert!(last >= acknowledged.load(Ordering::SeqCst));
    }
}

/// The second of two closes said that everything was safe while the first was still at work.
#[test]
fn every_close_returns_when_everything_is_safe() {
    let (vfs, log) = memory(Options { level: Level::Os, ..small() });
    log.append(b"x").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(300));
    thread::scope(|scope| {
        let closes: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    log.close().unwrap();
                    Log::open_with(Arc::new(vfs.clone()), "/log", small()).map(drop)
                })
            })
            .collect();
        // All but one meet another's lock; none finds the log still held by the one closed.
        let opened = closes.into_iter().filter(|_| true).map(|close| close.join().unwrap());
        assert!(opened.filter(Result::is_ok).count() >= 1);
    });
    let found = Log::open_with(Arc::new(vfs), "/log", small()).unwrap();
    assert_eq!(found.0.last_lsn(), Some(Lsn::FIRST));
}

#[test]
fn a_close_after_a_failed_one_does_not_say_that_all_is_well() {
    let (vfs, log) = memory(Options { level: Level::Os, ..small() });
    log.append(b"x").unwrap();
    vfs.fail_from(Operation::Sync, 1, wal_core::vfs::Fault::Fail(libc::EIO));
    assert!(log.close().is_err());
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Poisoned);
}

#[test]
fn a_trim_beside_a_truncation_leaves_a_log_that_goes_on() {
    for round in 0..40u64 {
        let (vfs, log) = memory(small());
        let records: Vec<_> = (0..200).map(|_| vec![7; 1000]).collect();
        log.append_batch(&records[..50]).unwrap();
        log.append_batch(&records[..50]).unwrap();
        log.append_batch(&records[..50]).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_micros(round * 5));
                let kind = log.truncate(Lsn::new(60).unwrap()).err().map(|error| error.kind());
                assert!(matches!(kind, None | Some(ErrorKind::Trimmed)), "{kind:?}");
            });
            scope.spawn(|| {
                let kind = log.trim(Lsn::new(140).unwrap()).err().map(|error| error.kind());
                assert!(matches!(kind, None | Some(ErrorKind::Invalid)), "{kind:?}");
            });
        });
        let next = log.next_lsn();
        assert_eq!(log.append(b"after").unwrap(), next);
        assert_eq!(&log.read(next).unwrap()[..], b"after");
        log.close().unwrap();
        let (log, _) = Log::open_with(Arc::new(vfs), "/log", small()).unwrap();
        assert_eq!(log.last_lsn(), Some(next));
        assert_eq!(&log.read(next).unwrap()[..], b"after");
    }
}

#[test]
fn readers_beside_trims_and_truncations_never_see_a_wrong_record() {
    within(Duration::from_secs(60), || {
        let (_, log) = memory(small());
        let stop = AtomicBool::new(false);
        let record = |lsn: u64| {
            let mut bytes = lsn.to_le_bytes().to_vec();
            bytes.resize(8 + (lsn as usize * 131) % 900, lsn as u8);
            bytes
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut cursor = log.cursor(Position::First).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        match cursor.next() {
                            Ok(Some(found)) => assert!(*found == *record(found.lsn().get())),
                            Ok(None) => thread::yield_now(),
                            Err(error) if error.kind() == ErrorKind::Trimmed => {
                                cursor.seek(Position::First).unwrap();
                            }
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Truncated, "{error}"),
                        }
                        if let Some(first) = log.first_lsn() {
                            match log.read(first) {
                                Ok(found) => assert!(*found == *record(first.get())),
                                Err(error) => assert!(
                                    matches!(
                                        error.kind(),
                                        ErrorKind::Trimmed | ErrorKind::NotFound
                                    ),
                                    "{error}"
                                ),
                            }
                        }
                    }
                });
            }
            let buffered = AppendOptions { level: Some(Level::Os), wait: Wait::Block, time: None };
            for round in 0..400u64 {
                for _ in 0..20 {
                    let next = log.next_lsn();
                    assert_eq!(log.with(buffered).append(&record(next.get())).unwrap(), next);
                }
                log.sync().unwrap();
                let next = log.next_lsn().get();
                if round % 3 == 0 {
                    log.truncate(Lsn::new(next - 8).unwrap()).unwrap();
                }
                if round % 4 == 0 {
                    log.trim(Lsn::new(next - 15).unwrap()).unwrap();
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        Ok::<(), Error>(())
    })
    .unwrap();
}

/// Every chore of the stalled log took a shared worker and kept it, until none was left.
#[test]
fn a_stalled_disk_of_one_log_does_not_hold_up_another() {
    let retention =
        wal_core::Retention { age: Some(Duration::from_millis(1)), ..Default::default() };
    let (stalled_vfs, stalled) = memory(Options { retention, ..small() });
    for _ in 0..600 {
        stalled.append(&[0; 1000]).unwrap();
    }
    stalled_vfs.delay(Operation::Sync, Duration::from_secs(12));
    let (_, other) = memory(small());
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    while started.elapsed() < Duration::from_secs(9) {
        let submitted = Instant::now();
        let ticket = other.submit(b"x").unwrap();
        // Nobody flushes in person here: the shared workers have to.
        while ticket.poll_now().is_none() {
            assert!(submitted.elapsed() < Duration::from_secs(5), "the other log is held up");
            thread::sleep(Duration::from_micros(200));
        }
        slowest = slowest.max(submitted.elapsed());
        thread::sleep(Duration::from_millis(10));
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    stalled_vfs.heal();
}
