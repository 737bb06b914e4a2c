//! Measurements on one file system: systems in turns, round by round.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::RunArgs;
use crate::child;
use crate::mount::Mount;
use crate::row::Row;
use crate::sample::Outcome;
use crate::summary;
use crate::sync_count::SyncCounts;
use crate::systems;
use crate::task::Task;
use crate::workload::{Work, Workload};

/// A directory that is measured in.
pub struct Campaign {
    /// Its file system.
    pub mount: Mount,
    work: PathBuf,
    pace: Pace,
    only: Vec<String>,
    systems: Vec<String>,
    is_first: bool,
    /// Bytes of a record and of the log, of the logs that are prepared.
    prepared: RefCell<HashSet<(usize, u64)>>,
}

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Counted rounds.
    pub rounds: usize,
    /// Rounds before, in which the systems warm the machine up.
    pub rounds_before: usize,
    /// The measured time of one measurement.
    pub seconds: f64,
    /// The time before.
    pub warm_up: f64,
    /// 0 for a full run, 1 for a quick one.
    pub size: usize,
}

/// How much of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of a record.
    pub record_bytes: usize,
    /// Threads, tasks or logs.
    pub parallel: usize,
    /// Payload bytes of the log.
    pub bytes: u64,
    /// Payload bytes in the log before appends are measured.
    pub filled: u64,
    /// Followers that read beside the appends.
    pub followers: usize,
    /// Counted rounds when they are not those of the pace: what is counted, not timed, needs no
    /// more than one.
    pub rounds: Option<usize>,
}

impl Pace {
    /// As the arguments say.
    pub fn of(args: &RunArgs) -> Pace {
        let pace = match args.quick {
            true => Pace { rounds: 3, rounds_before: 0, seconds: 0.2, warm_up: 0.08, size: 1 },
            false => Pace { rounds: 5, rounds_before: 1, seconds: 0.4, warm_up: 0.15, size: 0 },
        };
        Pace { rounds: args.rounds.unwrap_or(pace.rounds), ..pace }
    }

    /// For the points of a chart: many of them, so fewer rounds of each. A measurement warms up by
    /// itself.
    pub fn of_points(args: &RunArgs) -> Pace {
        let pace = match args.quick {
            true => Pace { rounds: 1, rounds_before: 0, seconds: 0.15, warm_up: 0.05, size: 1 },
            false => Pace { rounds: 3, rounds_before: 0, seconds: 0.3, warm_up: 0.1, size: 0 },
        };
        Pace { rounds: args.rounds.unwrap_or(pace.rounds), ..pace }
    }
}

impl Shape {
    /// As the workload says.
    pub fn of(workload: &Workload, pace: &Pace) -> Shape {
        let bytes = workload.bytes[pace.size];
        let Workload { parallel, rounds, .. } = *workload;
        Shape { record_bytes: 256, parallel, bytes, filled: 0, followers: 0, rounds }
    }
}

impl Campaign {
    /// Prepares a directory of its own below `directory`; it goes with the campaign.
    ///
    /// # Errors
    /// A directory that cannot be written.
    pub fn new(
        directory: &Path,
        args: &RunArgs,
        pace: Pace,
        is_first: bool,
    ) -> Result<Campaign, String> {
        let say = |error: std::io::Error| format!("{}: {error}", directory.display());
        let work = directory.join(format!("wal-bench.{}", std::process::id()));
        fs::create_dir_all(&work).map_err(say)?;
        let mount = Mount::of(&work).map_err(say)?;
        Ok(Campaign {
            mount,
            work,
            pace,
            only: args.only.clone(),
            systems: args.system.clone(),
            is_first,
            prepared: RefCell::default(),
        })
    }

    /// How long and how often it measures.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether a workload was asked for, and belongs on this file system. A quick run takes only
    /// what waits for the disk to the others.
    pub fn wants(&self, workload: &Workload) -> bool {
        let is_here = match self.pace.size {
            _ if self.is_first => true,
            0 => workload.everywhere,
            _ => workload.is_durable(),
        };
        is_here && self.asks_for(workload)
    }

    fn asks_for(&self, workload: &Workload) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|name| [workload.id, workload.name].contains(&name.as_str()))
    }

    /// Measures every system that was asked for and returns a row for each.
    ///
    /// In each round the systems come one after the other, and each round begins with another one.
    /// What fails or is unsupported once is not tried again.
    pub fn measure(&self, workload: &Workload, shape: Shape, systems: &[String]) -> Vec<Row> {
        let names: Vec<&String> = systems.iter().filter(|name| self.is_wanted(name)).collect();
        let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); names.len()];
        let rounds = shape.rounds.unwrap_or(self.pace.rounds);
        let before = self.rounds_before(workload, &shape);
        for round in 1 - before..=rounds {
            for turn in 0..names.len() {
                let at = (turn + round) % names.len();
                if outcomes[at].iter().any(|outcome| !matches!(outcome, Outcome::Measured(_))) {
                    continue;
                }
                let task = self.task(workload, shape, names[at]);
                let outcome = child::measure(&task, limit(&task), &[]);
                progress(workload, &self.mount, names[at], round, &outcome);
                if round > 0 || !matches!(outcome, Outcome::Measured(_)) {
                    outcomes[at].push(outcome);
                }
            }
        }
        let rows = names.iter().zip(&outcomes).map(|(name, outcomes)| {
            let task = self.task(workload, shape, name);
            summary::row(workload, &self.mount.label(), &task, outcomes)
        });
        rows.collect()
    }

    /// Rounds that are not counted. What is counted and not timed needs none; neither does a
    /// workload whose logs an earlier one has prepared, as it warms up or cools down by itself.
    fn rounds_before(&self, workload: &Workload, shape: &Shape) -> usize {
        let log = (shape.record_bytes, shape.bytes);
        let is_prepared = workload.reads_prepared() && !self.prepared.borrow_mut().insert(log);
        if shape.rounds.is_some() || is_prepared { 0 } else { self.pace.rounds_before }
    }

    /// Removes the logs that were prepared: later workloads that read them fill them again.
    pub fn forget_prepared(&self) {
        let _ = fs::remove_dir_all(self.work.join("prepared"));
        self.prepared.borrow_mut().clear();
    }

    fn is_wanted(&self, name: &str) -> bool {
        name == "floor"
            || self.systems.is_empty()
            || self.systems.iter().any(|start| name.starts_with(start))
    }

    fn task(&self, workload: &Workload, shape: Shape, system: &str) -> Task {
        Task {
            system: system.to_owned(),
            workload: workload.name.to_owned(),
            directory: self.work.join("log"),
            prepared: self.work.join("prepared"),
            output: self.work.join("outcome.json"),
            record_bytes: shape.record_bytes,
            parallel: shape.parallel,
            bytes: shape.bytes,
            filled: shape.filled,
            followers: shape.followers,
            seconds: self.pace.seconds,
            warm_up: self.pace.warm_up,
        }
    }

    /// Adds how often the peers of a durable workload sync, which the rounds cannot count.
    pub fn count_syncs(
        &self,
        workload: &Workload,
        shape: Shape,
        rows: &mut [Row],
        counts: &mut SyncCounts,
    ) {
        let is_unknown = |row: &&mut Row| row.is_peer && row.rounds > 0 && row.syncs.is_none();
        for row in rows.iter_mut().filter(|_| workload.is_durable()).filter(is_unknown) {
            let task = self.task(workload, shape, &row.system);
            let task = Task { seconds: 0.2, warm_up: 0.05, ..task };
            summary::add_syncs(row, workload, counts.of(&task));
        }
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.work);
    }
}

/// The systems that take part in a workload.
pub fn systems_of(workload: &Workload, is_quick: bool) -> Vec<String> {
    let floors: &[&str] = match workload.work {
        Work::Pipelined => &["floor", "floor (growing)", "floor (memory)", "floor (pipelined)"],
        Work::Waiting if workload.parallel == 1 => &["floor", "floor (record)"],
        _ => &["floor"],
    };
    let variants: &[&str] = match workload.work {
        _ if is_quick => &["libwal"],
        Work::Pipelined => {
            &["libwal", "libwal (direct)", "libwal (buffered)", "libwal (recycling)"]
        }
        Work::Buffered => &["libwal", "libwal (direct)", "libwal (buffered)"],
        Work::RandomRead => &["libwal", "libwal (batch)"],
        _ => &["libwal"],
    };
    // The goals of the others name no peer: a quick run leaves the peers out there.
    let is_raced = matches!(workload.id, "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7");
    // And with large logs most of their time goes into filling them.
    let is_large = workload.name.ends_with("-large");
    let without_peers = is_large || is_quick && !is_raced;
    let peers = if without_peers { Vec::new() } else { systems::peers() };
    let peers = peers.iter().map(|peer| peer.name().to_owned());
    floors.iter().chain(variants).map(|name| (*name).to_owned()).chain(peers).collect()
}

fn progress(workload: &Workload, mount: &Mount, system: &str, round: usize, outcome: &Outcome) {
    let said = match outcome {
        Outcome::Measured(sample) => match sample.p50_us {
            Some(p50) => {
                format!("{:.0}/s, p50 {p50:.1} us", sample.ops as f64 / sample.seconds)
            }
            None => format!("{:.0}/s", sample.ops as f64 / sample.seconds),
        },
        Outcome::Unsupported(why) => format!("cannot: {why}"),
        Outcome::Failed(text) => format!("failed: {text}"),
    };
    let label = mount.label();
    eprintln!("{:<16} {label:<22} round {round}  {system:<24} {said}", workload.name);
}

/// A measurement that takes longer hangs; a large log has to be filled first.
fn limit(task: &Task) -> Duration {
    Duration::from_secs(90 + (task.bytes >> 30) * 20)
}
