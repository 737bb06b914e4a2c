//! What single reads and lookups by time are promised.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{first_at, read, read_many, time_of};
use crate::error::{Error, ErrorKind};
use crate::fixture::{TestLog, payload, varied_log};
use crate::lsn::Lsn;
use crate::options::ReadMode;
use crate::position::Position;
use crate::tail::Tail;
use crate::time::system_time;

const MODES: [ReadMode; 2] = [ReadMode::Map, ReadMode::Pread];

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

#[test]
fn records_that_are_gone_or_not_yet_there_are_told_apart() {
    let log = varied_log(ReadMode::Map, 10, 300);
    log.trim(50);
    for (at, kind, said) in [
        (1, ErrorKind::Trimmed, 50),
        (49, ErrorKind::Trimmed, 50),
        (310, ErrorKind::NotFound, 310),
        (400, ErrorKind::NotFound, 310),
    ] {
        for error in [read(&*log, lsn(at)).unwrap_err(), time_of(&*log, lsn(at)).unwrap_err()] {
            assert_eq!((error.kind(), error.lsn()), (kind, Lsn::new(said)), "{error}");
        }
    }
    log.truncate(200);
    assert_eq!(read(&*log, lsn(200)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(*read(&*log, lsn(199)).unwrap(), payload(199));
    log.close();
    assert_eq!(read(&*log, lsn(199)).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(time_of(&*log, lsn(199)).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn every_record_and_its_time_are_found_by_lsn() {
    for mode in MODES {
        let log = varied_log(mode, 10, 600);
        let (first, model) = log.model();
        for (number, modelled) in (first..).zip(&model) {
            let record = read(&*log, lsn(number)).unwrap();
            assert_eq!((record.lsn(), &*record), (lsn(number), &*modelled.payload));
            assert_eq!(time_of(&*log, lsn(number)).unwrap(), system_time(modelled.time_ns));
        }
        let reads = log.reads.load(Ordering::Relaxed) + log.views.reads();
        assert_eq!(reads, model.len() as u64);
    }
}

#[test]
fn the_first_record_at_a_time_is_the_one_a_linear_search_finds() {
    for mode in MODES {
        let log = varied_log(mode, 10, 600);
        for (trim, truncate) in [(10, 610), (10, 555), (123, 555), (123, 401), (400, 401)] {
            log.trim(trim);
            log.truncate(truncate);
            let (first, model) = log.model();
            let end = first + model.len() as u64;
            let times =
                model.iter().flat_map(|modelled| [0, 1, 9, 11].map(|n| modelled.time_ns + n));
            for time in times.chain([0, 1_000_000, u64::MAX]) {
                let later = model.iter().position(|modelled| modelled.time_ns >= time);
                let expected = later.map_or(end, |at| first + at as u64);
                assert_eq!(first_at(&*log, time).unwrap(), expected, "time {time}");
            }
        }
        log.trim(401);
        assert_eq!(first_at(&*log, 0).unwrap(), 401);
        let early =
            Position::Time(std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(9));
        assert_eq!(early.resolve(&*log).unwrap(), 401);
    }
}

#[test]
fn reads_beside_rotations_truncations_and_trims_are_right_or_say_why_not() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut number = 0;
                while !done.load(Ordering::Acquire) {
                    number = number % 400 + 1;
                    match read(&*log, lsn(number)) {
                        Ok(record) => assert_eq!(*record, number.to_le_bytes()),
                        Err(error) => assert!(
                            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Trimmed),
                            "{error}"
                        ),
                    }
                    first_at(&*log, number).unwrap();
                }
            });
            for round in 0..400u64 {
                let (first, model) = log.model();
                let next = first + model.len() as u64;
                for number in next..next + 3 {
                    log.append(&[&number.to_le_bytes()], number);
                }
                match round % 4 {
                    0 => log.rotate(),
                    1 => log.truncate(next + 1),
                    2 => log.trim(first + 1),
                    _ => log.reopen(round + 50),
                }
            }
            done.store(true, Ordering::Release);
        });
    }
}

fn lsns(numbers: impl IntoIterator<Item = u64>) -> Vec<Lsn> {
    numbers.into_iter().map(|number| Lsn::new(number).unwrap()).collect()
}

#[test]
fn an_lsn_that_cannot_be_read_ends_a_run_of_many_after_those_before_it() {
    for mode in [ReadMode::Map, ReadMode::Pread] {
        let log = varied_log(mode, 1, 1000);
        log.trim(100);
        for (bad, kind) in [
            (1, ErrorKind::Trimmed),
            (1001, ErrorKind::NotFound),
            (u64::from(u32::MAX) + 200, ErrorKind::NotFound),
        ] {
            for _ in 0..3 {
                let mut seen = Vec::new();
                let error = read_many(&*log, &lsns([500, 900, bad, 600]), |record| {
                    seen.push(record.lsn().get());
                    Ok::<_, Error>(ControlFlow::Continue(()))
                });
                assert_eq!((error.unwrap_err().kind(), seen), (kind, vec![500, 900]));
            }
        }
        log.close();
        let none = read_many(&*log, &lsns([500]), |_| Ok::<_, Error>(ControlFlow::Continue(())));
        assert_eq!(none.unwrap_err().kind(), ErrorKind::Closed);
    }
}

#[test]
fn many_records_come_in_the_order_they_were_asked_for_until_it_is_enough() {
    for mode in [ReadMode::Map, ReadMode::Pread] {
        let log = varied_log(mode, 1, 1000);
        let all = lsns((0..3000).map(|turn| turn * 7919 % 1000 + 1));
        for enough in [0, 1, 12, 2999, 3000] {
            let mut held = Vec::new();
            let read = read_many(&*log, all.get(..enough).unwrap(), |record| {
                held.push(record.clone());
                Ok::<_, Error>(ControlFlow::Continue(()))
            });
            assert_eq!((read.unwrap(), held.len()), (enough, enough));
            for (record, lsn) in held.iter().zip(&all) {
                assert_eq!((record.lsn(), &**record), (*lsn, &payload(lsn.get())[..]));
            }
        }
        let mut left = 41;
        let broken = read_many(&*log, &all, |_| {
            left -= 1;
            let flow = if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            Ok::<_, Error>(flow)
        });
        assert_eq!(broken.unwrap(), 41);
    }
}

/// The callback reads through the same log, whose seat for this thread is taken meanwhile, and
/// changes it.
#[test]
fn a_callback_may_read_and_change_the_log() {
    let log = varied_log(ReadMode::Map, 1, 1000);
    for _ in 0..3 {
        let read = read_many(&*log, &lsns(1..=1000), |record| {
            let lsn = record.lsn();
            assert_eq!(*read(&*log, lsn)?, **record);
            Ok::<_, Error>(ControlFlow::Continue(()))
        });
        assert_eq!(read.unwrap(), 1000);
    }
    let first = Arc::downgrade(log.live().segments.first().unwrap());
    let result = read_many(&*log, &lsns([5, 950, 6]), |record| {
        match record.lsn().get() {
            5 => log.trim(900),
            _ => assert!(first.upgrade().is_none(), "a trimmed segment is let go of"),
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Trimmed);
}
