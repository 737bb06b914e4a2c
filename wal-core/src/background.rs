//! What is done later or beside: on threads that all logs of a process share.

#[cfg(not(any(feature = "simulate", feature = "shuttle", feature = "loom")))]
mod pool;

use std::time::Duration;

#[cfg(not(any(feature = "simulate", feature = "shuttle", feature = "loom")))]
use self::pool as shared;
use crate::sync::Job;
#[cfg(any(feature = "simulate", feature = "shuttle", feature = "loom"))]
use crate::sync::background as shared;

/// Runs `job` soon on a worker. While workers are busy, others are started, up to a limit.
pub(crate) fn run(job: Job) {
    shared::run(job);
}

/// Runs `job` on a worker once `delay` has passed; never when that is beyond the clock's range.
pub(crate) fn run_after(delay: Duration, job: Job) {
    shared::run_after(delay, job);
}
