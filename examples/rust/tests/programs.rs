//! The example programs do what their first lines say.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo test` puts this package's examples: beside the directory of its tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test");
    let target = test.parent().and_then(Path::parent).expect("the target directory");
    let program = target.join("examples").join(name);
    assert!(program.exists(), "run all of `cargo test -p wal-demo`: it builds {program:?}");
    program
}

fn run(name: &str, dir: &Path) -> String {
    let output = Command::new(example(name)).arg(dir).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn append_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log");
    assert!(run("append", &log).ends_with("1: order 1\n2: order 2\n3: order 3\n"));
    let again = run("append", &log);
    assert!(again.contains("order 1 is record 4") && again.ends_with("6: order 3\n"), "{again}");
}

#[test]
fn batch_gets_dense_lsns() {
    let dir = tempfile::tempdir().expect("a directory");
    let said = run("batch", &dir.path().join("log"));
    assert_eq!(said, "the transfer is records 1-2\n1000 more are durable, up to record 2002\n");
}

#[test]
fn follow_sees_every_event() {
    let dir = tempfile::tempdir().expect("a directory");
    let said = run("follow", &dir.path().join("log"));
    assert_eq!(said, "1: event 1\n2: event 2\n3: event 3\n4: event 4\n5: event 5\n");
}

#[test]
fn recover_finds_everything_acknowledged_again_and_again() {
    let dir = tempfile::tempdir().expect("a directory");
    for _ in 0..3 {
        let said = run("recover", &dir.path().join("log"));
        assert!(said.contains("acknowledged records are there"), "{said}");
    }
}
