//! A trimmed segment's file is written over as a new segment. Behind what was written lie the old
//! records, whole and with right checksums of their time; none of them is ever returned.
#![allow(clippy::unwrap_used)]

mod crash_support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crash_support::model::Payload;
use crash_support::workloads::small;
use crash_support::{Found, Rng, payload};
use wal_core::vfs::MemVfs;
use wal_core::{Log, Lsn, Options, Position, RecoveryCase};

/// Old and new records of these lengths: shorter over longer, longer over shorter, equal ones whose
/// frames lie at the very same offsets.
const LENS: [usize; 6] = [8, 100, 511, 1000, 5000, 20_000];

/// A log whose active segment is a recycled file full of old records.
struct Recycled {
    vfs: MemVfs,
    log: Log,
    options: Options,
    first: u64,
    records: Vec<Payload>,
    file: PathBuf,
}

impl Recycled {
    fn new(options: Options, old_len: usize, new_len: usize) -> Recycled {
        let vfs = MemVfs::new();
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        let mut recycled =
            Recycled { vfs, log, options, first: 1, records: Vec::new(), file: PathBuf::new() };
        recycled.append_until_segment(2, old_len);
        // The spare that the background made is in use now: the trimmed file becomes the next one.
        recycled.trim();
        let is_recycled = |log: &Log| log.stats().unwrap().counters.recycled > 0;
        recycled.wait("nothing was recycled", is_recycled);
        recycled.append_until_segment(3, 9000);
        recycled.trim();
        assert!(recycled.has_old_bytes(), "nothing old lies behind the end");
        recycled.append(new_len);
        recycled
    }

    fn append(&mut self, len: usize) {
        let record = payload(self.first + self.records.len() as u64, len);
        let lsn = self.log.append(&record).unwrap();
        assert_eq!(lsn.get(), self.first + self.records.len() as u64);
        self.records.push(record);
    }

    fn append_until_segment(&mut self, id: u64, len: usize) {
        for _ in 0..2000 {
            self.append(len);
            let newest = self.log.stats().unwrap().segments.last().unwrap().clone();
            if newest.id.0 == id {
                self.file = PathBuf::from(format!("/log/{id:020}.wal"));
                return;
            }
            if newest.end.0 > self.options.segment_bytes / 2 {
                // Otherwise the background might make the spare after the rotation.
                self.wait("no spare was made", |log| log.stats().unwrap().spares > 0);
            }
        }
        panic!("segment {id} was never begun");
    }

    /// Trims all but the last record.
    fn trim(&mut self) {
        let before = self.first + self.records.len() as u64 - 1;
        self.log.trim(Lsn::new(before).unwrap()).unwrap();
        self.records.drain(..(before - self.first) as usize);
        self.first = before;
    }

    fn wait(&self, complaint: &str, is_done: impl Fn(&Log) -> bool) {
        let started = Instant::now();
        while !is_done(&self.log) {
            assert!(started.elapsed() < Duration::from_secs(10), "{complaint}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Whether anything but zeros stands behind the end of the log.
    fn has_old_bytes(&self) -> bool {
        let end = self.log.stats().unwrap().segments.last().unwrap().end.0 as usize;
        self.vfs.file_bytes(&self.file).unwrap()[end..].iter().any(|&byte| byte != 0)
    }

    fn check(&self, vfs: &MemVfs, context: &str) {
        let (_, report, found) =
            Found::open(vfs, &self.options).unwrap_or_else(|error| panic!("{context}: {error:?}"));
        assert_eq!(found.first, self.first, "{context}");
        assert!(
            found.records == self.records,
            "{context}: {} and not {} records; {report:?}",
            found.summary(),
            self.records.len()
        );
    }
}

#[test]
fn stale_records_are_never_returned() {
    for old_len in LENS {
        for new_len in LENS {
            let mut recycled = Recycled::new(small(), old_len, new_len);
            for more in 0..3 {
                let context = format!("{new_len} over {old_len}, {more} more");
                let end = recycled.vfs.op_count();
                recycled.check(&recycled.vfs.kill_at(end), &context);
                recycled.check(&recycled.vfs.crash_at(end, &mut |_| 0), &context);
                assert!(
                    recycled.log.read(Lsn::new(recycled.log.next_lsn().get()).unwrap()).is_err()
                );
                let mut cursor = recycled.log.cursor(wal_core::Position::First).unwrap();
                let count = cursor.by_ref().inspect(|record| assert!(record.is_ok())).count();
                assert_eq!(count, recycled.records.len(), "{context}");
                recycled.append(new_len);
            }
        }
    }
}

/// Every torn state of a commit over old records: the old ones show through the gaps.
#[test]
fn stale_records_do_not_complete_a_torn_commit() {
    let mut rng = Rng::new(5);
    for (old_len, new_len) in [(8, 5000), (100, 100), (1000, 8), (5000, 5000), (100, 20_000)] {
        let mut recycled = Recycled::new(small(), old_len, new_len);
        for round in 0..4 {
            let before = recycled.vfs.op_count();
            recycled.append(new_len);
            let last = recycled.records.pop().unwrap();
            // The write alone: not synced yet.
            for state in 0..40 {
                let (arrive, tear) = (rng.next() % 100, rng.next() % 60);
                let torn = recycled.vfs.crash_at(before + 1, &mut |choices| {
                    if choices > 2 && rng.chance(tear) {
                        1
                    } else if rng.chance(arrive) {
                        choices - 1
                    } else {
                        rng.below(choices)
                    }
                });
                let (log, _, found) = Found::open(&torn, &recycled.options).unwrap();
                let context = format!("{new_len} over {old_len}, round {round}, state {state}");
                let mut with_last = recycled.records.clone();
                with_last.push(last.clone());
                assert!(
                    found.records == recycled.records || found.records == with_last,
                    "{context}: {}",
                    found.summary()
                );
                // And again with more records, of which the first may fit the gap exactly.
                let lsn = log.append(&last).unwrap();
                assert_eq!(lsn.get(), found.first + found.records.len() as u64);
                let torn = torn.crash_at(torn.op_count(), &mut |_| 0);
                let (_, _, again) = Found::open(&torn, &recycled.options).unwrap();
                assert_eq!(again.records.len(), found.records.len() + 1, "{context}");
            }
            recycled.records.push(last);
        }
    }
}

#[test]
fn a_recycled_log_is_clean_when_it_was_closed() {
    for old_len in LENS {
        for new_len in [8, 1000, 20_000] {
            let recycled = Recycled::new(small(), old_len, new_len);
            recycled.log.close().unwrap();
            let (log, report, found) = Found::open(&recycled.vfs, &recycled.options).unwrap();
            assert_eq!(report.case, RecoveryCase::Clean);
            assert!(found.records == recycled.records, "{new_len} over {old_len}");
            // It goes on in the middle of the old records, under an opening frame.
            log.append(&payload(1, old_len)).unwrap();
            for left in [
                recycled.vfs.kill_at(recycled.vfs.op_count()),
                recycled.vfs.crash_at(recycled.vfs.op_count(), &mut |_| 0),
            ] {
                let (_, _, found) = Found::open(&left, &recycled.options).unwrap();
                assert_eq!(found.records.len(), recycled.records.len() + 1);
            }
        }
    }
}

#[test]
fn recycling_past_the_page_cache_returns_nothing_stale() {
    for pad_to_block in [false, true] {
        let options = Options { io: wal_core::Io::Direct, pad_to_block, ..small() };
        for (old_len, new_len) in [(8, 5000), (5000, 8), (1000, 1000)] {
            let mut recycled = Recycled::new(options.clone(), old_len, new_len);
            for more in 0..3 {
                let end = recycled.vfs.op_count();
                let context = format!("{new_len} over {old_len}, direct, {more} more");
                recycled.check(&recycled.vfs.kill_at(end), &context);
                recycled.check(&recycled.vfs.crash_at(end, &mut |_| 0), &context);
                recycled.append(new_len);
            }
        }
    }
}

/// A whole old segment put back under the name of the one that was written over it.
#[test]
fn an_old_segment_under_a_new_name_is_foreign() {
    let vfs = MemVfs::new();
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    for _ in 0..12 {
        log.append(&[1; 9000]).unwrap();
    }
    let old = vfs.file_bytes(Path::new("/log/00000000000000000001.wal")).unwrap();
    let newest = log.stats().unwrap().segments.last().unwrap().id;
    let vfs = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    vfs.set_file_bytes(Path::new(&format!("/log/{:020}.wal", newest.0)), &old).unwrap();
    let error = Found::open(&vfs, &small()).err().unwrap();
    assert_eq!(error.kind(), wal_core::ErrorKind::Corrupt);
    assert!(error.message().contains("foreign-segment"), "{error:?}");
}

/// Right after a rotation there is no spare, and the file of a trimmed segment becomes the next
/// one.
#[test]
fn a_record_that_is_held_keeps_its_bytes_while_files_are_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("log"), small()).unwrap();
    let mut appended = 0;
    let mut fill_segment = || {
        let newest = || log.stats().unwrap().segments.last().map(|segment| segment.id);
        let before = newest();
        while newest() == before {
            appended += 1;
            log.append(&payload(appended, 3000)).unwrap();
        }
    };
    // Of every other segment all records are held: those files are not to be used again.
    let mut held = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut segments = 0;
    while segments < 30 || log.stats().unwrap().counters.recycled < 3 {
        assert!(Instant::now() < deadline, "nothing was recycled");
        fill_segment();
        segments += 1;
        if segments % 2 == 0 {
            let active = log.stats().unwrap().segments.last().unwrap().first_lsn;
            let records = log.cursor(Position::First).unwrap().map(|record| record.unwrap());
            held.extend(records.take_while(|record| record.lsn() < active));
        }
        log.trim(log.next_lsn()).unwrap();
    }
    assert!(held.len() > 100, "{} records are held", held.len());
    for record in &held {
        let expected = payload(record.lsn().get(), 3000);
        assert!(**record == *expected, "record {}: a recycled file shines through", record.lsn());
    }
}
