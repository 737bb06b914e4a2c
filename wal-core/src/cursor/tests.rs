//! What cursors are promised.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Cursor;
use crate::error::{Error, ErrorKind};
use crate::fixture::{Modelled, TestLog, payload, varied_log};
use crate::lsn::Lsn;
use crate::options::ReadMode;
use crate::position::Position;
use crate::record::Record;
use crate::time::system_time;

const MODES: [ReadMode; 2] = [ReadMode::Map, ReadMode::Pread];

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

fn cursor(log: &Arc<TestLog>, from: impl Into<Position>) -> Cursor {
    Cursor::new(log.tail(), from.into()).unwrap()
}

fn assert_is(record: &Record, number: u64, model: &Modelled) {
    assert_eq!(record.lsn().get(), number);
    assert_eq!(**record, *model.payload, "record {number}");
    assert_eq!(record.batch_continues(), model.batch_continues, "record {number}");
}

fn assert_error(error: &Error, kind: ErrorKind, number: u64) {
    assert_eq!((error.kind(), error.lsn()), (kind, Lsn::new(number)), "{error}");
}

/// Appends records `from..to` as one commit at their LSN's time.
fn append(log: &TestLog, from: u64, to: u64) {
    let payloads: Vec<_> = (from..to).map(payload).collect();
    log.append(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>(), from);
}

#[test]
fn a_position_below_the_first_record_is_trimmed_and_one_past_the_next_is_not_found() {
    for mode in MODES {
        let log = varied_log(mode, 10, 500);
        log.trim(100);
        for (at, kind, said) in [
            (9, ErrorKind::Trimmed, 100),
            (99, ErrorKind::Trimmed, 100),
            (511, ErrorKind::NotFound, 510),
            (Lsn::MAX.get(), ErrorKind::NotFound, 510),
        ] {
            assert_error(&Cursor::new(log.tail(), lsn(at).into()).unwrap_err(), kind, said);
            let mut cursor = cursor(&log, lsn(200));
            assert_error(&cursor.seek(lsn(at)).unwrap_err(), kind, said);
            assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(200), "it is where it was");
        }
        assert_eq!(cursor(&log, Position::First).next().unwrap().unwrap().lsn(), lsn(100));
        assert!(cursor(&log, lsn(510)).next().unwrap().is_none());
    }
}

#[test]
fn both_ends_of_an_empty_log_are_its_next_lsn() {
    let log = TestLog::new(ReadMode::Map, 7);
    for from in [Position::First, Position::End, lsn(7).into(), Position::Time(system_time(0))] {
        let mut cursor = cursor(&log, from);
        assert!(cursor.next().unwrap().is_none());
        assert!(cursor.prev().unwrap().is_none());
        assert_eq!(cursor.next_lsn(), lsn(7));
        assert_eq!(cursor.time().unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn the_end_is_not_sticky_and_rotations_leave_no_gap() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        let mut behind = cursor(&log, Position::First);
        let mut at_end = cursor(&log, Position::First);
        let mut next = 1;
        for round in 0..60 {
            append(&log, next, next + 1 + round % 4);
            if round % 5 == 4 {
                log.rotate();
            }
            if round % 7 == 6 {
                log.reopen(round + 1000);
            }
            for number in next..next + 1 + round % 4 {
                let record = at_end.next().unwrap().unwrap();
                assert_eq!((record.lsn(), &*record), (lsn(number), &*payload(number)));
            }
            assert!(at_end.next().unwrap().is_none());
            if round % 2 == 0 {
                assert!(behind.next().unwrap().is_some());
            }
            next += 1 + round % 4;
        }
        assert!((&mut behind).map(Result::unwrap).count() as u64 == next - 1 - 30);
        assert_eq!(behind.next_lsn(), lsn(next));
        drop((behind, at_end));
        assert_eq!(log.reads.load(Ordering::Relaxed), 2 * (next - 1));
    }
}

#[test]
fn a_trimmed_position_is_told_until_the_cursor_is_moved() {
    for mode in MODES {
        let log = varied_log(mode, 1, 1000);
        let mut cursor = cursor(&log, lsn(5));
        for _ in 0..3 {
            cursor.next().unwrap().unwrap();
        }
        log.trim(8);
        assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(8), "it lost nothing");
        assert_eq!(cursor.prev().unwrap().unwrap().lsn(), lsn(8));
        assert!(cursor.prev().unwrap().is_none(), "8 is the first record now");
        log.trim(600);
        for _ in 0..2 {
            assert_error(&cursor.next().unwrap_err(), ErrorKind::Trimmed, 600);
            assert_error(&cursor.prev().unwrap_err(), ErrorKind::Trimmed, 600);
        }
        let first = cursor.next().unwrap_err().lsn().unwrap();
        cursor.seek(first).unwrap();
        assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(600));
        log.trim(1001);
        assert_error(&cursor.next().unwrap_err(), ErrorKind::Trimmed, 1001);
        cursor.seek(Position::First).unwrap();
        assert!(cursor.next().unwrap().is_none());
        assert!(cursor.prev().unwrap().is_none());
    }
}

#[test]
fn a_truncated_position_is_told_once_even_when_its_lsns_were_issued_again() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        append(&log, 1, 50);
        let mut read_ahead = cursor(&log, lsn(30));
        read_ahead.next().unwrap();
        let mut below = cursor(&log, lsn(10));
        below.next().unwrap();
        log.truncate(20);
        append(&log, 1020, 1060);
        assert_error(&read_ahead.next().unwrap_err(), ErrorKind::Truncated, 19);
        let record = read_ahead.next().unwrap().unwrap();
        assert_eq!((record.lsn(), &*record), (lsn(20), &*payload(1020)));
        let lsns: Vec<_> = (&mut below).map(|record| record.unwrap().lsn().get()).collect();
        assert_eq!(lsns, (11..60).collect::<Vec<_>>(), "it was not cut");
        log.truncate(1);
        for _ in 0..2 {
            let error = below.prev().unwrap_err();
            assert_error(&error, ErrorKind::Truncated, 0);
            assert_eq!(below.next_lsn(), lsn(1));
            assert!(below.next().unwrap().is_none());
            append(&log, 1, 3);
            assert_eq!((&mut below).map(Result::unwrap).count(), 2);
            log.truncate(1);
        }
    }
}

#[test]
fn a_truncation_at_the_position_loses_nothing() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        append(&log, 1, 50);
        let mut cursor = cursor(&log, lsn(20));
        log.truncate(20);
        assert!(cursor.next().unwrap().is_none());
        append(&log, 500, 501);
        assert_eq!(*cursor.next().unwrap().unwrap(), payload(500));
        log.truncate(10);
        assert_error(&cursor.next().unwrap_err(), ErrorKind::Truncated, 9);
    }
}

#[test]
fn a_reset_is_told_once_and_the_cursor_goes_on_with_the_first_record_after_it() {
    for mode in MODES {
        for next in [1, 5, 30, 900] {
            let log = varied_log(mode, 1, 100);
            let mut cursor = cursor(&log, lsn(30));
            cursor.next().unwrap().unwrap();
            log.reset(next);
            assert_error(&cursor.next().unwrap_err(), ErrorKind::Truncated, 0);
            assert_eq!(cursor.next_lsn(), lsn(next));
            assert!(cursor.next().unwrap().is_none());
            assert!(cursor.prev().unwrap().is_none());
            append(&log, 7, 8);
            assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(next));
        }
    }
}

#[test]
fn a_closed_log_gives_what_it_has_and_then_says_so() {
    let log = varied_log(ReadMode::Map, 1, 100);
    let mut cursor = cursor(&log, lsn(50));
    log.close();
    for number in 50..=100 {
        assert_eq!(cursor.next().unwrap().unwrap().lsn(), lsn(number));
    }
    assert_eq!(cursor.next().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(cursor.seek(Position::First).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(cursor.prev().unwrap().unwrap().lsn(), lsn(100));
}

#[test]
fn damage_leaves_the_cursor_before_the_record() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        append(&log, 1, 40);
        log.rotate();
        let live = crate::tail::Tail::live(&*log);
        let segment = live.segment_for(1).unwrap();
        let offset = segment.offset_of(17).unwrap();
        let file = log.store.vfs.open(segment.path(), crate::vfs::Access::Write).unwrap();
        file.write_at(&[std::io::IoSlice::new(&[0xff])], offset).unwrap();
        let mut cursor = cursor(&log, lsn(16));
        cursor.next().unwrap().unwrap();
        for _ in 0..2 {
            assert_error(&cursor.next().unwrap_err(), ErrorKind::Corrupt, 17);
            assert_eq!(cursor.next_lsn(), lsn(17));
        }
        cursor.seek(lsn(18)).unwrap();
        assert_eq!(*cursor.next().unwrap().unwrap(), payload(18));
        cursor.prev().unwrap().unwrap();
        assert_error(&cursor.prev().unwrap_err(), ErrorKind::Corrupt, 17);
    }
}

#[test]
fn commit_times_are_those_of_the_records_last_returned() {
    for mode in MODES {
        let log = varied_log(mode, 1, 400);
        let (_, model) = log.model();
        let mut cursor = cursor(&log, Position::First);
        for modelled in &model {
            cursor.next().unwrap().unwrap();
            assert_eq!(cursor.time().unwrap(), system_time(modelled.time_ns));
        }
        for modelled in model.iter().rev() {
            cursor.prev().unwrap().unwrap();
            assert_eq!(cursor.time().unwrap(), system_time(modelled.time_ns));
        }
        log.trim(300);
        assert_error(&cursor.time().unwrap_err(), ErrorKind::Trimmed, 300);
    }
}

#[test]
fn idle_cursors_pin_no_segments_but_their_own() {
    let log = varied_log(ReadMode::Map, 1, 1000);
    let live = Arc::downgrade(&crate::tail::Tail::live(&*log));
    let first = Arc::downgrade(&live.upgrade().unwrap().segments[0]);
    let mut cursor = cursor(&log, lsn(900));
    cursor.next().unwrap().unwrap();
    log.trim(901);
    assert!(live.upgrade().is_none());
    assert!(first.upgrade().is_none());
    cursor.next().unwrap().unwrap();
}

#[test]
fn readers_beside_a_writer_see_every_record_once_and_whole() {
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        let total = 4000;
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut cursor = cursor(&log, Position::First);
                    let mut next = 1;
                    while next <= total {
                        let Some(record) = cursor.next().unwrap() else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert_eq!((record.lsn().get(), &*record), (next, &*payload(next)));
                        next += 1;
                    }
                    assert!(cursor.next().unwrap().is_none());
                });
            }
            let mut next = 1;
            while next <= total {
                let count = (next % 9 + 1).min(total + 1 - next);
                append(&log, next, next + count);
                next += count;
                if next % 50 == 0 {
                    log.rotate();
                }
                if next % 83 == 0 {
                    log.reopen(next);
                }
            }
        });
    }
}

#[test]
fn readers_beside_truncations_never_see_a_record_that_was_not_there() {
    // Record n of generation g holds both: a reader that saw a mixture of the generations would see
    // an older one after a newer one without being told of a truncation.
    for mode in MODES {
        let log = TestLog::new(mode, 1);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut cursor = cursor(&log, Position::First);
                let mut newest = 0;
                while !done.load(Ordering::Acquire) {
                    let before = cursor.next_lsn().get();
                    match cursor.next() {
                        Ok(Some(record)) => {
                            let generation = u64::from_le_bytes(record[..8].try_into().unwrap());
                            let number = u64::from_le_bytes(record[8..].try_into().unwrap());
                            assert_eq!((record.lsn().get(), before), (number, number));
                            assert!(generation >= newest, "{generation} after {newest}");
                            newest = generation;
                        }
                        Ok(None) => {}
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
                            assert!(cursor.next_lsn().get() < before);
                            newest = 0;
                        }
                    }
                }
            });
            for generation in 0..300u64 {
                let (first, model) = log.model();
                let next = first + model.len() as u64;
                for number in next..next + 20 {
                    let record = [generation.to_le_bytes(), number.to_le_bytes()].concat();
                    log.append(&[&record], generation);
                }
                if generation % 3 == 0 {
                    log.rotate();
                }
                log.truncate(next + 20 - generation % 19);
            }
            std::thread::sleep(Duration::from_millis(1));
            done.store(true, Ordering::Release);
        });
    }
}

#[derive(Clone, Debug)]
enum Step {
    Next,
    Prev,
    Seek(u64),
    SeekTime(u64),
    End,
    Append(u64),
    Rotate,
    Reopen,
    Trim(u64),
    Truncate(u64),
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        6 => Just(Step::Next),
        6 => Just(Step::Prev),
        2 => any::<u64>().prop_map(Step::Seek),
        1 => any::<u64>().prop_map(Step::SeekTime),
        1 => Just(Step::End),
        3 => (1u64..6).prop_map(Step::Append),
        1 => Just(Step::Rotate),
        1 => Just(Step::Reopen),
        1 => any::<u64>().prop_map(Step::Trim),
        1 => any::<u64>().prop_map(Step::Truncate),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(150))]
    #[test]
    fn a_cursor_moves_as_an_index_into_a_vector_does(
        steps in proptest::collection::vec(step(), 1..150),
        is_mapped: bool,
    ) {
        let mode = if is_mapped { ReadMode::Map } else { ReadMode::Pread };
        let log = TestLog::new(mode, 5);
        append(&log, 0, 9);
        let mut cursor = cursor(&log, Position::First);
        // The cursor's place, and the lowest end after a truncation it was not told of.
        let (mut place, mut cut) = (5, u64::MAX);
        let (mut clock, mut epoch) = (9, 1000);
        for step in steps {
            let (first, model) = log.model();
            let end = first + model.len() as u64;
            let moves = matches!(step, Step::Next | Step::Prev);
            if moves && cut < place {
                let error = if matches!(step, Step::Next) { cursor.next() } else { cursor.prev() };
                assert_error(&error.unwrap_err(), ErrorKind::Truncated, cut - 1);
                (place, cut) = (cut, u64::MAX);
                continue;
            }
            if moves {
                // It looks at the log and finds that it lost nothing.
                cut = u64::MAX;
            }
            if moves && place < first {
                let error = if matches!(step, Step::Next) { cursor.next() } else { cursor.prev() };
                assert_error(&error.unwrap_err(), ErrorKind::Trimmed, first);
                continue;
            }
            match step {
                Step::Next => {
                    let record = cursor.next().unwrap();
                    assert_eq!(record.is_some(), place < end);
                    if let Some(record) = record {
                        assert_is(&record, place, &model[(place - first) as usize]);
                        place += 1;
                    }
                }
                Step::Prev => {
                    let record = cursor.prev().unwrap();
                    assert_eq!(record.is_some(), place > first);
                    if let Some(record) = record {
                        place -= 1;
                        assert_is(&record, place, &model[(place - first) as usize]);
                        let time_ns = model[(place - first) as usize].time_ns;
                        assert_eq!(cursor.time().unwrap(), system_time(time_ns));
                    }
                }
                Step::Seek(to) => {
                    place = first + to % (end - first + 1);
                    cut = u64::MAX;
                    cursor.seek(lsn(place)).unwrap();
                }
                Step::SeekTime(time) => {
                    let time = time % (clock + 2);
                    let later = model.iter().position(|modelled| modelled.time_ns >= time);
                    place = later.map_or(end, |at| first + at as u64);
                    cut = u64::MAX;
                    cursor.seek_time(system_time(time)).unwrap();
                }
                Step::End => {
                    (place, cut) = (end, u64::MAX);
                    cursor.seek(Position::End).unwrap();
                }
                Step::Append(count) => {
                    append(&log, clock, clock + count);
                    clock += count;
                }
                Step::Rotate => log.rotate(),
                Step::Reopen => {
                    epoch += 1;
                    log.reopen(epoch);
                }
                Step::Trim(to) => log.trim(first + to % (end - first + 1)),
                Step::Truncate(to) => {
                    let next = first + to % (end - first + 1);
                    cut = cut.min(next);
                    log.truncate(next);
                }
            }
            assert_eq!(cursor.next_lsn(), lsn(place));
        }
    }
}
