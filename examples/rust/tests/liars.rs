//! A demonstration that cannot fail shows nothing: these writers lie, and it must say so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wal_core::{Log, Options};

/// Runs the demonstration with a shell script for a writer; returns its words.
fn demonstrate(work: &Path, script: &str) -> String {
    let (writer, text) = (work.join("writer"), work.join("text"));
    fs::write(&writer, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&writer, fs::Permissions::from_mode(0o755)).expect("own file");
    let lines: String = (1..=2_000).map(|number| format!("line {number}\n")).collect();
    fs::write(&text, lines).expect("a text");
    let output = Command::new(env!("CARGO_BIN_EXE_wal-demo"))
        .args([&writer, work, &text])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "a lie is no success");
    String::from_utf8(output.stderr).expect("text")
}

fn log_of(work: &Path, records: &[&str]) -> PathBuf {
    let dir = work.join("log");
    let (log, _) = Log::open(&dir, Options::default()).expect("a new log");
    log.append_batch(records).expect("room");
    log.close().expect("a good disk");
    dir
}

#[test]
fn an_acknowledged_line_that_is_gone_is_reported() {
    let work = tempfile::tempdir().expect("a directory");
    log_of(work.path(), &["line 1", "line 2"]);
    let said = demonstrate(work.path(), "echo 1-500; exec sleep 60");
    assert!(said.contains("LOST: lines 3 to 500 were acknowledged and are gone"), "{said}");
}

#[test]
fn a_line_in_the_wrong_place_is_reported() {
    let work = tempfile::tempdir().expect("a directory");
    log_of(work.path(), &["line 1", "line 3"]);
    let said = demonstrate(work.path(), "echo 1-500; exec sleep 60");
    assert!(said.contains("record 2 is not line 2 of the input"), "{said}");
}

#[test]
fn a_log_that_is_not_there_is_reported() {
    let work = tempfile::tempdir().expect("a directory");
    let said = demonstrate(work.path(), "echo 1-500; exec sleep 60");
    assert!(said.contains("the log does not open after a kill"), "{said}");
}

#[test]
fn a_writer_that_gives_up_is_reported() {
    let work = tempfile::tempdir().expect("a directory");
    let said = demonstrate(work.path(), "echo no disk >&2; exit 3");
    assert!(said.contains("ended with exit status: 3") && said.contains("no disk"), "{said}");
}
