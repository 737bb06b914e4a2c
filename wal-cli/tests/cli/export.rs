//! Export and import: the same log again, or a clear refusal.

use std::time::SystemTime;

use wal_core::{Log, Options, Position};

use crate::run::{arg, wal, wal_fed};
use crate::sample::numbered;

/// Everything a log says about its records and values.
#[derive(Debug, PartialEq)]
struct Content {
    records: Vec<(u64, Vec<u8>, bool, SystemTime)>,
    values: Vec<(Vec<u8>, Vec<u8>)>,
    next_lsn: u64,
}

fn content(log: &str) -> Content {
    let (log, _) = Log::open_read_only(log, Options::default()).expect("a log");
    let mut cursor = log.cursor(Position::First).expect("a cursor");
    let mut records = Vec::new();
    while let Some(record) = cursor.next().expect("a whole log") {
        let time = cursor.time().expect("a time");
        records.push((record.lsn().get(), record.to_vec(), record.batch_continues(), time));
    }
    let values = log.values().list().expect("values");
    Content { records, values, next_lsn: log.next_lsn().get() }
}

/// A log with batches of several sizes, at several times, with a trimmed head and values.
fn sample_log(dir: &std::path::Path) -> String {
    let log = dir.join("sample").to_str().expect("text").to_owned();
    for (batch, count) in [("1", 20), ("7", 100), ("500", 5_000)] {
        wal_fed(["append", &log, "--batch", batch, "--segment-bytes", "64KiB"], &numbered(count))
            .fine();
    }
    wal(["trim", &log, "--before", "15"]).fine();
    wal(["set", &log, "term", "7"]).fine();
    wal(["set", &log, "vote", "node 3"]).fine();
    log
}

#[test]
fn an_imported_log_equals_the_exported_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = sample_log(dir.path());
    let stream = wal(["export", &log]).fine().stdout;
    for size in ["64KiB", "64MiB"] {
        let copy = dir.path().join(size);
        wal_fed(["import", arg(&copy), "--segment-bytes", size], &stream).fine();
        assert_eq!(content(arg(&copy)), content(&log));
        wal(["verify", arg(&copy)]).fine();
    }
}

#[test]
fn an_empty_log_is_exported_and_imported_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, copy) = (dir.path().join("log"), dir.path().join("copy"));
    wal_fed(["append", arg(&log)], &numbered(5)).fine();
    wal(["trim", arg(&log), "--before", "6"]).fine();
    let stream = wal(["export", arg(&log)]).fine().stdout;
    wal_fed(["import", arg(&copy)], &stream).fine();
    assert_eq!(content(arg(&copy)), content(arg(&log)));
    assert_eq!(wal_fed(["append", arg(&copy), "--ack"], b"x").fine().text(), "6-6\n");
}

#[test]
fn a_damaged_stream_is_named_by_its_byte_and_leaves_a_valid_prefix() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = sample_log(dir.path());
    let stream = wal(["export", &log]).fine().stdout;
    let whole = content(&log);
    for at in [50, stream.len() / 3, stream.len() / 2, stream.len() - 1] {
        let copy = dir.path().join(at.to_string());
        let mut broken = stream.clone();
        broken[at] ^= 1;
        let run = wal_fed(["import", arg(&copy)], &broken).refused(1, &["damaged at byte "]);
        let byte: usize = run
            .stderr
            .split("damaged at byte ")
            .nth(1)
            .and_then(|rest| rest.split(':').next())
            .and_then(|digits| digits.parse().ok())
            .expect("a number");
        assert!(byte <= at, "{byte} for {at}");
        let kept = content(arg(&copy));
        assert!(whole.records.starts_with(&kept.records));
        let is_batch_end = |record: &(u64, Vec<u8>, bool, SystemTime)| !record.2;
        assert!(kept.records.last().is_none_or(is_batch_end), "whole batches only");
        wal(["verify", arg(&copy)]).fine();
    }
}

#[test]
fn an_incomplete_stream_is_refused_and_leaves_a_valid_prefix() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = sample_log(dir.path());
    let stream = wal(["export", &log]).fine().stdout;
    for length in [0, 7, 47] {
        let copy = dir.path().join(format!("short{length}"));
        wal_fed(["import", arg(&copy)], &stream[..length]).refused(1, &["byte 0"]);
        assert!(!copy.exists(), "nothing is made for a stream without a header");
    }
    for length in [48, stream.len() / 2, stream.len() - 29, stream.len() - 1] {
        let copy = dir.path().join(length.to_string());
        wal_fed(["import", arg(&copy)], &stream[..length]).refused(1, &["at byte ", "ends"]);
        assert!(content(&log).records.starts_with(&content(arg(&copy)).records));
    }
}

#[test]
fn the_same_stream_twice_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = sample_log(dir.path());
    let stream = wal(["export", &log]).fine().stdout;
    let copy = dir.path().join("copy");
    wal_fed(["import", arg(&copy)], &stream).fine();
    let before = content(arg(&copy));
    wal_fed(["import", arg(&copy)], &stream)
        .refused(1, &["15-5120", "already", "nothing to import"]);
    assert_eq!(content(arg(&copy)), before);
}

#[test]
fn a_stream_continues_a_log_only_where_that_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    let (log, copy) = (path("log"), path("copy"));
    wal_fed(["append", &log], &numbered(10)).fine();
    let first = wal(["export", &log]).fine().stdout;
    wal_fed(["append", &log], b"record 11\nrecord 12\n").fine();
    wal(["trim", &log, "--before", "11"]).fine();
    let second = wal(["export", &log]).fine().stdout;

    wal_fed(["import", &copy], &first).fine();
    wal_fed(["append", &path("ahead")], &numbered(11)).fine();
    wal_fed(["import", &path("ahead")], &second).refused(1, &["11-12", "already goes to 11"]);
    wal_fed(["append", &path("behind")], &numbered(3)).fine();
    wal_fed(["import", &path("behind")], &second).refused(1, &["next LSN is 4"]);

    wal_fed(["import", &copy], &second).fine();
    assert!(wal(["cat", &copy]).fine().stdout == numbered(12));
}

#[test]
fn what_is_no_stream_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let copy = dir.path().join("copy");
    wal_fed(["import", arg(&copy)], b"record 1\nrecord 2\n").refused(1, &["no export stream"]);
    let mut newer = b"WALEXPRT".to_vec();
    newer.extend_from_slice(&[2, 0, 0, 0]);
    wal_fed(["import", arg(&copy)], &newer).refused(1, &["version 2"]);
    assert!(!copy.exists());
}
