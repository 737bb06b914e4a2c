//! Which records `wal cat` prints, and how.

use std::io::Read;
use std::time::{Duration, SystemTime};

use crate::run::{arg, spawn, wal, wal_fed};
use crate::sample::numbered;

fn numbered_log(count: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    wal_fed(["append", arg(dir.path()), "--batch", "3"], &numbered(count)).fine();
    dir
}

fn cat(log: &str, options: &[&str]) -> Vec<u64> {
    let run = wal(["cat", log].iter().chain(options)).fine();
    let number = |line: &str| line.strip_prefix("record ")?.parse().ok();
    run.lines().into_iter().map(|line| number(line).expect("a numbered record")).collect()
}

#[test]
fn bounds_limits_and_direction_choose_the_records() {
    let dir = numbered_log(10);
    let log = arg(dir.path());
    assert_eq!(cat(log, &["--from", "8"]), [8, 9, 10]);
    assert_eq!(cat(log, &["--to", "2"]), [1, 2]);
    assert_eq!(cat(log, &["--from", "4", "--to", "5"]), [4, 5]);
    assert_eq!(cat(log, &["--from", "4", "--limit", "2"]), [4, 5]);
    assert_eq!(cat(log, &["--limit", "0"]), [0u64; 0]);
    assert_eq!(cat(log, &["--reverse", "--limit", "3"]), [10, 9, 8]);
    assert_eq!(cat(log, &["--reverse", "--from", "2", "--to", "4"]), [4, 3, 2]);
    assert_eq!(cat(log, &["--reverse"]), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(cat(log, &["--from", "11"]), [0u64; 0]);
    assert_eq!(cat(log, &["--from", "5", "--to", "4"]), [0u64; 0]);
    assert_eq!(cat(log, &["--to", "1000"]).len(), 10);
}

#[test]
fn trimmed_records_are_refused_by_name() {
    let dir = numbered_log(10);
    let log = arg(dir.path());
    wal(["trim", log, "--before", "6"]).fine();
    wal(["cat", log, "--from", "2"]).refused(1, &["trimmed", "--from 6"]);
    assert_eq!(cat(log, &[]), [6, 7, 8, 9, 10]);
}

#[test]
fn since_a_time_means_committed_then_or_later() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(3)).fine();
    std::thread::sleep(Duration::from_millis(30));
    let between = humantime::format_rfc3339_nanos(SystemTime::now()).to_string();
    std::thread::sleep(Duration::from_millis(30));
    wal_fed(["append", log], b"record 4\nrecord 5\n").fine();
    assert_eq!(cat(log, &["--since", &between]), [4, 5]);
    assert_eq!(cat(log, &["--since", &between, "--reverse"]), [5, 4]);
    assert_eq!(cat(log, &["--since", &between, "--from", "5"]), [5]);
    assert_eq!(cat(log, &["--since", "1h ago"]).len(), 5);
    assert_eq!(cat(log, &["--since", "2999-01-01T00:00:00Z"]), [0u64; 0]);
}

#[test]
fn hex_shows_offsets_bytes_and_text() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"0123456789abcdef\x01Z\n").fine();
    let run = wal(["cat", log, "--format", "hex"]).fine();
    let lines = run.lines();
    assert!(lines[0].starts_with("LSN 1, 18 bytes, 20"), "{}", lines[0]);
    assert_eq!(
        lines[1],
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|"
    );
    assert!(lines[2].starts_with("00000010  01 5a ") && lines[2].ends_with("|.Z|"), "{}", lines[2]);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log, "--durability", "os"], &numbered(300_000)).fine();
    for format in ["raw", "jsonl", "hex"] {
        let mut child = spawn(["cat", log, "--format", format]);
        let mut start = [0u8; 10];
        child.stdout.take().expect("piped").read_exact(&mut start).expect("it prints");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert!(output.stderr.is_empty(), "{format}: {:?}", output.stderr);
    }
}
