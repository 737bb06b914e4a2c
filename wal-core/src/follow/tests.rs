//! What followers are promised.

use std::time::{Duration, Instant};

use super::Follower;
use crate::error::ErrorKind;
use crate::fixture::{TestLog, payload};
use crate::lsn::Lsn;
use crate::options::ReadMode;
use crate::position::Position;

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
