//! Exhaustive crash states: every short workload, every moment of it, every way each may be left.

mod campaign;
mod case;
mod check;
mod explore;
mod letter;
mod run;
mod seen;
mod subsets;

pub use campaign::{Campaign, replay};
pub use case::Case;
pub use explore::{Bounds, Explored, Violation, explore, repeat, workload, workloads};
pub use letter::{Letter, parse};
pub use seen::Seen;
