//! The system as the engine sees it: files, directories and a wall clock behind two small traits.
//!
//! Everything the engine does to the outside world goes through here, so a simulated crash can be
//! taken at every operation and a port is one new implementation. Nothing in this layer knows about
//! frames.
//!
//! | implementation | for |
//! |---|---|
//! | [`RealVfs`] | the operating system's files, buffered or past the page cache |
//! | [`MemVfs`] | tests: files in memory, and every state a crash can leave |
//! | [`FaultVfs`] | tests: any of these, with calls that fail, fall short, tear or take long |

mod buffered;
mod descriptor;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod direct;
mod event;
mod fault;
mod file;
mod file_system;
mod fork;
mod mem;
mod random;
mod real;
mod whole;

pub(crate) use event::{clear_event, new_event, raise_event};
pub use fault::{Call, Fault, FaultVfs, Operation};
pub use file::{File, Lock, Mapping};
pub use file_system::{Access, Vfs};
pub(crate) use fork::fork_generation;
pub use mem::{MemVfs, Moment, Part};
pub(crate) use random::random_u64;
#[cfg(feature = "simulate")]
pub use random::seed;
pub use real::RealVfs;
pub(crate) use whole::{read_full, write_full};
