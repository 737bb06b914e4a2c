//! What readers need of an open log, whoever writes it.

use crate::sync::time::Instant;
use std::sync::Arc;
use std::task::Waker;

use crate::append::Place;
use crate::error::Result;
use crate::live::Live;
use crate::views::Views;

/// A task that waits for a log.
#[derive(Debug)]
pub(crate) enum Queued {
    /// Among the waiters of the log that is written.
    At(Place),
    /// Woken by a timer, whatever happens.
    Timer,
}

/// An open log as readers see it.
///
/// What a log that changes must keep, so that readers need no lock: when it grows, index entries,
/// openings and the segments of a new [`Live`] are there before [`Tail::visible_end`] covers them;
/// when it is truncated, the visible end is lowered before the new `Live` is published. A reset to
/// a higher LSN is both: the visible end is raised after the publication.
pub(crate) trait Tail: Send + Sync {
    /// The segments there are now.
    fn live(&self) -> Arc<Live>;

    /// The LSN after the last visible record. Never falls but by a truncation.
    fn visible_end(&self) -> u64;

    /// Waits until the visible end is beyond `next`, or something happened to the log that makes
    /// another look worth while; false when the deadline passed.
    ///
    /// # Errors
    /// When it never will be: `Closed`, `Poisoned`, `Forked`.
    fn wait_visible(&self, next: u64, deadline: Option<Instant>) -> Result<bool>;

    /// Has the task woken when the visible end is beyond `next`, or something happened to the log
    /// that makes another look worth while; `None` when that is so now.
    ///
    /// # Errors
    /// When it never will be, as [`Tail::wait_visible`].
    fn queue_task(&self, next: u64, waker: &Waker) -> Result<Option<Queued>>;

    /// Forgets the task, unless it was woken already.
    fn leave_queue(&self, queued: Queued);

    /// # Errors
    /// `Closed` after the log was closed, `Forked` in a child process.
    fn check_open(&self) -> Result<()>;

    /// Looks anew at a log that somebody else writes, after a read that failed: its segment may be
    /// gone. Returns whether that could have changed anything.
    fn look_again(&self) -> bool {
        false
    }

    /// What reads of single records go through, if the log has it.
    fn views(&self) -> Option<&Views> {
        None
    }

    /// Counts records that were read, but those through [`Tail::views`], which count themselves.
    fn count_reads(&self, n: u64);

    /// The address of the present [`Live`], which changes with every publication. A reader that
    /// compares it keeps the old one's memory from being reused by a weak reference. A log does
    /// well to answer from an atomic: cursors ask for every record.
    fn live_address(&self) -> usize {
        Arc::as_ptr(&self.live()).addr()
    }

    /// A snapshot and a visible end that belongs to it: every record from its first LSN up to there
    /// is in its segments.
    fn snapshot(&self) -> (Arc<Live>, u64) {
        loop {
            let live = self.live();
            let end = self.visible_end();
            if self.live_address() == Arc::as_ptr(&live).addr() {
                let end = end.max(live.first_lsn);
                return (live, end);
            }
        }
    }
}
