//! What compares, kills and reads: the same for every language.

mod compare;
mod exceptions;
mod kills;
mod process;
mod reread;
mod suite;

pub use compare::{compare, transcript};
pub use exceptions::Exceptions;
pub use kills::{Kills, Step, kill_loop, matrix, relay};
pub use process::Runner;
pub use reread::reread;
pub use suite::{Scenario, Suite};

pub use crate::golden::pack;
