//! The calls of a log that change what is there, or look on.

use std::path::Path;

use super::Log;
use crate::copy::{self, CopyReport};
use crate::error::Result;
use crate::lsn::Lsn;
use crate::notify::{Notifier, Subscription};
use crate::stats::Stats;
use crate::values::Values;

/// Changing what is there.
impl Log {
    /// Drops every record before `before`. Returns the first record still there.
    ///
    /// When this returns, they do not come back after power loss. Their files go soon after, once
    /// no reader holds them.
    ///
    /// # Errors
    /// `Invalid` beyond the next LSN, `Io` (the log is then poisoned), `Closed`, `Forked`.
    pub fn trim(&self, before: Lsn) -> Result<Option<Lsn>> {
        self.writer()?.trim(before)?;
        Ok(self.first_lsn())
    }

    /// Drops every record after `after`, at the cost of one sync. May cut inside a batch.
    ///
    /// When this returns, they do not come back after power loss, and the records up to `after`
    /// survive it. Their LSNs are issued again; cursors beyond are told `Truncated`.
    ///
    /// # Errors
    /// `Invalid` beyond the last record, `Trimmed` before the first, `Full` when there is no room
    /// for a new segment (nothing was changed), `Io` (the log is then poisoned, unless reading or
    /// making a new segment failed, before anything was changed), `Closed`, `Forked`.
    pub fn truncate(&self, after: Lsn) -> Result<()> {
        self.writer()?.truncate(after)
    }

    /// Drops every record; the next one gets the LSN `next`.
    ///
    /// When this returns, they do not come back after power loss.
    ///
    /// # Errors
    /// As [`Log::truncate`].
    pub fn reset_to(&self, next: Lsn) -> Result<()> {
        self.writer()?.reset_to(next)
    }

    /// The log's small key-value state.
    pub fn values(&self) -> Values<'_> {
        Values::new(self)
    }

    /// Copies the log as it is now to a new directory, while it is being written. The copy is a log
    /// of its own, with its own uuid and the same LSNs, batches, commit times and values.
    ///
    /// When this returns, the copy survives power loss.
    ///
    /// # Errors
    /// `Invalid` when `path` holds a log already; otherwise as [`Log::replay`] and [`Log::append`].
    pub fn copy_to(&self, path: impl AsRef<Path>) -> Result<CopyReport> {
        copy::copy(self, path.as_ref())
    }
}

/// Looking on.
impl Log {
    /// Counters, watermarks, segments and latencies.
    ///
    /// # Errors
    /// `Invalid` on a read-only log: use [`crate::check::info`]; `Closed`, `Forked`.
    pub fn stats(&self) -> Result<Stats> {
        self.writer()?.stats()
    }

    /// A file descriptor for an event loop, readable when the durable LSN has advanced.
    ///
    /// # Errors
    /// `Io` when no descriptor is to be had, `Invalid` on a read-only log, `Closed`, `Forked`.
    pub fn notifier(&self) -> Result<Notifier> {
        Notifier::new(self.writer()?)
    }

    /// Has `callback` called from a background thread after the durable LSN has advanced, and with
    /// the cause when the log is poisoned, for as long as the subscription lives. Calls come one at
    /// a time; while one lasts, later news stands for earlier.
    ///
    /// # Errors
    /// `Invalid` on a read-only log, `Closed`, `Forked`.
    pub fn on_durable(
        &self,
        callback: impl Fn(Result<Lsn>) + Send + Sync + 'static,
    ) -> Result<Subscription> {
        Subscription::new(self.writer()?, callback)
    }
}
