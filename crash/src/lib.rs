//! What the rungs of the crash campaign share: numbered records, logs under test, random numbers
//! that a seed brings back, and the tally each rung ends with.
#![deny(missing_docs)]

#[cfg(feature = "plain")]
pub mod damage;
#[cfg(all(feature = "plain", target_os = "linux"))]
pub mod disks;
#[cfg(feature = "plain")]
pub mod environment;
#[cfg(feature = "plain")]
pub mod hostile;
#[cfg(all(feature = "plain", target_os = "linux", target_arch = "x86_64"))]
pub mod machines;
#[cfg(feature = "simulate")]
pub mod model;
#[cfg(feature = "plain")]
pub mod planted;
#[cfg(all(feature = "plain", target_os = "linux", target_arch = "x86_64"))]
pub mod processes;
mod rng;
#[cfg(feature = "shuttle")]
pub mod schedules;
#[cfg(feature = "simulate")]
pub mod simulation;
#[cfg(feature = "simulate")]
pub mod states;
mod subject;
mod tally;

pub use rng::Rng;
pub use subject::{Failed, Libwal, Opened, Subject, System, judge, record, system, systems};
pub use tally::Tally;
