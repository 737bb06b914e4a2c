//! The shared library exports what was agreed on, under the name programs load it by.

use std::path::PathBuf;
use std::process::Command;

/// A removed symbol breaks every program that uses it, an added one is a promise: both are made
/// here, on purpose, in the same change.
#[test]
fn the_library_exports_the_committed_symbols_and_no_others() {
    let output = run("nm", &["-D", "--defined-only", "--format=posix"]);
    let mut found: Vec<&str> =
        output.lines().filter_map(|line| line.split_whitespace().next()).collect();
    found.sort_unstable();
    let text = found.join("\n") + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("symbols.txt");
    if std::env::var_os("WAL_UPDATE_HEADER").is_some() {
        std::fs::write(&path, &text).expect("symbols.txt is writable");
    }
    let committed = std::fs::read_to_string(&path).expect("symbols.txt");
    let foreign: Vec<_> = found.iter().filter(|name| !name.starts_with("wal_")).collect();
    assert!(foreign.is_empty(), "only wal_* may be exported: {foreign:?}");
    assert_eq!(text, committed, "run this test with WAL_UPDATE_HEADER=1 if that is meant");
}

#[test]
fn the_header_declares_every_exported_function() {
    let header =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../include/wal.h"))
            .expect("wal.h");
    let output = run("nm", &["-D", "--defined-only", "--format=posix"]);
    let names: Vec<&str> =
        output.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        let is_declared = [" ", "*"].iter().any(|b| header.contains(&format!("{b}{name}(")));
        assert!(is_declared, "include/wal.h lacks {name}: add its source to tests/header.rs");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_library_is_loaded_by_its_versioned_name() {
    let output = run("readelf", &["-d"]);
    let line = output.lines().find(|line| line.contains("SONAME")).expect("a SONAME");
    assert!(line.contains("[libwal.so.0]"), "{line}");
}

/// What a tool of binutils says about the built library.
fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .arg(library())
        .output()
        .unwrap_or_else(|error| panic!("{tool} does not run, install binutils: {error}"));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are ASCII")
}

/// The shared library of this build: it lies beside the test program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let library = program.parent().expect("a directory").join("libwal.so");
    assert!(library.exists(), "{} was not built", library.display());
    library
}
