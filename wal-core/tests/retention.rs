//! What is trimmed without being asked, and what never is.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{AppendOptions, Log, Lsn, Options, Position, Retention};

const SEGMENT: u64 = 64 << 10;
const HOUR: Duration = Duration::from_secs(3600);

fn open(vfs: &MemVfs, retention: Retention) -> Log {
    let options =
        Options { segment_bytes: SEGMENT, ring_bytes: 64 << 10, retention, ..Options::default() };
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap().0
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn append(log: &Log, count: usize) {
    for _ in 0..count {
        log.append(&[1; 1000]).unwrap();
    }
}

fn kept(log: &Log) -> u64 {
    log.last_lsn().unwrap().get() - log.first_lsn().unwrap().get() + 1
}

#[test]
fn nothing_is_trimmed_unless_it_is_asked_for() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention::default());
    append(&log, 1000);
    vfs.set_now(vfs.now() + 1000 * HOUR);
    append(&log, 100);
    assert_eq!(log.first_lsn(), Some(Lsn::FIRST));
}

#[test]
fn bytes_are_bounded() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention { bytes: Some(4 * SEGMENT), ..Retention::default() });
    append(&log, 2000);
    eventually("few bytes", || kept(&log) * 1016 <= 5 * SEGMENT);
    assert!(kept(&log) * 1016 > 3 * SEGMENT, "{} records are left", kept(&log));
}

#[test]
fn records_are_bounded() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention { records: Some(200), ..Retention::default() });
    append(&log, 1000);
    eventually("few records", || kept(&log) <= 200 + 2 * SEGMENT / 1016);
    assert!(kept(&log) >= 200 - SEGMENT / 1016, "{} records are left", kept(&log));
}

/// A record that is the only one, or whose segment is still written, stays however old it is.
#[test]
fn age_is_bounded_but_the_newest_segment_stays() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention { age: Some(HOUR), ..Retention::default() });
    append(&log, 300);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(log.first_lsn(), Some(Lsn::FIRST));
    vfs.set_now(vfs.now() + 2 * HOUR);
    append(&log, 100);
    eventually("old records go", || log.first_lsn().unwrap().get() > 200);
    assert!(log.read(Lsn::new(400).unwrap()).is_ok());
    assert!(kept(&log) >= 100);
    vfs.set_now(vfs.now() + 2 * HOUR);
    append(&log, 1);
    assert_eq!(log.last_lsn().unwrap().get(), 401);
    assert!(log.read(Lsn::new(401).unwrap()).is_ok());
}

#[test]
fn age_is_bounded_also_when_nothing_is_appended() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention { age: Some(Duration::from_secs(2)), ..Retention::default() });
    append(&log, 300);
    vfs.set_now(vfs.now() + HOUR);
    eventually("old records go", || log.first_lsn().unwrap().get() > 200);
}

#[test]
fn a_clock_that_goes_back_trims_nothing_and_times_never_go_back() {
    let vfs = MemVfs::new();
    let retention = Retention { age: Some(HOUR), ..Retention::default() };
    let mut log = open(&vfs, retention);
    let start = vfs.now();
    append(&log, 200);
    // The clock is a year behind for a while: what was written then is as young as what was
    // written before it, and is not old when the clock is right again.
    vfs.set_now(start - 24 * 365 * HOUR);
    append(&log, 200);
    log.close().unwrap();
    log = open(&vfs, retention);
    append(&log, 100);
    log.truncate(Lsn::new(450).unwrap()).unwrap();
    append(&log, 1);
    log.truncate(Lsn::new(449).unwrap()).unwrap();
    log.close().unwrap();
    log = open(&vfs, retention);
    append(&log, 200);
    vfs.set_now(start + Duration::from_secs(1));
    append(&log, 100);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(log.first_lsn(), Some(Lsn::FIRST));
    let mut cursor = log.cursor(Position::First).unwrap();
    let mut before = SystemTime::UNIX_EPOCH;
    while let Some(record) = cursor.next().unwrap() {
        let time = cursor.time().unwrap();
        assert!(time >= before, "record {} was before the one before it", record.lsn());
        assert_eq!(log.time_of(record.lsn()).unwrap(), time);
        before = time;
    }
}

/// After a crash the time of the last commit is known only from the segments.
#[test]
fn times_never_go_back_through_a_crash_or_a_reset_of_the_log() {
    for ending in ["close", "kill"] {
        for cut in ["nothing", "truncate", "reset"] {
            let mut vfs = MemVfs::new();
            let log = open(&vfs, Retention::default());
            let start = vfs.now();
            append(&log, 100);
            match cut {
                "truncate" => log.truncate(Lsn::new(80).unwrap()).unwrap(),
                "reset" => log.reset_to(Lsn::FIRST).unwrap(),
                _ => {}
            }
            if ending == "close" {
                log.close().unwrap();
            } else {
                vfs = vfs.kill_at(vfs.op_count());
            }
            vfs.set_now(start - HOUR);
            let log = open(&vfs, Retention::default());
            let lsn = log.append(b"x").unwrap();
            assert!(log.time_of(lsn).unwrap() >= start, "{ending} after {cut}");
        }
    }
}

#[test]
fn a_record_is_found_by_its_time() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention::default());
    let start = vfs.now();
    for hour in 0..200u32 {
        vfs.set_now(start + hour * HOUR);
        log.append_batch(&[[1; 500], [2; 500]]).unwrap();
    }
    for hour in [0u32, 1, 50, 77, 199] {
        let mut cursor = log.cursor(Position::Time(start + hour * HOUR)).unwrap();
        assert_eq!(cursor.next().unwrap().unwrap().lsn().get(), u64::from(hour) * 2 + 1);
        cursor.seek_time(start + hour * HOUR - Duration::from_secs(1)).unwrap();
        assert_eq!(cursor.next_lsn().get(), u64::from(hour) * 2 + 1);
    }
    let mut cursor = log.cursor(Position::Time(start + 1000 * HOUR)).unwrap();
    assert!(cursor.next().unwrap().is_none());
    cursor.seek_time(SystemTime::UNIX_EPOCH - HOUR).unwrap();
    assert_eq!(cursor.next_lsn(), Lsn::FIRST);
}

#[test]
fn a_given_time_is_recorded_but_never_before_the_one_before() {
    let vfs = MemVfs::new();
    let log = open(&vfs, Retention::default());
    let start = vfs.now() - HOUR;
    let at = |time| AppendOptions { time: Some(time), ..AppendOptions::default() };
    let first = log.with(at(start)).append(b"imported").unwrap();
    assert_eq!(log.time_of(first).unwrap(), start);
    let back = log.with(at(start - HOUR)).append(b"imported").unwrap();
    assert_eq!(log.time_of(back).unwrap(), start);
    let before_time = log.with(at(SystemTime::UNIX_EPOCH - HOUR)).append(b"imported").unwrap();
    assert_eq!(log.time_of(before_time).unwrap(), start);
}
