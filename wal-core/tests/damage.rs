//! Damage below the watermark is reported, and by everybody alike; what is not reported costs
//! nothing.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::Index;
use wal_core::vfs::{FaultVfs, MemVfs, Operation, Vfs};
use wal_core::{
    Error, ErrorKind, Log, Lsn, Options, Position, RecoveryReport, ReplayOptions, Result, check,
};

/// The files of a closed log, by path, and its records.
struct Sound {
    files: BTreeMap<PathBuf, Vec<u8>>,
    records: Vec<(u64, Vec<u8>)>,
}

fn options() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

fn open(vfs: &MemVfs) -> Result<(Log, RecoveryReport)> {
    Log::open_with(Arc::new(vfs.clone()), DIRECTORY, options())
}

fn open_read_only(vfs: &MemVfs) -> Result<(Log, RecoveryReport)> {
    Log::open_read_only_with(Arc::new(vfs.clone()), DIRECTORY, options())
}

/// A log closed in order with three segments, batches, values and an opening frame.
fn sound(sizes: &[usize]) -> Sound {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs).unwrap();
    log.values().set(b"term", b"12").unwrap();
    for (number, &len) in sizes.iter().enumerate() {
        log.append(&vec![number as u8 + 1; len]).unwrap();
        log.append_batch(&[&[number as u8; 9][..], b"", b"of a batch"]).unwrap();
    }
    log.close().unwrap();
    let (log, _) = open(&vfs).unwrap();
    log.append(b"in the segment it was closed in").unwrap();
    assert_eq!(log.stats().unwrap().segments.len(), 3);
    log.close().unwrap();
    let (log, _) = open_read_only(&vfs).unwrap();
    let records = read_all(&log).unwrap();
    assert_eq!(records.len(), sizes.len() * 4 + 1);
    Sound { files: files_of(&vfs), records }
}

fn files_of(vfs: &MemVfs) -> BTreeMap<PathBuf, Vec<u8>> {
    let names = vfs.list(Path::new(DIRECTORY)).unwrap();
    let paths = names.into_iter().map(|name| Path::new(DIRECTORY).join(name));
    paths.map(|path| (path.clone(), vfs.file_bytes(&path).unwrap())).collect()
}

/// Every segment about full.
static LARGE: LazyLock<Sound> = LazyLock::new(|| sound(&[20_000, 300, 30_000, 40_000, 30_000, 7]));

fn read_all(log: &Log) -> Result<Vec<(u64, Vec<u8>)>> {
    let records = log.cursor(Position::First)?;
    records.map(|record| record.map(|record| (record.lsn().get(), record.to_vec()))).collect()
}

impl Sound {
    fn with(&self, path: &Path, bytes: &[u8]) -> MemVfs {
        let vfs = MemVfs::new();
        for (name, content) in &self.files {
            let content = if name == path { bytes } else { content };
            vfs.set_file_bytes(name, content).unwrap();
        }
        vfs
    }

    fn segments(&self) -> Vec<&PathBuf> {
        let segments = self.files.keys().filter(|path| path.extension() == Some("wal".as_ref()));
        // A spare is nothing but zeros.
        segments.filter(|path| self.used(path) > 0).collect()
    }

    /// Which bytes of the file a reader may need: all but the zeros at its end.
    fn used(&self, path: &Path) -> usize {
        self.files[path].iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
    }

    /// The records, or an error that names the damaged file.
    fn judge(&self, read: Result<Vec<(u64, Vec<u8>)>>, damaged: &Path, what: &str) -> bool {
        match read {
            Ok(records) => {
                assert!(records == self.records, "{what}: other records, and nothing said");
                true
            }
            Err(error) => {
                check_blame(&error, damaged, what);
                false
            }
        }
    }
}

fn check_blame(error: &Error, damaged: &Path, what: &str) {
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error:?}");
    assert_eq!(error.path(), Some(damaged), "{what}: {error:?}");
    assert!(error.offset().is_some(), "{what}: {error:?}");
}

/// Reads everything in every way there is; whether it was all there.
fn check_readers(sound: &Sound, vfs: &MemVfs, damaged: &Path, what: &str) -> bool {
    let (log, _) = match open_read_only(vfs) {
        Ok(opened) => opened,
        Err(error) => {
            check_blame(&error, damaged, what);
            return false;
        }
    };
    let forward = sound.judge(read_all(&log), damaged, what);
    let mut backward = Vec::new();
    let mut cursor = log.cursor(Position::End).unwrap();
    let back = loop {
        match cursor.prev() {
            Ok(Some(record)) => backward.push((record.lsn().get(), record.to_vec())),
            Ok(None) => break Ok(backward.into_iter().rev().collect()),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(sound.judge(back, damaged, what), forward, "{what}: backward");
    let one_by_one = sound.records.iter().map(|(number, _)| {
        log.read(lsn(*number)).map(|record| (record.lsn().get(), record.to_vec()))
    });
    assert_eq!(sound.judge(one_by_one.collect(), damaged, what), forward, "{what}: by LSN");
    let replayed = std::sync::Mutex::new(Vec::new());
    let parallel = ReplayOptions { threads: 2, in_order: true };
    let replay = log.replay_parallel::<Error>(Position::First, parallel, |record| {
        replayed.lock().unwrap().push((record.lsn().get(), record.to_vec()));
        Ok(std::ops::ControlFlow::Continue(()))
    });
    let replayed = replay.map(|_| replayed.into_inner().unwrap());
    assert_eq!(sound.judge(replayed, damaged, what), forward, "{what}: replayed");
    forward
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Zero(Index, usize),
    Overwrite(Index, Vec<u8>),
    Move(Index, Index, usize),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), 1u8..=255).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        2 => (at(), 1usize..9000).prop_map(|(at, len)| Damage::Zero(at, len)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..600))
            .prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        2 => (at(), at(), 1usize..5000).prop_map(|(from, to, len)| Damage::Move(from, to, len)),
        1 => at().prop_map(Damage::Cut),
    ]
}

impl Damage {
    fn apply(&self, content: &mut Vec<u8>, used: usize) {
        match self {
            Damage::Flip(at, mask) => content[at.index(used)] ^= mask,
            Damage::Zero(at, len) => {
                let at = at.index(used);
                content[at..used.min(at + len)].fill(0);
            }
            Damage::Overwrite(at, bytes) => {
                let at = at.index(used);
                let end = used.min(at + bytes.len());
                content[at..end].copy_from_slice(&bytes[..end - at]);
            }
            Damage::Move(from, to, len) => {
                let (from, to) = (from.index(used), to.index(used));
                let len = *len.min(&(used - from.max(to)));
                content.copy_within(from..from + len, to);
            }
            Damage::Cut(at) => content.truncate(at.index(used)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 120, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_bytes_are_judged_alike_by_all(
        segment in any::<Index>(), damage in damage()
    ) {
        let sound = &*LARGE;
        let segments = sound.segments();
        let path = segments[segment.index(segments.len())];
        let mut content = sound.files[path].clone();
        damage.apply(&mut content, sound.used(path));
        let what = format!("{damage:?} in {}", path.display());
        let vfs = sound.with(path, &content);
        let is_whole = check_readers(sound, &vfs, path, &what);
        let changed = files_of(&vfs) != sound.with_files(path, &content);
        prop_assert!(!changed, "{}: reading wrote", what);

        let verified = check::verify_with(Arc::new(vfs.clone()), DIRECTORY, |_, _| {}).unwrap();
        let at_stake = verified.findings.iter().filter(|finding| finding.records_at_stake);
        // Verification also judges what no record lies in: the padding behind one is under the
        // commit's chain value alone.
        prop_assert!(is_whole || at_stake.clone().count() > 0, "{}: {:?}", what, verified);
        prop_assert!(!verified.findings.is_empty() || content == sound.files[path], "{}", what);
        at_stake.for_each(|finding| check_blame(&finding.error, path, &what));

        let opens_to_read = open_read_only(&vfs).map(drop);
        let opened = open(&vfs);
        prop_assert_eq!(opened.is_ok(), opens_to_read.is_ok(), "{}", what);
        match opened {
            Err(error) => check_blame(&error, path, &what),
            Ok((log, report)) => {
                prop_assert_eq!(report.last_lsn, Lsn::new(sound.records.len() as u64));
                prop_assert_eq!(sound.judge(read_all(&log), path, &what), is_whole);
                let next = log.append(b"one more").unwrap();
                prop_assert_eq!(next.get(), sound.records.len() as u64 + 1);
                log.close().unwrap();
                // Writing on has not hidden what was wrong.
                let (log, _) = open_read_only(&vfs).unwrap();
                let read = read_all(&log).map(|mut records| {
                    assert_eq!(records.pop(), Some((next.get(), b"one more".to_vec())));
                    records
                });
                prop_assert_eq!(sound.judge(read, path, &what), is_whole, "{}", what);
            }
        }
    }
}

impl Sound {
    fn with_files(&self, path: &Path, bytes: &[u8]) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = self.files.clone();
        files.insert(path.to_owned(), bytes.to_vec());
        files
    }
}

/// Every byte of headers, frames, trailers, footers and slots; of long payloads, every 97th.
#[test]
fn every_flipped_byte_is_reported_or_costs_nothing() {
    let sound = sound(&[20, 50_000, 45_000, 20_000, 8]);
    for path in sound.files.keys().filter(|path| sound.used(path) > 0) {
        let content = &sound.files[path];
        let is_dull = |at: usize| {
            let around = &content[at.saturating_sub(64)..content.len().min(at + 64)];
            around.iter().all(|byte| *byte == around[0])
        };
        let places: Vec<_> =
            (0..sound.used(path)).filter(|&at| !is_dull(at) || at % 97 == 0).collect();
        // Who finds a log corrupt looks again after a while: a writer may be at work.
        let reported: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = places
                .chunks(places.len().div_ceil(16))
                .map(|places| scope.spawn(|| flips_reported(&sound, path, places)))
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        // Two slots stand in for each other; of a segment, most bytes are there once.
        assert_eq!(reported > 0, !path.ends_with("STATE"), "{}", path.display());
    }
}

fn flips_reported(sound: &Sound, path: &Path, places: &[usize]) -> usize {
    let vfs = sound.with(Path::new(""), &[]);
    let is_reported = |at: &&usize| {
        let (at, mask) = (**at, 1 << (**at % 8));
        let what = format!("{} at {at}", path.display());
        vfs.corrupt(path, at as u64, mask).unwrap();
        let is_whole = check_flip(sound, &vfs, path, &what);
        vfs.corrupt(path, at as u64, mask).unwrap();
        vfs.forget_ops();
        !is_whole
    };
    places.iter().filter(is_reported).count()
}

/// Whether everything is there all the same.
fn check_flip(sound: &Sound, vfs: &MemVfs, path: &Path, what: &str) -> bool {
    match open_read_only(vfs) {
        // A flipped version is a version.
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            assert_eq!(error.path(), Some(path), "{what}: {error:?}");
            false
        }
        Err(error) => {
            check_blame(&error, path, what);
            false
        }
        Ok((log, _)) => {
            let value = log.values().get(b"term").unwrap();
            assert_eq!(value.as_deref(), Some(&b"12"[..]), "{what}");
            sound.judge(read_all(&log), path, what)
        }
    }
}

/// The footer is an index and a convenience.
#[test]
fn a_segment_whose_footer_is_gone_is_still_read() {
    let sound = &*LARGE;
    let segments = sound.segments();
    for path in &segments[..2] {
        let content = &sound.files[*path];
        let footer = footer_of(content);
        for end in [footer, footer + 20, sound.used(path) - 1] {
            let mut zeroed = content.clone();
            zeroed[end..].fill(0);
            for damaged in [zeroed, content[..end].to_vec()] {
                let what = format!("{} without what follows {end}", path.display());
                let vfs = sound.with(path, &damaged);
                assert!(check_readers(sound, &vfs, path, &what), "{what}");
                let (log, _) = open(&vfs).unwrap();
                assert!(sound.judge(read_all(&log), path, &what));
            }
        }
    }
}

/// A reader took a log without a state file for none, and one with an unfinished state file for a
/// log without values.
#[test]
fn a_lost_state_file_is_told_to_readers_as_to_writers() {
    let sound = &*LARGE;
    let state = Path::new(DIRECTORY).join("STATE");
    for left in [None, Some(0), Some(1), Some(100)] {
        let vfs = MemVfs::new();
        for (name, content) in &sound.files {
            match left {
                None if *name == state => continue,
                Some(len) if *name == state => vfs.set_file_bytes(name, &content[..len]).unwrap(),
                _ => vfs.set_file_bytes(name, content).unwrap(),
            }
        }
        let (log, report) = open_read_only(&vfs).unwrap();
        assert!(report.notes.iter().any(|note| note.starts_with("state-lost")), "{report:?}");
        assert_eq!(read_all(&log).unwrap(), sound.records);
        check_blame(&log.values().get(b"term").unwrap_err(), &state, "the value");
        let storage = Arc::new(vfs.clone());
        let verified = check::verify_with(storage.clone(), DIRECTORY, |_, _| {}).unwrap();
        assert!(verified.findings.iter().any(|finding| finding.records_at_stake));
        check_blame(&check::info_with(storage, DIRECTORY).unwrap_err(), &state, "info");
        check_blame(&open(&vfs).err().unwrap(), &state, "the opening");
        assert!(vfs.file_bytes(&state).is_ok() == left.is_some(), "opening made a state file");
    }
}

/// Who read the records before a broken trailer from the front was given them, who read them from
/// the back or by LSN was not, where the segment has no footer.
#[test]
fn a_broken_trailer_costs_no_reader_a_record_that_is_whole() {
    let before = MemVfs::new();
    let (log, _) = open(&before).unwrap();
    for number in 1..=6 {
        log.append(&[number; 40]).unwrap();
    }
    let vfs = before.kill_at(before.op_count());
    let (log, _) = open(&vfs).unwrap();
    log.append(b"in the next segment").unwrap();
    log.close().unwrap();
    let records = read_all(&open_read_only(&vfs).unwrap().0).unwrap();
    let sound = Sound { files: files_of(&vfs), records };
    let path = Path::new(DIRECTORY).join("00000000000000000001.wal");
    for commit in 0..6 {
        let trailer = 8192 + commit * (56 + 64) + 56;
        assert_eq!(sound.files[&path][trailer + 8], 2, "a trailer stands here");
        let vfs = sound.with(Path::new(""), &[]);
        vfs.corrupt(&path, trailer as u64 + 20, 1).unwrap();
        assert!(check_readers(&sound, &vfs, &path, &format!("trailer {commit}")));
    }
}

/// Who found a log corrupt looked at it eight times more, for a writer that was not there.
#[test]
fn damage_that_nobody_is_writing_is_told_after_the_second_look() {
    let sound = &*LARGE;
    let path = sound.segments()[2];
    let mut content = sound.files[path].clone();
    content[..8192].fill(0xff);
    let storage = FaultVfs::new(Arc::new(sound.with(path, &content)));
    let opened = Log::open_read_only_with(Arc::new(storage.clone()), DIRECTORY, options());
    check_blame(&opened.err().unwrap(), path, "no header");
    assert_eq!(storage.count(Operation::List), 2);
}

/// Where the seal footer stands: after the last frame of another kind.
fn footer_of(content: &[u8]) -> usize {
    let mut at = 8192;
    while content[at + 8] != 5 {
        let len = u32::from_le_bytes(content[at + 4..at + 8].try_into().unwrap()) as usize;
        at += (16 + len).next_multiple_of(8);
    }
    at
}

const DIRECTORY: &str = "/log";
