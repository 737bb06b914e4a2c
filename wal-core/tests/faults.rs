//! Every call to the file system of a life cycle fails, once and for ever, with several errors:
//! nothing hangs, nothing panics, everybody is told, and what was acknowledged is there when the
//! log is opened again on a file system that has recovered.
#![allow(clippy::unwrap_used)]

mod crash_support;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use crash_support::model::{Effect, Model, Payload};
use crash_support::{Found, payload, within};
use wal_core::vfs::{Access, Fault, FaultVfs, MemVfs, Operation, Vfs};
use wal_core::{
    AppendOptions, AtCapacity, Error, ErrorKind, Level, Log, Lsn, Options, Position, ReadMode,
    RecoveryCase, Result,
};

/// Larger than what a new segment is given at first, so that files grow in the background.
fn options() -> Options {
    Options { segment_bytes: 256 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

/// A scripted life of a log on a file system that may fail at any moment.
struct Life {
    vfs: FaultVfs,
    memory: MemVfs,
    /// What may be there: one model, or two after a failure of unknown outcome.
    models: Vec<Model>,
    appended: u64,
    context: String,
}

impl Life {
    fn new(context: String) -> Life {
        let memory = MemVfs::new();
        let vfs = FaultVfs::over_memory(memory.clone());
        Life { vfs, memory, models: vec![Model::new(1)], appended: 0, context }
    }

    /// Lives until the end or until the log is poisoned.
    fn live(&mut self) {
        let Some(log) = self.open() else { return };
        let goes_on = self.first_half(&log);
        self.end(&log, goes_on);
        if !goes_on {
            return;
        }
        let Some(log) = self.open() else { return };
        let goes_on = self.second_half(&log);
        self.end(&log, goes_on);
    }

    fn first_half(&mut self, log: &Log) -> bool {
        self.append(log, &[10, 20])
            && self.append(log, &[30_000])
            && self.set(log, 1)
            && (0..9).all(|_| self.append(log, &[28_000]))
            && pause()
            && (0..6).all(|_| self.append(log, &[28_000]))
            && self.truncate(log, 2)
            && self.append(log, &[5, 5])
            && self.trim(log, 4)
            && pause()
            && self.append(log, &[70_000, 1])
    }

    fn second_half(&mut self, log: &Log) -> bool {
        self.append_at(log, Level::Os, &[100])
            && self.append(log, &[101])
            && (0..10).all(|_| self.append(log, &[25_000]))
            && self.trim(log, 1)
            && pause()
            && (0..10).all(|_| self.append(log, &[25_000]))
            && self.append_at(log, Level::Os, &[102])
            && self.sync(log)
            && self.set(log, 2)
            && self.truncate(log, 1)
            && self.append(log, &[103])
    }

    fn open(&mut self) -> Option<Log> {
        let opened = Log::open_with(Arc::new(self.vfs.clone()), "/log", options());
        match opened {
            Ok((log, _)) => Some(log),
            Err(error) => {
                let expected = [ErrorKind::Io, ErrorKind::Full, ErrorKind::Invalid];
                assert!(expected.contains(&error.kind()), "{}: {error:?}", self.context);
                None
            }
        }
    }

    fn append(&mut self, log: &Log, lens: &[usize]) -> bool {
        self.append_at(log, Level::Disk, lens)
    }

    fn append_at(&mut self, log: &Log, level: Level, lens: &[usize]) -> bool {
        let records: Vec<Payload> = lens
            .iter()
            .map(|&len| {
                self.appended += 1;
                payload(self.appended, len)
            })
            .collect();
        let expected = self.models[0].next();
        let level_options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let result = log.with(level_options).append_batch(&records);
        if let Ok(lsns) = &result {
            assert_eq!(lsns.first.get(), expected, "{}", self.context);
        }
        self.record(log, Effect::Append { records, level }, result.map(drop))
    }

    fn set(&mut self, log: &Log, key: u8) -> bool {
        let change = (vec![key], Some(vec![key; 5000 / usize::from(key + 1)]));
        let result = log.values().set(&change.0, change.1.as_deref().unwrap());
        self.record(log, Effect::Values { changes: vec![change] }, result)
    }

    fn truncate(&mut self, log: &Log, count: u64) -> bool {
        // Where nothing could be appended there is nothing to truncate.
        let after = self.models[0].next().saturating_sub(1 + count);
        if after < self.models[0].first {
            return true;
        }
        let result = log.truncate(lsn(after));
        self.record(log, Effect::Truncate { after }, result)
    }

    fn trim(&mut self, log: &Log, kept: u64) -> bool {
        let before = self.models[0].next().saturating_sub(kept).max(self.models[0].first);
        let result = log.trim(lsn(before)).map(drop);
        self.record(log, Effect::Trim { before }, result)
    }

    fn sync(&mut self, log: &Log) -> bool {
        let result = log.sync().map(drop);
        self.record(log, Effect::Sync, result)
    }

    /// Notes what came of an operation; returns whether the log goes on.
    fn record(&mut self, log: &Log, effect: Effect, result: Result<()>) -> bool {
        let poisoned = log.stats().unwrap().poisoned;
        match result {
            Ok(()) => self.models.iter_mut().for_each(|model| model.apply(&effect, true)),
            Err(error) if poisoned.is_none() => {
                // Nothing was poisoned: then it is certain that nothing was done.
                let kinds = [ErrorKind::Full, ErrorKind::Io];
                assert!(kinds.contains(&error.kind()), "{}: {error:?}", self.context);
                let is_append = matches!(effect, Effect::Append { .. });
                assert!(!is_append || error.kind() == ErrorKind::Full, "{}", self.context);
            }
            Err(_) => {
                let mut after = self.models[0].clone();
                after.apply(&effect, false);
                self.models.push(after);
            }
        }
        poisoned.is_none()
    }

    /// Closes the log, poisoned or not, and holds a poisoned one to what it owes.
    fn end(&mut self, log: &Log, goes_on: bool) {
        if goes_on {
            match log.close() {
                Ok(()) => self.models.iter_mut().for_each(|model| model.apply(&Effect::Sync, true)),
                Err(error) => assert_ne!(error.kind(), ErrorKind::Internal, "{}", self.context),
            }
            return;
        }
        let context = &self.context;
        let cause = log.stats().unwrap().poisoned.unwrap();
        for refused in [log.append(b"late").map(drop), log.sync().map(drop), log.close()] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Poisoned, "{context}: {refused:?}");
            let named = refused.source().unwrap().to_string();
            assert_eq!(named, cause.to_string(), "{context}: the first cause is named");
        }
        let again = log.close().unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Poisoned, "{context}: closing twice is nothing new");
    }

    /// The log opens on the healed file system, as it is and after a power loss, and nothing that
    /// was acknowledged is missing.
    fn check(&self) {
        let end = self.memory.op_count();
        let context = &self.context;
        for killed in [true, false] {
            let left = match killed {
                true => self.memory.kill_at(end),
                false => self.memory.crash_at(end, &mut |_| 0),
            };
            let (log, _, found) = Found::open(&left, &options())
                .unwrap_or_else(|error| panic!("{context}: {error:?}"));
            let objections: Vec<_> =
                self.models.iter().filter_map(|model| model.objection(&found, killed)).collect();
            assert!(
                objections.len() < self.models.len(),
                "{context}, killed {killed}: found {}: {objections:?}; last operations {:?}",
                found.summary(),
                self.memory.ops().iter().rev().take(12).collect::<Vec<_>>()
            );
            // What an opening shows is durable, wherever it was before.
            let again = left.crash_at(left.op_count(), &mut |_| 0);
            drop(log);
            let (log, _, again) = Found::open(&again, &options())
                .unwrap_or_else(|error| panic!("{context}: {error:?}"));
            assert!(again == found, "{context}: {} after another loss", again.summary());
            log.append(b"goes on").unwrap();
            log.close().unwrap();
        }
    }
}

fn pause() -> bool {
    std::thread::sleep(Duration::from_millis(2));
    true
}

/// How many calls of this kind the undisturbed life makes.
fn calls(operation: Operation) -> usize {
    let mut life = Life::new("undisturbed".into());
    life.live();
    life.check();
    assert_eq!(life.models.len(), 1);
    life.vfs.count(operation)
}

/// Fails each call of a kind in turn.
fn fail_each(operation: Operation, faults: &[Fault]) {
    // Whether a trimmed file becomes a spare depends on what the background did before.
    let count = (0..100).map(|_| calls(operation)).find(|&count| count > 0).unwrap_or(0);
    assert!(count > 0, "{operation:?} is never called");
    for nth in 1..=count + 1 {
        for &fault in faults {
            for for_ever in [false, true] {
                let context = format!("{operation:?} {nth}, {fault:?}, for ever {for_ever}");
                let mut life = Life::new(context.clone());
                within(Duration::from_secs(30), &context, || {
                    life.vfs.fail(operation, |_| true, nth, for_ever, fault);
                    life.live();
                    life.check();
                });
            }
        }
    }
}

const ERRORS: [Fault; 3] =
    [Fault::Fail(libc::EIO), Fault::Fail(libc::ENOSPC), Fault::Fail(libc::EMFILE)];

#[test]
fn a_failed_write_loses_nothing_acknowledged() {
    fail_each(Operation::Write, &ERRORS);
}

#[test]
fn a_torn_write_loses_nothing_acknowledged() {
    // A full disk never takes all of a write and refuses it: it takes too little of the smallest.
    fail_each(Operation::Write, &[Fault::Tear(9000, libc::EIO), Fault::Tear(60, libc::ENOSPC)]);
}

#[test]
fn a_short_write_is_no_failure() {
    let mut life = Life::new("short writes".into());
    life.vfs.fail_from(Operation::Write, 1, Fault::Short(4096));
    life.live();
    life.check();
    assert_eq!(life.models.len(), 1, "something failed");
}

#[test]
fn a_failed_sync_loses_nothing_acknowledged() {
    fail_each(Operation::Sync, &ERRORS);
}

#[test]
fn a_sync_that_lost_bytes_is_never_followed_by_an_acknowledgement() {
    fail_each(Operation::Sync, &[Fault::LoseUnsynced(libc::EIO)]);
}

#[test]
fn a_failed_open_loses_nothing_acknowledged() {
    fail_each(Operation::Open, &ERRORS);
}

#[test]
fn a_failed_create_loses_nothing_acknowledged() {
    fail_each(Operation::Create, &ERRORS);
    fail_each(Operation::CreateDirAll, &ERRORS);
}

#[test]
fn a_failed_name_change_loses_nothing_acknowledged() {
    fail_each(Operation::Rename, &ERRORS);
    fail_each(Operation::Remove, &ERRORS);
    fail_each(Operation::SyncDir, &ERRORS);
}

#[test]
fn a_failed_question_loses_nothing_acknowledged() {
    fail_each(Operation::SetLen, &ERRORS);
    fail_each(Operation::Len, &ERRORS);
    fail_each(Operation::Lock, &ERRORS);
    fail_each(Operation::List, &ERRORS);
}

#[test]
fn reads_go_on_when_the_log_is_poisoned() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options()).unwrap();
    let first = log.append(b"kept").unwrap();
    let in_segment = |path: &std::path::Path| !path.ends_with("STATE");
    vfs.fail(Operation::Sync, in_segment, 1, false, Fault::LoseUnsynced(libc::EIO));
    let failed = log.append(b"lost").unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Io);
    assert_eq!(failed.os_errno(), Some(libc::EIO));
    assert_eq!(&log.read(first).unwrap()[..], b"kept");
    assert_eq!(log.cursor(first).unwrap().count(), 1, "what is not durable is not visible");
    for _ in 0..3 {
        assert_eq!(log.sync().unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(log.append(b"more").unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(log.truncate(first).unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(log.values().set(b"a", b"b").unwrap_err().kind(), ErrorKind::Poisoned);
    }
    assert_eq!(log.durable_lsn(), Some(first));
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Poisoned);
}

/// Everybody in the group of a failed sync is told, and nobody is left waiting.
#[test]
fn every_waiter_of_a_failed_sync_is_told() {
    for nth in 1..20 {
        let vfs = FaultVfs::over_memory(MemVfs::new());
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options()).unwrap();
        vfs.delay(Operation::Sync, Duration::from_micros(300));
        vfs.fail_nth(Operation::Sync, nth, Fault::LoseUnsynced(libc::EIO));
        within(Duration::from_secs(30), "waiters of a failed sync", || {
            std::thread::scope(|scope| {
                for _ in 0..6 {
                    let log = &log;
                    scope.spawn(move || {
                        let mut refused = 0;
                        while refused < 3 {
                            match log.append(&[7; 50]) {
                                Ok(lsn) => assert!(log.durable_lsn() >= Some(lsn)),
                                Err(error) => {
                                    let kinds = [ErrorKind::Io, ErrorKind::Poisoned];
                                    assert!(kinds.contains(&error.kind()), "{error:?}");
                                    refused += 1;
                                }
                            }
                        }
                    });
                }
                let waited = log.wait_durable(lsn(1 << 40), None).unwrap_err();
                assert_ne!(waited.kind(), ErrorKind::Timeout);
            });
        });
    }
}

/// A write-back error is reported once for each descriptor. If the background asks for it first,
/// the committer must hear of it all the same.
#[test]
fn an_error_the_background_was_told_reaches_the_commits() {
    let memory = MemVfs::new();
    let vfs = FaultVfs::over_memory(memory.clone());
    let options = Options { level: Level::Os, ..options() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
    log.append(&[1; 1000]).unwrap();
    log.sync().unwrap();
    // Not the state file's: the background tells it of a new segment.
    let in_segment = |path: &std::path::Path| !path.ends_with("STATE");
    vfs.fail(Operation::Sync, in_segment, 1, false, Fault::LoseUnsynced(libc::EIO));
    // Half of what the segment was given is used: the background makes it larger and syncs.
    log.append(&[2; 31_000]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let refused = log.sync().expect_err("the bytes are lost, whoever was told");
    assert_eq!(refused.os_errno(), Some(libc::EIO));
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Poisoned);
    let left = memory.crash_at(memory.op_count(), &mut |_| 0);
    let (_, _, found) = Found::open(&left, &options).unwrap();
    assert_eq!(found.records.len(), 1);
}

fn full_vfs() -> (MemVfs, Log) {
    let vfs = MemVfs::new();
    let options = Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (vfs, log)
}

#[test]
fn a_full_disk_refuses_and_poisons_nothing() {
    let (vfs, log) = full_vfs();
    let mut model = vec![payload(0, 100)];
    log.append(&model[0]).unwrap();
    pause();
    vfs.set_capacity(Some(0));
    let mut refused = Vec::new();
    for number in 1..30 {
        let record = payload(number, 9000);
        match log.append(&record) {
            Ok(lsn) => {
                model.push(record);
                assert_eq!(lsn.get(), model.len() as u64, "LSNs stay dense");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
                refused.push(record);
            }
        }
    }
    assert!(refused.len() > 10, "the disk was not full");
    assert!(log.stats().unwrap().poisoned.is_none());
    assert_eq!(&log.read(lsn(1)).unwrap()[..], &model[0][..]);
    log.sync().unwrap();
    log.values().set(b"vote", b"me").unwrap();
    vfs.set_capacity(None);
    for number in 100..120 {
        let record = payload(number, 9000);
        let lsn = log.append(&record).unwrap();
        model.push(record);
        assert_eq!(lsn.get(), model.len() as u64, "LSNs stay dense");
    }
    let options = Options { segment_bytes: 64 * 1024, ..Options::default() };
    for left in [
        vfs.kill_at(vfs.op_count()),
        vfs.crash_at(vfs.op_count(), &mut |_| 0),
        vfs.crash_at(vfs.op_count(), &mut |choices| choices - 1),
    ] {
        let (_, _, found) = Found::open(&left, &options).unwrap();
        assert!(found.records == model, "records {}, {}", found.records.len(), model.len());
    }
    log.close().unwrap();
    let (_, report, found) = Found::open(&vfs, &options).unwrap();
    assert_eq!(report.case, RecoveryCase::Clean);
    assert!(found.records == model);
}

#[test]
fn a_full_disk_can_be_opened_read_trimmed_and_closed() {
    let (vfs, log) = full_vfs();
    let records: Vec<_> = (0..12).map(|number| payload(number, 9000)).collect();
    records.iter().for_each(|record| assert!(log.append(record).unwrap().get() > 0));
    log.values().update(&[(b"a", Some(&[1; 4000])), (b"b", Some(&[2; 4000]))]).unwrap();
    vfs.set_capacity(Some(0));
    for crash in [true, false] {
        let left = match crash {
            true => vfs.crash_at(vfs.op_count(), &mut |_| 0),
            false => vfs.kill_at(vfs.op_count()),
        };
        left.set_capacity(Some(0));
        let options = Options { segment_bytes: 64 * 1024, ..Options::default() };
        let (log, _, found) = Found::open(&left, &options).unwrap();
        assert!(found.records == records);
        log.trim(lsn(5)).unwrap();
        assert_eq!(log.values().get(b"b").unwrap(), Some(vec![2; 4000]));
        log.close().unwrap();
        let (log, _, found) = Found::open(&left, &options).unwrap();
        assert!(found.records == records[4..]);
        log.close().unwrap();
    }
}

#[test]
fn everybody_in_a_group_that_does_not_fit_is_told() {
    let (vfs, log) = full_vfs();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let barrier = Barrier::new(8);
    let outcomes: Vec<_> = within(Duration::from_secs(30), "a group on a full disk", || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let (log, barrier) = (&log, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        // More than the segment has left.
                        (0..20).map(|_| log.append(&[3; 9000]).map_err(|e| e.kind())).collect()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| -> Vec<_> { thread.join().unwrap() }).collect()
        })
    });
    let mut lsns: Vec<u64> = outcomes.iter().flatten().map(|lsn| lsn.get()).collect();
    lsns.sort_unstable();
    assert_eq!(lsns, (2..2 + lsns.len() as u64).collect::<Vec<_>>(), "acknowledged LSNs are dense");
    assert!(outcomes.iter().all(|o| o.is_ok() || *o == Err(ErrorKind::Full)), "{outcomes:?}");
    assert!(lsns.len() < 20, "the disk was not full");
    vfs.set_capacity(None);
    assert_eq!(log.append(b"again").unwrap().get(), 2 + lsns.len() as u64);
    assert_eq!(log.last_lsn().unwrap().get(), 2 + lsns.len() as u64);
}

#[test]
fn a_ticket_taken_back_says_full_also_when_its_lsn_was_issued_again() {
    let (vfs, log) = full_vfs();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let taken_back = log.submit_batch(&vec![[5; 3000]; 30]).unwrap();
    assert_eq!(taken_back.wait().unwrap_err().kind(), ErrorKind::Full);
    vfs.set_capacity(None);
    let again = log.append(b"the same LSN").unwrap();
    assert_eq!(taken_back.lsn(), again);
    assert_eq!(taken_back.wait().unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(taken_back.poll_now().unwrap().unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(&log.read(again).unwrap()[..], b"the same LSN");
}

/// Who hands records over and waits by LSN, as in C, waited for ever for a record that the full
/// disk had refused: its LSN was to be issued again, and nobody did.
#[test]
fn waiting_by_lsn_for_a_record_that_was_refused_says_full() {
    let (vfs, log) = full_vfs();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let refused = log.submit_batch(&vec![[5; 3000]; 30]).unwrap().lsns().final_;
    within(Duration::from_secs(60), "a wait for a record that was refused", || {
        for _ in 0..2 {
            assert_eq!(log.wait_durable(refused, None).unwrap_err().kind(), ErrorKind::Full);
        }
    });
    vfs.set_capacity(None);
    while log.append(b"the same LSNs").unwrap() < refused {}
    assert!(log.wait_durable(refused, None).unwrap() >= refused);
}

#[test]
fn records_acknowledged_before_the_disk_was_full_are_not_taken_back_in_silence() {
    let (vfs, log) = full_vfs();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let buffered = AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() };
    within(Duration::from_secs(30), "buffered appends on a full disk", || {
        while log.with(buffered).append(&[2; 9000]).is_ok() {}
    });
    let cause = log.stats().unwrap().poisoned.unwrap();
    assert_eq!(cause.os_errno(), Some(libc::ENOSPC));
    assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Poisoned);
    let closing = log.close().unwrap_err();
    assert_eq!(closing.kind(), ErrorKind::Poisoned);
    assert_eq!(closing.os_errno(), Some(libc::ENOSPC));
}

/// Appenders share groups, groups queue behind each other, and now and then one finds the disk
/// full. What was acknowledged is there, what was refused is not, and nothing else is.
#[test]
fn a_full_disk_takes_back_whole_groups_and_no_more() {
    let mut rng = crash_support::Rng::new(3);
    for round in 0..40 {
        let memory = MemVfs::new();
        let vfs = FaultVfs::over_memory(memory.clone());
        let options = Options {
            segment_bytes: 64 * 1024,
            ring_bytes: 64 * 1024,
            max_batch_bytes: 4096,
            ..Options::default()
        };
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        let in_segment = |path: &std::path::Path| !path.ends_with("STATE");
        for _ in 0..6 {
            let fault = Fault::Tear(rng.below(60), libc::ENOSPC);
            vfs.fail(Operation::Write, in_segment, 2 + rng.below(80), false, fault);
        }
        let context = format!("round {round}");
        let outcomes: Vec<(Payload, Result<Lsn>)> =
            within(Duration::from_secs(30), &context, || {
                std::thread::scope(|scope| {
                    let threads: Vec<_> = (0..5_u64)
                        .map(|thread| {
                            let log = &log;
                            scope.spawn(move || -> Vec<_> {
                                (0..40)
                                    .map(|number| {
                                        let len = 8 + (number * 131 % 2500) as usize;
                                        let record = payload(thread << 32 | number, len);
                                        let outcome = log.append(&record);
                                        (record, outcome)
                                    })
                                    .collect()
                            })
                        })
                        .collect();
                    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
                })
            });
        assert!(log.stats().unwrap().poisoned.is_none(), "{context}");
        let refused = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
        assert!(refused > 0, "{context}: the disk was never full");
        let mut expected = BTreeMap::new();
        for (record, outcome) in outcomes {
            match outcome {
                Ok(lsn) => assert!(expected.insert(lsn.get(), record).is_none(), "{context}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Full, "{context}: {error:?}"),
            }
        }
        let lsns: Vec<u64> = expected.keys().copied().collect();
        assert_eq!(lsns, (1..=lsns.len() as u64).collect::<Vec<_>>(), "{context}");
        let expected: Vec<Payload> = expected.into_values().collect();
        let open = Found::read(&log).unwrap();
        assert!(open.records == expected, "{context}: {}", open.summary());
        let end = memory.op_count();
        for left in [
            memory.kill_at(end),
            memory.crash_at(end, &mut |_| 0),
            memory.crash_at(end, &mut |choices| choices - 1),
        ] {
            let (_, _, found) = Found::open(&left, &options).unwrap();
            assert!(found.records == expected, "{context}: {}", found.summary());
        }
    }
}

/// A truncation is the header of a new segment. That the first commit behind it does not fit must
/// not undo it.
#[test]
fn a_truncation_stands_when_the_next_append_finds_the_disk_full() {
    for large in [10, 100_000] {
        let memory = MemVfs::new();
        let vfs = FaultVfs::over_memory(memory.clone());
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options()).unwrap();
        for number in 0..5 {
            log.append(&payload(number, 50)).unwrap();
        }
        log.truncate(lsn(2)).unwrap();
        let in_segment = |path: &std::path::Path| !path.ends_with("STATE");
        vfs.fail(Operation::Write, in_segment, 1, false, Fault::Tear(20, libc::ENOSPC));
        assert_eq!(log.append(&vec![9; large]).unwrap_err().kind(), ErrorKind::Full);
        let check = |vfs: &MemVfs, count: usize| {
            let (_, _, found) = Found::open(vfs, &options()).unwrap();
            assert_eq!(found.records.len(), count, "what was truncated came back");
        };
        check(&memory.crash_at(memory.op_count(), &mut |_| 0), 2);
        check(&memory.crash_at(memory.op_count(), &mut |choices| choices - 1), 2);
        log.append(b"fits").unwrap();
        check(&memory.crash_at(memory.op_count(), &mut |_| 0), 3);
        log.close().unwrap();
        check(&memory, 3);
    }
}

/// A segment's footer needs room of its own. Where there is none the segment goes without.
#[test]
fn no_room_for_a_footer_poisons_nothing() {
    let memory = MemVfs::new();
    let vfs = FaultVfs::over_memory(memory.clone());
    let options = Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
    for _ in 0..5 {
        log.append(&[1; 10_000]).unwrap();
    }
    pause();
    let is_first = |path: &std::path::Path| path.ends_with("00000000000000000001.wal");
    vfs.fail(Operation::Write, is_first, 1, true, Fault::Tear(20, libc::ENOSPC));
    let rotated = log.append(&[2; 10_000]);
    assert!(log.stats().unwrap().poisoned.is_none(), "{rotated:?}");
    vfs.heal();
    let count = 5 + usize::from(rotated.is_ok());
    log.append(&[3; 10_000]).unwrap();
    for left in [memory.kill_at(memory.op_count()), memory.crash_at(memory.op_count(), &mut |_| 0)]
    {
        let (_, _, found) = Found::open(&left, &options).unwrap();
        assert_eq!(found.records.len(), count + 1);
    }
}

/// The commits that a truncation waits for may rotate, and a rotation at capacity trims.
#[test]
fn a_truncation_at_capacity_does_not_hang() {
    let options = Options {
        segment_bytes: 64 * 1024,
        ring_bytes: 1 << 20,
        max_bytes: Some(128 * 1024),
        at_capacity: AtCapacity::TrimOldest,
        level: Level::Buffered,
        ..Options::default()
    };
    within(Duration::from_secs(20), "a truncation at capacity", || {
        for _ in 0..20 {
            let vfs = MemVfs::new();
            let (log, _) = Log::open_with(Arc::new(vfs), "/log", options.clone()).unwrap();
            for number in 0..30 {
                log.append(&payload(number, 9000)).unwrap();
            }
            log.truncate(lsn(29)).unwrap();
            assert_eq!(log.last_lsn(), Some(lsn(29)));
            log.close().unwrap();
        }
    });
}

/// The background makes the next segment's file while commits may need it at any moment. Nothing it
/// does may touch the file of a segment that is written already.
#[test]
fn spares_in_the_making_never_cost_the_active_segment_its_file() {
    for round in 0..30 {
        let memory = MemVfs::new();
        let vfs = FaultVfs::over_memory(memory.clone());
        let options = Options { segment_bytes: 64 * 1024, level: Level::Os, ..Options::default() };
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        let mut count = 0;
        for number in 0..150 {
            log.append(&payload(number, 9000 + round * 97)).unwrap();
            count += 1;
            if number % 40 == 39 {
                log.trim(lsn(number - 20)).unwrap();
            }
        }
        let left = memory.kill_at(memory.op_count());
        let (_, _, found) = Found::open(&left, &options).unwrap();
        let next = found.first + found.records.len() as u64;
        assert_eq!(next, count + 1, "round {round}");
    }
}

/// What a `BTreeMap` of errors of one kind would hide: the kinds, counted, of everything an opening
/// says when any one of its calls fails.
#[test]
fn an_opening_that_fails_changes_nothing() {
    let memory = MemVfs::new();
    let (log, _) = Log::open_with(Arc::new(memory.clone()), "/log", options()).unwrap();
    let records: Vec<_> = (0..20).map(|number| payload(number, 20_000)).collect();
    records.iter().for_each(|record| assert!(log.append(record).unwrap().get() > 0));
    let left = memory.crash_at(memory.op_count(), &mut |choices| choices - 1);
    drop(log);
    let mut kinds = BTreeMap::new();
    for operation in [
        Operation::Open,
        Operation::Read,
        Operation::Write,
        Operation::Sync,
        Operation::SyncDir,
        Operation::List,
        Operation::Len,
        Operation::Lock,
    ] {
        for nth in 1..60 {
            let left = left.kill_at(left.op_count());
            let vfs = FaultVfs::over_memory(left.clone());
            vfs.fail_nth(operation, nth, Fault::Fail(libc::EIO));
            match Log::open_with(Arc::new(vfs), "/log", options()) {
                Ok((log, _)) => {
                    log.close().unwrap_or_else(|error: Error| {
                        assert_eq!(error.os_errno(), Some(libc::EIO));
                    });
                }
                Err(error) => {
                    assert_eq!(error.os_errno(), Some(libc::EIO), "{error:?}");
                    *kinds.entry(error.kind().name()).or_insert(0) += 1;
                }
            }
            let (_, _, found) = Found::open(&left, &options()).unwrap();
            assert!(found.records == records, "{operation:?} {nth}");
        }
    }
    assert!(kinds.len() == 1 && kinds["i/o"] > 20, "{kinds:?}");
}

/// In steady state a commit is one write and one sync of the segment, and nothing else.
#[test]
fn a_commit_costs_exactly_one_data_sync() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).unwrap();
    for _ in 0..10 {
        log.append(&[1; 200]).unwrap();
    }
    // The background is done with what a new segment brings.
    std::thread::sleep(Duration::from_millis(50));
    vfs.clear_calls();
    const COMMITS: usize = 100;
    for _ in 0..COMMITS {
        log.append(&[1; 20]).unwrap();
    }
    let calls: Vec<_> =
        vfs.calls().into_iter().filter(|call| !call.path.ends_with("STATE")).collect();
    let count = |operation| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!(count(Operation::Sync), COMMITS);
    assert_eq!(count(Operation::Write), COMMITS);
    assert_eq!(calls.len(), 2 * COMMITS, "something else was asked of the file system");
    let state = vfs.calls().len() - calls.len();
    assert_eq!(state, 0, "the state file is left alone while the log is busy");
}

/// A group shares one sync, however many wait for it.
#[test]
fn a_group_shares_its_sync() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).unwrap();
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(2));
    vfs.clear_calls();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let log = &log;
            scope.spawn(move || {
                (0..10).for_each(|_| assert!(log.append(&[1; 100]).unwrap().get() > 0))
            });
        }
    });
    let syncs = vfs.count(Operation::Sync);
    assert!(syncs <= 60, "{syncs} syncs for 160 appends of 16 threads");
    assert_eq!(log.stats().unwrap().counters.records, 161);
}

/// `WriteDirect` files take blocks only: whatever is appended, what reaches them is aligned.
#[test]
fn a_direct_log_writes_blocks_only() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let options = Options { io: wal_core::Io::Direct, ..options() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    for len in [0, 1, 4080, 4096, 30_000, 70_000] {
        log.append(&vec![1; len]).unwrap();
    }
    assert!(log.stats().unwrap().direct_io);
    let file = vfs.open("/log/00000000000000000001.wal".as_ref(), Access::WriteDirect).unwrap();
    assert_eq!(file.alignment(), 4096);
    let writes = vfs.calls().into_iter().filter(|call| call.operation == Operation::Write);
    let segments = writes.filter(|call| !call.path.ends_with("STATE"));
    assert!(segments.into_iter().all(|call| call.offset % 4096 == 0 && call.len % 4096 == 0));
}

/// Between the moment in which LSNs were taken back and the one in which the log was poisoned, a
/// sync found nothing that was owed and returned `Ok`, although an acknowledged record was lost.
#[test]
fn a_sync_never_answers_for_acknowledged_records_that_a_full_disk_has_lost() {
    let (vfs, log) = full_vfs();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let buffered = AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() };
    within(Duration::from_secs(30), "buffered appends on a full disk", || {
        let mut last = lsn(1);
        while let Ok(lsn) = log.with(buffered).append(&[2; 9000]) {
            last = lsn;
        }
        assert!(log.next_lsn() > last, "what was acknowledged is still owed, not taken back");
        assert_eq!(log.sync().unwrap_err().kind(), ErrorKind::Poisoned);
    });
}

/// A truncation that waited for a commit whose sync failed went on with a sync of its own. That
/// succeeded, as it does after a failure, and the lost record was taken for durable.
#[test]
fn a_truncation_behind_a_failed_sync_does_not_make_lost_records_look_safe() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options()).unwrap();
    log.append(b"one").unwrap();
    let is_segment = |path: &std::path::Path| !path.ends_with("STATE");
    vfs.fail(Operation::Sync, is_segment, 1, false, Fault::LoseUnsynced(libc::EIO));
    vfs.delay(Operation::Sync, Duration::from_millis(300));
    within(Duration::from_secs(30), "a truncation behind a failed sync", || {
        let ticket = log.submit(b"two").unwrap();
        while log.written_lsn() < Some(lsn(2)) {
            std::thread::yield_now();
        }
        assert_eq!(log.truncate(lsn(2)).unwrap_err().kind(), ErrorKind::Poisoned);
        assert!(ticket.wait().is_err(), "its bytes are lost");
        assert_eq!(log.durable_lsn(), Some(lsn(1)));
    });
}

/// A page whose write has failed is clean: the kernel may drop it at any moment. An opening read a
/// commit from the page cache, the page was dropped, what the disk held was read and written again
/// in its place, and the commit was called durable: a later opening or read found zeros.
#[test]
fn what_an_opening_serves_survives_although_a_page_was_dropped_meanwhile() {
    for moment_ms in [0, 5, 20, 40] {
        let memory = MemVfs::new();
        let options = Options { read_mode: ReadMode::Pread, ..Options::default() };
        let segment = Path::new("/log/00000000000000000001.wal");
        let (log, _) = Log::open_with(Arc::new(memory.clone()), "/log", options.clone()).unwrap();
        log.append(b"kept").unwrap();
        let on_disk = memory.file_bytes(segment).unwrap();
        let os = AppendOptions { level: Some(Level::Os), ..AppendOptions::default() };
        log.with(os).append(&[7; 5000]).unwrap();
        let dead = memory.kill_at(memory.op_count());
        dead.drop_unsynced(segment).unwrap();
        let vfs = FaultVfs::over_memory(dead.clone());
        // The first thing after the scan; what is read to be written again comes later.
        vfs.delay(Operation::SyncDir, Duration::from_millis(60));
        let opened = thread::scope(|scope| {
            let opening =
                scope.spawn(|| Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()));
            thread::sleep(Duration::from_millis(moment_ms));
            dead.set_file_bytes(segment, &on_disk).unwrap();
            opening.join().unwrap()
        });
        let (log, report) = opened.unwrap();
        assert_eq!(log.last_lsn(), log.durable_lsn());
        let served = log.last_lsn();
        log.append(b"after").unwrap();
        let lost = dead.crash_at(dead.op_count(), &mut |_| 0);
        let (again, _) = Log::open_with(Arc::new(lost), "/log", options.clone())
            .unwrap_or_else(|error| panic!("{moment_ms} ms: {error:?} after {report:?}"));
        assert!(again.last_lsn() > served, "{moment_ms} ms");
        for record in again.cursor(Position::First).unwrap() {
            record.unwrap_or_else(|error| panic!("{moment_ms} ms: {error:?} after {report:?}"));
        }
    }
}
