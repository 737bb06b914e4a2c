//! What is refused, with which exit code, and what stays untouched.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::run::{arg, spawn, wal, wal_fed};
use crate::sample::numbered;

const READING: [&[&str]; 7] =
    [&["cat"], &["follow"], &["info"], &["verify"], &["repair"], &["get", "key"], &["export"]];
const WRITING: [&[&str]; 3] =
    [&["trim", "--before", "1"], &["truncate", "--after", "1"], &["set", "key"]];

fn with_dir<'a>(command: &[&'a str], dir: &'a str) -> Vec<&'a str> {
    let mut args = vec![command[0], dir];
    args.extend_from_slice(&command[1..]);
    args
}

#[test]
fn a_missing_directory_is_not_available_and_is_not_made() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = dir.path().join("missing");
    for command in READING.iter().chain(&WRITING) {
        wal(with_dir(command, arg(&missing))).refused(3, &["missing", "does not exist"]);
        assert!(!missing.exists(), "{command:?}");
    }
    wal(["append", arg(&missing), "no-such-file"]).refused(3, &["no-such-file"]);
    assert!(!missing.exists(), "no log is made for an input that is not there");
}

#[test]
fn an_empty_directory_is_no_log() {
    let dir = tempfile::tempdir().expect("a directory");
    for command in READING.iter().chain(&WRITING) {
        wal(with_dir(command, arg(dir.path()))).refused(3, &[]);
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

#[test]
fn a_file_is_no_log_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "text").expect("a file");
    for command in READING.iter().chain(&WRITING) {
        wal(with_dir(command, arg(&file))).refused(3, &["is a file"]);
    }
    wal_fed(["append", arg(&file)], b"x\n").refused(3, &["file"]);
    assert_eq!(fs::read(&file).expect("still there"), b"text");
}

#[test]
fn a_foreign_file_in_the_directory_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(5)).fine();
    let foreign = dir.path().join("README.txt");
    fs::write(&foreign, "not a segment").expect("a file");
    wal_fed(["append", log], b"record 6\n").fine();
    assert!(wal(["cat", log]).fine().stdout == numbered(6));
    wal(["verify", log]).fine();
    assert_eq!(fs::read(&foreign).expect("still there"), b"not a segment");
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(5)).fine();
    let mut writer = spawn(["append", log, "--ack"]);
    while !wal(["info", log, "--json"]).fine().json()["writer_alive"].as_bool().expect("a flag") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    wal_fed(["append", log], b"x\n").refused(3, &["locked"]);
    for command in WRITING {
        wal(with_dir(command, log)).refused(3, &["locked"]);
    }
    assert!(wal(["cat", log]).fine().stdout == numbered(5));
    wal(["info", log]).fine();
    wal(["verify", log]).fine();
    drop(writer.stdin.take());
    assert!(writer.wait().expect("it ends").success());
    wal_fed(["append", log], b"record 6\n").fine();
}

#[test]
fn a_directory_without_permission_is_not_available() {
    let dir = tempfile::tempdir().expect("a directory");
    let (parent, log) = (dir.path().join("parent"), dir.path().join("parent/log"));
    fs::create_dir(&parent).expect("a directory");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o555)).expect("own directory");
    if fs::write(parent.join("probe"), "").is_ok() {
        println!("SKIPPED: this user may write everywhere, permissions mean nothing");
        return;
    }
    wal_fed(["append", arg(&log)], b"x\n").refused(3, &["permission"]);
}

#[test]
fn wrong_usage_is_code_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"x\n").fine();
    let usage: [&[&str]; 13] = [
        &[],
        &["frobnicate"],
        &["cat"],
        &["cat", log, "--from", "0"],
        &["cat", log, "--from", "-1"],
        &["cat", log, "--since", "soon"],
        &["cat", log, "--format", "xml"],
        &["cat", log, "--format", "jsonl", "--null"],
        &["append", log, "--batch", "0"],
        &["append", log, "--durability", "maybe"],
        &["append", log, "--null", "--delimiter", ";"],
        &["append", log, "--segment-bytes", "1K"],
        &["append", log, "--segment-bytes", "lots"],
    ];
    for args in usage {
        let run = wal(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty() && run.stdout.is_empty(), "{args:?}");
    }
    for args in [["--help"], ["--version"]] {
        assert_eq!(wal(args).code, 0);
    }
}
