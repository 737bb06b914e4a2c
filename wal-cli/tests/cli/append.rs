//! Batches, limits and the summary of `wal append`.

use wal_core::limits::RECORD_BYTES_MAX_DEFAULT;
use wal_core::{Log, Options, Position};

use crate::run::{arg, wal, wal_fed};
use crate::sample::numbered;

/// The number of records in each batch of a log.
fn batch_sizes(log: &str) -> Vec<u64> {
    let (log, _) = Log::open_read_only(log, Options::default()).expect("a log");
    let (mut sizes, mut size) = (Vec::new(), 0);
    for record in log.cursor(Position::First).expect("a cursor") {
        size += 1;
        if !record.expect("a record").batch_continues() {
            sizes.push(size);
            size = 0;
        }
    }
    assert_eq!(size, 0, "the last batch is whole");
    sizes
}

#[test]
fn a_record_over_the_limit_is_refused_with_its_line_and_its_batch() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    let mut input = b"one\ntwo\nthree\n".to_vec();
    input.resize(input.len() + RECORD_BYTES_MAX_DEFAULT as usize + 1, b'x');
    input.extend_from_slice(b"\nfive\n");
    wal_fed(["append", log, "--batch", "2"], &input)
        .refused(1, &["standard input line 4", "64.0 MiB", "nothing of its batch"]);
    assert_eq!(wal(["cat", log]).fine().text(), "one\ntwo\n");
}

#[test]
fn a_record_at_the_limit_is_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    let input = vec![b'x'; RECORD_BYTES_MAX_DEFAULT as usize];
    wal_fed(["append", log, "--durability", "os"], &input).fine();
    let cat = wal(["cat", log]).fine();
    assert!(cat.stdout.len() == input.len() + 1 && cat.stdout.starts_with(&input));
}

#[test]
fn an_explicit_batch_size_is_kept_exactly() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log, "--batch", "4"], &numbered(10)).fine();
    assert_eq!(batch_sizes(log), [4, 4, 2]);
    wal_fed(["append", log, "--batch", "1"], b"a\nb\n").fine();
    assert_eq!(batch_sizes(log), [4, 4, 2, 1, 1]);
}

#[test]
fn an_explicit_batch_larger_than_a_read_is_still_one_batch() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log, "--batch", "150000"], &numbered(200_000)).fine();
    assert_eq!(batch_sizes(log), [150_000, 50_000]);
}

#[test]
fn the_summary_goes_to_standard_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    let run = wal_fed(["append", log], &numbered(1_000)).fine();
    assert!(run.stdout.is_empty());
    assert!(run.stderr.starts_with("appended 1,000 records (LSN 1-1000), "), "{}", run.stderr);
    assert!(run.stderr.contains("MB/s"), "{}", run.stderr);
    let run = wal_fed(["append", log], b"").fine();
    assert!(run.stderr.starts_with("appended nothing"), "{}", run.stderr);
}
