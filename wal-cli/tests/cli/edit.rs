//! The commands that change a log: trim, truncate, set and copy.

use crate::run::{arg, wal, wal_fed};
use crate::sample::numbered;

#[test]
fn trim_drops_the_head_and_truncate_the_tail() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(10)).fine();
    let run = wal(["trim", log, "--before", "4"]).fine();
    assert_eq!(run.text(), "trimmed from LSN 1: the log starts at LSN 4\n");
    let run = wal(["truncate", log, "--after", "6"]).fine();
    assert_eq!(run.text(), "truncated from LSN 10: the log ends at LSN 6\n");
    assert_eq!(wal(["cat", log]).fine().text(), "record 4\nrecord 5\nrecord 6\n");
    let run = wal(["trim", log, "--before", "2"]).fine();
    assert_eq!(run.text(), "nothing to trim: the log starts at LSN 4\n");
    let run = wal_fed(["append", log, "--ack"], b"record 7\n").fine();
    assert_eq!(run.text(), "7-7\n");
    wal(["verify", log]).fine();
}

#[test]
fn trimming_beyond_the_end_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(3)).fine();
    wal(["trim", log, "--before", "5"]).refused(2, &["5"]);
    assert_eq!(wal(["cat", log]).fine().lines().len(), 3);
    let run = wal(["trim", log, "--before", "4"]).fine();
    assert!(run.text().ends_with("the log is empty, its next LSN is 4\n"), "{}", run.text());
    assert!(wal(["cat", log]).fine().stdout.is_empty());
    assert_eq!(wal_fed(["append", log, "--ack"], b"x").fine().text(), "4-4\n");
}

#[test]
fn values_are_set_read_and_deleted() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"a record\n").fine();
    wal(["get", log, "term"]).refused(3, &["no key `term`"]);
    wal(["set", log, "term", "7"]).fine();
    wal(["set", log, "empty", ""]).fine();
    assert_eq!(wal(["get", log, "term"]).fine().stdout, b"7");
    assert_eq!(wal(["get", log, "empty"]).fine().stdout, b"");
    wal(["set", log, "term", "8\n"]).fine();
    assert_eq!(wal(["get", log, "term"]).fine().stdout, b"8\n");
    wal(["set", log, "term"]).fine();
    wal(["get", log, "term"]).refused(3, &["no key"]);
    let again = wal(["set", log, "term"]).fine();
    assert!(again.stderr.contains("there was no key"), "{}", again.stderr);
    wal(["set", log, &"k".repeat(300), "v"]).refused(2, &[]);
}

#[test]
fn a_copy_beside_a_live_writer_is_a_log_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, copy) = (dir.path().join("log"), dir.path().join("copy"));
    wal_fed(["append", arg(&log), "--segment-bytes", "64KiB"], &numbered(20_000)).fine();
    wal(["set", arg(&log), "key", "value"]).fine();
    let mut writer = crate::run::spawn(["append", arg(&log), "--ack"]);
    let run = wal(["copy", arg(&log), arg(&copy)]).fine();
    assert!(run.text().starts_with("copied 20,000 records (LSN 1-20000) to "), "{}", run.text());
    drop(writer.stdin.take());
    writer.wait().expect("it ends");
    assert!(wal(["cat", arg(&copy)]).fine().stdout == numbered(20_000));
    assert_eq!(wal(["get", arg(&copy), "key"]).fine().stdout, b"value");
    let uuid = |path| wal(["info", path, "--json"]).fine().json()["uuid"].clone();
    assert_ne!(uuid(arg(&log)), uuid(arg(&copy)));
    wal(["verify", arg(&copy)]).fine();
    wal_fed(["append", arg(&copy)], b"its own\n").fine();
    let again = wal(["copy", arg(&log), arg(&copy)]);
    assert_ne!(again.code, 0, "a log is not copied over another");
}
