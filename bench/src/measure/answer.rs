//! Does the work that was asked for and writes what it gave.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::{appends, idle, opening, reads, room, stream, tasks};
use crate::floor;
use crate::log::{Failure, Log, Result, System};
use crate::mount::Mount;
use crate::prepared::{self, Kind};
use crate::sample::{Outcome, Sample};
use crate::systems;
use crate::task::Task;
use crate::window::Meter;
use crate::workload::{self, Work};

/// Measures and writes the outcome to the task's file.
pub fn answer(task: &Task) -> std::result::Result<(), String> {
    let outcome = Outcome::from(measure(task));
    let line = serde_json::to_string(&outcome).map_err(|error| error.to_string())?;
    fs::write(&task.output, line + "\n").map_err(|error| error.to_string())
}

fn measure(task: &Task) -> Result<Sample> {
    let workload = workload::by_name(&task.workload)
        .ok_or_else(|| Failure::Failed(format!("no workload {}", task.workload)))?;
    let mount = Mount::of(&task.directory)?;
    if floor::NAMES.contains(&task.system.as_str()) {
        return floor::measure(workload.work, task, &mount);
    }
    let system = systems::by_name(&task.system)
        .ok_or_else(|| Failure::Failed(format!("no system {}", task.system)))?;
    let system = &*system;
    match workload.work {
        Work::Waiting => with_log(system, task, &mount, appends::waiting),
        Work::Tasks => tasks::tasks(system, task, &mount),
        Work::Batches => with_log(system, task, &mount, appends::batches),
        Work::Pipelined => with_log(system, task, &mount, stream::pipelined),
        Work::Buffered => with_log(system, task, &mount, |log, task, meter| {
            stream::unsynced(task, meter, |record| log.append_buffered(record))
        }),
        Work::ToSystem => with_log(system, task, &mount, |log, task, meter| {
            stream::unsynced(task, meter, |record| log.append_to_system(record))
        }),
        Work::ReplayWarm => reads::replay_warm(system, task, &mount),
        Work::ReplayCold => reads::replay_cold(system, task, &mount),
        Work::RandomRead => reads::random(system, task, &mount),
        Work::OpenClosed => opening::closed(system, task, &mount),
        Work::OpenKilled => opening::killed(system, task, &mount),
        Work::Memory => room::memory(system, task, &mount),
        Work::Disk => room::disk(system, task, &mount),
        Work::Idle => idle::idle(system, task, &mount),
    }
}

/// Opens a log, a new one or one that is filled as far as asked, measures beside as many followers
/// as asked, and closes it.
fn with_log(
    system: &dyn System,
    task: &Task,
    mount: &Mount,
    measure: impl FnOnce(&dyn Log, &Task, &Meter<'_>) -> Result<Sample>,
) -> Result<Sample> {
    let log = system.open(&filled(system, task)?)?;
    let (stop, started) = (AtomicBool::new(false), Instant::now());
    let (sample, followed) = thread::scope(|scope| {
        let follow = || log.follow(&stop);
        let followers: Vec<_> = (0..task.followers).map(|_| scope.spawn(follow)).collect();
        let sample = measure(&*log, task, &Meter::new(mount, Some(&*log)));
        stop.store(true, Ordering::Release);
        let join = |follower: thread::ScopedJoinHandle<'_, Result<u64>>| {
            follower.join().unwrap_or_else(|_| Err(Failure::of("a follower panicked")))
        };
        (sample, followers.into_iter().map(join).collect::<Result<Vec<u64>>>())
    });
    let (seconds, followed) = (started.elapsed().as_secs_f64(), followed?);
    log.close()?;
    let mut sample = sample?;
    if task.followers > 0 {
        sample.followed_per_s = Some(followed.iter().sum::<u64>() as f64 / seconds);
    }
    Ok(sample)
}

/// The empty directory, or that of a log with as much in it as asked and what earlier rounds added.
fn filled(system: &dyn System, task: &Task) -> Result<PathBuf> {
    if task.filled == 0 {
        return Ok(task.directory.clone());
    }
    let task = Task { bytes: task.filled, ..task.clone() };
    prepared::prepared(&task, Kind::Grown, |directory| {
        if prepared::take_closed(&task, directory)? {
            return Ok(());
        }
        let log = system.open(directory)?;
        prepared::fill(&*log, task.record_bytes, task.records())?;
        log.close()
    })
}
