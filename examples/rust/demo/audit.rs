//! Looks into the log after a kill: is every acknowledged line there, in order, once?

use std::path::Path;
use std::time::{Duration, Instant};

use wal_core::{Log, Options, Position, RecoveryReport};

use crate::input::Input;

/// What an opening after a kill found.
pub struct Audit {
    /// Records in the log.
    pub records: u64,
    /// Records not acknowledged although they are there: the kill came between.
    pub unacknowledged: u64,
    /// How long opening took, recovery and all.
    pub took: Duration,
    /// What the opening reported.
    pub report: RecoveryReport,
}

/// Opens the log as the next writer would, compares every record with its line, and closes it.
pub fn audit(dir: &Path, input: &Input, acknowledged: u64) -> Result<Audit, String> {
    let started = Instant::now();
    let (log, report) = Log::open(dir, Options { create: acknowledged == 0, ..Options::default() })
        .map_err(|error| format!("the log does not open after a kill: {error}"))?;
    let took = started.elapsed();
    let records = compare(&log, input)?;
    if records < acknowledged {
        return Err(format!(
            "LOST: lines {} to {acknowledged} were acknowledged and are gone",
            records + 1
        ));
    }
    let next = log.next_lsn().get();
    if next != records + 1 {
        return Err(format!("the log holds {records} records but goes on at {next}"));
    }
    log.close().map_err(|error| format!("closing: {error}"))?;
    Ok(Audit { records, unacknowledged: records - acknowledged, took, report })
}

/// Compares every record with the line of its number, so order and multiplicity are checked too;
/// returns how many there are.
fn compare(log: &Log, input: &Input) -> Result<u64, String> {
    let mut cursor = log.cursor(Position::First).map_err(|error| error.to_string())?;
    let mut count = 0;
    while let Some(record) = cursor.next().map_err(|error| format!("reading: {error}"))? {
        if record.lsn().get() != count + 1 {
            return Err(format!("record {} stands where {} belongs", record.lsn(), count + 1));
        }
        if count >= input.line_count() {
            return Err(format!("record {} is more than the input has lines", record.lsn()));
        }
        if record[..] != *input.line(count) {
            return Err(format!("record {} is not line {} of the input", record.lsn(), count + 1));
        }
        count += 1;
    }
    Ok(count)
}

/// Whether the log's records, each followed by a newline, are the input byte for byte.
pub fn is_identical(dir: &Path, input: &Input) -> Result<bool, String> {
    let (log, _) = Log::open_read_only(dir, Options::default())
        .map_err(|error| format!("opening for reading: {error}"))?;
    let mut content = Vec::with_capacity(input.bytes.len() + 1);
    for record in log.cursor(Position::First).map_err(|error| error.to_string())? {
        content.extend_from_slice(&record.map_err(|error| error.to_string())?);
        content.push(b'\n');
    }
    // A text may end without a newline; then the last record's one is ours.
    if input.bytes.last() != Some(&b'\n') {
        content.pop();
    }
    Ok(content == input.bytes)
}
