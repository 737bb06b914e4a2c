//! Small rules a line of Rust keeps: ASCII, its width, and calls that have no place here.

use crate::exceptions;
use crate::finding::Finding;
use crate::source::{Source, is_name, line_of, words};
use crate::tree::Tree;

/// Everything ill-mannered in one source.
pub fn check(file: &Source) -> Vec<Finding> {
    if file.is_generated() {
        return Vec::new();
    }
    let mut findings = wide_lines(file);
    findings.extend(left_overs(file));
    if !file.is_test() {
        findings.extend(outside_world(file));
        findings.extend(unsafe_code(file));
    }
    findings
}

/// What every text file of the project keeps, whatever its language.
///
/// # Errors
/// A file that cannot be read.
pub fn check_texts(tree: &Tree) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for path in tree.files().filter(|path| is_text(path)) {
        findings.extend(plain_lines(path, &tree.read(path)?));
    }
    Ok(findings)
}

/// Golden files are what they are.
fn is_text(path: &str) -> bool {
    let golden = path.split('/').any(|part| matches!(part, "testdata" | "fixtures" | "golden"));
    !golden && TEXT_ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn plain_lines(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut say = |text: &str| findings.push(Finding::at(path, index + 1, text));
        if !line.is_ascii() {
            say("not ASCII: write an escape or another word");
        }
        if line.ends_with([' ', '\t']) {
            say("white space at the end of the line");
        }
        if line.contains('\r') {
            say("a carriage return: lines end with a line feed alone");
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::of_file(path, "no line feed at the end"));
    }
    findings
}

fn wide_lines(file: &Source) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let wide = lines.filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX);
    wide.map(|(index, _)| Finding::at(&file.path, index + 1, "wider than 100 columns")).collect()
}

fn left_overs(file: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, instead) in REFUSED {
        for at in file.code.match_indices(what).map(|(at, _)| at) {
            let before = file.code[..at].chars().next_back();
            if !before.is_some_and(is_name) {
                let text = format!("`{what}`: {instead}");
                findings.push(Finding::at(&file.path, line_of(&file.code, at), text));
            }
        }
    }
    for at in file.code.match_indices(".to_string()").map(|(at, _)| at) {
        let after = file.code[at + ".to_string()".len()..].trim_start();
        if !file.is_test() && after.starts_with(".contains") {
            let text = "errors are told apart by their kind, never by their text";
            findings.push(Finding::at(&file.path, line_of(&file.code, at), text));
        }
    }
    findings
}

/// In the engine, only the storage layer touches files and the wall clock: that is what lets a
/// crash be simulated at every operation.
fn outside_world(file: &Source) -> Vec<Finding> {
    if !file.path.starts_with("wal-core/src/") {
        return Vec::new();
    }
    let system = exceptions::may_touch_the_system(&file.path);
    let calls = [
        ("std::fs", system),
        ("SystemTime::now", system),
        ("Instant::now", exceptions::may_measure_time(&file.path)),
    ];
    let mut findings = Vec::new();
    for (what, _) in calls.iter().filter(|(_, allowed)| !allowed) {
        for (at, _) in file.shipped.match_indices(what) {
            let text = format!("`{what}` here: go through vfs, or see ci/xtask/src/exceptions.rs");
            findings.push(Finding::at(&file.path, line_of(&file.shipped, at), text));
        }
    }
    findings
}

fn unsafe_code(file: &Source) -> Vec<Finding> {
    if exceptions::may_be_unsafe(&file.path) {
        return Vec::new();
    }
    words(&file.code, "unsafe")
        .map(|at| {
            let text = "`unsafe` in a file that is not in ci/xtask/src/exceptions.rs";
            Finding::at(&file.path, line_of(&file.code, at), text)
        })
        .collect()
}

const LINE_COLUMNS_MAX: usize = 100;
const TEXT_ENDINGS: &[&str] =
    &[".rs", ".md", ".sh", ".toml", ".c", ".h", ".hpp", ".py", ".in", "Makefile"];
const REFUSED: &[(&str, &str)] = &[
    ("todo!", "finish it or leave it out"),
    ("unimplemented!", "finish it or leave it out"),
    ("dbg!", "a left-over"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        check(&Source::new(path, text.to_owned()))
    }

    #[test]
    fn ill_mannered_lines_are_found() {
        assert_eq!(plain_lines("a.rs", "// \u{e9}\n").len(), 1);
        assert_eq!(plain_lines("a.md", "a \nb\t\n").len(), 2);
        assert_eq!(plain_lines("a.md", "a\nb").len(), 1);
        assert_eq!(plain_lines("a.md", "a\nb\n"), []);
        assert_eq!(findings("a.rs", &format!("{}\n", "x".repeat(101))).len(), 1);
        assert_eq!(findings("a.rs", &format!("{}\n", "x".repeat(100))).len(), 0);
    }

    #[test]
    fn golden_files_are_left_as_they_are() {
        assert!(is_text("a/b.md") && is_text("Makefile") && is_text("ci/xtask/src/main.rs"));
        assert!(!is_text("a/fixtures/b.md") && !is_text("testdata/a.toml") && !is_text("a.png"));
    }

    #[test]
    fn left_overs_are_found_in_code_only() {
        let found = findings("a.rs", "fn a() {\n todo!()\n}\n// todo!()\nfn b() { my_todo!() }");
        assert_eq!((found.len(), found[0].line), (1, 2));
        assert_eq!(findings("a.rs", "unimplemented!(); dbg!(a);").len(), 2);
    }

    #[test]
    fn telling_errors_apart_by_their_text_is_found() {
        assert_eq!(findings("a.rs", "if error.to_string()\n  .contains(b) {}").len(), 1);
        assert_eq!(findings("a/tests/b.rs", "assert!(error.to_string().contains(b))").len(), 0);
    }

    #[test]
    fn the_engine_reaches_files_and_clocks_through_vfs_only() {
        let text = "use std::fs;\nfn a() { SystemTime::now(); Instant::now(); }";
        assert_eq!(findings("wal-core/src/recovery.rs", text).len(), 3);
        assert_eq!(findings("wal-core/src/background/pool.rs", text).len(), 2);
        assert_eq!(findings("wal-core/src/vfs/buffered.rs", text).len(), 0);
        assert_eq!(findings("wal-cli/src/main.rs", text).len(), 0);
        let test = format!("#[cfg(test)]\nmod tests {{ {text} }}");
        assert_eq!(findings("wal-core/src/recovery.rs", &test).len(), 0);
    }

    #[test]
    fn unsafe_code_is_found_outside_the_files_that_need_it() {
        assert_eq!(findings("wal-core/src/log.rs", "unsafe { a() }").len(), 1);
        assert_eq!(findings("wal-ffi/src/boundary.rs", "unsafe { a() }").len(), 0);
        assert_eq!(findings("wal-core/src/log.rs", "// unsafe\n#![deny(unsafe_code)]").len(), 0);
    }
}
