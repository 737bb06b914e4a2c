//! 1 MiB at a time: the device alone, the memory alone, and both at once.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::zeroed::{Aligned, BLOCK_BYTES, Zeroed};
use crate::log::{Failure, Result};
use crate::measure::Flow;
use crate::records::Records;
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// Direct writes of 1 MiB, each synced: the rate of the device.
pub fn device(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    synced(Zeroed::create_direct(&task.directory, FILE_BYTES)?, task, meter)
}

/// The same into a file that grows: the rate of the file system.
pub fn growing(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    synced(Zeroed::growing_direct(&task.directory)?, task, meter)
}

fn synced(mut file: Zeroed, task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let mut chunk = Aligned::new(chunk_bytes(CHUNK_BYTES, task.record_bytes));
    let records = Records::new(task.record_bytes);
    pack(&records, 0, task.record_bytes, chunk.bytes_mut());
    let mut run = |duration| {
        let flow = Flow::start(duration);
        let (mut tally, mut bytes) = (Tally::new()?, 0);
        while flow.goes_on(bytes) {
            let started = std::time::Instant::now();
            file.write(chunk.bytes())?;
            file.sync()?;
            tally.record(started.elapsed());
            bytes += chunk.bytes().len() as u64;
        }
        Ok::<_, Failure>((tally, bytes))
    };
    run(task.warm_up())?;
    let first = meter.read();
    let (tally, bytes) = run(task.duration())?;
    let span = meter.since(&first);
    let mut sample = Sample::of(&span, bytes / task.record_bytes as u64, bytes);
    sample.syncs = Some(tally.latencies.len());
    Ok(sample.with_latencies(&tally.latencies))
}

/// Copies records into chunks with a checksum of each: what the producer's core can do.
pub fn memory(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let chunk_bytes = chunk_bytes(CHUNK_BYTES, task.record_bytes);
    let mut chunks: Vec<Aligned> = (0..MEMORY_CHUNKS).map(|_| Aligned::new(chunk_bytes)).collect();
    let records = Records::new(task.record_bytes);
    let mut run = |duration| {
        let flow = Flow::start(duration);
        let mut count = 0;
        for turn in 0.. {
            if !flow.goes_on(0) {
                break;
            }
            let chunk = &mut chunks[turn % MEMORY_CHUNKS];
            count += pack(&records, count, task.record_bytes, chunk.bytes_mut());
            black_box(chunk.bytes());
        }
        count
    };
    run(task.warm_up());
    let first = meter.read();
    let count = run(task.duration());
    let span = meter.since(&first);
    Ok(Sample::of(&span, count, count * task.record_bytes as u64))
}

/// Both at once: while one thread writes and syncs a chunk, another one fills the next.
pub fn pipelined(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let mut file = Zeroed::create_direct(&task.directory, FILE_BYTES)?;
    let records = Records::new(task.record_bytes);
    let mut run = |duration| compose(&mut file, &records, task.record_bytes, duration);
    run(task.warm_up())?;
    let first = meter.read();
    let (count, syncs) = run(task.duration())?;
    let span = meter.since(&first);
    let mut sample = Sample::of(&span, count, count * task.record_bytes as u64);
    sample.syncs = Some(syncs);
    Ok(sample)
}

/// How many records were written, in how many chunks.
fn compose(
    file: &mut Zeroed,
    records: &Records,
    record_bytes: usize,
    duration: Duration,
) -> Result<(u64, u64)> {
    let (full, filled) = mpsc::channel::<Aligned>();
    let (empty, emptied) = mpsc::channel::<Aligned>();
    for _ in 0..2 {
        let chunk = Aligned::new(chunk_bytes(CHUNK_BYTES, record_bytes));
        empty.send(chunk).map_err(Failure::of)?;
    }
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut syncs = 0;
            for chunk in filled {
                file.write(chunk.bytes())?;
                file.sync()?;
                syncs += 1;
                // The producer may have ended.
                let _ = empty.send(chunk);
            }
            Ok::<_, Failure>(syncs)
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
        drop(full);
        let syncs = writer.join().map_err(|_| Failure::of("the writer panicked"))??;
        Ok((count, syncs))
    })
}

/// Copies as many records as fit, with a checksum of each; returns how many.
pub fn pack(records: &Records, first: u64, record_bytes: usize, chunk: &mut [u8]) -> u64 {
    let mut count = 0;
    for place in chunk.chunks_mut(record_bytes) {
        // A record at the end of the chunk is cut: the bytes are the same.
        let record = &records.at(first + count)[..place.len()];
        place.copy_from_slice(record);
        black_box(crc32fast::hash(place));
        count += 1;
    }
    count
}

/// The size of a chunk that holds at least one record.
pub fn chunk_bytes(least: usize, record_bytes: usize) -> usize {
    least.max(record_bytes.next_multiple_of(BLOCK_BYTES))
}

/// One write.
const CHUNK_BYTES: usize = 1 << 20;
const FILE_BYTES: u64 = 256 << 20;
const MEMORY_CHUNKS: usize = 8;
