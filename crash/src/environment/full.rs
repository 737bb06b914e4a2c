//! A disk that is full from any block on.

use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{Error, ErrorKind, Lsn};

use super::Judged;
use super::history::History;

/// Every capacity of a disk in memory, from none on: a log is made and filled, refuses with `Full`,
/// poisons nothing, can be opened, read, trimmed and closed, and goes on when there is space.
pub(super) fn at_every_block(_: &Path, is_full: bool) -> Result<Judged, String> {
    let lens: &[usize] = if is_full { &[1, 100, 4000, 30_000] } else { &[700] };
    let mut count = 0;
    for &len in lens {
        for blocks in 0..BLOCKS_MAX {
            one(blocks, len)
                .map_err(|what| format!("{blocks} blocks, records of {len}: {what}"))?;
            count += 1;
        }
    }
    Ok(Judged::Right(count))
}

fn one(blocks: u64, len: usize) -> Result<(), String> {
    let path = Path::new("/log");
    let vfs = MemVfs::new();
    vfs.set_capacity(Some(blocks * 4096));
    let mut history = History::new(Arc::new(vfs.clone()));
    let records = 200_000 / len as u64 + 3;
    match history.open(path) {
        Ok((log, _)) => {
            let refused = history.append(&log, records, len);
            if refused.is_some_and(|kind| kind != ErrorKind::Full) {
                return Err(format!("a full disk is {refused:?}"));
            }
            history.judge(&log).map_err(|what| format!("while it is full: {what}"))?;
            if refused.is_some() && log.stats().is_ok_and(|stats| stats.poisoned.is_some()) {
                return Err("a full disk has poisoned the log".into());
            }
            // Room by itself: the open log goes on.
            vfs.set_capacity(None);
            if let Some(kind) = history.append(&log, 3, len) {
                return Err(format!("with space again an append is refused with {kind}"));
            }
            vfs.set_capacity(Some(blocks * 4096));
            log.close().map_err(|error| format!("closing on a full disk: {error:?}"))?;
        }
        Err(error) if is_full(&error) => {}
        Err(error) => return Err(format!("opening on a full disk: {error:?}")),
    }
    // Another opening on the same full disk, then one with space.
    if history.acknowledged > 0 {
        let (log, _) = history.open(path).map_err(|error| format!("reopening: {error:?}"))?;
        history.judge(&log)?;
        if let Some(lsn) = Lsn::new(history.acknowledged) {
            log.read(lsn).map_err(|error| format!("the last record: {error:?}"))?;
        }
        log.close().map_err(|error| format!("closing: {error:?}"))?;
    }
    vfs.set_capacity(None);
    history.judge_at(path)
}

/// Whether there was no space. Of a log that is being made the state file may be there in part:
/// then the kind is `Io`, and the cause tells.
pub(super) fn is_full(error: &Error) -> bool {
    error.kind() == ErrorKind::Full || error.os_errno() == Some(libc::ENOSPC)
}

/// A log of four segments fits.
const BLOCKS_MAX: u64 = 140;
