//! Replay by several threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::in_order::InOrder;
use super::range::{Piece, Range, Stop};
use crate::error::Error;
use crate::position::Position;
use crate::record::Record;
use crate::tail::Tail;

/// How [`crate::Log::replay_parallel`] delivers.
///
/// ```
/// use wal_core::ReplayOptions;
/// let options = ReplayOptions { in_order: false, ..ReplayOptions::default() };
/// assert_eq!(options.threads, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// How many threads read, verify and deliver; 0 for one per core.
    pub threads: usize,
    /// Whether the records are delivered in LSN order, by one thread at a time, while the others
    /// read and verify ahead. Otherwise segments are delivered at the same time, each in LSN order.
    pub in_order: bool,
}

impl Default for ReplayOptions {
    /// One thread per core, in order.
    fn default() -> ReplayOptions {
        ReplayOptions { threads: 0, in_order: true }
    }
}

/// Calls back with every record from `from` up to the last one visible at the call, until a call
/// breaks or fails; calls that are running then are finished. Returns how many were delivered.
///
/// # Errors
/// The first of the callback's, as it is; those of a [`crate::Cursor`], converted.
pub(crate) fn replay_parallel<E: From<Error> + Send>(
    tail: &dyn Tail,
    from: Position,
    options: ReplayOptions,
    callback: impl Fn(&Record) -> Result<ControlFlow<()>, E> + Sync,
) -> Result<u64, E> {
    let range = Range::new(tail, from)?;
    let threads = match options.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads.min(THREADS_MAX),
    };
    if options.in_order {
        let replay = InOrder::new(range, &callback, threads);
        run(threads, || replay.work());
        replay.outcome()
    } else {
        let state = State { next: range.from, delivered: 0, outcome: None };
        let replay = BySegment {
            range,
            callback: &callback,
            state: Mutex::new(state),
            stopped: AtomicBool::new(false),
        };
        run(threads, || replay.work());
        let state = replay.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.outcome.unwrap_or(Ok(())).map(|()| state.delivered)
    }
}

/// Runs `work` in this thread and in as many others as are wanted and to be had.
fn run(threads: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 1..threads {
            let named = thread::Builder::new().name("wal-replay".to_owned());
            if named.spawn_scoped(scope, &work).is_err() {
                break;
            }
        }
        work();
    });
}

/// Segments at the same time, each by one thread.
struct BySegment<'a, E, F> {
    range: Range<'a>,
    callback: &'a F,
    state: Mutex<State<E>>,
    /// Set with the first outcome, so that the other threads stop at their next record.
    stopped: AtomicBool,
}

struct State<E> {
    /// The first record no thread has taken.
    next: u64,
    delivered: u64,
    /// What stopped the replay.
    outcome: Option<Result<(), E>>,
}

impl<E, F> BySegment<'_, E, F>
where
    E: From<Error> + Send,
    F: Fn(&Record) -> Result<ControlFlow<()>, E> + Sync,
{
    fn work(&self) {
        let mut window = None;
        while let Some(piece) = self.take() {
            let stopping = StopOnPanic(&self.stopped);
            let stop = piece.each(&mut window, |record, _| {
                if self.stopped.load(Ordering::Relaxed) {
                    return ControlFlow::Break((false, None));
                }
                match (self.callback)(record) {
                    Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                    Ok(ControlFlow::Break(())) => ControlFlow::Break((true, Some(Ok(())))),
                    Err(error) => ControlFlow::Break((true, Some(Err(error)))),
                }
            });
            drop(stopping);
            let (reached, outcome) = match stop {
                Ok(()) => (piece.until, None),
                Err(Stop::Asked(lsn, (called, outcome))) => (lsn + u64::from(called), outcome),
                Err(Stop::Failed(lsn, error)) => {
                    (lsn, Some(Err(self.range.explain(lsn, error).into())))
                }
            };
            self.finish(reached - piece.from, outcome);
        }
    }

    /// The next segment that nobody has taken.
    fn take(&self) -> Option<Piece> {
        let mut state = self.state();
        if self.stopped.load(Ordering::Relaxed) || state.next >= self.range.end {
            return None;
        }
        match self.range.piece(state.next) {
            Ok(piece) => {
                state.next = piece.until;
                Some(piece)
            }
            Err(error) => {
                self.stopped.store(true, Ordering::Relaxed);
                state.outcome.get_or_insert(Err(error.into()));
                None
            }
        }
    }

    fn finish(&self, delivered: u64, outcome: Option<Result<(), E>>) {
        self.range.tail().count_reads(delivered);
        let mut state = self.state();
        state.delivered += delivered;
        if let Some(outcome) = outcome {
            self.stopped.store(true, Ordering::Relaxed);
            state.outcome.get_or_insert(outcome);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A callback that panics stops the replay, too; the panic goes on in the caller.
struct StopOnPanic<'a>(&'a AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// More threads than any machine has use for are a mistake of the caller's, but no reason to fail.
const THREADS_MAX: usize = 256;
