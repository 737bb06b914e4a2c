//! Checking the checks: bugs as real logs had them, planted one at a time in a copy of the engine.
//! Each has to be caught by the rung that is named for it.
//!
//! The sources of the engine know nothing of this. A [`Bank`] says which text of which file a bug
//! replaces; a [`Copy`] of the checkout is made in the build directory, in which each of these
//! places runs the original or the buggy text depending on the environment variable
//! `WAL_PLANTED`. The copy is built once, and cannot be built as a release.

mod bank;
mod build;
mod copy;
mod plant;
mod trial;

pub use bank::{Bank, Bug, Program, Rung};
pub use build::Build;
pub use copy::Copy;
pub use plant::{Planted, places};
pub use trial::{Outcome, Trial};
