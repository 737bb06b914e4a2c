//! Followers: cursors that wait at the tail.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cursor::Cursor;
use crate::error::Result;
use crate::position::Position;
use crate::record::Record;
use crate::tail::Tail;

/// A cursor that waits for records not yet there.
///
/// ```no_run
/// use wal_core::{Log, Options, Position};
/// let (log, _report) = Log::open("orders", Options::default())?;
/// let mut follower = log.follow(Position::End)?;
/// loop {
///     let record = follower.next()?;
///     println!("{}: {} bytes", record.lsn(), record.len());
/// }
/// # Ok::<(), wal_core::Error>(())
/// ```
pub struct Follower {
    cursor: Cursor,
    tail: Arc<dyn Tail>,
}

impl Follower {
    pub(crate) fn new(tail: Arc<dyn Tail>, from: Position) -> Result<Follower> {
        Ok(Follower { cursor: Cursor::new(Arc::clone(&tail), from)?, tail })
    }

    /// The next record; waits until there is one.
    ///
    /// # Errors
    /// As [`Cursor::next`]. `Closed` or `Poisoned` when no further record will come and everything
    /// visible was returned.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Record> {
        loop {
            if let Some(record) = self.next_until(None)? {
                return Ok(record);
            }
        }
    }

    /// The next record, or `None` when the time is up.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Record>> {
        // A deadline beyond the clock's range is none.
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.next_until(Some(deadline)),
            None => self.next().map(Some),
        }
    }

    /// The next record if there is one now.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn try_next(&mut self) -> Result<Option<Record>> {
        self.cursor.next()
    }

    /// The cursor, for moving it and for commit times.
    pub fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.cursor.next()? {
                return Ok(Some(record));
            }
            let waited = self.tail.wait_visible(self.cursor.next_lsn().get(), deadline);
            if matches!(waited, Ok(true)) {
                continue;
            }
            // Something may have become visible between the look and the end of the wait.
            return match (self.cursor.next(), waited) {
                (Ok(None), Err(error)) => Err(error),
                (next, _) => next,
            };
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
