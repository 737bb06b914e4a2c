//! What followers are promised.

use std::mem::MaybeUninit;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::Follower;
use crate::error::ErrorKind;
use crate::fixture::{TestLog, payload};
use crate::log::Log;
use crate::lsn::Lsn;
use crate::options::{Level, Options, ReadMode};
use crate::packed::Packed;
use crate::position::Position;
use crate::record::Record;
use crate::vfs::{Fault, FaultVfs, MemVfs, Operation};

#[test]
fn a_follower_waits_for_records_and_ends_with_the_log() {
    let log = TestLog::new(ReadMode::Map, 1);
    let mut follower = Follower::new(log.tail(), Position::First).unwrap();
    assert!(follower.try_next().unwrap().is_none());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for n in 1..=200 {
                let record = follower.next().unwrap();
                assert_eq!((record.lsn().get(), &*record), (n, &*payload(n)));
            }
            assert_eq!(follower.next().unwrap_err().kind(), ErrorKind::Closed);
        });
        for n in 1..=200 {
            log.append(&[&payload(n)], n);
            if n % 40 == 0 {
                log.rotate();
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        log.close();
        reader.join().unwrap();
    });
}

#[test]
fn a_time_out_gives_nothing_and_loses_nothing() {
    let log = TestLog::new(ReadMode::Map, 1);
    let mut follower = Follower::new(log.tail(), Position::End).unwrap();
    let start = Instant::now();
    assert!(follower.next_timeout(Duration::from_millis(20)).unwrap().is_none());
    assert!(start.elapsed() >= Duration::from_millis(20));
    log.append(&[b"one"], 1);
    assert_eq!(&*follower.next_timeout(Duration::MAX).unwrap().unwrap(), b"one");
    assert!(follower.next_timeout(Duration::ZERO).unwrap().is_none());
}

#[test]
fn a_follower_that_is_awake_keeps_its_time_and_hears_of_the_end() {
    let log = TestLog::new(ReadMode::Map, 1);
    let mut follower = Follower::new(log.tail(), Position::First).unwrap();
    follower.is_brisk = true;
    assert!(follower.next_timeout(Duration::ZERO).unwrap().is_none());
    follower.is_brisk = true;
    assert!(follower.next_timeout(Duration::from_micros(5)).unwrap().is_none());
    log.append(&[b"one"], 1);
    follower.is_brisk = true;
    assert_eq!(&*follower.next().unwrap(), b"one");
    log.close();
    follower.is_brisk = true;
    assert_eq!(follower.next().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_waiting_follower_is_told_of_a_truncation_below_it() {
    let log = TestLog::new(ReadMode::Map, 1);
    log.append(&[b"one", b"two", b"three"], 1);
    let mut follower = Follower::new(log.tail(), Position::End).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let error = follower.next().unwrap_err();
            assert_eq!((error.kind(), error.lsn()), (ErrorKind::Truncated, Lsn::new(1)));
            assert_eq!(follower.cursor().next_lsn().get(), 2);
            follower.next().unwrap()
        });
        std::thread::sleep(Duration::from_millis(5));
        log.truncate(2);
        log.append(&[b"second"], 1);
        assert_eq!(&*reader.join().unwrap(), b"second");
    });
}

/// Counts how often it was woken, and lets a thread wait for that.
#[derive(Default)]
struct Alarm(Mutex<u32>, Condvar);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
        self.1.notify_all();
    }
}

impl Alarm {
    fn wait_for(&self, count: u32) {
        let woken = self.0.lock().unwrap();
        let patience = Duration::from_secs(20);
        let (woken, _) = self.1.wait_timeout_while(woken, patience, |n| *n < count).unwrap();
        assert!(*woken >= count, "never woken");
    }
}

/// Polls until it is ready, when woken.
fn poll_until_ready(follower: &mut Follower) -> crate::Result<Record> {
    let mut polls = 0;
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    loop {
        match follower.poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(next) => return next,
            Poll::Pending => polls += 1,
        }
        alarm.wait_for(polls);
    }
}

#[test]
fn a_task_is_woken_for_every_record_and_for_the_end() {
    for level in [Level::Disk, Level::Os] {
        let options = Options { level, segment_bytes: 64 << 10, ..Options::default() };
        let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", options).unwrap();
        let mut follower = log.follow(Position::First).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                for n in 1..=300 {
                    let record = poll_until_ready(&mut follower).unwrap();
                    assert_eq!((record.lsn().get(), &*record), (n, &*payload(n)), "{level:?}");
                }
                assert_eq!(poll_until_ready(&mut follower).unwrap_err().kind(), ErrorKind::Closed);
            });
            for n in 1..=300 {
                log.append(&payload(n)).unwrap();
            }
            log.close().unwrap();
            reader.join().unwrap();
        });
    }
}

#[test]
fn a_task_is_told_that_a_poisoned_log_brings_no_more_after_what_was_visible() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).unwrap();
    log.append(b"kept").unwrap();
    let mut follower = log.follow(Position::First).unwrap();
    vfs.fail_nth(Operation::Sync, 0, Fault::Fail(libc::EIO));
    assert!(log.append(b"lost").is_err());
    assert_eq!(&*poll_until_ready(&mut follower).unwrap(), b"kept");
    assert_eq!(poll_until_ready(&mut follower).unwrap_err().kind(), ErrorKind::Poisoned);
}

#[test]
fn a_task_beside_another_process_hears_of_its_records() {
    let vfs = Arc::new(MemVfs::new());
    let (log, _) = Log::open_with(vfs.clone(), "/log", Options::default()).unwrap();
    let (reader, _) = Log::open_read_only_with(vfs, "/log", Options::default()).unwrap();
    let mut follower = reader.follow(Position::First).unwrap();
    let waiting = std::thread::spawn(move || poll_until_ready(&mut follower).map(|r| r.to_vec()));
    std::thread::sleep(Duration::from_millis(5));
    log.append(b"from the other one").unwrap();
    assert_eq!(waiting.join().unwrap().unwrap(), b"from the other one");
}

#[test]
fn a_follower_that_is_dropped_or_polled_again_leaves_nobody_queued() {
    let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", Options::default()).unwrap();
    let alarms = [(); 3].map(|()| Arc::new(Alarm::default()));
    let mut follower = log.follow(Position::First).unwrap();
    for alarm in &alarms[..2] {
        let waker = Waker::from(Arc::clone(alarm));
        assert!(follower.poll_next(&mut Context::from_waker(&waker)).is_pending());
    }
    let mut other = log.follow(Position::First).unwrap();
    let waker = Waker::from(Arc::clone(&alarms[2]));
    assert!(other.poll_next(&mut Context::from_waker(&waker)).is_pending());
    drop(other);
    log.append(b"news").unwrap();
    assert_eq!(alarms.map(|alarm| *alarm.0.lock().unwrap()), [0, 1, 0]);
    assert!(follower.try_next().unwrap().is_some());
}

#[test]
fn packed_reads_wait_for_the_first_record_and_take_what_is_there() {
    let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", Options::default()).unwrap();
    let mut follower = log.follow(Position::First).unwrap();
    let mut memory = [MaybeUninit::uninit(); 4096];
    let none = follower.read_packed(&mut memory, 9, Some(Duration::from_millis(5))).unwrap();
    assert_eq!(none, Packed::default());
    log.append_batch(&["one", "two"]).unwrap();
    let packed = follower.read_packed(&mut memory, 9, None).unwrap();
    assert_eq!(packed, Packed { count: 2, bytes: 48, bytes_needed: 0 });
    log.append(&[7; 100]).unwrap();
    let packed = follower.read_packed(&mut memory[..100], 9, None).unwrap();
    assert_eq!(packed, Packed { count: 0, bytes: 0, bytes_needed: 120 });
    log.close().unwrap();
    assert_eq!(follower.read_packed(&mut memory, 9, None).unwrap().count, 1);
    let end = follower.read_packed(&mut memory, 9, None).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::Closed);
}
