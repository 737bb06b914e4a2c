//! Any sequence of calls does to a log what it does to a list of records.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::io::IoSlice;
use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use wal_core::vfs::MemVfs;
use wal_core::{
    Cursor, Error, ErrorKind, Io, Level, Log, Lsn, Options, Position, RecoveryCase, ReplayOptions,
};

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    AppendAt(usize, i8),
    Batch(Vec<usize>),
    Vectored(Vec<usize>),
    SubmitAndWait(Vec<usize>),
    SubmitBatch(Vec<usize>),
    Sync,
    Trim(Index),
    TrimAll,
    Truncate(Index),
    ResetTo(u64),
    Read(Index),
    Next(u8),
    Prev(u8),
    Seek(Index),
    SetValue(u8, u8),
    DeleteValue(u8),
    CheckAll,
    ReplayFrom(Index, usize),
    Look,
    Reopen,
    Kill,
    LosePower(bool),
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => select(vec![0, 1, 7, 8, 9, 100, 4095, 4096, 4097]),
        3 => 0usize..3000,
        1 => 50_000usize..70_000,
    ]
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(size(), 1..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => size().prop_map(Step::Append),
        2 => (size(), -2i8..3).prop_map(|(size, off)| Step::AppendAt(size, off)),
        4 => sizes().prop_map(Step::Batch),
        2 => sizes().prop_map(Step::Vectored),
        3 => sizes().prop_map(Step::SubmitAndWait),
        2 => sizes().prop_map(Step::SubmitBatch),
        1 => Just(Step::Sync),
        2 => any::<Index>().prop_map(Step::Trim),
        1 => Just(Step::TrimAll),
        3 => any::<Index>().prop_map(Step::Truncate),
        1 => (1u64..2000).prop_map(Step::ResetTo),
        3 => any::<Index>().prop_map(Step::Read),
        3 => (1u8..20).prop_map(Step::Next),
        3 => (1u8..20).prop_map(Step::Prev),
        2 => any::<Index>().prop_map(Step::Seek),
        1 => (0u8..4, any::<u8>()).prop_map(|(key, value)| Step::SetValue(key, value)),
        1 => (0u8..4).prop_map(Step::DeleteValue),
        1 => Just(Step::CheckAll),
        1 => (any::<Index>(), 0usize..4).prop_map(|(at, threads)| Step::ReplayFrom(at, threads)),
        1 => Just(Step::Look),
        3 => Just(Step::Reopen),
        2 => Just(Step::Kill),
        2 => any::<bool>().prop_map(Step::LosePower),
    ]
}

/// The slow and obvious log.
struct Model {
    first: u64,
    records: VecDeque<(Vec<u8>, bool)>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    made: u64,
}

impl Model {
    fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    fn payload(&mut self, size: usize) -> Vec<u8> {
        self.made += 1;
        let mut word = self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend_from_slice(&word.to_le_bytes());
            word = word.rotate_left(7).wrapping_add(self.made);
        }
        bytes.truncate(size);
        bytes
    }

    fn push(&mut self, batch: &[Vec<u8>]) {
        for (at, record) in batch.iter().enumerate() {
            self.records.push_back((record.clone(), at + 1 < batch.len()));
        }
    }

    fn record(&self, lsn: u64) -> &(Vec<u8>, bool) {
        &self.records[(lsn - self.first) as usize]
    }
}

struct Run {
    vfs: MemVfs,
    options: Options,
    log: Log,
    model: Model,
    cursor: Cursor,
    /// The cursor's place, and the lowest end after a cut it was not told of.
    place: u64,
    cut: Option<u64>,
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

impl Run {
    fn new(options: Options) -> Run {
        let vfs = MemVfs::new();
        let (log, report) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        assert!(report.created);
        let first = options.first_lsn.get();
        let model = Model { first, records: VecDeque::new(), values: BTreeMap::new(), made: 0 };
        let cursor = log.cursor(Position::First).unwrap();
        Run { vfs, options, log, model, cursor, place: first, cut: None }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(size) => {
                let record = self.model.payload(size);
                let at = self.log.append(&record).unwrap();
                assert_eq!(at.get(), self.model.next());
                self.model.push(&[record]);
            }
            Step::AppendAt(size, off) => {
                let record = self.model.payload(size);
                let next = self.model.next();
                let expected = next.saturating_add_signed(i64::from(off)).max(1);
                match self.log.append_at(lsn(expected), &record) {
                    Ok(at) => {
                        assert_eq!((at.get(), expected), (next, next));
                        self.model.push(&[record]);
                    }
                    Err(error) => {
                        assert_ne!(expected, next);
                        assert_eq!(error.kind(), ErrorKind::Conflict);
                        assert_eq!(error.lsn(), Some(lsn(next)));
                    }
                }
            }
            Step::Batch(sizes) => {
                let batch: Vec<_> = sizes.iter().map(|&size| self.model.payload(size)).collect();
                let lsns = self.log.append_batch(&batch).unwrap();
                assert_eq!(lsns.first.get(), self.model.next());
                assert_eq!(lsns.count(), batch.len() as u64);
                self.model.push(&batch);
            }
            Step::Vectored(sizes) => {
                let pieces: Vec<_> = sizes.iter().map(|&size| self.model.payload(size)).collect();
                let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
                let at = self.log.append_vectored(&slices).unwrap();
                assert_eq!(at.get(), self.model.next());
                self.model.push(&[pieces.concat()]);
            }
            Step::SubmitAndWait(sizes) => {
                let mut tickets = Vec::new();
                for size in sizes {
                    let record = self.model.payload(size);
                    let ticket = self.log.submit(&record).unwrap();
                    assert_eq!(ticket.lsns().first.get(), self.model.next());
                    self.model.push(&[record]);
                    tickets.push(ticket);
                }
                for ticket in tickets.iter().rev() {
                    ticket.wait().unwrap();
                }
            }
            Step::SubmitBatch(sizes) => {
                let batch: Vec<_> = sizes.iter().map(|&size| self.model.payload(size)).collect();
                let lsns = self.log.submit_batch(&batch).unwrap().wait().unwrap();
                assert_eq!(lsns.first.get(), self.model.next());
                self.model.push(&batch);
            }
            Step::Sync => {
                self.log.sync().unwrap();
                assert_eq!(self.log.durable_lsn(), self.log.last_lsn());
            }
            Step::Trim(at) => {
                let before = self.model.first + at.index(self.model.records.len() + 1) as u64;
                self.trim(before);
            }
            Step::TrimAll => self.trim(self.model.next()),
            Step::Truncate(at) => self.truncate(at),
            Step::ResetTo(next) => {
                self.log.reset_to(lsn(next)).unwrap();
                self.model.first = next;
                self.model.records.clear();
                self.cut = Some(0);
            }
            Step::Read(at) => self.read(at),
            Step::Next(count) => (0..count).for_each(|_| self.cursor_next()),
            Step::Prev(count) => (0..count).for_each(|_| self.cursor_prev()),
            Step::Seek(at) => {
                self.place = self.model.first + at.index(self.model.records.len() + 1) as u64;
                self.cut = None;
                self.cursor.seek(lsn(self.place)).unwrap();
            }
            Step::SetValue(key, value) => {
                let value = vec![value; usize::from(value) * 16];
                self.log.values().set(&[key + 1], &value).unwrap();
                self.model.values.insert(vec![key + 1], value);
            }
            Step::DeleteValue(key) => {
                let was = self.log.values().delete(&[key + 1]).unwrap();
                assert_eq!(was, self.model.values.remove(&[key + 1][..]).is_some());
            }
            Step::CheckAll => check_all(&self.log, &self.model),
            Step::ReplayFrom(at, threads) => self.replay(at, threads),
            Step::Look => {
                let vfs = Arc::new(self.vfs.clone());
                let (log, _) = Log::open_read_only_with(vfs, "/log", Options::default()).unwrap();
                check_all(&log, &self.model);
                assert_eq!(log.uuid(), self.log.uuid());
                assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Invalid);
            }
            Step::Reopen => {
                self.log.close().unwrap();
                assert_eq!(self.log.append(b"x").unwrap_err().kind(), ErrorKind::Closed);
                let case = self.reopen();
                assert_eq!(case, RecoveryCase::Clean);
            }
            Step::Kill => {
                self.vfs = self.vfs.kill_at(self.vfs.op_count());
                self.reopen();
            }
            Step::LosePower(keeps_all) => {
                if self.options.level != Level::Disk {
                    self.log.sync().unwrap();
                }
                let op = self.vfs.op_count();
                self.vfs = self.vfs.crash_at(op, &mut |n| if keeps_all { n - 1 } else { 0 });
                self.reopen();
            }
        }
        let model = &self.model;
        let some = |number| (!model.records.is_empty()).then(|| lsn(number));
        assert_eq!(self.log.first_lsn(), some(model.first));
        assert_eq!(self.log.last_lsn(), some(model.next().saturating_sub(1).max(1)));
        assert_eq!(self.log.next_lsn(), lsn(model.next()));
    }

    fn trim(&mut self, before: u64) {
        self.log.trim(lsn(before)).unwrap();
        let beyond = lsn(self.model.next() + 1);
        assert_eq!(self.log.trim(beyond).unwrap_err().kind(), ErrorKind::Invalid);
        self.model.records.drain(..(before - self.model.first) as usize);
        self.model.first = before;
    }

    fn truncate(&mut self, at: Index) {
        let next = self.model.first + at.index(self.model.records.len() + 1) as u64;
        let beyond = lsn(self.model.next());
        assert_eq!(self.log.truncate(beyond).unwrap_err().kind(), ErrorKind::Invalid);
        if self.model.first > 2 {
            let below = lsn(self.model.first - 2);
            assert_eq!(self.log.truncate(below).unwrap_err().kind(), ErrorKind::Trimmed);
        }
        let Some(after) = Lsn::new(next - 1) else { return };
        self.log.truncate(after).unwrap();
        self.model.records.truncate((next - self.model.first) as usize);
        if let Some((_, continues)) = self.model.records.back_mut() {
            *continues = false;
        }
        self.cut = Some(self.cut.map_or(next, |cut| cut.min(next)));
    }

    fn read(&mut self, at: Index) {
        let next = self.model.next();
        assert_eq!(self.log.read(lsn(next)).unwrap_err().kind(), ErrorKind::NotFound);
        if self.model.first > 1 {
            let error = self.log.read(lsn(self.model.first - 1)).unwrap_err();
            assert_eq!(
                (error.kind(), error.lsn()),
                (ErrorKind::Trimmed, Lsn::new(self.model.first))
            );
        }
        if self.model.records.is_empty() {
            return;
        }
        let number = self.model.first + at.index(self.model.records.len()) as u64;
        let record = self.log.read(lsn(number)).unwrap();
        let (bytes, continues) = self.model.record(number);
        assert!(*record == **bytes, "record {number}");
        assert_eq!((record.lsn(), record.batch_continues()), (lsn(number), *continues));
    }

    /// What a move of the cursor has to say first.
    fn bad_news(&mut self) -> Option<(ErrorKind, Option<Lsn>)> {
        if let Some(cut) = self.cut.take().filter(|&cut| cut < self.place) {
            self.place = if cut == 0 { self.model.first } else { cut };
            return Some((ErrorKind::Truncated, Lsn::new(cut.saturating_sub(1))));
        }
        (self.place < self.model.first).then(|| (ErrorKind::Trimmed, Lsn::new(self.model.first)))
    }

    fn cursor_next(&mut self) {
        let moved = self.cursor_moved(Cursor::next);
        let Some(record) = moved else { return };
        let is_there = self.place < self.model.next();
        assert_eq!(record.is_some(), is_there, "at {}", self.place);
        if let Some(record) = record {
            assert_eq!(record.lsn(), lsn(self.place));
            assert!(*record == *self.model.record(self.place).0, "record {}", self.place);
            self.place += 1;
        }
    }

    fn cursor_prev(&mut self) {
        let moved = self.cursor_moved(Cursor::prev);
        let Some(record) = moved else { return };
        assert_eq!(record.is_some(), self.place > self.model.first);
        if let Some(record) = record {
            self.place -= 1;
            assert_eq!(record.lsn(), lsn(self.place));
            assert!(*record == *self.model.record(self.place).0, "record {}", self.place);
        }
    }

    fn cursor_moved(
        &mut self,
        go: impl Fn(&mut Cursor) -> wal_core::Result<Option<wal_core::Record>>,
    ) -> Option<Option<wal_core::Record>> {
        let news = self.bad_news();
        match (go(&mut self.cursor), news) {
            (Err(error), Some(news)) => {
                assert_eq!((error.kind(), error.lsn()), news);
                assert_eq!(self.cursor.next_lsn(), lsn(self.place));
                None
            }
            (Ok(record), None) => Some(record),
            (moved, news) => panic!("{moved:?}, but should be {news:?}"),
        }
    }

    fn replay(&mut self, at: Index, threads: usize) {
        let from = self.model.first + at.index(self.model.records.len() + 1) as u64;
        let seen = std::sync::Mutex::new(Vec::new());
        let options = ReplayOptions { threads, in_order: true };
        let delivered = self
            .log
            .replay_parallel::<Error>(lsn(from), options, |record| {
                seen.lock().unwrap().push((record.to_vec(), record.batch_continues()));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        let expected: Vec<_> =
            self.model.records.iter().skip((from - self.model.first) as usize).cloned().collect();
        assert_eq!(delivered, expected.len() as u64);
        assert!(seen.into_inner().unwrap() == expected);
    }

    fn reopen(&mut self) -> RecoveryCase {
        let vfs = Arc::new(self.vfs.clone());
        let uuid = self.log.uuid();
        let (log, report) = Log::open_with(vfs, "/log", self.options.clone()).unwrap();
        assert!(!report.created);
        assert_eq!(log.uuid(), uuid);
        self.log = log;
        check_all(&self.log, &self.model);
        self.cursor = self.log.cursor(Position::First).unwrap();
        (self.place, self.cut) = (self.model.first, None);
        report.case
    }
}

/// Everything there is, forwards, backwards and by callback.
fn check_all(log: &Log, model: &Model) {
    let mut cursor = log.cursor(Position::First).unwrap();
    assert_eq!(cursor.next_lsn().get(), model.first);
    for (at, (bytes, continues)) in model.records.iter().enumerate() {
        let record = cursor.next().unwrap().unwrap();
        assert_eq!(record.lsn().get(), model.first + at as u64);
        assert!(*record == **bytes, "record {}", record.lsn());
        assert_eq!(record.batch_continues(), *continues, "record {}", record.lsn());
    }
    assert!(cursor.next().unwrap().is_none());
    let mut later = None;
    for (bytes, _) in model.records.iter().rev() {
        let record = cursor.prev().unwrap().unwrap();
        assert!(*record == **bytes, "record {}", record.lsn());
        let time = cursor.time().unwrap();
        assert!(later.is_none_or(|later| time <= later), "times never go back");
        later = Some(time);
    }
    assert!(cursor.prev().unwrap().is_none());
    let mut count = 0;
    let last = log
        .replay::<Error>(Position::First, |_| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(count, model.records.len());
    assert_eq!(last, log.last_lsn());
    let values: BTreeMap<_, _> = log.values().list().unwrap().into_iter().collect();
    assert_eq!(values, model.values);
}

fn options() -> impl Strategy<Value = Options> {
    let level = select(vec![Level::Disk, Level::Disk, Level::Os]);
    let first = select(vec![1, 1, 2, 1000]);
    let segment_bytes = select(vec![64 << 10, 64 << 10, 128 << 10]);
    (level, first, segment_bytes, any::<bool>(), any::<bool>()).prop_map(
        |(level, first, segment_bytes, direct, pad_to_block)| Options {
            level,
            segment_bytes,
            ring_bytes: 64 << 10,
            max_batch_bytes: 16 << 10,
            first_lsn: lsn(first),
            io: if direct { Io::Direct } else { Io::Auto },
            pad_to_block,
            ..Options::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_log_is_a_list_of_records(
        options in options(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut run = Run::new(options);
        for step in steps {
            run.take(step);
        }
        run.log.close().unwrap();
        run.reopen();
    }
}
