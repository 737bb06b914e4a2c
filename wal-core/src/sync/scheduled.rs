//! Stand-ins whose every step is a choice of the scheduler that explores them.

pub(crate) mod atomic;
pub(crate) mod background;
mod condvar;
mod once_lock;
pub(crate) mod thread;
mod watched;

pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError, Weak};

pub use self::background::settle;
pub(crate) use self::condvar::Condvar;
pub(crate) use self::once_lock::OnceLock;
pub(crate) use self::watched::Watched;
use super::{Job, virtual_time};

/// The time threads wait.
pub(crate) mod time {
    pub(crate) use super::virtual_time::Instant;
}

/// A new execution begins: its time starts anew, and nothing of the one before is waited for.
pub fn begin() {
    virtual_time::restart();
    background::forget();
}

/// Lets time pass for everybody.
pub fn pass(time: std::time::Duration) {
    virtual_time::skip_to(virtual_time::Instant::now() + time);
}

/// A place where the scheduler may let somebody else go on.
pub fn step() {
    shuttle::thread::sleep(std::time::Duration::ZERO);
}

/// Who waits so long waits for ever: were it to give up, nobody would notice that it was forgotten.
const FOREVER: std::time::Duration = std::time::Duration::from_secs(10);
