//! The handle of an append in flight.

use crate::sync::time::Instant;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::engine::{Engine, deadline};
use super::waiters::{Bound, Place};
use crate::error::Result;
use crate::lsn::{Lsn, LsnRange};
use crate::options::Level;

/// A published claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submitted {
    pub(crate) first_lsn: u64,
    pub(crate) count: u32,
    pub(crate) incarnation: u64,
    pub(crate) bound: Bound,
    pub(crate) level: Level,
    /// Bytes of the commit it is part of, so far.
    pub(crate) group_bytes: u64,
}

/// An append in flight: wait for it, ask for it, or await it.
///
/// Dropping a ticket does not cancel its append. As a `Future` it needs no particular runtime.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let (log, _) = wal_core::Log::open(directory.path().join("log"), Default::default())?;
/// let tickets: Vec<_> =
///     ["a", "b", "c"].iter().map(|r| log.submit(r.as_bytes())).collect::<Result<_, _>>()?;
/// for ticket in tickets {
///     ticket.wait()?;
/// }
/// assert_eq!(log.durable_lsn(), log.last_lsn());
/// # Ok::<(), wal_core::Error>(())
/// ```
#[must_use = "the append goes on without its ticket, but nobody learns how it ended"]
pub struct Ticket {
    engine: Arc<Engine>,
    submitted: Submitted,
    /// The task's place in the queue, once it was polled.
    queued: Option<Place>,
}

impl Ticket {
    pub(crate) fn new(engine: Arc<Engine>, submitted: Submitted) -> Ticket {
        Ticket { engine, submitted, queued: None }
    }

    /// The LSN of the append's first record.
    pub fn lsn(&self) -> Lsn {
        self.lsns().first
    }

    /// The LSNs of all its records.
    pub fn lsns(&self) -> LsnRange {
        self.submitted.lsns()
    }

    /// The level its records were submitted with.
    pub(crate) fn level(&self) -> Level {
        self.submitted.level
    }

    /// Waits for the append.
    ///
    /// When this returns, the records are at the level they were submitted with: they survive power
    /// loss at `Disk`, the death of the process at `Os`.
    ///
    /// # Errors
    /// `Full` when they were surely not written; `Io` when a write or sync failed and the outcome
    /// is not known until the log is reopened; `Closed` and `Forked` as everywhere.
    pub fn wait(&self) -> Result<LsnRange> {
        self.wait_until(None)
    }

    /// The same, for at most `timeout`.
    ///
    /// When this returns, the records are at the level they were submitted with.
    ///
    /// # Errors
    /// As [`Ticket::wait`], and `Timeout`: the append goes on and can be waited for again.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<LsnRange> {
        self.wait_until(deadline(Some(timeout)))
    }

    /// How the append ended, `None` while it is in flight.
    pub fn poll_now(&self) -> Option<Result<LsnRange>> {
        if self.submitted.level == Level::Buffered {
            return Some(Ok(self.lsns()));
        }
        let outcome =
            self.engine.outcome(self.submitted.bound, Some(self.submitted.incarnation))?;
        Some(outcome.map(|()| self.lsns()))
    }

    fn leave_queue(&mut self) {
        if let Some(place) = self.queued.take() {
            self.engine.leave_queue(place);
        }
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<LsnRange> {
        self.engine.check_process()?;
        if self.submitted.level != Level::Buffered {
            let Submitted { bound, incarnation, .. } = self.submitted;
            self.engine.wait(bound, Some(incarnation), deadline)?;
        }
        Ok(self.lsns())
    }
}

impl Future for Ticket {
    type Output = Result<LsnRange>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<LsnRange>> {
        let ticket = self.get_mut();
        if let Some(outcome) = ticket.poll_now() {
            return Poll::Ready(outcome);
        }
        // The background flush that the submission set off does the work.
        ticket.leave_queue();
        let is_over = || ticket.poll_now().is_some();
        let place = ticket.engine.queue_task(ticket.submitted.bound, context.waker(), is_over);
        match place {
            Some(_) => {
                ticket.queued = place;
                Poll::Pending
            }
            None => Poll::Ready(ticket.poll_now().unwrap_or_else(|| Ok(ticket.lsns()))),
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("lsns", &self.lsns()).finish_non_exhaustive()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.engine.check_process().is_ok() {
            self.leave_queue();
        }
    }
}

impl Submitted {
    pub(crate) fn lsns(&self) -> LsnRange {
        LsnRange::dense(self.first_lsn, self.count)
    }
}
