//! The calls of a log that append.

use std::io::IoSlice;
use std::time::Duration;

use super::Log;
use crate::append::{Ticket, deadline};
use crate::appender::Appender;
use crate::error::Result;
use crate::lsn::{Lsn, LsnRange};
use crate::options::AppendOptions;

/// Appending.
impl Log {
    /// The same log, appending under other than its own options.
    ///
    /// ```
    /// use wal_core::{AppendOptions, Level};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let (log, _) = wal_core::Log::open(directory.path().join("log"), Default::default())?;
    /// let fast = AppendOptions { level: Some(Level::Buffered), ..AppendOptions::default() };
    /// log.with(fast).append(b"not yet on disk")?;
    /// log.sync()?; // now it is
    /// # Ok::<(), wal_core::Error>(())
    /// ```
    pub fn with(&self, options: AppendOptions) -> Appender<'_> {
        Appender::new(self, options)
    }

    /// Appends one record and returns its LSN.
    ///
    /// When this returns, the record survives power loss on a log at level `Disk` (the default),
    /// the death of the process at `Os`; at `Buffered` it is in the engine's memory.
    ///
    /// # Errors
    /// `Invalid` for a record over the limit; `Full` when it was surely not written; `Io` when a
    /// write or sync failed and the outcome is not known until the log is reopened, `Poisoned` from
    /// then on; `Closed`, `Forked`.
    pub fn append(&self, record: &[u8]) -> Result<Lsn> {
        self.with(AppendOptions::default()).append(record)
    }

    /// Appends several records as one batch: after a crash all of them are there or none.
    ///
    /// When this returns, they are at the log's level, as with [`Log::append`].
    ///
    /// # Errors
    /// As [`Log::append`]; `Invalid` also for no records at all.
    pub fn append_batch<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<LsnRange> {
        self.with(AppendOptions::default()).append_batch(records)
    }

    /// Appends one record that lies in several pieces.
    ///
    /// When this returns, the record is at the log's level, as with [`Log::append`].
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_vectored(&self, pieces: &[IoSlice<'_>]) -> Result<Lsn> {
        self.with(AppendOptions::default()).append_vectored(pieces)
    }

    /// Appends one record if the next LSN is `expected`. Tells a writer whose view is old, and
    /// whether an append of unknown outcome arrived.
    ///
    /// When this returns `Ok`, the record is at the log's level, as with [`Log::append`].
    ///
    /// # Errors
    /// `Conflict`, with the next LSN, when it is another one; otherwise as [`Log::append`].
    pub fn append_at(&self, expected: Lsn, record: &[u8]) -> Result<Lsn> {
        self.with(AppendOptions::default()).append_at(expected, record)
    }

    /// Hands one record to the engine. Waits only while there is no room for it.
    ///
    /// When this returns, the record has its LSN; when its ticket is done, it is at the log's
    /// level.
    ///
    /// # Errors
    /// As [`Log::append`], as far as they are known by now; the ticket tells the rest.
    pub fn submit(&self, record: &[u8]) -> Result<Ticket> {
        self.with(AppendOptions::default()).submit(record)
    }

    /// Hands a batch to the engine.
    ///
    /// When this returns, the records have their LSNs; when the ticket is done, they are at the
    /// log's level.
    ///
    /// # Errors
    /// As [`Log::submit`].
    pub fn submit_batch<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<Ticket> {
        self.with(AppendOptions::default()).submit_batch(records)
    }

    /// Waits until the record `lsn` is durable, also when it is yet to be appended; for ever
    /// without a time-out. Returns the durable LSN, which may be a later one.
    ///
    /// When this returns `Ok`, every record up to the returned LSN survives power loss.
    ///
    /// # Errors
    /// `Full` when the record that had this LSN was refused for want of room, until the LSN is
    /// issued again; `Timeout`; the first cause when the log is poisoned; `Closed`, `Forked`.
    pub fn wait_durable(&self, lsn: Lsn, timeout: Option<Duration>) -> Result<Lsn> {
        self.writer()?.wait_durable(lsn, deadline(timeout))
    }

    /// Makes everything appended before the call durable. Returns the durable LSN.
    ///
    /// When this returns `Ok`, every record appended before the call survives power loss.
    ///
    /// # Errors
    /// `Io` when a write or sync failed, `Poisoned` from then on; `Full`, `Closed`, `Forked`.
    pub fn sync(&self) -> Result<Option<Lsn>> {
        self.writer()?.sync()
    }
}
