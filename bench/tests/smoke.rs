//! The command from end to end, on tiny workloads: that figures come out, not what they are.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

#[test]
fn every_kind_of_work_gives_figures_for_libwal_and_its_floor() {
    let names = ["P1", "P2", "P3-32", "P4", "P4-batches", "P5", "P5-os", "P6-warm", "P7"];
    let names = names.into_iter().chain(["P9", "P10", "P11"]);
    for name in names {
        for system in ["floor", "libwal"] {
            let outcome = measure(system, name);
            let sample = &outcome["measured"];
            assert!(sample["ops"].as_u64().unwrap_or(0) > 0, "{name} {system}: {outcome}");
            assert!(sample["seconds"].as_f64().unwrap() > 0.0, "{name} {system}: {outcome}");
        }
    }
}

#[test]
fn what_a_workload_is_about_is_in_its_figures() {
    let waiting = &measure("libwal", "P1")["measured"];
    let (ops, syncs) = (waiting["ops"].as_u64().unwrap(), waiting["syncs"].as_u64().unwrap());
    // One appender that waits makes one sync for each record; the ends of the window cut one.
    assert!(syncs + 1 >= ops, "{syncs} syncs for {ops} appends");
    assert!(waiting["p50_us"].as_f64().unwrap() <= waiting["p99_us"].as_f64().unwrap());
    let idle = &measure("libwal", "P11")["measured"];
    assert!(idle["descriptors"].as_u64().unwrap() >= 1, "{idle}");
    let disk = &measure("libwal", "P10")["measured"];
    assert!(disk["disk_bytes"].as_u64().unwrap() >= disk["bytes"].as_u64().unwrap(), "{disk}");
}

#[test]
fn a_system_that_does_not_exist_and_work_it_cannot_do_are_outcomes() {
    let unknown = measure("nolog", "P1");
    assert!(unknown["failed"].as_str().unwrap().contains("nolog"), "{unknown}");
    let unable = measure("floor (memory)", "P1");
    assert!(unable["unsupported"].is_string(), "{unable}");
}

#[test]
fn a_run_writes_rows_with_ratios_and_says_how_the_goals_fare() {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let results = scratch.path().join("results.json");
    let directory = scratch.path().to_string_lossy().into_owned();
    let file = results.to_string_lossy().into_owned();
    let output = bench(&[
        "run",
        "--quick",
        "--rounds",
        "1",
        "--only",
        "P1",
        "--system",
        "libwal",
        "--directory",
        &directory,
        "--results",
        &file,
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("p50 at most 1.10 x floor"), "{said}");
    let all = said.lines().last().unwrap();
    assert!(said.contains("Wall time") && all.starts_with("all"), "{said}");
    let rows: Value = serde_json::from_str(&fs::read_to_string(&results).unwrap()).unwrap();
    let rows = rows.as_array().unwrap();
    let row = |system: &str| rows.iter().find(|row| row["system"] == system && row["id"] == "P1");
    assert_eq!(row("floor").unwrap()["ratio_floor"], 1.0);
    assert!(row("libwal").unwrap()["ratio_floor"].as_f64().unwrap() > 0.0);
    assert!(scratch.path().join("machine.json").exists());
    let left = fs::read_dir(scratch.path()).unwrap().count();
    assert_eq!(left, 2, "a run leaves nothing behind but its files");
}

/// On a machine that is busy with something else nothing may end in a short time.
fn measure(system: &str, workload: &str) -> Value {
    for seconds in ["0.05", "0.5"] {
        let outcome = measure_for(seconds, system, workload);
        if !outcome["failed"].as_str().is_some_and(|text| text.contains("no operation")) {
            return outcome;
        }
    }
    measure_for("5", system, workload)
}

fn measure_for(seconds: &str, system: &str, workload: &str) -> Value {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| scratch.path().join(name).to_string_lossy().into_owned();
    let (log, prepared, output) = (path("log"), path("prepared"), path("outcome"));
    fs::create_dir(&log).unwrap();
    fs::create_dir(&prepared).unwrap();
    let done = bench(&[
        "measure",
        "--system",
        system,
        "--workload",
        workload,
        "--directory",
        &log,
        "--prepared",
        &prepared,
        "--output",
        &output,
        "--parallel",
        parallel(workload),
        "--bytes",
        "1048576",
        "--seconds",
        seconds,
        "--warm-up",
        "0.01",
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&fs::read_to_string(Path::new(&output)).unwrap()).unwrap()
}

fn parallel(workload: &str) -> &'static str {
    match workload {
        "P2" | "P3-32" | "P11" => "3",
        _ => "1",
    }
}

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wal-bench")).args(arguments).output().unwrap()
}
