//! Appends in flight: tickets to wait for, and channels that tell an event loop.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyRange;
use wal_core::{AppendOptions, Completions, ErrorKind, LsnRange, Result, Wait};

use crate::boundary::{attached, in_python, in_slices_or_timeout};
use crate::error;
use crate::event::Event;
use crate::options;
use crate::reading::{Follower, Shared};

/// An append in flight: wait for it, ask for it, or await it. Dropping it cancels nothing.
#[pyclass(frozen, module = "libwal")]
pub(crate) struct Ticket {
    /// Taken without the GIL, or by `try_lock`; no more than a moment either way.
    ticket: Arc<Mutex<wal_core::Ticket>>,
    lsns: LsnRange,
    pub(crate) log: Py<PyAny>,
}

impl Ticket {
    pub(crate) fn new(log: Py<PyAny>, ticket: wal_core::Ticket) -> Ticket {
        let lsns = ticket.lsns();
        Ticket { ticket: Arc::new(Mutex::new(ticket)), lsns, log }
    }

    fn look(&self, slice: Duration) -> Result<LsnRange> {
        // A clone is not to be had, and a wait with the lock would keep others from asking.
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        ticket.wait_timeout(slice)
    }
}

#[pymethods]
impl Ticket {
    /// The LSN of the append's first record.
    #[getter]
    fn lsn(&self) -> u64 {
        self.lsns.first.get()
    }

    /// The LSNs of all its records.
    #[getter]
    fn lsns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyRange>> {
        error::range(py, self.lsns)
    }

    /// Waits for the append, for at most `timeout` seconds, and returns its LSNs. When this
    /// returns, the records are at the durability they were submitted with. After a TimeoutError
    /// the append goes on and can be waited for again.
    #[pyo3(signature = (timeout=None))]
    fn wait<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyRange>> {
        let timeout = options::timeout(timeout)?;
        let lsns = in_slices_or_timeout(py, timeout, |slice| self.look(slice))?;
        error::range(py, lsns)
    }

    /// Whether the append has ended, well or not.
    fn done(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
            ticket.poll_now().is_some()
        })
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let glue = py.import("libwal._aio")?;
        in_python(py, || glue.call_method1("ticket_wait", (slf,))?.call_method0("__await__"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.log)
    }

    #[getter]
    fn _log(&self, py: Python<'_>) -> Py<PyAny> {
        self.log.clone_ref(py)
    }

    fn __repr__(&self) -> String {
        format!("<libwal.Ticket of {}>", self.lsns)
    }
}

/// What connects one log with one event loop: appends go in with a future each, and come back when
/// the descriptor is readable.
#[pyclass(frozen, module = "libwal._libwal")]
pub(crate) struct Channel {
    event: Arc<Event>,
    completions: Completions<(Py<PyAny>, Gives)>,
    watches: Mutex<Watches>,
    woken: Arc<Mutex<Vec<u64>>>,
}

#[derive(Default)]
struct Watches {
    last: u64,
    watched: HashMap<u64, Watch>,
}

/// What a future waits for other than an append of this channel.
struct Watch {
    future: Py<PyAny>,
    what: Watched,
}

enum Watched {
    Ticket(Arc<Mutex<wal_core::Ticket>>),
    Follower(Arc<Shared<wal_core::Follower>>),
}

impl Channel {
    pub(crate) fn new(log: &wal_core::Log) -> std::io::Result<Channel> {
        let event = Arc::new(Event::new()?);
        let bell = Arc::clone(&event);
        Ok(Channel {
            event,
            completions: Completions::new(log, move || bell.ring()),
            watches: Mutex::default(),
            woken: Arc::default(),
        })
    }

    fn watch(&self, py: Python<'_>, future: Py<PyAny>, what: Watched) -> PyResult<()> {
        let mut watches = self.watches();
        watches.last += 1;
        let id = watches.last;
        watches.watched.insert(id, Watch { future, what });
        drop(watches);
        self.look(py, id)
    }

    /// Looks whether what is watched has come, and settles its future.
    fn look(&self, py: Python<'_>, id: u64) -> PyResult<()> {
        // Out of the map, so that the lock is not held while futures and the engine are touched.
        let Some(watch) = self.watches().watched.remove(&id) else { return Ok(()) };
        if is_done(py, &watch.future)? {
            return Ok(());
        }
        let waker = Waker::from(Arc::new(Ring {
            id,
            woken: Arc::clone(&self.woken),
            event: Arc::clone(&self.event),
        }));
        let mut context = Context::from_waker(&waker);
        // The future stands in the map again before the waker may be used by another thread, who
        // only notes the number: it is this thread that looks.
        let outcome = watch.what.poll(&mut context);
        match outcome {
            Poll::Pending => {
                self.watches().watched.insert(id, watch);
                Ok(())
            }
            Poll::Ready((gives, outcome)) => settle(py, &watch.future, gives, outcome),
        }
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Channel {
    fn fileno(&self) -> i32 {
        self.event.fd()
    }

    /// Submits a record whose future is given its LSN. False when there is no room now.
    #[pyo3(signature = (record, future, durability=None))]
    fn submit(
        &self,
        py: Python<'_>,
        record: &Bound<'_, PyAny>,
        future: Py<PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let record = options::bytes(record)?;
        let options = without_waiting(durability)?;
        // With the GIL: a copy into the engine's memory, no wait and no disk.
        submitted(py, || self.completions.submit(record.as_bytes(), &options, (future, Gives::Lsn)))
    }

    /// Submits a batch whose future is given a range of LSNs. False when there is no room now.
    #[pyo3(signature = (records, future, durability=None))]
    fn submit_batch(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        future: Py<PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let records = options::many_bytes(records)?;
        let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
        let options = without_waiting(durability)?;
        submitted(py, || self.completions.submit_batch(&records, &options, (future, Gives::Range)))
    }

    /// Settles the future when the ticket's append has ended.
    fn watch_ticket(&self, ticket: &Bound<'_, Ticket>, future: Py<PyAny>) -> PyResult<()> {
        let what = Watched::Ticket(Arc::clone(&ticket.get().ticket));
        self.watch(ticket.py(), future, what)
    }

    /// Settles the future when the follower has something to pop.
    fn watch_follower(&self, follower: &Bound<'_, Follower>, future: Py<PyAny>) -> PyResult<()> {
        let what = Watched::Follower(Arc::clone(&follower.get().reader));
        self.watch(follower.py(), future, what)
    }

    /// Settles the futures of everything that has ended by now. To be called by the event loop's
    /// thread when the descriptor is readable.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        let mut ended = Vec::new();
        attached(py, || {
            self.completions.check_process()?;
            self.event.clear();
            self.completions.take(&mut ended)
        })?;
        for ((future, gives), outcome) in ended {
            settle(py, &future, gives, outcome)?;
        }
        let woken = std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner));
        woken.into_iter().try_for_each(|id| self.look(py, id))
    }

    /// Appends whose futures are not settled yet.
    #[getter]
    fn in_flight(&self) -> usize {
        self.completions.in_flight()
    }
}

/// What a future is given.
#[derive(Clone, Copy)]
enum Gives {
    Lsn,
    Range,
    Nothing,
}

impl Watched {
    fn poll(&self, context: &mut Context<'_>) -> Poll<(Gives, Result<Option<LsnRange>>)> {
        match self {
            Watched::Ticket(ticket) => {
                let mut ticket = ticket.lock().unwrap_or_else(PoisonError::into_inner);
                let polled = Pin::new(&mut *ticket).poll(context);
                polled.map(|outcome| (Gives::Range, outcome.map(Some)))
            }
            Watched::Follower(follower) => {
                // Another thread is at it: let the loop come again.
                let Some(mut reader) = follower.try_lock() else {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                };
                match reader.source.poll_next(context) {
                    Poll::Ready(Ok(record)) => reader.push(record),
                    // Whoever pops is told.
                    Poll::Ready(Err(error)) => reader.push_trouble(error),
                    Poll::Pending => return Poll::Pending,
                }
                Poll::Ready((Gives::Nothing, Ok(None)))
            }
        }
    }
}

/// Notes who is to be looked at, and rings. Called by threads of the engine, in the middle of their
/// work: it needs no GIL and waits for nothing.
struct Ring {
    id: u64,
    woken: Arc<Mutex<Vec<u64>>>,
    event: Arc<Event>,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
        self.event.ring();
    }
}

fn without_waiting(durability: Option<&Bound<'_, PyAny>>) -> PyResult<AppendOptions> {
    let level = durability.map(options::level).transpose()?;
    Ok(AppendOptions { level, wait: Wait::Try, time: None })
}

fn submitted(py: Python<'_>, submit: impl FnOnce() -> Result<LsnRange>) -> PyResult<bool> {
    attached(py, || match submit() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    })
}

/// Gives a future its outcome, unless somebody has cancelled it.
fn settle(
    py: Python<'_>,
    future: &Py<PyAny>,
    gives: Gives,
    outcome: Result<impl Into<Option<LsnRange>>>,
) -> PyResult<()> {
    if is_done(py, future)? {
        return Ok(());
    }
    let set = in_python(py, || match (outcome.map(Into::into), gives) {
        (Ok(Some(lsns)), Gives::Lsn) => {
            future.call_method1(py, intern!(py, "set_result"), (lsns.first.get(),))
        }
        (Ok(Some(lsns)), _) => {
            future.call_method1(py, intern!(py, "set_result"), (error::range(py, lsns)?,))
        }
        (Ok(None), _) => future.call_method1(py, intern!(py, "set_result"), (py.None(),)),
        (Err(error), _) => {
            let exception = error::exception(py, &error)?;
            future.call_method1(py, intern!(py, "set_exception"), (exception,))
        }
    });
    set.map(drop)
}

fn is_done(py: Python<'_>, future: &Py<PyAny>) -> PyResult<bool> {
    future.call_method0(py, intern!(py, "done"))?.is_truthy(py)
}
