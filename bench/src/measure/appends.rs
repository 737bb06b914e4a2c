//! Appends that wait for the disk: of one record from many threads, or of batches from one.

use std::thread;

use super::stream::BATCH_BYTES;
use crate::log::{Failure, Log, Result};
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally, Window};

/// As many threads as asked for append a record each and wait for it.
pub fn waiting(log: &dyn Log, task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let records = Records::new(task.record_bytes);
    let (sample, tally) =
        many(task, meter, 1, |thread, turn| log.append(records.at(thread * 7919 + turn)))?;
    Ok(sample.with_latencies(&tally.latencies))
}

/// One thread appends a batch of 1 MiB and waits for it.
pub fn batches(log: &dyn Log, task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let records = Records::new(task.record_bytes);
    let count = (BATCH_BYTES / task.record_bytes as u64).max(1);
    let batch: Vec<&[u8]> = (0..count).map(|index| records.at(index)).collect();
    let alone = Task { parallel: 1, ..task.clone() };
    let (sample, tally) = many(&alone, meter, count, |_, _| log.append_batch(&batch))?;
    Ok(sample.with_latencies(&tally.latencies))
}

/// Runs `call` with the number of its thread and of its turn, and counts `ops` for each.
fn many(
    task: &Task,
    meter: &Meter<'_>,
    ops: u64,
    call: impl Fn(u64, u64) -> Result<()> + Sync,
) -> Result<(Sample, Tally)> {
    let window = Window::new();
    let (window, call) = (&window, &call);
    let (span, tallies) = thread::scope(|scope| {
        let work = |thread: u64| {
            let mut turn = 0;
            window.work(ops, || {
                turn += 1;
                call(thread, turn)
            })
        };
        let workers: Vec<_> = (0..task.parallel as u64)
            .map(|thread| {
                let builder = thread::Builder::new().stack_size(STACK_BYTES);
                builder.spawn_scoped(scope, move || work(thread))
            })
            .collect();
        let span = window.pass(task, meter);
        let join = |worker: std::io::Result<thread::ScopedJoinHandle<'_, Result<Tally>>>| {
            worker?.join().unwrap_or_else(|_| Err(Failure::Failed("a thread panicked".into())))
        };
        (span, workers.into_iter().map(join).collect::<Vec<_>>())
    });
    let mut sum = Tally::new()?;
    for tally in tallies {
        sum.add(&tally?)?;
    }
    let sample = Sample::of(&span, sum.ops, sum.ops * task.record_bytes as u64);
    Ok((sample, sum))
}

/// Enough for any of the logs, and small for hundreds of threads.
const STACK_BYTES: usize = 1 << 20;
