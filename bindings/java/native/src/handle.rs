//! What a `long` of Java stands for: a box that is freed when the Java object that holds it is
//! unreachable, and not before, whatever was closed.

use std::cell::UnsafeCell;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};

use jni::sys::jlong;
use wal_core::{Cursor, Log};

use crate::boundary::{Failure, Outcome};
use crate::dispatch::Hub;

/// A log and who is using it. When it was closed, the last call to leave lets go of what is open:
/// files and memory do not wait for the garbage collector.
pub(crate) struct LogHandle {
    open: UnsafeCell<Option<Open>>,
    /// How many calls are in there, and `CLOSED`.
    calls: AtomicU64,
}

// SAFETY: `open` is read by calls that are counted in `calls`, and emptied once by the one that
// finds itself the last after `CLOSED` was set, which lets nobody in any more.
unsafe impl Sync for LogHandle {}

/// What is let go of when a log was closed.
pub(crate) struct Open {
    pub(crate) log: Log,
    /// Made when the first append is asynchronous, or the first subscriber comes.
    pub(crate) hub: OnceLock<Arc<Hub>>,
    /// Set by a call that panicked.
    is_broken: AtomicBool,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Nobody is left to be told how it went; whoever wants to know has closed it before.
        let _ = self.log.close();
        if let Some(hub) = self.hub.get() {
            hub.end();
        }
    }
}

/// A call in a log's handle.
pub(crate) struct Entered<'a>(&'a LogHandle);

impl LogHandle {
    pub(crate) fn new(log: Log) -> LogHandle {
        let open = Open { log, hub: OnceLock::new(), is_broken: AtomicBool::new(false) };
        LogHandle { open: UnsafeCell::new(Some(open)), calls: AtomicU64::new(0) }
    }

    /// Lets a call in unless the log was closed.
    #[inline]
    fn enter(&self) -> Option<Entered<'_>> {
        let entered = Entered(self);
        // Where it was closed, leaving takes the count back.
        (self.calls.fetch_add(1, Ordering::Acquire) & CLOSED == 0).then_some(entered)
    }

    /// Closes the log. What is open is let go of by the last call that leaves.
    pub(crate) fn close(&self) -> Outcome {
        let Some(entered) = self.enter() else { return Ok(()) };
        let outcome = entered.log.close();
        self.calls.fetch_or(CLOSED, Ordering::AcqRel);
        Ok(outcome?)
    }

    #[cold]
    fn let_go(&self) {
        // Another call may come and go between the last one's leaving and here: one empties.
        if self.calls.compare_exchange(CLOSED, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: nobody is inside, `CLOSED` lets nobody in, and this happens once.
            drop(unsafe { (*self.open.get()).take() });
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
            self.0.let_go();
        }
    }
}

impl Deref for Entered<'_> {
    type Target = Open;

    #[inline]
    fn deref(&self) -> &Open {
        // SAFETY: it is emptied when nobody is inside, and this call is.
        match unsafe { &*self.0.open.get() } {
            Some(open) => open,
            None => unreachable!("an entered handle is not empty"),
        }
    }
}

/// The log was closed.
const CLOSED: u64 = 1 << 62;
/// The log was closed and what was open is let go of.
const EMPTY: u64 = CLOSED | 1 << 61;

/// A reader's position; one thread at a time.
pub(crate) struct CursorHandle(pub(crate) Mutex<Option<Cursor>>);

/// Gives a value to Java.
pub(crate) fn give<T>(value: T) -> jlong {
    Box::into_raw(Box::new(value)) as jlong
}

/// What a handle stands for.
///
/// # Safety
/// The handle was given for a `T`, and the Java object that holds it is reachable.
#[inline]
pub(crate) unsafe fn at<'a, T>(handle: jlong) -> Outcome<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { (handle as *const T).as_ref() }.ok_or_else(|| Failure::internal("a handle of 0"))
}

/// Takes a value back from Java.
///
/// # Safety
/// The handle was given for a `T` and is never used again.
pub(crate) unsafe fn take_back<T>(handle: jlong) -> Option<Box<T>> {
    if handle == 0 {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { Box::from_raw(handle as *mut T) })
}

/// The log of a handle, unless a call has left it half changed.
///
/// # Safety
/// As [`at`].
#[inline]
pub(crate) unsafe fn log<'a>(handle: jlong) -> Outcome<Entered<'a>> {
    // SAFETY: as the caller promises.
    let handle = unsafe { at::<LogHandle>(handle) }?;
    let log = handle.enter().ok_or_else(|| Failure::closed("log"))?;
    if log.is_broken.load(Ordering::Relaxed) {
        return Err(broken());
    }
    Ok(log)
}

impl Open {
    /// Runs a call that changes the log; after a panic in it the log refuses everything.
    #[inline]
    pub(crate) fn guarded<R>(&self, body: impl FnOnce(&Log) -> Outcome<R>) -> Outcome<R> {
        let _fuse = Fuse(&self.is_broken);
        body(&self.log)
    }
}

/// Blows when a panic drops it.
struct Fuse<'a>(&'a AtomicBool);

impl Drop for Fuse<'_> {
    #[inline]
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cold]
fn broken() -> Failure {
    Failure::internal("a call on this log has panicked: open it again, and report it")
}

/// What one thread at a time may use, unless it was closed.
pub(crate) fn alone<'a, T>(
    lock: &'a Mutex<Option<T>>,
    what: &str,
) -> Outcome<MutexGuard<'a, Option<T>>> {
    match lock.try_lock() {
        Ok(guard) if guard.is_none() => Err(Failure::closed(what)),
        Ok(guard) => Ok(guard),
        Err(TryLockError::WouldBlock) => Err(Failure::in_use(what)),
        Err(TryLockError::Poisoned(_)) => Err(broken()),
    }
}

/// Empties the place once no other thread uses what is in it.
pub(crate) fn empty<T>(lock: &Mutex<Option<T>>) {
    let mut place = match lock.lock() {
        Ok(place) => place,
        // A panic while it was used: it is let go all the same.
        Err(poisoned) => poisoned.into_inner(),
    };
    place.take();
}
