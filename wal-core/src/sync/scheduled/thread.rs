//! Threads whose turn the scheduler decides.

use std::time::Duration;

pub(crate) use shuttle::thread::{Thread, ThreadId, current, panicking, park, yield_now};

use super::{FOREVER, background, pass, step};

/// Sleeps, while the time passes for everybody.
pub(crate) fn sleep(time: Duration) {
    pass(time);
    step();
}

/// Waits until it is woken or the time is up, which it is after any number of steps of the others.
pub(crate) fn park_timeout(timeout: Duration) {
    if timeout < FOREVER {
        let this = current();
        background::alarm(timeout, move || this.unpark());
    }
    park();
}
