//! A device that answers a flush or a write with an error while a log is used.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::errand::Plan;
use super::file_system::FileSystem;
use super::image::Image;
use super::ledger::Ledger;
use super::recording::Fault;
use super::replay::{Effort, Replay};
use super::rig::Rig;
use crate::Rng;

/// What came of the cases.
#[derive(Debug, Default)]
pub struct Cases {
    /// Faults that struck and were judged.
    pub faults: u64,
    /// States that were mounted after them.
    pub states: u64,
    /// States whose file system did not mount.
    pub unmounted: u64,
    /// Faults after which the log, or the file system, could not be opened until power was lost.
    pub unopened: u64,
    /// The stories of promises that were broken.
    pub violations: Vec<String>,
}

/// Lets one request after the other fail, each with every way of going on after it, `every`th case
/// alone, until time is up.
///
/// # Errors
///
/// If the rig fails.
pub fn run(
    rig: &mut Rig,
    file_system: FileSystem,
    seed: u64,
    every: usize,
    until: Instant,
    keep: &Path,
) -> io::Result<Cases> {
    let mut cases = Cases::default();
    rig.record("libwal", file_system, seed, &[Plan::SameProcess], None)?;
    let (writes, flushes, _) = rig.disk.counts();
    let base = rig.base(file_system)?;
    let image = Image::new(file_system.bytes())?;
    let mount_point = rig.replay_mount_point();
    let mut replay = Replay::new(file_system, image, &mount_point, ("libwal", false), keep);
    let mut all: Vec<(Fault, &[Plan])> = Vec::new();
    for plans in WAYS {
        all.extend((1..=flushes).map(|number| (Fault::Flush(number), *plans)));
        all.extend((1..=writes).map(|number| (Fault::Write(number), *plans)));
        all.extend((1..=writes).map(|number| (Fault::Blocks(number), *plans)));
    }
    let start = Rng::new(seed).below(every);
    for (fault, plans) in all.into_iter().skip(start).step_by(every) {
        if Instant::now() >= until {
            break;
        }
        let recorded = rig.record("libwal", file_system, seed, plans, Some(fault))?;
        if !rig.disk.counts().2 {
            continue;
        }
        cases.faults += 1;
        let case = format!("  {}, seed {seed}, {fault:?}, then {plans:?}", file_system.name());
        let says = |what: &str| recorded.words.iter().any(|line| line.starts_with(what));
        cases.unopened += u64::from(says("unopened") || says("unmountable"));
        let told = recorded.words.iter().filter_map(|line| line.strip_prefix("violation "));
        cases.violations.extend(told.map(|line| format!("{case}:\n  {line}")));
        let ledger = Ledger::of(&recorded.events, 1).map_err(io::Error::other)?;
        let until = Instant::now() + Duration::from_secs(60);
        let effort = Effort { states: STATES, until, at_the_end: true, broken_max: 1, again: 0 };
        let outcome = replay.run(&base, &recorded.events, &ledger, seed, effort)?;
        cases.states += outcome.states;
        cases.unmounted += outcome.unmounted;
        let stories = outcome.violations.iter();
        let words = recorded.words.join("\n    ");
        cases
            .violations
            .extend(stories.map(|violation| format!("{case}\n    {words}\n{}", violation.story)));
        if cases.violations.len() >= VIOLATIONS_TOLD {
            break;
        }
    }
    Ok(cases)
}

/// How it goes on after a fault: in the same process, with or without what the page cache holds, or
/// in another one.
const WAYS: &[&[Plan]] =
    &[&[Plan::SameProcess], &[Plan::DropCaches], &[Plan::Remount], &[Plan::Leave, Plan::Again]];

/// Power is lost at the end: with nothing of what is pending, with all of it, and in other ways.
const STATES: usize = 4;

const VIOLATIONS_TOLD: usize = 3;
