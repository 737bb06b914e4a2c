//! One thread appends without pause until its time is over.

use std::time::{Duration, Instant};

use crate::log::{Failure, Log, Result};
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// Payload bytes of one durable batch.
pub const BATCH_BYTES: u64 = 1 << 20;

/// Says when a stream has to end: when its time is over, or before it fills the disk.
pub struct Flow {
    started: Instant,
    duration: Duration,
    bytes_max: u64,
}

impl Flow {
    /// A stream that starts now.
    pub fn start(duration: Duration) -> Flow {
        Flow { started: Instant::now(), duration, bytes_max: STREAM_BYTES_MAX }
    }

    /// Whether to go on after so many bytes.
    pub fn goes_on(&self, bytes: u64) -> bool {
        bytes < self.bytes_max && self.started.elapsed() < self.duration
    }
}

/// One thread hands records over and waits for the last.
pub fn pipelined(log: &dyn Log, task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let records = Records::new(task.record_bytes);
    stream(log, task, &records, task.warm_up())?;
    let first = meter.read();
    let ops = stream(log, task, &records, task.duration())?;
    let span = meter.since(&first);
    Ok(Sample::of(&span, ops, ops * task.record_bytes as u64))
}

/// One thread appends records that are acknowledged before they are on disk. Of 64 calls one is
/// timed, because two looks at a clock take longer than some of these calls.
pub fn unsynced(
    task: &Task,
    meter: &Meter<'_>,
    append: impl Fn(&[u8]) -> Result<()>,
) -> Result<Sample> {
    let records = Records::new(task.record_bytes);
    let run = |duration| {
        let mut tally = Tally::new()?;
        let flow = Flow::start(duration);
        while flow.goes_on(tally.ops * task.record_bytes as u64) {
            let started = Instant::now();
            append(records.at(tally.ops))?;
            tally.record(started.elapsed());
            for next in 1..CLOCK_EVERY {
                append(records.at(tally.ops + next))?;
            }
            tally.ops += CLOCK_EVERY;
        }
        Ok::<_, Failure>(tally)
    };
    run(task.warm_up())?;
    let first = meter.read();
    let tally = run(task.duration())?;
    let span = meter.since(&first);
    let sample = Sample::of(&span, tally.ops, tally.ops * task.record_bytes as u64);
    Ok(sample.with_latencies(&tally.latencies))
}

/// Hands records over for so long, waits, and says how many they were.
fn stream(log: &dyn Log, task: &Task, records: &Records, duration: Duration) -> Result<u64> {
    let flow = Flow::start(duration);
    let record_bytes = task.record_bytes as u64;
    let clock_every = (CLOCK_BYTES / record_bytes).max(1);
    let mut count = 0;
    let mut source = std::iter::from_fn(|| {
        if count % clock_every == 0 && !flow.goes_on(count * record_bytes) {
            return None;
        }
        count += 1;
        Some(records.at(count))
    });
    log.append_pipelined(&mut source)?;
    Ok(count)
}

const CLOCK_EVERY: u64 = 64;
const CLOCK_BYTES: u64 = 64 << 10;
/// A stream that is faster than this in its time ends early.
const STREAM_BYTES_MAX: u64 = 4 << 30;
