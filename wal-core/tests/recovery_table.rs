//! Every row of the decision table of recovery, from text files that build a log, break bytes of it
//! and say what opening it must find; and every byte of a log, one by one.
#![allow(clippy::unwrap_used)]

mod crash_support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crash_support::model::Payload;
use crash_support::{Found, payload};
use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{
    AppendOptions, Error, ErrorKind, Level, Log, Lsn, Options, RecoveryCase, RecoveryReport,
};

/// A log in the making, and what it must hold.
struct World {
    name: String,
    vfs: MemVfs,
    options: Options,
    log: Option<Log>,
    records: BTreeMap<u64, Payload>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    marks: BTreeMap<String, u64>,
    kept: BTreeMap<String, Vec<u8>>,
    appended: u64,
    report: Option<RecoveryReport>,
    verdicts: usize,
}

impl World {
    fn new(name: &str) -> World {
        World {
            name: name.to_owned(),
            vfs: MemVfs::new(),
            options: Options { ring_bytes: 64 * 1024, ..Options::default() },
            log: None,
            records: BTreeMap::new(),
            values: BTreeMap::new(),
            marks: BTreeMap::new(),
            kept: BTreeMap::new(),
            appended: 0,
            report: None,
            verdicts: 0,
        }
    }

    /// Does one line; returns the labels it has checked.
    fn line(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["options", ref settings @ ..] => settings.iter().for_each(|one| self.option(one)),
            ["open"] => {
                let vfs = Arc::new(self.vfs.clone());
                self.log = Some(Log::open_with(vfs, "/log", self.options.clone()).unwrap().0);
            }
            ["append", count, len] => {
                (0..number(count)).for_each(|_| self.append(Level::Disk, 1, number(len)));
            }
            ["append-unsynced", count, len] => {
                (0..number(count)).for_each(|_| self.append(Level::Os, 1, number(len)));
            }
            ["settle"] => std::thread::sleep(Duration::from_millis(50)),
            ["batch", count, len] => self.append(Level::Disk, number(count), number(len)),
            ["fill"] => self.fill(Level::Disk),
            ["fill-unsynced"] => self.fill(Level::Os),
            ["truncate", lsn] => {
                self.log().truncate(Lsn::new(number(lsn)).unwrap()).unwrap();
                self.records.split_off(&(number(lsn) + 1));
            }
            ["trim", lsn] => {
                self.log().trim(Lsn::new(number(lsn)).unwrap()).unwrap();
                self.records = self.records.split_off(&number(lsn));
            }
            ["reset", lsn] => {
                self.log().reset_to(Lsn::new(number(lsn)).unwrap()).unwrap();
                self.records.clear();
            }
            ["set", key, len] => {
                let value = vec![key.as_bytes()[0]; number(len) as usize];
                self.log().values().set(key.as_bytes(), &value).unwrap();
                self.values.insert(key.as_bytes().to_vec(), value);
            }
            ["mark", name] => {
                let end = match &self.log {
                    Some(log) => log.stats().unwrap().segments.last().unwrap().end.0,
                    None => self.marks["close"],
                };
                self.marks.insert(name.to_owned(), end);
            }
            ["close"] => {
                let log = self.log.take().unwrap();
                let end = log.stats().unwrap().segments.last().map_or(0, |last| last.end.0);
                self.marks.insert("close".to_owned(), end);
                log.close().unwrap();
            }
            ["stop"] => self.stop(true),
            ["lose"] => self.stop(false),
            ["expect", case, records] => return Some(self.expect(case, records)),
            ["refuse", kind, case, file, offset] => {
                return Some(self.refuse(kind, case, file, offset));
            }
            ["note", label] => {
                let notes = &self.report.as_ref().unwrap().notes;
                let is_there = notes.iter().any(|note| note.starts_with(&format!("{label}:")));
                assert!(is_there, "{}: notes {notes:?}", self.name);
                return Some(label.to_owned());
            }
            ["cut-at", file, offset] => {
                let cut = self.report.as_ref().unwrap().cut.clone();
                let cut = cut.unwrap_or_else(|| panic!("{}: nothing was cut", self.name));
                assert_eq!(cut.place.segment.0, number(file), "{}", self.name);
                assert_eq!(cut.place.offset.0, self.offset(file, offset), "{}", self.name);
            }
            _ => self.damage(&words),
        }
        None
    }

    fn option(&mut self, setting: &str) {
        let (name, value) = setting.split_once('=').unwrap();
        match name {
            "segment_bytes" => self.options.segment_bytes = number(value),
            "first_lsn" => self.options.first_lsn = Lsn::new(number(value)).unwrap(),
            "pad_to_block" => self.options.pad_to_block = number(value) == 1,
            _ => panic!("no option {name}"),
        }
    }

    fn log(&self) -> &Log {
        self.log.as_ref().unwrap_or_else(|| panic!("{}: not open", self.name))
    }

    fn append(&mut self, level: Level, count: u64, len: u64) {
        let records: Vec<Payload> = (0..count)
            .map(|_| {
                self.appended += 1;
                payload(self.appended, len as usize)
            })
            .collect();
        let level = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let lsns = self.log().with(level).append_batch(&records).unwrap();
        self.records.extend((lsns.first.get()..).zip(records));
    }

    /// Appends records of which a segment holds three at the most, until one begins a segment.
    fn fill(&mut self, level: Level) {
        let before = self.log().stats().unwrap().segments.len().max(1);
        for _ in 0..4 {
            self.append(level, 1, 18_000);
            if self.log().stats().unwrap().segments.len() > before {
                return;
            }
        }
        panic!("{}: no segment was begun", self.name);
    }

    /// Leaves a file system on which everything that is there is durable.
    fn stop(&mut self, arrived: bool) {
        let end = self.vfs.op_count();
        let mut all = |choices: usize| if arrived { choices - 1 } else { 0 };
        self.vfs = self.vfs.crash_at(end, &mut all);
        self.log = None;
    }

    fn damage(&mut self, words: &[&str]) {
        let path = path(words[1]);
        let read = |file: &str| self.vfs.file_bytes(&self::path(file)).unwrap();
        let write = |file: &str, bytes: &[u8]| {
            self.vfs.set_file_bytes(&self::path(file), bytes).unwrap();
        };
        match *words {
            ["flip", file, at] => {
                self.vfs.corrupt(&path, self.offset(file, at), 0x10).unwrap();
            }
            [how @ ("zero" | "garble"), file, from, to] => {
                let mut bytes = read(file);
                let range = self.offset(file, from) as usize..self.offset(file, to) as usize;
                let byte = if how == "zero" { 0 } else { 0xA5 };
                bytes[range].fill(byte);
                write(file, &bytes);
            }
            ["garble-slot", which] => {
                let mut bytes = read("STATE");
                let seq = |slot: usize| {
                    let at = slot * SLOT_BYTES + 48;
                    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
                };
                let newest = usize::from(seq(1) > seq(0));
                let slot = if which == "newest" { newest } else { 1 - newest };
                bytes[slot * SLOT_BYTES + 100..slot * SLOT_BYTES + 150].fill(0xA5);
                write("STATE", &bytes);
            }
            ["cut", file, at] => {
                let bytes = read(file);
                write(file, &bytes[..self.offset(file, at) as usize]);
            }
            ["remove", _] => {
                self.vfs.remove(&path).unwrap();
                self.vfs.sync_dir(Path::new("/log")).unwrap();
            }
            ["swap", one, other] => {
                let (first, second) = (read(one), read(other));
                write(one, &second);
                write(other, &first);
            }
            ["copy", from, to] => write(to, &read(from)),
            ["keep", name, file] => {
                let bytes = read(file);
                self.kept.insert(name.to_owned(), bytes);
            }
            ["restore", name, file] => write(file, &self.kept[name]),
            ["foreign", file] => {
                let vfs = MemVfs::new();
                let (log, _) =
                    Log::open_with(Arc::new(vfs.clone()), "/log", self.options.clone()).unwrap();
                log.append(b"of another log").unwrap();
                write(file, &vfs.file_bytes(&self::path(file)).unwrap());
            }
            ["version", file, version] => {
                let mut bytes = read(file);
                renumber(&mut bytes, file == "STATE", number(version) as u8);
                write(file, &bytes);
            }
            _ => panic!("{}: what is {words:?}?", self.name),
        }
    }

    fn offset(&self, file: &str, text: &str) -> u64 {
        if text == "end" {
            return self.vfs.file_bytes(&path(file)).unwrap().len() as u64;
        }
        let Some(rest) = text.strip_prefix('@') else { return number(text) };
        let sign = rest.find(['+', '-']).unwrap_or(rest.len());
        let (name, further) = rest.split_at(sign);
        let mark = *self.marks.get(name).unwrap_or_else(|| panic!("no mark {name}"));
        let further: i64 = if further.is_empty() { 0 } else { further.parse().unwrap() };
        mark.checked_add_signed(further).unwrap()
    }

    /// The opening works, and so does everything after it.
    fn expect(&mut self, case: &str, records: &str) -> String {
        let name = self.name.clone();
        self.records = match records.split_once("..") {
            None => BTreeMap::new(),
            Some((first, last)) => {
                let mut kept = self.records.split_off(&number(first));
                kept.split_off(&(number(last) + 1));
                assert_eq!(kept.len() as u64, number(last) + 1 - number(first), "{name}");
                kept
            }
        };
        let vfs = Arc::new(self.vfs.clone());
        let read_only = Log::open_read_only_with(vfs, "/log", self.options.clone());
        if case == "created" {
            assert_eq!(read_only.unwrap_err().kind(), ErrorKind::NotFound, "{name}");
        } else {
            let (reader, report) = read_only.unwrap_or_else(|e| panic!("{name}, to read: {e:?}"));
            assert_eq!(report.case.label(), case, "{name}, to read");
            self.hold_records(&Found::read(&reader).unwrap(), "to read");
        }
        let (log, report, found) = Found::open(&self.vfs, &self.options)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(report.case.label(), case, "{name}: {report:?}");
        self.hold_records(&found, "to write");
        self.report = Some(report);
        // Recover, append, lose power, recover.
        self.log = Some(log);
        self.append(Level::Disk, 2, 50);
        self.stop(false);
        let (_, _, found) = Found::open(&self.vfs, &self.options).unwrap();
        self.hold_records(&found, "after an append and a power loss");
        self.verdicts += 1;
        case.to_owned()
    }

    fn hold_records(&self, found: &Found, when: &str) {
        let name = &self.name;
        let lsns = (found.first..).zip(&found.records);
        let records: BTreeMap<u64, Payload> =
            lsns.map(|(lsn, record)| (lsn, record.clone())).collect();
        let summary = found.summary();
        assert!(
            records == self.records,
            "{name}, {when}: {summary} and not {}",
            self.records.len()
        );
        assert!(found.values == self.values, "{name}, {when}: the values");
    }

    /// The opening fails, says where and why, and changes nothing.
    fn refuse(&mut self, kind: &str, case: &str, file: &str, offset: &str) -> String {
        let name = self.name.clone();
        let before = self.files();
        let vfs = Arc::new(self.vfs.clone());
        let read_only = Log::open_read_only_with(vfs.clone(), "/log", self.options.clone());
        let writing = Log::open_with(vfs, "/log", self.options.clone()).map(drop);
        for (how, outcome) in [("to write", writing), ("to read", read_only.map(drop))] {
            if how == "to read" && case.starts_with("state-") {
                // Readers do without the state where they can.
                continue;
            }
            let Err(error) = outcome else { panic!("{name}, {how}: it opened") };
            self.hold(&error, how, (kind, case, file, offset));
        }
        assert!(self.files() == before, "{name}: a refused opening changed something");
        self.verdicts += 1;
        case.to_owned()
    }

    fn hold(&self, error: &Error, how: &str, expected: (&str, &str, &str, &str)) {
        let (kind, case, file, offset) = expected;
        let context = format!("{}, {how}: {error:?}", self.name);
        assert_eq!(error.kind().name(), kind, "{context}");
        assert!(error.message().contains(&format!("(case {case})")), "{context}");
        assert_eq!(error.path(), Some(&*path(file)), "{context}");
        if offset != "-" {
            let found = error.offset().map(|offset| offset.0);
            assert_eq!(found, Some(self.offset(file, offset)), "{context}");
        }
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let names = self.vfs.list(Path::new("/log")).unwrap();
        let paths = names.into_iter().map(|name| Path::new("/log").join(name));
        paths.map(|path| (path.clone(), self.vfs.file_bytes(&path).unwrap())).collect()
    }
}

const SLOT_BYTES: usize = 128 * 1024;

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn path(file: &str) -> PathBuf {
    match file {
        "STATE" => PathBuf::from("/log/STATE"),
        id => PathBuf::from(format!("/log/{:020}.wal", id.parse::<u64>().unwrap_or(0))),
    }
}

/// Writes another version number into both slots or header copies, with right checksums.
fn renumber(bytes: &mut [u8], is_state: bool, version: u8) {
    let crc32 = |bytes: &[u8]| {
        let mut crc = !0_u32;
        for &byte in bytes {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
            }
        }
        !crc
    };
    for start in if is_state { [0, SLOT_BYTES] } else { [0, 4096] } {
        bytes[start + 8] = version;
        if is_state {
            let used = u32::from_le_bytes(bytes[start + 24..start + 28].try_into().unwrap());
            bytes[start + 12..start + 16].fill(0);
            let crc = crc32(&bytes[start..start + used as usize]);
            bytes[start + 12..start + 16].copy_from_slice(&crc.to_le_bytes());
        } else {
            let crc = crc32(&bytes[start..start + 4092]);
            bytes[start + 4092..start + 4096].copy_from_slice(&crc.to_le_bytes());
        }
    }
}

/// Runs every case of a file; returns the labels it has shown.
fn run_file(name: &str) -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata/recovery");
    let text = std::fs::read_to_string(directory.join(name)).unwrap();
    let mut labels = BTreeSet::new();
    let mut failures = Vec::new();
    let mut cases = 0;
    for case in text.split("\n\n") {
        let lines: Vec<_> = case.lines().filter(|line| !line.starts_with('#')).collect();
        let Some((first, rest)) = lines.split_first() else { continue };
        let title = first.strip_prefix("case ").unwrap_or_else(|| panic!("`{first}` in {name}"));
        cases += 1;
        let ran = std::panic::catch_unwind(|| {
            let mut world = World::new(title);
            let labels: Vec<_> = rest.iter().filter_map(|line| world.line(line)).collect();
            assert!(world.verdicts > 0, "{title}: nothing was checked");
            labels
        });
        match ran {
            Ok(shown) => labels.extend(shown),
            Err(_) => failures.push(title),
        }
    }
    assert!(failures.is_empty(), "{name}: {} of {cases} cases: {failures:#?}", failures.len());
    labels
}

#[test]
fn logs_that_open_are_in_the_row_the_table_says() {
    let labels = run_file("opened.txt");
    for case in ["created", "clean", "whole", "torn-tail"] {
        assert!(labels.contains(case), "no case shows `{case}`");
    }
}

#[test]
fn notes_go_with_what_was_found() {
    let labels = run_file("notes.txt");
    for label in ["state-slot-torn", "header-torn", "header-copy-lost"] {
        assert!(labels.contains(label), "no case shows `{label}`");
    }
}

#[test]
fn damage_is_refused_with_its_place_and_changes_nothing() {
    let labels = run_file("refused.txt");
    for case in [
        RecoveryCase::HoleBelowWatermark,
        RecoveryCase::BadHeader,
        RecoveryCase::MissingSegment,
        RecoveryCase::ForeignSegment,
        RecoveryCase::StateStale,
        RecoveryCase::StateLost,
        RecoveryCase::NewerVersion,
    ] {
        assert!(labels.contains(case.label()), "no case shows `{case}`");
    }
}

/// A log of a few commits in one segment, opened twice, and where each commit ends.
struct Commits {
    vfs: MemVfs,
    ends: Vec<u64>,
    records: Vec<Payload>,
}

fn commits(reopened: bool) -> Commits {
    let vfs = MemVfs::new();
    let options = Options::default();
    let (mut log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
    let mut ends = vec![8192];
    let mut records = Vec::new();
    for number in 0..6 {
        if reopened && number == 3 {
            log.close().unwrap();
            log = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap().0;
        }
        let record = payload(number, 40 + 3 * number as usize);
        log.append(&record).unwrap();
        records.push(record);
        ends.push(log.stats().unwrap().segments[0].end.0);
    }
    let vfs = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    Commits { vfs, ends, records }
}

const FILE: &str = "/log/00000000000000000001.wal";

/// Whatever becomes of the last commit, it is cut off as a whole and nothing else is.
#[test]
fn torn_tail_is_discarded_at_every_offset() {
    let Commits { vfs, ends, records } = commits(false);
    let file = Path::new(FILE);
    let whole = vfs.file_bytes(file).unwrap();
    let (start, end) = (ends[5] as usize, ends[6] as usize);
    for at in start..end {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        let mut zeroed = whole.clone();
        zeroed[at..end].fill(0);
        let mut garbled = whole.clone();
        garbled[at..end].fill(0xFF);
        let mut begun = whole.clone();
        begun[start..=at].fill(0);
        for (how, bytes) in [
            ("cut", &whole[..at]),
            ("flipped", &flipped),
            ("zeroed", &zeroed),
            ("garbled", &garbled),
            ("begun", &begun),
        ] {
            if bytes[..] == whole[..] {
                continue;
            }
            let vfs = vfs.kill_at(vfs.op_count());
            vfs.set_file_bytes(file, bytes).unwrap();
            let (log, report, found) = Found::open(&vfs, &Options::default())
                .unwrap_or_else(|error| panic!("{how} at {at}: {error:?}"));
            // Where not even a frame's header stands, nothing was begun as far as can be told.
            let header = bytes.get(start..start + 16);
            let is_begun = header.is_some_and(|header| header.iter().any(|&byte| byte != 0));
            let expected = if is_begun { RecoveryCase::TornTail } else { RecoveryCase::Whole };
            assert_eq!(report.case, expected, "{how} at {at}");
            if report.case == RecoveryCase::TornTail {
                assert_eq!(report.cut.unwrap().place.offset.0, ends[5], "{how} at {at}");
            }
            assert!(found.records == records[..5], "{how} at {at}: {}", found.summary());
            let more = payload(99, 30);
            log.append(&more).unwrap();
            let vfs = vfs.crash_at(vfs.op_count(), &mut |_| 0);
            let (_, _, found) = Found::open(&vfs, &Options::default()).unwrap();
            assert_eq!(found.records.len(), 6, "{how} at {at}");
            assert_eq!(found.records[5], more, "{how} at {at}");
        }
    }
}

/// Damage to any byte that was durable is refused and names a place in its commit; nothing is cut.
#[test]
fn a_flip_of_any_durable_byte_is_corrupt() {
    for reopened in [false, true] {
        let Commits { vfs, ends, .. } = commits(reopened);
        // Without epoch and salt, which stand in the opening frame, later commits prove nothing.
        let identity = ends[3] + 16..ends[3] + 32;
        for at in 8192..ends[5] {
            if reopened && identity.contains(&at) {
                continue;
            }
            let vfs = vfs.kill_at(vfs.op_count());
            vfs.corrupt(Path::new(FILE), at, 0x04).unwrap();
            let error = match Log::open_with(Arc::new(vfs), "/log", Options::default()) {
                Ok((_, report)) => panic!("offset {at}, reopened {reopened}: {report:?}"),
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
            assert!(error.message().contains("hole-below-watermark"), "{error:?}");
            let commit = ends.partition_point(|&end| end <= at) - 1;
            let offset = error.offset().unwrap().0;
            let range = ends[commit]..ends[commit + 1];
            assert!(range.contains(&offset), "{error:?} for offset {at}");
            assert_eq!(error.lsn().unwrap().get(), commit as u64 + 1, "{error:?}");
        }
    }
}

/// A record that is a copy of the log's own file, at every alignment, is a record and nothing else,
/// also when it is torn.
#[test]
fn frames_inside_a_payload_are_never_taken_for_frames() {
    let Commits { vfs, ends, .. } = commits(false);
    let copy = vfs.file_bytes(Path::new(FILE)).unwrap()[..ends[6] as usize].to_vec();
    let payloads = [
        copy.clone(),
        copy[8192..].to_vec(),
        copy[8192 - 16..].to_vec(),
        vec![0; 10_000],
        vec![0xFF; 10_000],
        (0..2000).flat_map(|_| [0, 0, 0, 0, 48, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]).collect(),
        b"WALSTATE".repeat(1000),
    ];
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).unwrap();
    for payload in &payloads {
        log.append(payload).unwrap();
    }
    let acknowledged = vfs.op_count();
    let found = Found::read(&log).unwrap();
    assert!(
        found.records[6..].iter().zip(&payloads).all(|(found, payload)| found[..] == payload[..])
    );
    for tears in 0..60 {
        let lost = log.append(&copy).unwrap();
        let mut rng = crash_support::Rng::new(tears);
        let torn = vfs.crash_at(vfs.op_count() - 1, &mut |choices| rng.below(choices));
        let (_, _, found) = Found::open(&torn, &Options::default()).unwrap();
        let kept = 6 + payloads.len() + tears as usize;
        let count = found.records.len();
        assert!((kept..=kept + 1).contains(&count), "{count} records, LSN {lost} was torn");
        assert!(found.records[13..].iter().all(|record| record[..] == copy[..]));
    }
    assert!(vfs.op_count() > acknowledged);
}
