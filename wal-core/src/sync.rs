//! What threads meet at: locks, condition variables, atomics, parking, and the time they wait.
//!
//! They are the standard library's. Built for a simulation (feature `simulate`), for the
//! exploration of schedules (feature `shuttle`) or for models of memory (feature `loom`), they are
//! stand-ins that leave every decision to the harness; the engine's code is the same. The file
//! systems (`vfs`) and parallel replay, which share nothing with appends, always use the real ones.

#[cfg(feature = "loom")]
pub(crate) mod modelled;
#[cfg(not(any(feature = "simulate", feature = "shuttle", feature = "loom")))]
mod native;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
pub(crate) mod scheduled;
#[cfg(all(feature = "simulate", not(any(feature = "shuttle", feature = "loom"))))]
pub(crate) mod simulated;
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
mod unwatched;
#[cfg(any(feature = "simulate", feature = "shuttle", feature = "loom"))]
mod virtual_time;

#[cfg(feature = "loom")]
pub(crate) use modelled::*;
#[cfg(not(any(feature = "simulate", feature = "shuttle", feature = "loom")))]
pub(crate) use native::*;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
pub(crate) use scheduled::*;
#[cfg(all(feature = "simulate", not(any(feature = "shuttle", feature = "loom"))))]
pub(crate) use simulated::*;
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub(crate) use unwatched::Watched;

/// Numbers that only count, or only say how long it is worth while to wait: always the standard
/// library's. To explore in which order they change would show nothing.
pub(crate) mod gauge {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
}

/// Something to be done on a shared thread. It may block on I/O.
pub(crate) type Job = Box<dyn FnOnce() + Send>;
