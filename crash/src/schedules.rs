//! Concurrency and crash together: the engine as it is, on a simulated disk, under a scheduler that
//! decides at every step whose turn it is. Each execution is a case with a number; afterwards the
//! disk is taken as a crash at any of its operations may have left it, opened and judged.

mod case;
mod crashes;
mod explorer;
mod history;
mod judge;
mod performer;
mod scenario;
mod scenarios;
mod stage;
mod story;
mod worker;

pub use self::scenario::Scenario;
pub use self::scenarios::SCENARIOS;
pub use self::worker::{Outcome, Plan, explore};
