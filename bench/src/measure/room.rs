//! What a log takes: memory while it is written, blocks when it is closed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::stream::BATCH_BYTES;
use crate::footprint::{self, Footprint};
use crate::log::{Failure, Log, Result, System};
use crate::mount::Mount;
use crate::prepared;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::Meter;

/// The most resident memory while the log is written from end to end.
pub fn memory(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let before = Footprint::now()?;
    let log = system.open(&task.directory)?;
    let meter = Meter::new(mount, Some(&*log));
    let first = meter.read();
    let (appended, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let (written, peaks) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(task.records() / 2, &appended, &done));
        let written = write(&*log, task, &appended);
        done.store(true, Ordering::Release);
        (written, watcher.join().unwrap_or_else(|_| Err(std::io::Error::other("no watcher"))))
    });
    written?;
    let (half, whole) = peaks?;
    let span = meter.since(&first);
    log.close()?;
    let mut sample = Sample::of(&span, task.records(), task.bytes);
    sample.rss_bytes = Some(whole.saturating_sub(before.rss_bytes));
    sample.rss_half_bytes = Some(half.saturating_sub(before.rss_bytes));
    Ok(sample)
}

/// The blocks of a log that was written in durable groups of 1 MiB and closed.
pub fn disk(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let log = system.open(&task.directory)?;
    let meter = Meter::new(mount, Some(&*log));
    let first = meter.read();
    match batches(&*log, task, &AtomicU64::new(0)) {
        Err(Failure::Unsupported(_)) => {
            prepared::fill(&*log, task.record_bytes, task.records())?;
        }
        outcome => outcome?,
    }
    let span = meter.since(&first);
    log.close()?;
    let mut sample = Sample::of(&span, task.records(), task.bytes);
    sample.disk_bytes = Some(footprint::disk_bytes(&task.directory)?);
    Ok(sample)
}

/// The peaks of resident memory in the first half and in all of the work.
fn watch(half: u64, appended: &AtomicU64, done: &AtomicBool) -> std::io::Result<(u64, u64)> {
    let (mut peak_half, mut peak) = (0, 0);
    while !done.load(Ordering::Acquire) {
        let now = footprint::rss_bytes()?;
        peak = now.max(peak);
        if appended.load(Ordering::Relaxed) <= half {
            peak_half = now.max(peak_half);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok((peak_half, peak))
}

/// Writes all records, pipelined where the log can, and counts them as they go.
fn write(log: &dyn Log, task: &Task, appended: &AtomicU64) -> Result<()> {
    let records = Records::new(task.record_bytes);
    let mut source = (0..task.records()).map(|index| {
        appended.store(index, Ordering::Relaxed);
        records.at(index)
    });
    match log.append_pipelined(&mut source) {
        Err(Failure::Unsupported(_)) => batches(log, task, appended),
        outcome => outcome,
    }
}

fn batches(log: &dyn Log, task: &Task, appended: &AtomicU64) -> Result<()> {
    let records = Records::new(task.record_bytes);
    let (end, step) = (task.records(), (BATCH_BYTES / task.record_bytes as u64).max(1));
    for start in (0..end).step_by(step as usize) {
        let batch: Vec<&[u8]> =
            (start..end.min(start + step)).map(|index| records.at(index)).collect();
        log.append_batch(&batch)?;
        appended.store(start, Ordering::Relaxed);
    }
    Ok(())
}
