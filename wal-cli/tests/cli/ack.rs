//! The protocol of `wal append --ack`: a line is a promise.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::run::{arg, command, spawn, wal, wal_fed};
use crate::sample::numbered;

fn range(line: &str) -> (u64, u64) {
    let (first, last) = line.split_once('-').expect("FIRST-LAST");
    (first.parse().expect("an LSN"), last.parse().expect("an LSN"))
}

#[test]
fn acknowledged_ranges_are_dense_and_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    let run = wal_fed(["append", log, "--ack"], &numbered(50_000)).fine();
    let mut next = 1;
    for line in run.lines() {
        let (first, last) = range(line);
        assert!(first == next && last >= first, "{line}");
        next = last + 1;
    }
    assert_eq!(next, 50_001);
    let run = wal_fed(["append", log, "--ack", "--batch", "2"], b"a\nb\nc\n").fine();
    assert_eq!(run.text(), "50001-50002\n50003-50003\n");
}

#[test]
fn a_line_is_acknowledged_while_the_input_stays_open() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = spawn(["append", arg(dir.path()), "--ack"]);
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    for number in 1..=3 {
        stdin.write_all(b"a line\n").expect("it reads");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it answers");
        assert_eq!(line, format!("{number}-{number}\n"));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    for (round, segment_bytes) in ["64KiB", "64KiB", "1MiB", "64MiB"].into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("a directory");
        let log = arg(dir.path());
        let (mut acknowledged, mut kept) = (0, 0);
        for life in 0..4 {
            let lines: Vec<u8> = (kept + 1..kept + 400_000)
                .flat_map(|number: u64| format!("record {number}\n").into_bytes())
                .collect();
            acknowledged =
                one_life(log, segment_bytes, lines, 1 + 7 * life * (round + 1)).max(acknowledged);
            let cat = wal(["cat", log]).fine();
            kept = cat.lines().len() as u64;
            assert!(kept >= acknowledged, "{acknowledged} acknowledged, {kept} there");
            assert!(cat.stdout == numbered(kept), "records in order, each once");
        }
        wal(["verify", log]).fine();
    }
}

/// Kills the writer after some acknowledgements; returns the last one heard, also after the kill.
fn one_life(log: &str, segment_bytes: &str, lines: Vec<u8>, kill_after: usize) -> u64 {
    let mut child = spawn(["append", log, "--ack", "--segment-bytes", segment_bytes]);
    let mut stdin = child.stdin.take().expect("piped");
    let feeder = thread::spawn(move || drop(stdin.write_all(&lines)));
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let (mut last, mut heard) = (0, 0);
    let mut line = String::new();
    while stdout.read_line(&mut line).expect("it answers or ends") > 0 {
        if let Some(whole) = line.strip_suffix('\n') {
            last = range(whole).1;
            heard += 1;
        }
        line.clear();
        if heard == kill_after {
            child.kill().expect("it lives");
        }
    }
    child.kill().expect("it can be killed twice");
    child.wait().expect("it ended");
    feeder.join().expect("the feeder ends with the command");
    last
}

#[test]
fn appending_stops_when_nobody_hears_the_acknowledgements() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    let mut child = command(["append", log, "--ack", "--batch", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    // The input stays open: the command must end all the same.
    while stdin.write_all(b"a line\n").is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    assert!(!stderr.contains("wal: "), "{stderr}");
    wal(["verify", log]).fine();
}
