//! What each level promises and shows.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{AppendOptions, ErrorKind, Level, Log, Lsn, Options, Position};

fn memory(options: Options) -> (MemVfs, FaultVfs, Log) {
    let machine = MemVfs::new();
    let vfs = FaultVfs::over_memory(machine.clone());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (machine, vfs, log)
}

fn at(level: Level) -> Options {
    Options { level, segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn with(level: Level) -> AppendOptions {
    AppendOptions { level: Some(level), ..AppendOptions::default() }
}

/// What is there after a power loss that keeps nothing but what was synced.
fn after_power_loss(machine: &MemVfs) -> Option<Lsn> {
    let found = machine.crash_at(machine.op_count(), &mut |_| 0);
    Log::open_with(Arc::new(found), "/log", Options::default()).unwrap().0.last_lsn()
}

/// What is there after the process has died.
fn after_kill(machine: &MemVfs) -> Option<Lsn> {
    let found = machine.kill_at(machine.op_count());
    Log::open_with(Arc::new(found), "/log", Options::default()).unwrap().0.last_lsn()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn disk_survives_power_loss_and_os_the_death_of_the_process() {
    let (machine, _, log) = memory(at(Level::Disk));
    let lsn = log.append(b"x").unwrap();
    assert_eq!(after_power_loss(&machine), Some(lsn));
    assert_eq!([log.durable_lsn(), log.written_lsn(), log.submitted_lsn()], [Some(lsn); 3]);

    let (machine, _, log) = memory(at(Level::Os));
    let lsn = log.append(b"x").unwrap();
    assert_eq!(after_kill(&machine), Some(lsn));
    assert_eq!(after_power_loss(&machine), None);
    assert_eq!((log.durable_lsn(), log.written_lsn()), (None, Some(lsn)));
    log.sync().unwrap();
    assert_eq!(after_power_loss(&machine), Some(lsn));
    assert_eq!(log.durable_lsn(), Some(lsn));
}

#[test]
fn a_level_for_one_call_holds_for_everything_before_it() {
    let (machine, _, log) = memory(at(Level::Buffered));
    for _ in 0..10 {
        log.append(b"x").unwrap();
    }
    let lsn = log.with(with(Level::Disk)).append(b"vote").unwrap();
    assert_eq!(lsn.get(), 11);
    assert_eq!(after_power_loss(&machine), Some(lsn));
    log.append(b"y").unwrap();
    let lsn = log.with(with(Level::Os)).append(b"y").unwrap();
    assert_eq!(after_kill(&machine), Some(lsn));
}

#[test]
fn readers_see_what_the_level_of_the_log_says() {
    // A disk log shows what is durable, also when a record asked for less.
    let (_, vfs, log) = memory(at(Level::Disk));
    log.append(b"1").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(300));
    let lsn = log.with(with(Level::Os)).append(b"2").unwrap();
    assert_eq!(log.written_lsn(), Some(lsn));
    assert_eq!(log.last_lsn(), Some(Lsn::FIRST));
    assert_eq!(log.read(lsn).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(log.cursor(lsn).unwrap().next().unwrap().is_none());
    log.sync().unwrap();
    assert_eq!(&log.read(lsn).unwrap()[..], b"2");

    // An os log shows what is written.
    let (_, _, log) = memory(at(Level::Os));
    let lsn = log.append(b"1").unwrap();
    assert_eq!(&log.read(lsn).unwrap()[..], b"1");
    assert_eq!((log.last_lsn(), log.durable_lsn()), (Some(lsn), None));

    // A buffered one as well, which is soon.
    let (_, _, log) = memory(at(Level::Buffered));
    let lsn = log.append(b"1").unwrap();
    let mut follower = log.follow(Position::First).unwrap();
    assert_eq!(follower.next_timeout(Duration::from_secs(20)).unwrap().unwrap().lsn(), lsn);
}

#[test]
fn buffered_waits_for_nothing() {
    let (_, vfs, log) = memory(at(Level::Buffered));
    vfs.delay(Operation::Write, Duration::from_millis(200));
    vfs.delay(Operation::Sync, Duration::from_millis(200));
    let started = Instant::now();
    for _ in 0..20 {
        log.append(b"x").unwrap();
    }
    assert!(log.submit(b"x").unwrap().poll_now().unwrap().is_ok());
    assert!(started.elapsed() < Duration::from_millis(150), "{:?}", started.elapsed());
}

/// The last record was never synced when no further append came.
#[test]
fn sync_every_covers_the_last_record() {
    for level in [Level::Os, Level::Buffered] {
        let options = Options { sync_every: Some(Duration::from_millis(20)), ..at(level) };
        let (machine, _, log) = memory(options);
        for round in 1..=3 {
            let lsn = log.append(b"the last one for now").unwrap();
            assert_eq!(lsn.get(), round);
            eventually("a sync", || log.durable_lsn() == Some(lsn));
            assert_eq!(after_power_loss(&machine), Some(lsn));
        }
    }
}

#[test]
fn an_endless_sync_every_is_never() {
    let options = Options { sync_every: Some(Duration::MAX), ..at(Level::Os) };
    let (_, _, log) = memory(options);
    let lsn = log.append(b"x").unwrap();
    assert_eq!((log.durable_lsn(), log.written_lsn()), (None, Some(lsn)));
    log.close().unwrap();
}

#[test]
fn sync_bytes_bounds_what_is_unsynced() {
    let options = Options { sync_bytes: Some(10_000), ..at(Level::Os) };
    let (_, _, log) = memory(options);
    let mut unsynced_most = 0;
    for _ in 0..300 {
        let lsn = log.append(&[0; 1000]).unwrap().get();
        unsynced_most = unsynced_most.max(lsn - log.durable_lsn().map_or(0, Lsn::get));
    }
    assert!((5..=10).contains(&unsynced_most), "{unsynced_most} records unsynced");
}

#[test]
fn nothing_is_synced_that_nobody_asked_for() {
    let (_, vfs, log) = memory(Options { segment_bytes: 1 << 20, ..at(Level::Os) });
    log.append(b"x").unwrap();
    vfs.clear_calls();
    for _ in 0..100 {
        log.append(b"x").unwrap();
    }
    let segment = |call: &&wal_core::vfs::Call| {
        call.operation == Operation::Sync && call.path.extension().is_some()
    };
    assert_eq!(vfs.calls().iter().filter(segment).count(), 0);
    log.with(with(Level::Disk)).append(b"x").unwrap();
    assert_eq!(vfs.calls().iter().filter(segment).count(), 1);
    log.sync().unwrap();
    assert_eq!(vfs.calls().iter().filter(segment).count(), 1, "there was nothing left to sync");
}

#[test]
fn one_sync_for_each_commit_and_no_other_call_in_between() {
    let (_, vfs, log) = memory(Options { segment_bytes: 1 << 20, ..at(Level::Disk) });
    log.append(b"x").unwrap();
    log.append(b"x").unwrap();
    vfs.clear_calls();
    for _ in 0..50 {
        log.append(b"x").unwrap();
    }
    let calls: Vec<_> = vfs
        .calls()
        .into_iter()
        .filter(|call| call.path.extension().is_some())
        .map(|call| call.operation)
        .collect();
    assert_eq!(calls, [Operation::Write, Operation::Sync].repeat(50));
}

#[test]
fn close_and_drop_make_everything_durable() {
    for level in [Level::Buffered, Level::Os, Level::Disk] {
        for closes in [true, false] {
            let (machine, _, log) = memory(at(level));
            for _ in 0..100 {
                log.append(b"x").unwrap();
            }
            if closes {
                log.close().unwrap();
                log.close().unwrap();
                assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.sync().unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.read(Lsn::FIRST).unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.stats().unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.trim(Lsn::FIRST).unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.truncate(Lsn::FIRST).unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.values().get(b"k").unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(log.cursor(Position::First).unwrap_err().kind(), ErrorKind::Closed);
            }
            drop(log);
            assert_eq!(after_power_loss(&machine), Lsn::new(100));
        }
    }
}

#[test]
fn a_failed_write_of_a_buffered_record_is_told_by_the_next_call_and_by_close() {
    let (_, vfs, log) = memory(at(Level::Buffered));
    vfs.fail_from(Operation::Write, 1, Fault::Fail(libc::EIO));
    log.append(b"x").unwrap();
    eventually("an error", || log.append(b"x").is_err());
    assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Poisoned);
}

#[test]
fn records_are_handed_out_for_good() {
    let (_, _, log) = memory(at(Level::Disk));
    let lsn = log.append(b"kept").unwrap();
    let record = log.read(lsn).unwrap();
    let mut cursor = log.cursor(Position::First).unwrap();
    let same = cursor.next().unwrap().unwrap();
    log.trim(Lsn::new(2).unwrap()).unwrap();
    log.close().unwrap();
    assert_eq!((&record[..], &same[..]), (&b"kept"[..], &b"kept"[..]));
}

/// A watermark of records that were only written would turn their loss into damage.
#[test]
fn a_quiet_log_claims_no_more_than_is_durable() {
    let (machine, vfs, log) = memory(at(Level::Disk));
    // Written to the state at once, as the first of its segment; the next one is not.
    log.append(b"1").unwrap();
    let states = || {
        let is_state = |op: &String| op.contains("STATE") && op.contains("sync");
        machine.ops().iter().filter(|op| is_state(op)).count()
    };
    thread::sleep(Duration::from_millis(50));
    let before = states();
    let durable = log.append(b"2").unwrap();
    let written = log.with(with(Level::Os)).append(b"3").unwrap();
    assert_eq!((log.durable_lsn(), log.written_lsn()), (Some(durable), Some(written)));
    eventually("the state of a quiet log", || states() > before);
    assert_eq!(log.durable_lsn(), Some(durable), "nothing asked for a sync");
    assert_eq!(after_power_loss(&machine), Some(durable));
    drop((vfs, log));
}
