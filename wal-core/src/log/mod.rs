//! The log: what a program opens, appends to and reads from.

mod appending;
mod handle;
mod maintenance;
mod reading;

pub use handle::Log;
