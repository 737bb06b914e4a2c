//! Appends that asynchronous tasks wait for.

use std::sync::Arc;

use crate::log::{Failure, Result, System};
use crate::mount::Mount;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally, Window};

/// As many tasks as asked for append a record each and await it, on a runtime with one thread for
/// each core.
pub fn tasks(system: &dyn System, task: &Task, mount: &Mount) -> Result<Sample> {
    let log = Arc::new(system.open(&task.directory)?);
    let records = Arc::new(Records::new(task.record_bytes));
    let window = Arc::new(Window::new());
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let handles: Vec<_> = (0..task.parallel as u64)
        .map(|number| {
            let (log, records, window) = (log.clone(), records.clone(), window.clone());
            runtime.spawn(async move {
                let mut tally = Tally::new()?;
                let mut turn = number * 7919;
                while !window.has_ended() {
                    turn += 1;
                    let started = std::time::Instant::now();
                    let appended = log.append_async(records.at(turn)).await;
                    appended.inspect_err(|_| window.end())?;
                    if window.is_open() {
                        tally.ops += 1;
                        tally.record(started.elapsed());
                    }
                }
                Ok::<_, Failure>(tally)
            })
        })
        .collect();
    let span = window.pass(task, &Meter::new(mount, Some(&**log)));
    let mut sum = Tally::new()?;
    for handle in handles {
        sum.add(&runtime.block_on(handle).map_err(Failure::of)??)?;
    }
    drop(runtime);
    Arc::into_inner(log).ok_or_else(|| Failure::Failed("a task lives on".into()))?.close()?;
    let sample = Sample::of(&span, sum.ops, sum.ops * task.record_bytes as u64);
    Ok(sample.with_latencies(&sum.latencies))
}
