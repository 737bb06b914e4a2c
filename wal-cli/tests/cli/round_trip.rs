//! What goes in comes out, byte for byte.

use crate::run::{arg, wal, wal_fed};
use crate::sample::{loghub, printed, samples};

const SEGMENT_SIZES: [&str; 2] = ["64KiB", "64MiB"];

#[test]
fn every_sample_comes_back_byte_for_byte_at_both_segment_sizes() {
    for (name, text) in samples() {
        for size in SEGMENT_SIZES {
            let dir = tempfile::tempdir().expect("a directory");
            let log = dir.path().join("log");
            wal_fed(["append", arg(&log), "--segment-bytes", size], &text).fine();
            let cat = wal(["cat", arg(&log)]).fine();
            assert!(cat.stdout == printed(&text), "{name} in segments of {size}");
            wal(["verify", arg(&log)]).fine();
        }
    }
}

#[test]
fn the_research_logs_come_back_byte_for_byte_at_both_segment_sizes() {
    let Some(files) = loghub() else {
        println!("SKIPPED: there is no ../shared/data/loghub beside the checkout");
        return;
    };
    for file in files {
        let text = std::fs::read(&file).expect("a readable file");
        for size in SEGMENT_SIZES {
            let dir = tempfile::tempdir().expect("a directory");
            let log = dir.path().join("log");
            wal(["append", arg(&log), arg(&file), "--segment-bytes", size]).fine();
            let cat = wal(["cat", arg(&log)]).fine();
            assert!(cat.stdout == printed(&text), "{} in segments of {size}", file.display());
        }
    }
}

#[test]
fn other_delimiters_are_not_part_of_the_record() {
    for (option, value, input) in [
        ("--null", None, &b"one\ntwo\0three\0"[..]),
        ("--delimiter", Some(";"), b"one\ntwo;three"),
        ("--delimiter", Some(r"\x1e"), b"one\ntwo\x1ethree\x1e"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let log = arg(dir.path());
        wal_fed(["append", log, option].into_iter().chain(value), input).fine();
        let cat = wal(["cat", log, "--null"]).fine();
        assert_eq!(cat.stdout, b"one\ntwo\0three\0");
    }
}

#[test]
fn files_and_standard_input_follow_each_other_and_their_ends_end_records() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, first, last) =
        (dir.path().join("log"), dir.path().join("first.txt"), dir.path().join("last.txt"));
    std::fs::write(&first, "a\nb").expect("a file");
    std::fs::write(&last, "e\n").expect("a file");
    wal_fed(["append", arg(&log), arg(&first), "-", arg(&last)], b"c\nd").fine();
    let cat = wal(["cat", arg(&log)]).fine();
    assert_eq!(cat.text(), "a\nb\nc\nd\ne\n");
}

#[test]
fn a_second_append_goes_on_where_the_first_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    for durability in ["disk", "os", "buffered"] {
        wal_fed(["append", log, "--durability", durability], durability.as_bytes()).fine();
    }
    assert_eq!(wal(["cat", log]).fine().text(), "disk\nos\nbuffered\n");
}

#[test]
fn a_trailing_slash_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let plain = dir.path().join("log");
    let slashed = format!("{}/", arg(&plain));
    wal_fed(["append", &slashed], b"a\n").fine();
    wal_fed(["append", arg(&plain)], b"b\n").fine();
    assert_eq!(wal(["cat", &slashed]).fine().text(), "a\nb\n");
}
