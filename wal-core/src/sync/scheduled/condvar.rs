//! Condition variables whose time-outs can come.

use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use super::{Arc, FOREVER, MutexGuard, background};

/// As [`std::sync::Condvar`].
#[derive(Debug, Default)]
pub(crate) struct Condvar(Arc<shuttle::sync::Condvar>);

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar::default()
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait(guard)
    }

    /// Waits until it is notified or the time is up, which it is after any number of steps of the
    /// others. Everybody who waits is woken then; wake-ups without a reason are allowed.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        if timeout < FOREVER {
            let condvar = Arc::clone(&self.0);
            background::alarm(timeout, move || condvar.notify_all());
        }
        let waited = self.0.wait(guard);
        waited
            .map(|guard| (guard, false))
            .map_err(|error| PoisonError::new((error.into_inner(), false)))
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait_while(guard, condition)
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}
