//! The export stream, version 1; its layout is written down in `docs/CLI.md`.
//!
//! A header and checksummed chunks, so that damage is found at the chunk it is in and what came
//! before it can be used.

mod layout;
mod reader;
mod writer;

pub use layout::{Batch, Header};
pub use reader::{Chunk, StreamError, StreamReader};
pub use writer::StreamWriter;

#[cfg(test)]
mod tests;
