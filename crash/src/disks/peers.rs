//! The other logs on the same disks, and what was found.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;

use super::FileSystem;
use super::campaign::{Janitor, WorkOrder, obstacle};
use super::host::has;
use super::replay::Kind;
use crate::System;

/// Puts every log, libwal too, through the same plain workload and the same crash states, and
/// prints a table of what was found.
///
/// # Errors
///
/// If the rig fails.
pub fn run(states: usize, only: Option<&str>) -> io::Result<ExitCode> {
    if let Some(why) = obstacle() {
        println!("NOT RUN: other logs on real file systems ({why})");
        return Ok(ExitCode::SUCCESS);
    }
    let _janitor = Janitor::start()?;
    let mut rows = Vec::new();
    for system in crate::systems() {
        if only.is_some_and(|only| only != system.name()) {
            continue;
        }
        for pair in FileSystem::ALL.chunks(2) {
            let there = pair.iter().filter(|file_system| has(file_system.maker()));
            let started: io::Result<Vec<_>> =
                there.map(|file_system| start(&*system, *file_system, states)).collect();
            for (file_system, worker) in started? {
                rows.push(Row::read(&*system, file_system, worker)?);
            }
        }
    }
    println!(
        "| log | version | file system | crash states | lost an acknowledged record | wrong \
              bytes or order | did not open | opened, but could not go on | hung |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    Ok(ExitCode::SUCCESS)
}

fn start(
    system: &dyn System,
    file_system: FileSystem,
    states: usize,
) -> io::Result<(FileSystem, super::campaign::Worker)> {
    let order = WorkOrder {
        file_system: file_system.name().to_owned(),
        log: system.name().to_owned(),
        plain: true,
        seed: SEED,
        states,
        depth: states.div_ceil(RECORDINGS),
        fault_every: 1,
        seconds: SECONDS,
    };
    Ok((file_system, order.start()?))
}

struct Row {
    log: String,
    file_system: FileSystem,
    states: u64,
    unmounted: u64,
    broken: BTreeMap<String, u64>,
}

impl Row {
    fn read(
        system: &dyn System,
        file_system: FileSystem,
        mut worker: super::campaign::Worker,
    ) -> io::Result<Row> {
        let log = format!("{} | {}", system.name(), system.version());
        let mut row = Row { log, file_system, states: 0, unmounted: 0, broken: BTreeMap::new() };
        let Some(lines) = worker.child.stdout.take() else { return Ok(row) };
        let mut told = BTreeMap::new();
        for line in BufReader::new(lines).lines() {
            let line = line?;
            let words: Vec<_> = line.splitn(3, ' ').collect();
            match words[..] {
                ["states", count] => row.states += count.parse().unwrap_or(0),
                ["unmounted", count] => row.unmounted += count.parse().unwrap_or(0),
                ["broken", kind, count] => {
                    *row.broken.entry(kind.to_owned()).or_default() += count.parse().unwrap_or(0);
                }
                ["violation", ..] => {
                    let story = line["violation ".len()..].replace('\u{1}', "\n");
                    // The last line but one but two says which promise it is.
                    let promise = story.lines().find(|line| line.contains("breaks the promise"));
                    let times = told.entry(promise.unwrap_or("").to_owned()).or_insert(0);
                    *times += 1;
                    if *times == 1 {
                        eprintln!("{}: found\n{story}\n", system.name());
                    }
                }
                _ => {}
            }
        }
        if !worker.child.wait()?.success() {
            eprintln!("{} on {}: the worker did not end well", system.name(), file_system.name());
        }
        Ok(row)
    }

    fn print(&self) {
        let count = |kind: Kind| self.broken.get(&format!("{kind:?}")).copied().unwrap_or(0);
        println!(
            "| {} | {} | {}{} | {} | {} | {} | {} | {} |",
            self.log,
            self.file_system.name(),
            self.states,
            if self.unmounted > 0 {
                format!(" ({} did not mount)", self.unmounted)
            } else {
                String::new()
            },
            count(Kind::Lost),
            count(Kind::Wrong),
            count(Kind::DidNotOpen),
            count(Kind::DidNotGoOn),
            count(Kind::Hung),
        );
    }
}

/// The same workloads for every log.
const SEED: u64 = 20_261_122;

/// Each with records of other sizes.
const RECORDINGS: usize = 4;

const SECONDS: u64 = 600;
