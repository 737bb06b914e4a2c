//! Numbered records in a log, and what has to be there of them.

use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::{RealVfs, Vfs};
use wal_core::{ErrorKind, Level, Log, Options, Position, RecoveryReport};

use crate::{judge, record};

/// A log's options here: small segments, no waiting for a disk unless asked.
pub(super) fn options() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

/// The same at the level that waits for no disk.
pub(super) fn quick() -> Options {
    Options { level: Level::Os, ..options() }
}

/// The records of a log as they were appended and acknowledged.
pub(super) struct History {
    vfs: Arc<dyn Vfs>,
    pub(super) acknowledged: u64,
    /// Whether the outcome of the last one is not known.
    pub(super) is_open: bool,
}

impl History {
    pub(super) fn new(vfs: Arc<dyn Vfs>) -> History {
        History { vfs, acknowledged: 0, is_open: false }
    }

    pub(super) fn on_disk() -> History {
        History::new(Arc::new(RealVfs))
    }

    pub(super) fn open(&self, path: &Path) -> wal_core::Result<(Log, RecoveryReport)> {
        Log::open_with(Arc::clone(&self.vfs), path, options())
    }

    /// Appends records until one fails, at most `count`; returns the error's kind.
    pub(super) fn append(&mut self, log: &Log, count: u64, len: usize) -> Option<ErrorKind> {
        for _ in 0..count {
            match log.append(&record(self.acknowledged, len)) {
                Ok(_) => self.acknowledged += 1,
                Err(error) => {
                    self.is_open = !matches!(error.kind(), ErrorKind::Full | ErrorKind::Invalid);
                    return Some(error.kind());
                }
            }
        }
        None
    }

    /// Holds an open log against what was acknowledged.
    pub(super) fn judge(&mut self, log: &Log) -> Result<(), String> {
        let cursor = log.cursor(Position::First).map_err(|error| format!("cursor: {error:?}"))?;
        let found = cursor
            .map(|record| record.map(|record| record.to_vec()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("reading: {error:?}"))?;
        judge(&found, self.acknowledged, self.acknowledged + u64::from(self.is_open))
    }

    /// Opens the log, as it has to open, and judges, appends, closes, opens and judges.
    pub(super) fn judge_at(&mut self, path: &Path) -> Result<(), String> {
        for _ in 0..2 {
            let (log, _) = self.open(path).map_err(|error| format!("opening: {error:?}"))?;
            self.judge(&log)?;
            // What was not known is known now.
            self.acknowledged = log.next_lsn().get() - 1;
            self.is_open = false;
            if let Some(kind) = self.append(&log, 2, 300) {
                return Err(format!("an append is refused with {kind}"));
            }
            log.close().map_err(|error| format!("closing: {error:?}"))?;
        }
        Ok(())
    }
}
