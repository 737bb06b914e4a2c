//! A clock that moves only when somebody looks at it, or when everybody waits.

use std::cell::Cell;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment of the simulation of this thread. Stands in for [`std::time::Instant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    /// The time now; each look takes a little, so that whoever looks until a time has come ends.
    pub(crate) fn now() -> Instant {
        NOW.set(NOW.get() + TICK);
        Instant(NOW.get())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Instant::now() - self
    }

    pub(crate) fn checked_add(self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }

    pub(crate) fn saturating_duration_since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(duration))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// Nothing else happens before `until`.
#[cfg(not(feature = "loom"))]
pub(super) fn skip_to(until: Instant) {
    NOW.set(NOW.get().max(until.0));
}

/// A new simulation begins.
pub(super) fn restart() {
    NOW.set(Duration::ZERO);
}

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

const TICK: Duration = Duration::from_nanos(100);
