//! Which floor belongs to which work.

use std::fs;

use super::zeroed::BLOCK_BYTES;
use super::{chunks, commits, files, frames, ring};
use crate::footprint::{self, Footprint};
use crate::log::{Failure, Result};
use crate::mount::Mount;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Span};
use crate::workload::Work;

/// The floor everything is compared with, and more that say what bounds it.
pub const NAMES: &[&str] =
    &["floor", "floor (growing)", "floor (memory)", "floor (pipelined)", "floor (record)"];

/// Measures a floor.
pub fn measure(work: Work, task: &Task, mount: &Mount) -> Result<Sample> {
    let meter = Meter::new(mount, None);
    match (work, task.system.as_str()) {
        (Work::Pipelined, "floor (growing)") => chunks::growing(task, &meter),
        (Work::Pipelined, "floor (memory)") => chunks::memory(task, &meter),
        (Work::Pipelined, "floor (pipelined)") => chunks::pipelined(task, &meter),
        (Work::Waiting, "floor (record)") => commits::commits(task, &meter, 1),
        (_, name) if name != "floor" => Err(Failure::Unsupported("no such floor")),
        (Work::Waiting | Work::Tasks, _) => commits::commits(task, &meter, BLOCK_BYTES),
        (Work::Pipelined | Work::Batches, _) => chunks::device(task, &meter),
        (Work::Buffered, _) => ring::ring(task, &meter),
        (Work::ToSystem, _) => ring::calls(task, &meter),
        (Work::ReplayWarm, _) => frames::scan(task, &meter),
        (Work::ReplayCold, _) => frames::read(task, &meter),
        (Work::RandomRead, _) => frames::random(task, &meter),
        (Work::OpenClosed | Work::OpenKilled, _) => files::open(task, &meter),
        (Work::Idle, _) => files::idle(task, &meter),
        (Work::Memory, _) => {
            let before = Footprint::now()?.rss_bytes;
            let mut sample = chunks::device(task, &meter)?;
            sample.rss_bytes = Some(footprint::rss_bytes()?.saturating_sub(before));
            sample.rss_half_bytes = sample.rss_bytes;
            Ok(sample)
        }
        (Work::Disk, _) => disk(task),
    }
}

/// The records alone, one after the other.
fn disk(task: &Task) -> Result<Sample> {
    let records = crate::records::Records::new(task.record_bytes);
    let count = task.records().min(SAMPLE_RECORDS);
    let bytes: Vec<u8> = (0..count).flat_map(|index| records.at(index)).copied().collect();
    fs::write(task.directory.join("records"), bytes)?;
    fs::File::open(task.directory.join("records"))?.sync_all()?;
    let bytes = count * task.record_bytes as u64;
    let mut sample = Sample::of(&Span { seconds: 1.0, ..Span::default() }, count, bytes);
    sample.disk_bytes = Some(footprint::disk_bytes(&task.directory)?);
    Ok(sample)
}

/// The rounding to blocks does not show any more.
const SAMPLE_RECORDS: u64 = 64 << 10;
