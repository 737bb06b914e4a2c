//! What surrounds a log: disks that fill up or turn read-only, clocks that jump, second openers,
//! strange files, limits of the process, a directory that goes away.
//!
//! Each [`Case`] is judged by the same rule: what was acknowledged is there when the environment is
//! itself again, what was not says why, and nothing panics, hangs or writes where it must not.

mod case;
mod clock;
mod directory;
mod full;
mod history;
mod limits;
mod mounts;
mod openers;
mod strange;

pub use case::{CASES, Case, Judged, run};
pub use limits::child;
