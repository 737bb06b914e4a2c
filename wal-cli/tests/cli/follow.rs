//! `wal follow` beside a live writer.

use std::io::{BufRead, BufReader, Write};

use crate::run::{arg, spawn, wal, wal_fed};

#[test]
fn records_are_seen_while_the_writer_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"one\ntwo\n").fine();
    let mut follower = spawn(["follow", log, "--from", "2"]);
    let mut seen = BufReader::new(follower.stdout.take().expect("piped")).lines();
    let mut next = || seen.next().expect("a line").expect("text");
    assert_eq!(next(), "two");
    let mut writer = spawn(["append", log, "--segment-bytes", "64KiB"]);
    let mut stdin = writer.stdin.take().expect("piped");
    for word in ["three", "four", "five"] {
        writeln!(stdin, "{word}").expect("it reads");
        assert_eq!(next(), word);
    }
    // Over several segments, too.
    for number in 0..5_000 {
        writeln!(stdin, "a line long enough to fill segments, number {number}").expect("it reads");
    }
    drop(stdin);
    for number in 0..5_000 {
        assert_eq!(next(), format!("a line long enough to fill segments, number {number}"));
    }
    assert!(writer.wait().expect("it ends").success());
    follower.kill().expect("it lives until it is told not to");
    follower.wait().expect("it ended");
}

#[test]
fn start_and_end_are_positions() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"one\n").fine();
    let mut from_start = spawn(["follow", log, "--from", "start", "--format", "jsonl"]);
    let mut from_end = spawn(["follow", log]);
    let mut lines = BufReader::new(from_start.stdout.take().expect("piped")).lines();
    let line = lines.next().expect("a line").expect("text");
    assert!(line.starts_with(r#"{"lsn":1,"#), "{line}");
    // The other one says nothing until there is something new; its start is not observable.
    let mut seen = BufReader::new(from_end.stdout.take().expect("piped")).lines();
    for number in 0..100 {
        wal_fed(["append", log], format!("new {number}\n").as_bytes()).fine();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let first = seen.next().expect("a line").expect("text");
    assert!(first.starts_with("new "), "{first}");
    for mut child in [from_start, from_end] {
        child.kill().expect("it lives");
        child.wait().expect("it ended");
    }
    wal(["verify", log]).fine();
}
