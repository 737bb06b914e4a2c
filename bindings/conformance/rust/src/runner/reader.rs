//! Checks what `write` left, whoever wrote it and however it ended.

use std::path::Path;

use wal_core::{Log, Options, Position};

use crate::generator::record;

/// Opens the log, which recovers it, and holds every record against the generator. Returns the line
/// that tells the records.
///
/// # Errors
/// What the log refused, and the first record that is not what it must be.
pub fn read(directory: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let (log, _) = Log::open(directory, Options::default())?;
    let (mut first, mut last) = (None, None);
    let mut crc = crc32fast::Hasher::new();
    let mut is_batch_open = false;
    for found in log.cursor(Position::First)? {
        let found = found?;
        let lsn = found.lsn().get();
        if *found != *record(lsn) {
            return Err(format!("record {lsn} is not what was appended").into());
        }
        if last.is_some_and(|last| last + 1 != lsn) {
            return Err(format!("record {lsn} follows {last:?}").into());
        }
        first.get_or_insert(lsn);
        last = Some(lsn);
        is_batch_open = found.batch_continues();
        crc.update(&found);
    }
    if is_batch_open {
        return Err(format!("the log ends inside a batch, at {last:?}").into());
    }
    log.close()?;
    let number = |lsn: Option<u64>| lsn.map_or("-".to_owned(), |lsn| lsn.to_string());
    Ok(format!("records {} {} {:08x}", number(first), number(last), crc.finalize()))
}
