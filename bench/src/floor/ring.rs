//! Appends that wait for no disk: memory and page cache.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::chunks::{chunk_bytes, pack};
use super::zeroed::{Aligned, Zeroed};
use crate::log::{Failure, Result};
use crate::measure::Flow;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::Meter;

/// One thread copies records with a checksum of each into a ring of 8 MiB; another one writes it to
/// the page cache in chunks of 256 KiB.
pub fn ring(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let mut file = Zeroed::create(&task.directory, FILE_BYTES)?;
    let records = Records::new(task.record_bytes);
    fill_ring(&mut file, &records, task.record_bytes, task.warm_up(), || ())?;
    let first = meter.read();
    let mut span = None;
    let ended = || span = Some(meter.since(&first));
    let count = fill_ring(&mut file, &records, task.record_bytes, task.duration(), ended)?;
    let span = span.ok_or_else(|| Failure::of("the ring stopped"))?;
    Ok(Sample::of(&span, count, count * task.record_bytes as u64))
}

/// One write to the page cache for each record.
pub fn calls(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let mut file = Zeroed::create(&task.directory, FILE_BYTES)?;
    let records = Records::new(task.record_bytes);
    let mut run = |duration| {
        let flow = Flow::start(duration);
        let mut count = 0;
        while flow.goes_on(count * task.record_bytes as u64) {
            for _ in 0..64 {
                file.write(records.at(count))?;
                count += 1;
            }
        }
        Ok::<_, Failure>(count)
    };
    run(task.warm_up())?;
    let first = meter.read();
    let count = run(task.duration())?;
    let span = meter.since(&first);
    Ok(Sample::of(&span, count, count * task.record_bytes as u64))
}

/// Calls `ended` when the last record is in the ring, and returns when the ring is empty.
fn fill_ring(
    file: &mut Zeroed,
    records: &Records,
    record_bytes: usize,
    duration: Duration,
    ended: impl FnOnce(),
) -> Result<u64> {
    let (full, filled) = mpsc::channel::<Aligned>();
    let (empty, emptied) = mpsc::channel::<Aligned>();
    for _ in 0..RING_CHUNKS {
        let chunk = Aligned::new(chunk_bytes(CHUNK_BYTES, record_bytes));
        empty.send(chunk).map_err(Failure::of)?;
    }
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for chunk in filled {
                file.write(chunk.bytes())?;
                // The producer may have ended.
                let _ = empty.send(chunk);
            }
            Ok::<_, Failure>(())
        });
        let flow = Flow::start(duration);
        let mut count = 0;
        while flow.goes_on(count * record_bytes as u64) {
            let Ok(mut chunk) = emptied.recv() else { break };
            count += pack(records, count, record_bytes, chunk.bytes_mut());
            if full.send(chunk).is_err() {
                break;
            }
        }
        ended();
        drop(full);
        writer.join().map_err(|_| Failure::of("the writer panicked"))??;
        Ok(count)
    })
}

const CHUNK_BYTES: usize = 256 << 10;
const RING_CHUNKS: usize = 32;
const FILE_BYTES: u64 = 256 << 20;
