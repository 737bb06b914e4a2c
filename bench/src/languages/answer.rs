//! `wal-bench answer`: the measurer of Rust. Those of the other languages do the same.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::{Duration, Instant};

use wal_core::{AppendOptions, Level, Log, Options, Position, Result};

/// Answers workloads until nothing more is asked.
///
/// # Errors
/// A log that fails, and a pipe that breaks.
pub fn answer() -> std::result::Result<(), String> {
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let (workload, place) = line.split_once(' ').ok_or("asked for nothing")?;
        let answer = match measured(workload, Path::new(place)) {
            Ok(Some((records, taken))) => format!("{records} {}", taken.as_nanos()),
            Ok(None) => "none".to_owned(),
            Err(error) => return Err(format!("{workload}: {error}")),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// How many records, and how long it took.
fn measured(workload: &str, place: &Path) -> Result<Option<(usize, Duration)>> {
    let (log, _) = Log::open(place, Options::default())?;
    let found = match workload {
        "append" => bursts(&log, BURST, |memory| memory.append(&RECORD).map(drop))?,
        "batch" => {
            let batch = [&RECORD[..]; BATCH];
            bursts(&log, BURST / BATCH, |memory| memory.append_batch(&batch).map(drop))?
        }
        "read" => {
            fill(&log)?;
            read(&log)?
        }
        "read-packed" => {
            fill(&log)?;
            read_packed(&log)?
        }
        "os" => {
            let os = log.with(AppendOptions { level: Some(Level::Os), ..AppendOptions::default() });
            let started = Instant::now();
            for _ in 0..OS {
                os.append(&RECORD)?;
            }
            (OS, started.elapsed())
        }
        "durable" => {
            let started = Instant::now();
            for _ in 0..DURABLE {
                log.append(&RECORD)?;
            }
            (DURABLE, started.elapsed())
        }
        "durable-batch" => {
            let batch = [&RECORD[..]; BATCH];
            let started = Instant::now();
            for _ in 0..DURABLE_BATCHES {
                log.append_batch(&batch)?;
            }
            (DURABLE_BATCHES * BATCH, started.elapsed())
        }
        "async" => in_flight(&log)?,
        _ => return Ok(None),
    };
    log.close()?;
    Ok(Some(found))
}

/// Appends to memory, in bursts that fit there: what the disk does in between is not counted.
fn bursts(
    log: &Log,
    calls: usize,
    call: impl Fn(&wal_core::Appender<'_>) -> Result<()>,
) -> Result<(usize, Duration)> {
    let memory =
        log.with(AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() });
    let mut taken = Duration::ZERO;
    for _ in 0..BURSTS {
        let started = Instant::now();
        for _ in 0..calls {
            call(&memory)?;
        }
        taken += started.elapsed();
        log.sync()?;
    }
    Ok((BURSTS * BURST, taken))
}

fn fill(log: &Log) -> Result<()> {
    let batch = [&RECORD[..]; BATCH];
    let memory =
        log.with(AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() });
    for _ in 0..READ / BATCH {
        memory.append_batch(&batch)?;
    }
    log.sync()?;
    Ok(())
}

/// Every record in hand, one after the other.
fn read(log: &Log) -> Result<(usize, Duration)> {
    let started = Instant::now();
    let mut bytes = 0;
    for _ in 0..PASSES {
        let mut cursor = log.cursor(Position::First)?;
        while let Some(record) = cursor.next()? {
            bytes += record.len();
        }
    }
    let taken = started.elapsed();
    assert_eq!(bytes, PASSES * READ * RECORD.len(), "every record was read");
    Ok((PASSES * READ, taken))
}

fn read_packed(log: &Log) -> Result<(usize, Duration)> {
    let mut arena = vec![MaybeUninit::uninit(); 256 * 1024];
    let started = Instant::now();
    let mut records = 0;
    for _ in 0..PASSES {
        let mut cursor = log.cursor(Position::First)?;
        loop {
            let packed = cursor.read_packed(&mut arena, usize::MAX)?;
            if packed.count == 0 {
                break;
            }
            records += packed.count;
        }
    }
    let taken = started.elapsed();
    assert_eq!(records, PASSES * READ, "every record was read");
    Ok((records, taken))
}

fn in_flight(log: &Log) -> Result<(usize, Duration)> {
    let started = Instant::now();
    let mut tickets: VecDeque<wal_core::Ticket> = VecDeque::with_capacity(IN_FLIGHT);
    for _ in 0..ASYNC {
        if tickets.len() == IN_FLIGHT
            && let Some(oldest) = tickets.pop_front()
        {
            oldest.wait()?;
        }
        tickets.push_back(log.submit(&RECORD)?);
    }
    for ticket in tickets {
        ticket.wait()?;
    }
    Ok((ASYNC, started.elapsed()))
}

const RECORD: [u8; 100] = [b'r'; 100];
const BATCH: usize = 1000;
const BURST: usize = 20_000;
const BURSTS: usize = 20;
const READ: usize = 100_000;
const PASSES: usize = 3;
const OS: usize = 20_000;
const DURABLE: usize = 300;
const DURABLE_BATCHES: usize = 50;
const ASYNC: usize = 40_000;
const IN_FLIGHT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::WORKLOADS;

    #[test]
    fn every_workload_is_answered_but_the_one_that_rust_does_not_need() {
        for workload in WORKLOADS {
            let directory = tempfile::tempdir().unwrap();
            let found = measured(workload, &directory.path().join("log")).unwrap();
            assert_eq!(found.is_some(), *workload != "packed", "{workload}");
            if let Some((records, taken)) = found {
                assert!(records > 0 && taken > Duration::ZERO, "{workload}");
            }
        }
    }
}
