//! Opening a log that nothing of is in the page cache.

use std::path::Path;
use std::time::Instant;

use crate::fill;
use crate::log::{Result, System};
use crate::mount::Mount;
use crate::prepared::{self, Kind};
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// The log was closed.
pub fn closed(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let directory = prepared::prepared(task, Kind::Closed, |directory| {
        let log = system.open(directory)?;
        prepared::fill(&*log, task.record_bytes, task.records())?;
        log.close()
    })?;
    open(system, task, &directory, mount)
}

/// The log's writer was killed while it appended.
pub fn killed(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let mut bytes = 0;
    let directory = prepared::prepared(task, Kind::Grown, |directory| {
        bytes = if prepared::take_closed(task, directory)? { 0 } else { task.bytes };
        Ok(())
    })?;
    fill::fill_and_kill(task, &directory, bytes)?;
    open(system, task, &directory, mount)
}

fn open(system: &dyn System, task: &Task, directory: &Path, mount: &Mount) -> Result<Sample> {
    // The code of the system is in memory: the disk is measured, not the loading of the program.
    system.open(&task.directory)?.close()?;
    prepared::chill(directory)?;
    let meter = Meter::new(mount, None);
    let (first, started) = (meter.read(), Instant::now());
    let log = system.open(directory)?;
    let taken = started.elapsed();
    let span = meter.since(&first);
    log.close()?;
    let mut tally = Tally::new()?;
    tally.record(taken);
    Ok(Sample::of(&span, 1, 0).with_latencies(&tally.latencies))
}
