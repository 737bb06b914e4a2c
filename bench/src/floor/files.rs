//! Files that are opened: what no opening of a log can do without.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use super::zeroed::BLOCK_BYTES;
use crate::footprint::{self, Footprint};
use crate::kernel;
use crate::log::{Failure, Result};
use crate::prepared::{self, Kind};
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// Lists a directory with a file for every 64 MiB, reads a block of the state and a block of the
/// newest file, all from the disk.
pub fn open(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let directory = prepared::prepared(task, Kind::Files, |directory| {
        let block = [1; BLOCK_BYTES];
        for number in 0..task.bytes.div_ceil(SEGMENT_BYTES) {
            let file = File::create(directory.join(format!("{number:020}")))?;
            file.write_all_at(&block, 0)?;
            file.set_len(SEGMENT_BYTES)?;
            file.sync_all()?;
        }
        let state = File::create(directory.join("state"))?;
        state.write_all_at(&block, 0)?;
        Ok(state.sync_all()?)
    })?;
    prepared::chill(&directory)?;
    let (first, started) = (meter.read(), Instant::now());
    let mut newest = None;
    for entry in fs::read_dir(&directory)? {
        let name = entry?.file_name();
        if name != "state" {
            newest = newest.max(Some(name));
        }
    }
    let newest = newest.ok_or_else(|| Failure::of("no files"))?;
    let mut block = [0; BLOCK_BYTES];
    for name in [newest, "state".into()] {
        File::open(directory.join(name))?.read_exact_at(&mut block, 0)?;
    }
    let taken = started.elapsed();
    let span = meter.since(&first);
    let mut tally = Tally::new()?;
    tally.record(taken);
    Ok(Sample::of(&span, 1, 0).with_latencies(&tally.latencies))
}

/// Keeps a file open for each log, with a block in it.
pub fn idle(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    kernel::raise_descriptor_limit();
    let first = meter.read();
    let before = Footprint::now()?;
    let mut files = Vec::with_capacity(task.parallel);
    for number in 0..task.parallel {
        let file = File::create(task.directory.join(number.to_string()))?;
        file.write_all_at(&[1; BLOCK_BYTES], 0)?;
        files.push(file);
    }
    thread::sleep(Duration::from_millis(10));
    let after = Footprint::now()?;
    let span = meter.since(&first);
    let mut sample = Sample::of(&span, task.parallel as u64, 0);
    sample.rss_bytes = Some(after.rss_bytes.saturating_sub(before.rss_bytes));
    sample.os_threads = Some(after.threads.saturating_sub(before.threads));
    sample.descriptors = Some(after.descriptors.saturating_sub(before.descriptors));
    sample.disk_bytes = Some(footprint::disk_bytes(&task.directory)?);
    Ok(sample)
}

const SEGMENT_BYTES: u64 = 64 << 20;
