//! Appends records that any reader can check, until it is killed.

use std::io::Write;
use std::path::Path;

use wal_core::{Log, Options};

use super::appending::block_on;
use crate::generator::{Numbers, record};

/// Appends `count` records or a few more (0: without end) and tells of each acknowledgement.
///
/// # Errors
/// What the log refused, or that nobody listens.
pub fn write(
    directory: &Path,
    count: u64,
    seed: u64,
    told: &mut dyn Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let options = Options { segment_bytes: SEGMENT_BYTES, ..Options::default() };
    let (log, _) = Log::open(directory, options)?;
    writeln!(told, "open {}", log.last_lsn().map_or(0, |last| last.get()))?;
    told.flush()?;
    let from = log.next_lsn().get();
    let mut next = from;
    let mut calls = Numbers::of(seed);
    while count == 0 || next - from < count {
        let draw = calls.draw();
        let many = u64::from(draw >> 8);
        next += match draw % 4 {
            0 | 1 => one(&log, next, told)?,
            2 => batch(&log, next, 2 + many % 7, told)?,
            _ => in_flight(&log, next, 1 + many % 16, told)?,
        };
    }
    log.close()?;
    writeln!(told, "done {}", next - 1)?;
    Ok(told.flush()?)
}

type Appended = Result<u64, Box<dyn std::error::Error>>;

fn one(log: &Log, next: u64, told: &mut dyn Write) -> Appended {
    acknowledged(log.append(&record(next))?.get(), next, told)?;
    Ok(1)
}

fn batch(log: &Log, next: u64, count: u64, told: &mut dyn Write) -> Appended {
    let records: Vec<Vec<u8>> = (next..next + count).map(record).collect();
    acknowledged(log.append_batch(&records)?.final_.get(), next + count - 1, told)?;
    Ok(count)
}

fn in_flight(log: &Log, next: u64, count: u64, told: &mut dyn Write) -> Appended {
    let lsns = next..next + count;
    let tickets: Vec<_> =
        lsns.clone().map(|lsn| log.submit(&record(lsn))).collect::<Result<_, _>>()?;
    for (lsn, ticket) in lsns.zip(tickets) {
        acknowledged(block_on(ticket)?.first.get(), lsn, told)?;
    }
    Ok(count)
}

fn acknowledged(
    lsn: u64,
    expected: u64,
    told: &mut dyn Write,
) -> Result<(), Box<dyn std::error::Error>> {
    if lsn != expected {
        return Err(format!("record {expected} got the LSN {lsn}").into());
    }
    writeln!(told, "ack {lsn}")?;
    Ok(told.flush()?)
}

/// Small, so that many segments come and go.
const SEGMENT_BYTES: u64 = 64 * 1024;
