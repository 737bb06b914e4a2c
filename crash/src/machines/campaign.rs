//! The rung: chains of power cuts, two at a time, and what they come to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::chain::{Chain, empty};
use super::home::Home;
use super::machine::{Machines, QEMU};
use super::picture;
use crate::Tally;
use crate::disks::{Blocks, FileSystem, has};

/// What a campaign has to reach.
#[derive(Clone, Debug)]
pub struct Goal {
    seed: u64,
    /// Chains at the same time.
    workers: usize,
    /// Cuts in one chain.
    cuts: u64,
    /// Chains in all.
    chains: usize,
    /// The file systems of the chains, in turn.
    file_systems: &'static [FileSystem],
    /// When no new chain is begun.
    until: Instant,
}

impl Goal {
    /// Two cuts with a fixed seed.
    pub fn slice() -> Goal {
        let until = Instant::now() + Duration::from_secs(CHAINS_WITHIN);
        Goal {
            seed: SLICE_SEED,
            workers: 1,
            cuts: 2,
            chains: 1,
            // The one whose modules are loaded at once.
            file_systems: &FILE_SYSTEMS[..1],
            until,
        }
    }

    /// As many as there is time for, or so many chains.
    pub fn full(seed: Option<u64>, chains: Option<usize>) -> Goal {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let seconds = if chains.is_some() { None } else { number("WAL_CRASH_SECONDS") };
        let seconds = seconds.unwrap_or(if chains.is_some() { CHAINS_WITHIN } else { 80 });
        Goal {
            seed: seed.or_else(|| number("WAL_CRASH_SEED")).unwrap_or(clock),
            workers: std::thread::available_parallelism().map_or(2, usize::from).min(WORKERS_MAX),
            cuts: CUTS_OF_A_CHAIN,
            chains: chains.unwrap_or(usize::MAX),
            file_systems: &FILE_SYSTEMS,
            until: Instant::now() + Duration::from_secs(seconds),
        }
    }
}

/// Runs the rung with the kernel in a directory.
///
/// # Errors
///
/// If a machine cannot be run at all.
pub fn run(goal: &Goal, kernel: &Path) -> io::Result<ExitCode> {
    let mut tally = Tally::new("machines");
    if let Some(why) = obstacle(kernel) {
        println!("NOT RUN: power cuts of a virtual machine ({why})");
        return Ok(ExitCode::SUCCESS);
    }
    println!("machines: seed {} (WAL_CRASH_SEED)", goal.seed);
    let home = Home::new(&std::env::temp_dir())?;
    let began = Instant::now();
    let machines = picture::take(kernel, home.path(), goal.file_systems)?;
    let accelerator = machines.accelerator.name();
    println!("machines: booted under {accelerator} in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let work = Work { goal, machines: &machines, home: home.path(), taken: Mutex::new((0, false)) };
    let tallied = Mutex::new(&mut tally);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..goal.workers)
            .map(|worker| {
                let (work, tallied) = (&work, &tallied);
                scope.spawn(move || work.go_on(worker, tallied))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().map_err(|_| io::Error::other("a worker panicked"))?
        })
    })?;
    let rate = tally.figure("power cuts") as f64 * 60.0 / began.elapsed().as_secs_f64();
    println!("machines: {rate:.0} cuts a minute");
    tally.finish()
}

/// What keeps the rung from being run here.
fn obstacle(kernel: &Path) -> Option<String> {
    if !has(QEMU) {
        return Some("qemu-system-x86 is not installed".to_owned());
    }
    if !kernel.is_dir() {
        return Some(format!("no kernel in {}", kernel.display()));
    }
    (!has("mkfs.ext4")).then(|| "e2fsprogs is not installed".to_owned())
}

/// What the workers share.
struct Work<'a> {
    goal: &'a Goal,
    machines: &'a Machines,
    home: &'a Path,
    /// How many chains were begun, and whether one has broken a promise.
    taken: Mutex<(usize, bool)>,
}

impl Work<'_> {
    fn go_on(&self, worker: usize, tally: &Mutex<&mut Tally>) -> io::Result<()> {
        let home = self.home.join(format!("worker-{worker}"));
        std::fs::create_dir(&home)?;
        let keep = std::env::temp_dir().join("wal-crash-kept");
        let mut bases: HashMap<FileSystem, Blocks> = HashMap::new();
        while let Some(number) = self.next() {
            let file_system = self.goal.file_systems[number % self.goal.file_systems.len()];
            if !has(file_system.maker()) {
                println!("NOT RUN: power cuts on {} (no maker)", file_system.name());
                continue;
            }
            let base = match bases.entry(file_system) {
                Entry::Occupied(made) => made.into_mut(),
                Entry::Vacant(missing) => missing.insert(empty(file_system, &home)?),
            };
            let chain = Chain {
                machines: self.machines,
                home: &home,
                keep: &keep,
                file_system,
                seed: self.goal.seed.wrapping_mul(100_000).wrapping_add(number as u64),
                cuts: self.goal.cuts,
                until: self.goal.until,
            };
            let outcome = chain.run(base)?;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.add("power cuts", outcome.cuts);
            tally.add("states", outcome.states);
            tally.add(file_system.figure(), outcome.states);
            tally.add("mount failures", outcome.unmounted);
            tally.add("blocks in a cache", outcome.blocks.0);
            tally.add("blocks lost", outcome.blocks.1);
            if let Some(story) = outcome.violation {
                tally.violation(&story);
                self.taken.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
            }
        }
        Ok(())
    }

    /// The number of a chain that nobody has begun.
    fn next(&self) -> Option<usize> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, is_broken) = *taken;
        let goes_on = number < self.goal.chains && Instant::now() < self.goal.until && !is_broken;
        taken.0 += usize::from(goes_on);
        goes_on.then_some(number)
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// ext4 half of the time.
const FILE_SYSTEMS: [FileSystem; 6] = [
    FileSystem::Ext4,
    FileSystem::Xfs,
    FileSystem::Ext4,
    FileSystem::Btrfs,
    FileSystem::Ext4,
    FileSystem::BtrfsInPlace,
];

const SLICE_SEED: u64 = 2;

const CUTS_OF_A_CHAIN: u64 = 12;

/// Chains that are counted take as long as they take; this is for a machine that is very slow.
const CHAINS_WITHIN: u64 = 3600;

/// Each takes a core and some 300 MB.
const WORKERS_MAX: usize = 4;
