//! Where calls leave Python and come back.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use wal_core::{Error, ErrorKind, Result};

use crate::error;

/// Runs `body` without the GIL. An error becomes its exception, a panic `InternalError`.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(body)));
    concluded(py, outcome)
}

/// Runs `body`, which neither waits nor touches a disk, with the GIL.
pub(crate) fn attached<T>(py: Python<'_>, body: impl FnOnce() -> Result<T>) -> PyResult<T> {
    concluded(py, catch_unwind(AssertUnwindSafe(body)))
}

/// Looks, without the GIL and for a moment at a time, until something is found or the time is up
/// (`None` for as long as it takes). In between signals are handled, so that Ctrl-C ends the wait.
pub(crate) fn in_slices<T: Send>(
    py: Python<'_>,
    timeout: Option<Duration>,
    mut look: impl FnMut(Duration) -> Result<Option<T>> + Send,
) -> PyResult<Option<T>> {
    // A deadline beyond the clock's range is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        if let Some(found) = detached(py, || look(slice))? {
            return Ok(Some(found));
        }
        py.check_signals()?;
        if left.is_some_and(|left| left <= SLICE) {
            return Ok(None);
        }
    }
}

/// As [`in_slices`], for calls of the engine that say `Timeout` themselves.
pub(crate) fn in_slices_or_timeout<T: Send>(
    py: Python<'_>,
    timeout: Option<Duration>,
    mut look: impl FnMut(Duration) -> Result<T> + Send,
) -> PyResult<T> {
    let mut time_up = None;
    let found = in_slices(py, timeout, |slice| match look(slice) {
        Err(error) if error.kind() == ErrorKind::Timeout => {
            time_up = Some(error);
            Ok(None)
        }
        other => other.map(Some),
    })?;
    match (found, time_up) {
        (Some(found), _) => Ok(found),
        (None, Some(error)) => Err(error::raised(py, &error)),
        (None, None) => Err(error::internal(py, "a wait ended without an outcome")),
    }
}

/// Runs `body`, which runs Python code (a class's `__init__`, `pathlib`), unless the interpreter is
/// ending.
///
/// An interpreter that ends kills a thread the moment it asks for the GIL, which it also does in
/// the middle of Python code; that must not happen above frames of Rust, which cannot be unwound
/// that way. So once the end has begun, threads that would run Python code from here stop instead.
pub(crate) fn in_python<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    if IS_INSIDE.get() {
        return body();
    }
    let mut inside = Some(Inside::enter());
    if IS_ENDING.load(Ordering::SeqCst) && ENDER.get() != Some(&thread::current().id()) {
        inside.take();
        py.detach(|| {
            loop {
                thread::park();
            }
        })
    }
    let made = body();
    drop(inside);
    made
}

/// Says that the interpreter is about to end, and waits for threads that run Python code from here.
#[pyfunction]
pub(crate) fn ending(py: Python<'_>) {
    let _ = ENDER.set(thread::current().id());
    IS_ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let deadline = Instant::now() + ENDING_MAX;
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Counts those who run Python code from here.
struct Inside;

impl Inside {
    fn enter() -> Inside {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        IS_INSIDE.set(true);
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        IS_INSIDE.set(false);
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Panics are told in exceptions, not on stderr. The standard library in this module is a private
/// copy, so no other module's panics come here.
pub(crate) fn silence_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn concluded<T>(
    py: Python<'_>,
    outcome: std::result::Result<Result<T>, Box<dyn Any + Send>>,
) -> PyResult<T> {
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(raise(py, error)),
        Err(panic) => Err(error::internal(py, text_of(&*panic))),
    }
}

#[cold]
fn raise(py: Python<'_>, error: Error) -> PyErr {
    error::raised(py, &error)
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// How long a wait goes on before signals are looked for.
const SLICE: Duration = Duration::from_millis(50);

static IS_ENDING: AtomicBool = AtomicBool::new(false);
/// The thread that ends the interpreter.
static ENDER: OnceLock<ThreadId> = OnceLock::new();
static INSIDE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is counted already.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What Python code does from here is short: it makes an exception or a report, settles futures.
const ENDING_MAX: Duration = Duration::from_secs(2);
