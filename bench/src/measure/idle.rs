//! What many open logs take while nothing happens.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::footprint::{self, Footprint};
use crate::kernel;
use crate::log::{Failure, Result, System};
use crate::mount::Mount;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::Meter;

/// Opens the logs, appends a record to each, waits until all is quiet, and looks. The figures are
/// those of all logs together.
pub fn idle(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    kernel::raise_descriptor_limit();
    let records = Records::new(task.record_bytes);
    let meter = Meter::new(mount, None);
    let first = meter.read();
    let before = Footprint::now()?;
    let mut logs = Vec::with_capacity(task.parallel);
    for number in 0..task.parallel {
        let directory = task.directory.join(number.to_string());
        fs::create_dir(&directory)?;
        let log = system.open(&directory)?;
        log.append(records.at(number as u64))?;
        logs.push(log);
        if logs.len() == FEW {
            expect_room(task)?;
        }
    }
    thread::sleep(QUIET);
    let after = Footprint::now()?;
    let span = meter.since(&first);
    logs.into_iter().try_for_each(|log| log.close())?;
    let mut sample = Sample::of(&span, task.parallel as u64, 0);
    sample.rss_bytes = Some(after.rss_bytes.saturating_sub(before.rss_bytes));
    sample.os_threads = Some(after.threads.saturating_sub(before.threads));
    sample.descriptors = Some(after.descriptors.saturating_sub(before.descriptors));
    sample.disk_bytes = Some(footprint::disk_bytes(&task.directory)?);
    Ok(sample)
}

/// Refuses logs that take so much as soon as they are open that all of them would fill the disk.
fn expect_room(task: &Task) -> Result<()> {
    let each = footprint::disk_bytes(&task.directory)? / FEW as u64;
    if each * task.parallel as u64 <= ROOM_BYTES {
        return Ok(());
    }
    let (each, logs) = (each >> 20, task.parallel);
    Err(Failure::Failed(format!("an open log takes {each} MiB of disk: too much for {logs}")))
}

const FEW: usize = 2;
const ROOM_BYTES: u64 = 4 << 30;
/// Long enough for threads that end when they are idle.
const QUIET: Duration = Duration::from_secs(3);
