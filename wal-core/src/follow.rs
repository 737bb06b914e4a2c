//! Followers: cursors that wait at the tail.

use crate::sync::time::Instant;
use std::fmt;
use std::hint;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::packed::Packed;
use crate::position::Position;
use crate::record::Record;
use crate::tail::{Queued, Tail};

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
    /// The task's place among those who wait, once it was polled.
    queued: Option<Queued>,
}

impl Follower {
    pub(crate) fn new(tail: Arc<dyn Tail>, from: Position) -> Result<Follower> {
        let cursor = Cursor::new(Arc::clone(&tail), from)?;
        Ok(Follower { cursor, tail, is_brisk: false, queued: None })
    }

    /// The next record; waits until there is one.
    ///
    /// # Errors
    /// As [`Cursor::next`]. `Closed` or `Poisoned` when no further record will come and everything
    /// visible was returned.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Record> {
        loop {
            if let Some(record) = self.until(None, Cursor::next)? {
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
            Some(deadline) => self.until(Some(deadline), Cursor::next),
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

    /// Waits until there is a record, or the time is up (`None` for as long as it takes), and fills
    /// `memory` with what is there as [`Cursor::read_packed`] does.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn read_packed(
        &mut self,
        memory: &mut [MaybeUninit<u8>],
        count_max: usize,
        timeout: Option<Duration>,
    ) -> Result<Packed> {
        if count_max == 0 {
            return Ok(Packed::default());
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let packed = self.until(deadline, |cursor| {
                let packed = cursor.read_packed(memory, count_max)?;
                Ok((packed != Packed::default()).then_some(packed))
            })?;
            if packed.is_some() || deadline.is_some() {
                return Ok(packed.unwrap_or_default());
            }
        }
    }

    /// The next record, for a task: `Pending` has the waker woken when another look is worth while.
    /// A follower wakes one task, the one that polled it last.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Record>> {
        self.leave_queue();
        loop {
            match self.cursor.next() {
                Ok(Some(record)) => return Poll::Ready(Ok(record)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            match self.tail.queue_task(self.cursor.next_lsn().get(), context.waker()) {
                Ok(Some(queued)) => {
                    self.queued = Some(queued);
                    return Poll::Pending;
                }
                Ok(None) => {}
                // Something may have become visible between the look and the end.
                Err(end) => {
                    return Poll::Ready(self.cursor.next().and_then(|last| last.ok_or(end)));
                }
            }
        }
    }

    /// The cursor, for moving it and for commit times.
    pub fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    /// What `look` finds, once it finds something or the time is up.
    fn until<T>(
        &mut self,
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut Cursor) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        loop {
            if let Some(found) = look(&mut self.cursor)? {
                return Ok(Some(found));
            }
            let waited = self.wait(deadline);
            if matches!(waited, Ok(true)) {
                continue;
            }
            // Something may have become visible between the look and the end of the wait.
            return match (look(&mut self.cursor), waited) {
                (Ok(None), Err(error)) => Err(error),
                (found, _) => found,
            };
        }
    }

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

    fn leave_queue(&mut self) {
        if let Some(queued) = self.queued.take() {
            self.tail.leave_queue(queued);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.leave_queue();
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
