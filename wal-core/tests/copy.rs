//! Hot copies.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use wal_core::{ErrorKind, Level, Log, Lsn, Options, Position};

fn options() -> Options {
    Options {
        segment_bytes: 128 << 10,
        ring_bytes: 64 << 10,
        level: Level::Os,
        ..Options::default()
    }
}

fn assert_same(source: &Log, copy: &Log, last: Option<Lsn>) {
    assert_eq!(copy.last_lsn(), last);
    let mut theirs = source.cursor(Position::First).unwrap();
    let mut ours = copy.cursor(Position::First).unwrap();
    assert_eq!(ours.next_lsn(), theirs.next_lsn());
    while let Some(record) = ours.next().unwrap() {
        let original = theirs.next().unwrap().unwrap();
        assert_eq!((record.lsn(), &record[..]), (original.lsn(), &original[..]));
        assert_eq!(record.batch_continues(), original.batch_continues(), "{}", record.lsn());
        assert_eq!(ours.time().unwrap(), theirs.time().unwrap(), "{}", record.lsn());
    }
}

#[test]
fn a_copy_onto_a_log_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let (source, _) = Log::open(at("source"), options()).unwrap();
    source.append(b"x").unwrap();
    let (other, _) = Log::open(at("other"), options()).unwrap();
    other.append(b"other").unwrap();
    other.close().unwrap();
    let bytes = |path: &Path| -> BTreeMap<_, _> {
        let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
    };
    let before = bytes(&at("other"));
    assert_eq!(source.copy_to(at("other")).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(bytes(&at("other")), before);
    assert_eq!(source.copy_to(at("source")).unwrap_err().kind(), ErrorKind::Invalid);
    fs::write(at("file"), b"no directory").unwrap();
    assert_eq!(source.copy_to(at("file")).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(fs::read(at("file")).unwrap(), b"no directory");
    source.append(b"y").unwrap();
}

#[test]
fn a_copy_of_a_busy_log_is_the_log_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (source, _) = Log::open(directory.path().join("source"), options()).unwrap();
    source.append_batch(&["a", "b", "c"]).unwrap();
    source.values().update(&[(b"term", Some(b"7")), (b"vote", Some(b"me"))]).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..4u8 {
            let (source, stop) = (&source, &stop);
            scope.spawn(move || {
                let mut number = 0usize;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let record = vec![thread; number * 13 % 2000];
                    match number % 3 {
                        0 => drop(source.append_batch(&[&record, &record, &record]).unwrap()),
                        _ => drop(source.append(&record).unwrap()),
                    }
                }
            });
        }
        for round in 0..3 {
            let path = directory.path().join(format!("copy {round}"));
            let before = source.last_lsn();
            let report = source.copy_to(&path).unwrap();
            assert!(report.last_lsn >= before);
            let (copy, opened) = Log::open(&path, Options::default()).unwrap();
            assert!(!opened.created);
            assert_eq!(copy.uuid(), report.uuid);
            assert_ne!(copy.uuid(), source.uuid());
            assert_eq!(report.records, report.last_lsn.unwrap().get());
            assert_same(&source, &copy, report.last_lsn);
            assert_eq!(copy.values().list().unwrap(), source.values().list().unwrap());
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_copy_of_a_trimmed_and_truncated_log_has_the_same_records() {
    let directory = tempfile::tempdir().unwrap();
    let (source, _) = Log::open(directory.path().join("source"), options()).unwrap();
    for _ in 0..50 {
        source.append_batch(&[vec![1; 700], vec![2; 900], vec![]]).unwrap();
    }
    source.trim(Lsn::new(20).unwrap()).unwrap();
    source.truncate(Lsn::new(121).unwrap()).unwrap();
    source.append(b"not of the batch that was cut").unwrap();
    source.truncate(Lsn::new(122).unwrap()).unwrap();
    source.append_batch(&["d", "e"]).unwrap();
    let path = directory.path().join("copy");
    let report = source.copy_to(&path).unwrap();
    assert_eq!((report.records, report.first_lsn), (105, Lsn::new(20)));
    let (copy, _) = Log::open(&path, Options::default()).unwrap();
    assert_same(&source, &copy, Lsn::new(124));
    assert_eq!(copy.append(b"on").unwrap().get(), 125);
    // A read-only view can be copied as well.
    drop(source);
    let path = directory.path().join("source");
    let (source, _) = Log::open_read_only(path, Options::default()).unwrap();
    let report = source.copy_to(directory.path().join("second copy")).unwrap();
    assert_eq!(report.records, 105);
}

#[test]
fn a_copy_of_an_empty_log_goes_on_where_the_log_would() {
    let directory = tempfile::tempdir().unwrap();
    let (source, _) = Log::open(directory.path().join("source"), options()).unwrap();
    source.append_batch(&["a", "b", "c"]).unwrap();
    source.trim(Lsn::new(4).unwrap()).unwrap();
    let path = directory.path().join("copy");
    let report = source.copy_to(&path).unwrap();
    assert_eq!((report.records, report.first_lsn, report.last_lsn), (0, None, None));
    let (copy, _) = Log::open(&path, Options::default()).unwrap();
    assert_eq!(copy.append(b"d").unwrap().get(), 4);
}

/// The copy was opened with the default limits and failed on what the log had been allowed.
#[test]
fn records_over_the_default_limit_are_copied() {
    let directory = tempfile::tempdir().unwrap();
    let large = Options { record_bytes_max: 80 << 20, ..options() };
    let (source, _) = Log::open(directory.path().join("source"), large).unwrap();
    let lsn = source.append(&vec![5; 70 << 20]).unwrap();
    let path = directory.path().join("copy");
    source.copy_to(&path).unwrap();
    let (copy, _) = Log::open(&path, Options::default()).unwrap();
    assert!(copy.read(lsn).unwrap()[..] == source.read(lsn).unwrap()[..]);
}
