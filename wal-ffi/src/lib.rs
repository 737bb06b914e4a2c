//! The C ABI of libwal: the functions behind `include/wal.h`.
//!
//! Every function runs inside the panic boundary of `boundary.rs`, which is also the only place
//! where a raw pointer becomes a reference. `docs/C_API.md` is the manual; the rules it states are
//! kept by the tests of this crate.
#![deny(
    missing_docs,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
// The names are C names: `wal_log`, `WAL_OK`.
#![allow(non_camel_case_types)]

mod append;
mod boundary;
mod callback;
mod check;
mod codes;
mod completions;
mod copy;
mod cursor;
mod error;
mod follow;
mod guard;
mod log;
mod logging;
mod notify;
mod options;
mod packed;
mod panic;
mod position;
mod read;
mod record;
mod recovery;
mod replay;
mod stats;
mod time;
mod trim;
mod values;
mod verify;
mod version;
mod watermark;

pub use append::*;
pub use check::*;
pub use codes::*;
pub use completions::*;
pub use copy::*;
pub use cursor::*;
pub use error::*;
pub use follow::*;
pub use log::*;
pub use logging::*;
pub use notify::*;
pub use options::*;
pub use packed::wal_packed;
pub use position::*;
pub use read::*;
pub use record::*;
pub use recovery::*;
pub use replay::*;
pub use stats::*;
pub use trim::*;
pub use values::*;
pub use verify::*;
pub use version::*;
pub use watermark::*;
