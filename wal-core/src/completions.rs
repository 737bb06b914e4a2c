//! Appends in flight whose outcomes are told in bulk: what promises of another language stand on.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::append::Ticket;
use crate::error::Result;
use crate::log::Log;
use crate::lsn::LsnRange;
use crate::options::{AppendOptions, Level};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// Appends in flight, each with a token of the caller, who is told when some have ended and takes
/// them all at once. It needs no thread, and one wake-up for each commit at the most, however many
/// appends the commit has.
///
/// ```
/// use std::sync::mpsc;
/// use wal_core::{AppendOptions, Completions, Log, Options};
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("log");
/// let (log, _report) = Log::open(&path, Options::default())?;
/// let (bell, heard) = mpsc::channel();
/// let completions = Completions::new(&log, move || {
///     let _ = bell.send(());
/// });
/// for order in ["paid", "packed", "sent"] {
///     completions.submit(order.as_bytes(), &AppendOptions::default(), order)?;
/// }
/// let mut ended = Vec::new();
/// while ended.len() < 3 {
///     heard.recv().unwrap();
///     completions.take(&mut ended)?;
/// }
/// assert!(ended.iter().all(|(_order, outcome)| outcome.is_ok()));
/// # Ok::<(), wal_core::Error>(())
/// ```
pub struct Completions<T> {
    log: Log,
    queues: Mutex<Queues<T>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// One queue for each level, because those of a lower one end earlier. In each of them tickets end
/// in the order of their LSNs, which is nearly the order here: only the first one is asked to wake.
/// Bounded by what the caller has in flight.
struct Queues<T>([VecDeque<(Ticket, T)>; 3]);

/// Rings once for everything that has ended since the last [`Completions::take`].
struct Bell {
    wake: Box<dyn Fn() + Send + Sync>,
    is_rung: AtomicBool,
}

impl<T> Completions<T> {
    /// For appends to `log`. `wake` is called when there is something to take, and not again before
    /// it was taken: from a thread that commits, so it must be quick, must not wait, and must not
    /// use the log or the completions.
    pub fn new(log: &Log, wake: impl Fn() + Send + Sync + 'static) -> Completions<T> {
        let bell = Arc::new(Bell { wake: Box::new(wake), is_rung: AtomicBool::new(false) });
        Completions {
            log: log.clone(),
            queues: Mutex::new(Queues(Default::default())),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// Hands one record to the engine; `token` comes back with its outcome.
    ///
    /// When this returns, the record has its LSN; when its token is taken with `Ok`, it is at the
    /// level of the options: it survives power loss at `Disk`, the death of the process at `Os`.
    ///
    /// # Errors
    /// As [`Log::submit`], `WouldBlock` and `Timeout` as the options' `wait` says. The token is
    /// dropped.
    pub fn submit(&self, record: &[u8], options: &AppendOptions, token: T) -> Result<LsnRange> {
        Ok(self.add(self.log.with(*options).submit(record)?, token))
    }

    /// Hands a batch to the engine; `token` comes back with its outcome.
    ///
    /// When this returns, the records have their LSNs; when the token is taken with `Ok`, they are
    /// at the level of the options.
    ///
    /// # Errors
    /// As [`Log::submit_batch`] and [`Completions::submit`].
    pub fn submit_batch<R: AsRef<[u8]>>(
        &self,
        records: &[R],
        options: &AppendOptions,
        token: T,
    ) -> Result<LsnRange> {
        Ok(self.add(self.log.with(*options).submit_batch(records)?, token))
    }

    /// Moves what has ended to `ended`: each token with the LSNs of its records, or with what
    /// [`Ticket::wait`] would have said. After a call there will be another wake-up for whatever
    /// is still in flight.
    ///
    /// # Errors
    /// `Forked` in a child process. That an append failed is no error of this call.
    pub fn take(&self, ended: &mut Vec<(T, Result<LsnRange>)>) -> Result<()> {
        // A thread of the parent may have held the queues, and is not here to let them go.
        self.check_process()?;
        // Before looking: what ends from here on rings again.
        self.bell.is_rung.store(false, Ordering::SeqCst);
        let mut queues = self.lock();
        for queue in &mut queues.0 {
            while let Some(outcome) = self.poll_first(queue) {
                ended.extend(queue.pop_front().map(|(_, token)| (token, outcome)));
            }
        }
        Ok(())
    }

    /// Refuses a child process, which has its parent's completions and no part in them: to be
    /// asked before a wake-up is consumed that the parent waits for.
    ///
    /// # Errors
    /// `Forked`.
    pub fn check_process(&self) -> Result<()> {
        self.log.check_process()
    }

    /// How many appends have not been taken yet.
    pub fn in_flight(&self) -> usize {
        self.lock().0.iter().map(VecDeque::len).sum()
    }

    fn add(&self, ticket: Ticket, token: T) -> LsnRange {
        let lsns = ticket.lsns();
        let mut queues = self.lock();
        let queue = match ticket.level() {
            Level::Buffered => &mut queues.0[0],
            Level::Os => &mut queues.0[1],
            Level::Disk => &mut queues.0[2],
        };
        queue.push_back((ticket, token));
        // One behind others is looked at when those have ended.
        let is_over = queue.len() == 1 && self.poll_first(queue).is_some();
        drop(queues);
        if is_over {
            self.waker.wake_by_ref();
        }
        lsns
    }

    /// How the first one ended; where it has not, it wakes.
    fn poll_first(&self, queue: &mut VecDeque<(Ticket, T)>) -> Option<Result<LsnRange>> {
        let (ticket, _) = queue.front_mut()?;
        match Pin::new(ticket).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues<T>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_rung.swap(true, Ordering::SeqCst) {
            (self.wake)();
        }
    }
}

impl<T> fmt::Debug for Completions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
