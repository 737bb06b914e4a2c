//! The suite covers what it says it covers, and the engine itself passes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use wal_conformance::harness::{Runner, Suite, compare, kill_loop, matrix};

#[test]
fn every_operation_is_in_the_readme_and_in_a_scenario() {
    let readme = read("README.md");
    let tables = readme.split("\n## Operations\n").nth(1).expect("the section of operations");
    let tables = tables.split("\n## ").next().unwrap_or_default();
    let told: BTreeSet<&str> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`').step_by(2))
        .collect();
    let used = calls();
    let used: BTreeSet<&str> = used.iter().filter_map(|call| call.split(' ').next()).collect();
    assert!(told.len() > 50, "{told:?}");
    assert_eq!(told, used);
}

#[test]
fn every_option_of_the_list_and_every_value_of_one_is_in_a_scenario() {
    let mut wanted = BTreeSet::new();
    let list = read("../codes.toml");
    for section in list.split("\n[[").skip(1) {
        let text = |key: &str| {
            let line = section.lines().find(|line| line.starts_with(&format!("{key} = ")));
            line.and_then(|line| line.split('"').nth(1))
        };
        let Some(name) = text("name") else { continue };
        if section.starts_with("option]]") {
            let unit = text("unit").map(|unit| format!("_{unit}")).unwrap_or_default();
            wanted.insert(format!(" {name}{unit}="));
        } else if section.starts_with("enum]]") {
            let values = section.split("{ name = \"").skip(1);
            wanted.extend(
                values.map(|value| {
                    format!(" {name}={}", value.split('"').next().unwrap_or_default())
                }),
            );
        }
    }
    assert!(wanted.len() > 30, "{wanted:?}");
    let calls = calls();
    let opened: Vec<&String> = calls.iter().filter(|call| call.starts_with("open ")).collect();
    wanted.retain(|wanted| !opened.iter().any(|call| call.contains(&**wanted)));
    assert_eq!(wanted, BTreeSet::new(), "no opening has these");
}

#[test]
fn every_kind_that_can_be_provoked_is_in_a_transcript() {
    let list = read("../codes.toml");
    let codes = list.split("[[code]]\nname = \"").skip(1);
    let kinds: BTreeSet<String> = codes
        .filter_map(|code| Some(code.split('"').next()?.to_lowercase()))
        .filter(|kind| !NOT_PROVOKED.contains(&&**kind))
        .collect();
    assert_eq!(kinds.len(), 17 - NOT_PROVOKED.len());
    let transcripts = files("scenarios", "expected");
    let seen: BTreeSet<String> = transcripts
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("readable");
            let errors = text.lines().filter_map(|line| line.strip_prefix("error "));
            errors
                .filter_map(|error| error.split(' ').next())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(seen, kinds);
}

#[test]
fn no_transcript_and_no_golden_log_is_left_over() {
    for path in files("scenarios", "expected") {
        assert!(path.with_extension("scenario").exists(), "{}", path.display());
    }
    let calls = calls();
    let told = read("golden/README.md");
    for path in files("golden", "golden") {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let used = calls.iter().any(|call| {
            call.starts_with("golden ")
                && call.split(' ').any(|word| word == format!("name={name}"))
        });
        assert!(used, "no scenario unpacks {name}");
        assert!(
            told.contains(&format!("| `{name}` |")),
            "golden/README.md does not tell of {name}"
        );
    }
}

#[test]
fn the_engine_does_what_the_scenarios_expect() {
    let (count, failures) = compare(&Suite::of_checkout(), &runner()).expect("compared");
    assert_eq!(failures, Vec::<String>::new());
    assert!(count >= 40, "{count}");
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let done = kill_loop(&runner(), 3, 7).expect("no promise broken");
    assert_eq!(done.kills, 3);
    let done = matrix(&[runner(), runner()], 1, 8).expect("no promise broken");
    assert_eq!(done.kills, 6);
    assert!(done.acknowledged > 0);
}

#[test]
fn a_runner_that_loses_or_invents_is_found() {
    let scratch = tempfile::tempdir().expect("a directory");
    let real = env!("CARGO_BIN_EXE_conformance-runner");
    let liar = |name: &str, text: String| {
        let program = scratch.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("written");
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("executable");
        Runner { language: name.to_owned(), program }
    };
    let forgets = liar("forgets", format!("[ $1 = read ] && rm -r $2\nexec {real} \"$@\""));
    assert!(kill_loop(&forgets, 3, 1).is_err());
    let promises = liar(
        "promises",
        format!("[ $1 = read ] && exec {real} $*\necho open 0\nseq -f 'ack %.0f' 100\nsleep 9"),
    );
    assert!(kill_loop(&promises, 3, 1).is_err());
    let silent = liar("silent", "exit 0".to_owned());
    let (count, failures) = compare(&Suite::of_checkout(), &silent).expect("compared");
    assert_eq!(failures.len(), count);
}

/// A handle across `fork` is for the languages that can fork; the others are bugs.
const NOT_PROVOKED: [&str; 3] = ["forked", "internal", "panic"];

fn runner() -> Runner {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_conformance-runner"));
    Runner { language: "rust".to_owned(), program }
}

fn read(path: &str) -> String {
    fs::read_to_string(Suite::of_checkout().directory().join(path)).expect("readable")
}

fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Suite::of_checkout().directory().join(directory));
    let paths = entries.expect("a directory").map(|entry| entry.expect("readable").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// Every line of every scenario that is an operation.
fn calls() -> Vec<String> {
    let scenarios = Suite::of_checkout().scenarios().expect("scenarios");
    let texts = scenarios.iter().map(|scenario| scenario.text().expect("readable"));
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}
