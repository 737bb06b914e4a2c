//! What replays are promised.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{ReplayOptions, replay, replay_parallel};
use crate::error::{Error, ErrorKind};
use crate::fixture::{TestLog, payload, varied_log};
use crate::lsn::Lsn;
use crate::options::ReadMode;
use crate::position::Position;
use crate::tail::Tail;

const MODES: [ReadMode; 2] = [ReadMode::Map, ReadMode::Pread];

/// The application's own error.
#[derive(Debug)]
enum Refused {
    ByCallback(u64),
    ByLog(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::ByLog(error)
    }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

/// Every combination of threads and order.
fn all_options() -> impl Iterator<Item = ReplayOptions> {
    [1, 2, 5, 0]
        .into_iter()
        .flat_map(|threads| [true, false].map(|in_order| ReplayOptions { threads, in_order }))
}

#[test]
fn a_replay_delivers_every_record_from_its_start_in_order() {
    for mode in MODES {
        let log = varied_log(mode, 10, 900);
        for from in [10, 11, 500, 909, 910] {
            let mut next = from;
            let delivered = replay::<Error>(&*log, lsn(from).into(), |record| {
                assert_eq!((record.lsn(), &**record), (lsn(next), &*payload(next)));
                next += 1;
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(delivered.unwrap(), (from < 910).then(|| lsn(909)));
            assert_eq!(next, 910);
        }
        assert_eq!(log.reads.load(Ordering::Relaxed), 900 + 899 + 410 + 1);
    }
}

#[test]
fn a_replay_stops_where_the_callback_says_and_passes_its_error_on() {
    let log = varied_log(ReadMode::Map, 1, 500);
    let delivered = replay::<Error>(&*log, Position::First, |record| {
        Ok(if record.lsn() == lsn(77) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    assert_eq!(delivered.unwrap(), Some(lsn(77)));
    let refused = replay(&*log, Position::First, |record| match record.lsn().get() {
        78 => Err(Refused::ByCallback(78)),
        _ => Ok(ControlFlow::Continue(())),
    });
    assert!(matches!(refused, Err(Refused::ByCallback(78))));
    let refused = replay::<Refused>(&*log, lsn(900).into(), |_| Ok(ControlFlow::Continue(())));
    assert!(matches!(refused, Err(Refused::ByLog(error)) if error.kind() == ErrorKind::NotFound));
}

#[test]
fn a_replay_ends_where_the_log_ended_when_it_started() {
    let log = varied_log(ReadMode::Map, 1, 100);
    let delivered = replay::<Error>(&*log, Position::First, |_| {
        log.append(&[b"another"], 1 << 40);
        Ok(ControlFlow::Continue(()))
    });
    assert_eq!(delivered.unwrap(), Some(lsn(100)));
}

#[test]
fn records_kept_from_a_replay_keep_their_bytes() {
    for mode in MODES {
        let log = varied_log(mode, 1, 600);
        let mut kept = Vec::new();
        replay::<Error>(&*log, Position::First, |record| {
            kept.push(record.clone());
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
        log.trim(601);
        drop(log);
        for (number, record) in (1..).zip(&kept) {
            assert_eq!((record.lsn(), &**record), (lsn(number), &*payload(number)));
        }
        assert_eq!(kept.len(), 600);
    }
}

#[test]
fn a_replay_that_loses_its_records_says_how() {
    for mode in MODES {
        // More records than a replay goes through between two looks at the log.
        let log = TestLog::new(mode, 1);
        let records = vec![&b"r"[..]; 10_000];
        for time in 0..4 {
            log.append(&records, time);
            log.rotate();
        }
        let mut seen = 0;
        let trimmed = replay::<Error>(&*log, Position::First, |record| {
            seen = record.lsn().get();
            if seen == 5 {
                log.trim(35_000);
            }
            Ok(ControlFlow::Continue(()))
        });
        let error = trimmed.unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Trimmed, Lsn::new(35_000)));
        assert!(seen < 35_000);
        let truncated = replay::<Error>(&*log, Position::First, |record| {
            seen = record.lsn().get();
            if seen == 35_001 {
                log.truncate(36_000);
                log.append(&records, 10);
            }
            assert_eq!(&**record, b"r");
            Ok(ControlFlow::Continue(()))
        });
        let error = truncated.unwrap_err();
        assert_eq!((error.kind(), error.lsn()), (ErrorKind::Truncated, Lsn::new(35_999)));
        assert!((35_999..37_100).contains(&seen), "{seen}");
    }
}

#[test]
fn parallel_in_order_equals_sequential() {
    for mode in MODES {
        let log = varied_log(mode, 10, 1500);
        log.trim(15);
        for threads in [1, 2, 5, 0] {
            let seen = Mutex::new(Vec::new());
            let is_called = AtomicBool::new(false);
            let options = ReplayOptions { threads, in_order: true };
            let delivered = replay_parallel::<Error>(&*log, Position::First, options, |record| {
                assert!(!is_called.swap(true, Ordering::SeqCst), "one call at a time");
                seen.lock().unwrap().push(record.clone());
                is_called.store(false, Ordering::SeqCst);
                Ok(ControlFlow::Continue(()))
            });
            let mut seen = seen.into_inner().unwrap().into_iter();
            let sequential = replay::<Error>(&*log, Position::First, |record| {
                let other = seen.next().unwrap();
                assert_eq!((other.lsn(), &*other), (record.lsn(), &**record));
                assert_eq!(other.batch_continues(), record.batch_continues());
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(sequential.unwrap(), Some(lsn(1509)));
            assert!(seen.next().is_none());
            assert_eq!(delivered.unwrap(), 1495);
        }
    }
}

#[test]
fn large_segments_are_verified_in_pieces_and_delivered_in_order() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        let record = vec![3; 100 << 10];
        for n in 0..80 {
            log.append(&[&record, b"small"], n);
            if n == 60 {
                log.rotate();
            }
        }
        let next = AtomicU64::new(1);
        let options = ReplayOptions { threads: 3, in_order: true };
        let delivered = replay_parallel::<Error>(&*log, Position::First, options, |record| {
            assert_eq!(record.lsn().get(), next.fetch_add(1, Ordering::Relaxed));
            assert_eq!(record.len(), if record.batch_continues() { 100 << 10 } else { 5 });
            Ok(ControlFlow::Continue(()))
        });
        assert_eq!(delivered.unwrap(), 160);
    }
}

#[test]
fn segments_in_parallel_are_each_in_order_and_all_there() {
    for mode in MODES {
        let log = varied_log(mode, 10, 1500);
        let live = log.live();
        for threads in [1, 2, 5] {
            let seen = Mutex::new(BTreeMap::<_, Vec<u64>>::new());
            let options = ReplayOptions { threads, in_order: false };
            let delivered = replay_parallel::<Error>(&*log, Position::First, options, |record| {
                let number = record.lsn().get();
                assert_eq!(**record, payload(number));
                let segment = live.segment_for(number).unwrap().id();
                seen.lock().unwrap().entry(segment).or_default().push(number);
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(delivered.unwrap(), 1500);
            let seen = seen.into_inner().unwrap();
            assert!(seen.len() > 3);
            assert_eq!(seen.into_values().flatten().collect::<Vec<_>>(), Vec::from_iter(10..1510));
        }
    }
}

#[test]
fn the_first_break_or_error_of_a_callback_stops_all_threads() {
    let log = varied_log(ReadMode::Map, 1, 3000);
    for options in all_options() {
        let calls = AtomicU64::new(0);
        let refused = replay_parallel(&*log, Position::First, options, |record| {
            calls.fetch_add(1, Ordering::Relaxed);
            match record.lsn().get() {
                33 => Err(Refused::ByCallback(33)),
                _ => Ok(ControlFlow::Continue(())),
            }
        });
        assert!(matches!(refused, Err(Refused::ByCallback(33))), "{options:?}: {refused:?}");
        let broken = replay_parallel::<Error>(&*log, Position::First, options, |record| {
            Ok(if record.lsn() == lsn(33) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        });
        if options.in_order {
            assert_eq!(calls.load(Ordering::Relaxed), 33);
            assert_eq!(broken.unwrap(), 33);
        } else {
            assert!(broken.unwrap() >= 33);
        }
    }
}

#[test]
fn damage_is_delivered_in_its_turn() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        for n in 1..=300 {
            log.append(&[&payload(n)], n);
            if n % 100 == 0 {
                log.rotate();
            }
        }
        let live = log.live();
        let segment = live.segment_for(170).unwrap();
        let offset = segment.offset_of(170).unwrap();
        let file = log.store.vfs.open(segment.path(), crate::vfs::Access::Write).unwrap();
        file.write_at(&[std::io::IoSlice::new(&[0xff])], offset).unwrap();
        for options in all_options() {
            let calls = AtomicU64::new(0);
            let error = replay_parallel::<Error>(&*log, Position::First, options, |_| {
                calls.fetch_add(1, Ordering::Relaxed);
                Ok(ControlFlow::Continue(()))
            });
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.lsn()), (ErrorKind::Corrupt, Lsn::new(170)));
            assert!(!options.in_order || calls.load(Ordering::Relaxed) == 169, "{options:?}");
        }
    }
}

#[test]
fn a_panicking_callback_ends_the_replay_and_not_the_machine() {
    let log = varied_log(ReadMode::Map, 1, 2000);
    for options in all_options() {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            replay_parallel::<Error>(&*log, Position::First, options, |record| {
                assert!(record.lsn() != lsn(40), "the callback's own");
                Ok(ControlFlow::Continue(()))
            })
        }));
        assert!(panicked.is_err(), "{options:?}");
    }
}
