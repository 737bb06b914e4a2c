//! Reading a log that was filled before.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use crate::log::{Failure, Result, System};
use crate::mount::Mount;
use crate::prepared::{self, Kind};
use crate::records::Random;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// Replays the log again and again from the page cache; the first time is not counted.
pub fn replay_warm(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let log = system.open(&filled(system, task)?)?;
    let replay = || {
        let count = log.replay(&mut |record| {
            black_box(record);
        })?;
        expect_all(count, task)
    };
    replay()?;
    let meter = Meter::new(mount, Some(&*log));
    let (first, started) = (meter.read(), Instant::now());
    let mut ops = 0;
    while ops == 0 || started.elapsed() < task.duration() {
        ops += replay()?;
    }
    let span = meter.since(&first);
    log.close()?;
    Ok(Sample::of(&span, ops, ops * task.record_bytes as u64))
}

/// Opens the log and replays it once, none of it in the page cache. The opening counts: a log that
/// reads its records there has them in memory when the replay begins.
pub fn replay_cold(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let directory = filled(system, task)?;
    prepared::chill(&directory)?;
    let meter = Meter::new(mount, None);
    let first = meter.read();
    let log = system.open(&directory)?;
    let ops = log.replay(&mut |record| {
        black_box(record);
    })?;
    let span = meter.since(&first);
    expect_all(ops, task)?;
    log.close()?;
    Ok(Sample::of(&span, ops, ops * task.record_bytes as u64))
}

/// Reads single records anywhere in the log; of 64 reads one is timed.
pub fn random(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let log = system.open(&filled(system, task)?)?;
    let end = task.records();
    let mut random = Random::new(3);
    let mut buffer = Vec::with_capacity(task.record_bytes);
    let mut run = |duration| {
        let (mut tally, started) = (Tally::new()?, Instant::now());
        while started.elapsed() < duration {
            let before = Instant::now();
            log.read(random.below(end), &mut buffer)?;
            tally.record(before.elapsed());
            black_box(&buffer);
            let indexes: [u64; 63] = std::array::from_fn(|_| random.below(end));
            log.read_run(&indexes, &mut buffer)?;
            tally.ops += 64;
        }
        Ok::<_, Failure>(tally)
    };
    // Long enough to have every page in place.
    run(task.warm_up().max(task.duration()))?;
    let meter = Meter::new(mount, Some(&*log));
    let first = meter.read();
    let tally = run(task.duration())?;
    let span = meter.since(&first);
    log.close()?;
    let sample = Sample::of(&span, tally.ops, tally.ops * task.record_bytes as u64);
    Ok(sample.with_latencies(&tally.latencies))
}

/// The directory of a log with all the records of the task, filled by the first round.
fn filled(system: &dyn System, task: &Task) -> Result<std::path::PathBuf> {
    prepared::prepared(task, Kind::Closed, |directory: &Path| {
        let log = system.open(directory)?;
        prepared::fill(&*log, task.record_bytes, task.records())?;
        log.close()
    })
}

/// A replay that leaves records out is no replay.
fn expect_all(count: u64, task: &Task) -> Result<u64> {
    match count == task.records() {
        true => Ok(count),
        false => Err(Failure::Failed(format!("replayed {count} of {} records", task.records()))),
    }
}
