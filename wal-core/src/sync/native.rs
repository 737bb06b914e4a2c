//! The standard library's.

pub(crate) use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError, Weak, atomic,
};
pub(crate) use std::thread;

/// The time threads wait.
pub(crate) mod time {
    pub(crate) use std::time::Instant;
}
