//! The strings of a simulation, for the crash campaign alone.
//!
//! In a build with the feature `simulate` one thread plays every thread of the engine, and whoever
//! drives it decides what runs when. Nothing runs beside the caller: what the engine would do on
//! shared threads waits in a queue until the caller waits for something, or has it run with
//! `run_job` or `pass`. Each system thread is a world of its own, so several simulations may run at
//! once.
//!
//! In a build with the feature `shuttle` every step of every thread is a choice of the scheduler
//! that explores them: an execution starts with `begin`, `step` is a choice of the harness' own,
//! `pass` lets time pass, and `settle` waits for what the engine does on shared threads.

#[cfg(all(feature = "shuttle", not(feature = "loom")))]
pub use crate::sync::scheduled::{begin, pass, settle, step};
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub use crate::sync::simulated::{forget, jobs, pass, run_job};
#[cfg(feature = "simulate")]
pub use crate::vfs::seed;
