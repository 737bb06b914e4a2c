//! Bytes that nobody in their right mind would write: whatever they are, nothing panics, nothing
//! runs for ever, nothing takes more memory than the bytes warrant, and what is believed is right.
//!
//! A target takes bytes and panics when a promise is broken. The same targets run under a fuzzer
//! (`fuzz/`) and under the mutator here, which needs no tools.

mod bases;
mod corpus;
mod directory;
mod frame;
mod input;
mod memory;
mod mutated;
mod mutator;
mod operations;
mod packed;
mod reseal;
mod round;
mod survive;
mod target;

pub use corpus::{replay, write_corpus};
pub use directory::directory;
pub use frame::frame;
pub use input::Input;
pub use memory::Capped;
pub use mutated::mutated;
pub use operations::operations;
pub use packed::packed;
pub use round::{Round, round};
pub use target::{TARGETS, Target};
