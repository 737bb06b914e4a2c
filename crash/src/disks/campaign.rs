//! The rung: workers that record and replay, each with a core to itself, and what they come to.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::blocks::Blocks;
use super::errand::Plan;
use super::host::has;
use super::ledger::Model;
use super::{
    Effort, FileSystem, Image, Ledger, Outcome, Replay, Rig, loop_device, run_faults, sweep,
};
use crate::Tally;

/// What a campaign has to reach.
#[derive(Clone, Debug)]
pub struct Goal {
    seed: u64,
    /// What each file system gets: states, fault cases one in so many, and seconds.
    parts: Vec<(FileSystem, usize, usize, u64)>,
    /// States for each recording.
    depth: usize,
}

/// What one worker does: many recordings on one file system, then faults on it.
#[derive(Args, Clone, Debug)]
pub struct WorkOrder {
    /// The file system.
    #[arg(long)]
    pub file_system: String,
    /// The log.
    #[arg(long)]
    pub log: String,
    /// The log is seen from outside, everything that is found is counted, and no fault is met.
    #[arg(long)]
    pub plain: bool,
    /// What the first workload follows from.
    #[arg(long)]
    pub seed: u64,
    /// States to look at.
    #[arg(long)]
    pub states: usize,
    /// States for each recording.
    #[arg(long)]
    pub depth: usize,
    /// One of so many faults is met.
    #[arg(long)]
    pub fault_every: usize,
    /// When it has to end.
    #[arg(long)]
    pub seconds: u64,
}

impl Goal {
    /// Fixed counts and a fixed seed.
    pub fn slice() -> Goal {
        let parts = vec![
            (FileSystem::Ext4, 2000, 30, 600),
            (FileSystem::Xfs, 120, 60, 600),
            (FileSystem::Btrfs, 80, 60, 600),
            (FileSystem::BtrfsInPlace, 80, 60, 600),
        ];
        Goal { seed: 20_261_122, parts, depth: 300 }
    }

    /// As many states as there is time for.
    pub fn full() -> Goal {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let seconds = number("WAL_CRASH_SECONDS").unwrap_or(480);
        let parts = vec![
            (FileSystem::Ext4, usize::MAX, 1, seconds * 76 / 100),
            (FileSystem::Xfs, usize::MAX, 3, seconds * 7 / 100),
            (FileSystem::Btrfs, usize::MAX, 3, seconds * 9 / 100),
            (FileSystem::BtrfsInPlace, usize::MAX, 3, seconds * 8 / 100),
        ];
        Goal { seed: number("WAL_CRASH_SEED").unwrap_or(clock), parts, depth: 2500 }
    }
}

/// Runs the rung.
///
/// # Errors
///
/// If the rig fails.
pub fn run(goal: &Goal) -> io::Result<ExitCode> {
    let mut tally = Tally::new("disks");
    if let Some(why) = obstacle() {
        println!("NOT RUN: real file systems ({why})");
        return Ok(ExitCode::SUCCESS);
    }
    let _janitor = Janitor::start()?;
    println!("disks: seed {} (WAL_CRASH_SEED)", goal.seed);
    for (file_system, states, every, seconds) in &goal.parts {
        if !has(file_system.maker()) {
            println!("NOT RUN: {} ({} is not installed)", file_system.name(), file_system.maker());
            continue;
        }
        let began = Instant::now();
        let before = tally.figure(file_system.figure());
        let mut workers = Vec::new();
        for worker in 0..WORKERS {
            let order = WorkOrder {
                file_system: file_system.name().to_owned(),
                log: "libwal".to_owned(),
                plain: false,
                seed: goal.seed.wrapping_mul(1000).wrapping_add(worker as u64 * 1_000_000),
                states: states / WORKERS,
                depth: goal.depth,
                fault_every: *every * WORKERS,
                seconds: *seconds,
            };
            workers.push(order.start()?);
        }
        for worker in workers {
            worker.collect(&mut tally)?;
        }
        let states = tally.figure(file_system.figure()) - before;
        let rate = states as f64 / began.elapsed().as_secs_f64();
        println!("disks: {} {states} states, {rate:.0} a second", file_system.name());
    }
    tally.finish()
}

/// What keeps the rung from being run here.
pub fn obstacle() -> Option<&'static str> {
    // SAFETY: the call has no arguments and always succeeds.
    if unsafe { libc::geteuid() } != 0 {
        return Some("needs root");
    }
    if !Path::new("/dev/fuse").exists() {
        return Some("needs /dev/fuse");
    }
    if !Path::new("/dev/loop-control").exists() {
        return Some("needs loop devices");
    }
    if !has("umount") || !has("mkfs.ext4") {
        return Some("needs mount and e2fsprogs");
    }
    None
}

/// Takes away what a killed run left, when all who could still use it are gone.
///
/// # Errors
///
/// If the devices cannot be listed.
pub fn clear_up() -> io::Result<()> {
    // SAFETY: ignoring a signal is always allowed.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
    // Ends when whoever started this does, in whatever way.
    io::stdin().read_to_end(&mut Vec::new())?;
    for _ in 0..20 {
        sweep()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// A process that clears up after this one.
pub struct Janitor(Child);

impl Janitor {
    /// Clears up after earlier runs, and starts one.
    ///
    /// # Errors
    ///
    /// If no process can be started.
    pub fn start() -> io::Result<Janitor> {
        sweep()?;
        let child = Command::new(std::env::current_exe()?)
            .arg("clear-up")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Janitor(child))
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        // It is not waited for: it reads the end of its input and goes.
        drop(self.0.stdin.take());
    }
}

impl WorkOrder {
    /// Starts a process that does it.
    ///
    /// # Errors
    ///
    /// If none can be started.
    pub fn start(&self) -> io::Result<Worker> {
        let arguments = [
            ("--file-system", self.file_system.clone()),
            ("--log", self.log.clone()),
            ("--seed", self.seed.to_string()),
            ("--states", self.states.to_string()),
            ("--depth", self.depth.to_string()),
            ("--fault-every", self.fault_every.to_string()),
            ("--seconds", self.seconds.to_string()),
        ];
        let child = Command::new(std::env::current_exe()?)
            .arg("work")
            .args(arguments.iter().flat_map(|(name, value)| [*name, value.as_str()]))
            .args(self.plain.then_some("--plain"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Worker { child, file_system: self.file_system.clone() })
    }

    /// Does it, and prints what came of it, a figure to a line.
    ///
    /// # Errors
    ///
    /// If the rig fails.
    pub fn run(&self) -> io::Result<()> {
        let file_system = FileSystem::named(&self.file_system).ok_or(io::ErrorKind::NotFound)?;
        let until = Instant::now() + Duration::from_secs(self.seconds);
        // The states first; a good part of the time is left for the faults.
        let states_until = Instant::now() + Duration::from_secs(self.seconds) * 17 / 20;
        let keep = keep();
        let mut rig = Rig::new()?;
        let base = rig.base(file_system)?;
        let image = Image::new(file_system.bytes())?;
        let mount_point = rig.replay_mount_point();
        let mut replay =
            Replay::new(file_system, image, &mount_point, (&self.log, self.plain), &keep);
        let (mut states, mut seed) = (0, self.seed);
        while states < self.states && Instant::now() < states_until {
            let plan = if self.plain { Plan::Plain } else { Plan::Everything };
            let recorded = rig.record(&self.log, file_system, seed, &[plan], None)?;
            if !recorded.is_whole {
                let words = recorded.words.join("\n  ");
                told(&format!("{}, seed {seed}: the workload failed\n  {words}", self.file_system));
                break;
            }
            let ledger =
                Ledger::of(&recorded.events, u64::from(!self.plain)).map_err(io::Error::other)?;
            let depth = self.depth.min(self.states - states);
            let broken_max = if self.plain { u64::MAX } else { 3 };
            let until = states_until;
            let again = if self.plain { 0 } else { 1 + depth / 500 };
            let effort = Effort { states: depth, until, at_the_end: false, broken_max, again };
            let mut outcome = replay.run(&base, &recorded.events, &ledger, seed, effort)?;
            states += outcome.states as usize;
            println!("recordings 1\nstates {}\nunmounted {}", outcome.states, outcome.unmounted);
            for (disk, models) in std::mem::take(&mut outcome.again) {
                let inner = self.recover_again(&mut rig, &mut replay, disk, models, seed, until)?;
                states += inner.states as usize;
                outcome.violations.extend(inner.violations);
            }
            outcome.violations.iter().for_each(|violation| told(&violation.story));
            seed += 1;
            outcome.broken.iter().for_each(|(kind, count)| println!("broken {kind:?} {count}"));
            if !outcome.violations.is_empty() && !self.plain {
                break;
            }
        }
        drop(replay);
        if self.plain {
            return Ok(());
        }
        let cases = run_faults(&mut rig, file_system, self.seed, self.fault_every, until, &keep)?;
        println!("faults {}\nstates {}", cases.faults, cases.states);
        println!("unmounted {}\nunopened {}", cases.unmounted, cases.unopened);
        cases.violations.iter().for_each(|story| told(story));
        Ok(())
    }
}

impl WorkOrder {
    /// Records a recovery from a crash, and goes through the crashes in the middle of it.
    fn recover_again(
        &self,
        rig: &mut Rig,
        replay: &mut Replay,
        disk: Blocks,
        models: Vec<Model>,
        seed: u64,
        until: Instant,
    ) -> io::Result<Outcome> {
        let file_system = FileSystem::named(&self.file_system).ok_or(io::ErrorKind::NotFound)?;
        let plans = &[Plan::GoOn];
        let recorded = rig.record_on(disk.clone(), &self.log, file_system, seed, plans, None)?;
        let ledger = Ledger::after(models, &recorded.events).map_err(io::Error::other)?;
        let states = STATES_OF_A_RECOVERY;
        let effort = Effort { states, until, at_the_end: false, broken_max: 3, again: 0 };
        let mut outcome = replay.run(&disk, &recorded.events, &ledger, seed, effort)?;
        for violation in &mut outcome.violations {
            let words = recorded.words.join("\n    ");
            violation.story.insert_str(0, &format!("  after a crash, in recovery:\n    {words}\n"));
        }
        println!("recoveries 1\nstates {}\nunmounted {}", outcome.states, outcome.unmounted);
        Ok(outcome)
    }
}

/// Puts a story into the lines that the campaign reads.
fn told(story: &str) {
    println!("violation {}", story.replace('\n', "\u{1}"));
}

/// A process that does a part.
pub struct Worker {
    /// It.
    pub child: Child,
    file_system: String,
}

impl Worker {
    fn collect(mut self, tally: &mut Tally) -> io::Result<()> {
        let Some(lines) = self.child.stdout.take() else { return Ok(()) };
        let file_system = FileSystem::named(&self.file_system).ok_or(io::ErrorKind::NotFound)?;
        for line in BufReader::new(lines).lines() {
            let line = line?;
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let count = rest.parse().unwrap_or(0);
            match word {
                "violation" => tally.violation(&rest.replace('\u{1}', "\n")),
                "recordings" => tally.add("recordings", count),
                "recoveries" => tally.add("recoveries crashed", count),
                "states" => {
                    tally.add("states", count);
                    tally.add(file_system.figure(), count);
                }
                "unmounted" => tally.add("mount failures", count),
                "unopened" => tally.add("not opened before power was lost", count),
                "broken" => {}
                "faults" => tally.add("faults", count),
                _ => println!("{}: {line}", self.file_system),
            }
        }
        if !self.child.wait()?.success() {
            tally.violation(&format!("the worker of {} did not end well", self.file_system));
        }
        Ok(())
    }
}

/// Where the disks of violations are kept.
pub fn keep() -> PathBuf {
    std::env::temp_dir().join(format!("wal-crash-{}", loop_device::name()))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

const STATES_OF_A_RECOVERY: usize = 40;

/// One for each core: what takes time is mounting, and that does not wait for a disk.
const WORKERS: usize = 2;
