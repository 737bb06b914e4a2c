//! Followers: cursors that wait at the tail.

use crate::sync::time::Instant;
use std::fmt;
use std::hint;
use std::sync::Arc;
use std::time::Duration;

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
    /// Whether the latest wait was a short one, so that it may be worth while to look again rather
    /// than sleep: being woken takes longer than many a record takes to come.
    is_brisk: bool,
}

impl Follower {
    pub(crate) fn new(tail: Arc<dyn Tail>, from: Position) -> Result<Follower> {
        Ok(Follower { cursor: Cursor::new(Arc::clone(&tail), from)?, tail, is_brisk: false })
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
            let waited = self.wait(deadline);
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

impl Follower {
    /// As [`Tail::wait_visible`], at first awake where the records have been coming fast.
    fn wait(&mut self, deadline: Option<Instant>) -> Result<bool> {
        let next = self.cursor.next_lsn().get();
        let started = Instant::now();
        let awake_until = started + AWAKE_MAX;
        while self.is_brisk && deadline.is_none_or(|at| Instant::now() < at) {
            if self.tail.visible_end() > next {
                return Ok(true);
            }
            for _ in 0..SPINS_PER_LOOK {
                hint::spin_loop();
            }
            self.is_brisk = Instant::now() < awake_until;
        }
        let waited = self.tail.wait_visible(next, deadline);
        self.is_brisk = started.elapsed() < BRISK_WAIT_MAX;
        waited
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

/// How long a follower stays awake where records have been coming fast: about what waking up
/// takes, so that it never wastes more than it may save.
const AWAKE_MAX: Duration = Duration::from_micros(20);
/// A wait, the waking included, after which the next one begins awake.
const BRISK_WAIT_MAX: Duration = Duration::from_micros(100);
const SPINS_PER_LOOK: u32 = 16;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
