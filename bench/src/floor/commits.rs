//! One thread writes and syncs: the commits a device makes, one after the other.

use super::zeroed::{Aligned, Zeroed};
use crate::log::Result;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally, Window};

/// Writes one record of every waiter, rounded up to a multiple of `unit` bytes, and syncs it, again
/// and again.
///
/// With every waiter in every commit, no log that syncs before it acknowledges can complete more:
/// a waiter appends again only when it was acknowledged, and the device takes one sync at a time.
pub fn commits(task: &Task, meter: &Meter<'_>, unit: usize) -> Result<Sample> {
    let group = task.parallel * task.record_bytes;
    let mut data = Aligned::new(group.next_multiple_of(unit));
    let records = Records::new(task.record_bytes);
    for (waiter, place) in data.bytes_mut().chunks_exact_mut(task.record_bytes).enumerate() {
        place.copy_from_slice(records.at(waiter as u64));
    }
    let file_bytes = FILE_BYTES.max(data.bytes().len() as u64 * 4);
    let mut file = Zeroed::create(&task.directory, file_bytes)?;
    let window = Window::new();
    let (span, tally) = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            window.work(task.parallel as u64, || {
                file.write(data.bytes())?;
                Ok(file.sync()?)
            })
        });
        (window.pass(task, meter), worker.join())
    });
    let tally: Tally = tally.map_err(|_| crate::log::Failure::of("the writer panicked"))??;
    let mut sample = Sample::of(&span, tally.ops, tally.ops * task.record_bytes as u64);
    sample.syncs = Some(tally.latencies.len());
    Ok(sample.with_latencies(&tally.latencies))
}

const FILE_BYTES: u64 = 64 << 20;
