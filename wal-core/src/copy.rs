//! Hot copies.

use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::log::Log;
use crate::lsn::Lsn;
use crate::options::{AppendOptions, Level, Options};
use crate::position::Position;
use crate::record::Record;
use crate::recovery::STATE_FILE;
use crate::vfs::{RealVfs, Vfs};

/// A finished hot copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Records copied.
    pub records: u64,
    /// The first of them.
    pub first_lsn: Option<Lsn>,
    /// The last of them.
    pub last_lsn: Option<Lsn>,
    /// The copy's identity.
    pub uuid: [u8; 16],
}

/// Copies what `log` shows at the time of the call to a new log at `path`.
pub(crate) fn copy(log: &Log, path: &Path) -> Result<CopyReport> {
    let end = log.next_lsn();
    let mut source = log.cursor(Position::First)?;
    let first_lsn = source.next_lsn();
    let options = Options {
        level: Level::Buffered,
        first_lsn,
        // Whatever the source has been allowed to take.
        record_bytes_max: limits::RECORD_BYTES_MAX,
        batch_bytes_max: limits::BATCH_BYTES_MAX,
        ..Options::default()
    };
    // Opening a log that is there already would change it.
    if RealVfs.list(path).is_ok_and(|names| names.iter().any(|name| name == STATE_FILE)) {
        return Err(taken(path));
    }
    let (target, report) = Log::open(path, options)?;
    if !report.created {
        return Err(taken(path));
    }
    let mut records = 0;
    let mut batch: Vec<Record> = Vec::new();
    let mut batch_time = None;
    while source.next_lsn() < end {
        let Some(record) = source.next()? else { break };
        let time = source.time()?;
        records += 1;
        batch.push(record.clone());
        batch_time.get_or_insert(time);
        if !record.batch_continues() {
            put(&target, &mut batch, &mut batch_time).map_err(of_target)?;
        }
    }
    // The log may end inside a batch that a truncation cut.
    put(&target, &mut batch, &mut batch_time).map_err(of_target)?;
    let values = log.values().list()?;
    let changes: Vec<(&[u8], Option<&[u8]>)> =
        values.iter().map(|(key, value)| (&key[..], Some(&value[..]))).collect();
    if !changes.is_empty() {
        target.values().update(&changes).map_err(of_target)?;
    }
    target.close().map_err(of_target)?;
    let last_lsn = first_lsn.get().checked_add(records).and_then(|next| Lsn::new(next - 1));
    Ok(CopyReport {
        records,
        first_lsn: Some(first_lsn).filter(|_| records > 0),
        last_lsn: last_lsn.filter(|_| records > 0),
        uuid: target.uuid(),
    })
}

/// Why the copy failed. A poisoned copy is given up; told `Poisoned`, the caller would think of the
/// log that is copied, with which nothing is wrong.
#[cold]
fn of_target(error: Error) -> Error {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Error>());
    match (error.kind(), cause) {
        (ErrorKind::Poisoned, Some(cause)) => cause.clone(),
        _ => error,
    }
}

#[cold]
fn taken(path: &Path) -> Error {
    let message = "there is a log here already: copy to another place";
    Error::at_path(ErrorKind::Invalid, path, message)
}

/// Appends a batch under the time it was committed at.
fn put(target: &Log, batch: &mut Vec<Record>, time: &mut Option<SystemTime>) -> Result<()> {
    if !batch.is_empty() {
        let options = AppendOptions { time: time.take(), ..AppendOptions::default() };
        target.with(options).append_batch(batch)?;
        batch.clear();
    }
    Ok(())
}
