//! A file of frames: the least that lets a reader check its records. A header of 16 bytes (CRC,
//! length, number), the record, and nothing else.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::path::PathBuf;
use std::time::Instant;

use crate::kernel;
use crate::log::{Failure, Result};
use crate::prepared::{self, Kind};
use crate::records::{Random, Records};
use crate::sample::Sample;
use crate::task::Task;
use crate::window::{Meter, Tally};

/// Maps the file and checks every frame in order, again and again; the first time is not counted.
pub fn scan(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let map = kernel::map(&File::open(filled(task)?)?)?;
    let pass = || {
        let (mut at, mut count) = (0, 0);
        while at < map.len() {
            let (record, next) = frame(&map, at, count).ok_or_else(damaged)?;
            black_box(record);
            (at, count) = (next, count + 1);
        }
        Ok::<_, Failure>(count)
    };
    pass()?;
    let (first, started) = (meter.read(), Instant::now());
    let mut ops = 0;
    while ops == 0 || started.elapsed() < task.duration() {
        ops += pass()?;
    }
    let span = meter.since(&first);
    Ok(Sample::of(&span, ops, ops * task.record_bytes as u64))
}

/// Reads the file from the disk in order, 1 MiB with each call, the kernel reading ahead, and
/// checks nothing.
pub fn read(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let path = filled(task)?;
    prepared::chill(path.parent().unwrap_or(&path))?;
    let mut buffer = vec![1; 1 << 20];
    let first = meter.read();
    let mut file = File::open(path)?;
    kernel::read_ahead(&file);
    while file.read(&mut buffer)? > 0 {
        black_box(&buffer);
    }
    let span = meter.since(&first);
    Ok(Sample::of(&span, task.records(), task.bytes))
}

/// Finds frames anywhere through a table of their offsets, and checks them.
pub fn random(task: &Task, meter: &Meter<'_>) -> Result<Sample> {
    let map = kernel::map(&File::open(filled(task)?)?)?;
    let frame_bytes = HEADER_BYTES + task.record_bytes;
    let offsets: Vec<usize> =
        (0..task.records() as usize).map(|index| index * frame_bytes).collect();
    let read = |index| frame(&map, offsets[index as usize], index).ok_or_else(damaged);
    let end = offsets.len() as u64;
    let mut random = Random::new(3);
    let mut run = |duration| {
        let (mut tally, started) = (Tally::new()?, Instant::now());
        while started.elapsed() < duration {
            let before = Instant::now();
            black_box(read(random.below(end))?);
            tally.record(before.elapsed());
            let indexes: [u64; 63] = std::array::from_fn(|_| random.below(end));
            for index in indexes {
                black_box(read(index)?);
            }
            tally.ops += 64;
        }
        Ok::<_, Failure>(tally)
    };
    run(task.warm_up().max(task.duration()))?;
    let first = meter.read();
    let tally = run(task.duration())?;
    let span = meter.since(&first);
    let sample = Sample::of(&span, tally.ops, tally.ops * task.record_bytes as u64);
    Ok(sample.with_latencies(&tally.latencies))
}

/// The record of the frame at an offset, if it is the right one, and where the next frame begins.
fn frame(file: &[u8], at: usize, number: u64) -> Option<(&[u8], usize)> {
    let header: &[u8; HEADER_BYTES] = file.get(at..at + HEADER_BYTES)?.try_into().ok()?;
    let [c0, c1, c2, c3, l0, l1, l2, l3, n @ ..] = *header;
    let end = at + HEADER_BYTES + u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let checked = file.get(at + 4..end)?;
    let is_right = u64::from_le_bytes(n) == number
        && crc32fast::hash(checked) == u32::from_le_bytes([c0, c1, c2, c3]);
    is_right.then(|| (&checked[HEADER_BYTES - 4..], end))
}

fn damaged() -> Failure {
    Failure::of("a frame of the floor is not what was written")
}

/// The file with a frame for every record of the task, written by the first round.
fn filled(task: &Task) -> Result<PathBuf> {
    let directory = prepared::prepared(task, Kind::Frames, |directory| {
        let records = Records::new(task.record_bytes);
        let mut file = BufWriter::with_capacity(1 << 20, File::create(directory.join("frames"))?);
        for number in 0..task.records() {
            let record = records.at(number);
            let mut checked = Vec::with_capacity(HEADER_BYTES + record.len());
            checked.extend_from_slice(&(record.len() as u32).to_le_bytes());
            checked.extend_from_slice(&number.to_le_bytes());
            checked.extend_from_slice(record);
            file.write_all(&crc32fast::hash(&checked).to_le_bytes())?;
            file.write_all(&checked)?;
        }
        Ok(file.into_inner().map_err(Failure::of)?.sync_all()?)
    })?;
    Ok(directory.join("frames"))
}

const HEADER_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_refused_under_another_number_and_after_a_flip() {
        let mut checked = 3u32.to_le_bytes().to_vec();
        checked.extend_from_slice(&7u64.to_le_bytes());
        checked.extend_from_slice(b"abc");
        let mut file = crc32fast::hash(&checked).to_le_bytes().to_vec();
        file.extend_from_slice(&checked);
        assert_eq!(frame(&file, 0, 7), Some((&b"abc"[..], 19)));
        assert_eq!(frame(&file, 0, 8), None);
        for flipped in 0..file.len() {
            let mut file = file.clone();
            file[flipped] ^= 1;
            assert_eq!(frame(&file, 0, 7), None, "byte {flipped}");
        }
    }
}
