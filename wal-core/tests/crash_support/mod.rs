//! What the crash tests share: scripted workloads, the model that says what may be found after a
//! crash in the middle of one, and the crash states themselves.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

pub mod explore;
pub mod model;
pub mod rng;
pub mod script;
pub mod watchdog;
pub mod workloads;

pub use explore::{Effort, exhaust, explore};
pub use model::Found;
pub use rng::Rng;
pub use script::{Workload, payload, run};
pub use watchdog::within;
