//! The runner in Rust: `run`, `write` and `read`.

mod answer;
mod appending;
mod changing;
mod files;
mod following;
mod looking;
mod opening;
mod reader;
mod reading;
mod session;
mod telling;
mod writer;

pub use reader::read;
pub use session::run;
pub use writer::write;
