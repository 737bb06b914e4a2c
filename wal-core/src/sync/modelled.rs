//! Stand-ins for loom, which tries every order of their steps and every value that weak orderings
//! let a thread see.

pub(crate) mod background;
mod condvar;
mod once_lock;
pub(crate) mod thread;
mod watched;

pub(crate) use std::sync::{Arc, PoisonError, TryLockError, Weak};

pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, atomic};

pub(crate) use self::condvar::Condvar;
pub(crate) use self::once_lock::OnceLock;
pub(crate) use self::watched::Watched;
use super::{Job, virtual_time};

/// The time threads wait.
pub(crate) mod time {
    pub(crate) use super::virtual_time::Instant;
}

/// A new execution begins.
pub(crate) fn begin() {
    virtual_time::restart();
}
