//! Real file systems on a disk that loses power: workloads run on a mounted file system whose disk
//! records every write and flush; every state that a power loss may leave is mounted, and the log
//! on it is opened, judged, and gone on with.
//!
//! The block file that serves the disk, and what needs it, come with the feature `disks`; what the
//! machines share with it is always there.

pub mod blocks;
pub mod check;
pub mod effect;
pub mod event;
pub mod extents;
pub mod file_system;
pub mod host;
pub mod ledger;
pub mod script;
pub mod workload;

#[cfg(feature = "disks")]
mod block_file;
#[cfg(feature = "disks")]
mod campaign;
#[cfg(feature = "disks")]
mod checker;
#[cfg(feature = "disks")]
mod command;
#[cfg(feature = "disks")]
mod errand;
#[cfg(feature = "disks")]
mod faults;
#[cfg(feature = "disks")]
mod image;
#[cfg(feature = "disks")]
mod look;
#[cfg(feature = "disks")]
mod loop_device;
#[cfg(feature = "disks")]
mod peers;
#[cfg(feature = "disks")]
mod recording;
#[cfg(feature = "disks")]
mod replay;
#[cfg(feature = "disks")]
mod rig;
#[cfg(feature = "disks")]
mod states;

pub use blocks::{BLOCK_BYTES, Blocks, pieces};
pub use check::{Verdict, serve};
#[cfg(feature = "disks")]
pub use checker::Checker;
#[cfg(feature = "disks")]
pub use command::main;
#[cfg(feature = "disks")]
pub use errand::{Errand, Plan};
pub use event::Event;
#[cfg(feature = "disks")]
pub use faults::{Cases, run as run_faults};
pub use file_system::{FileSystem, HOME, LOG};
pub use host::{die_with_the_parent, has};
#[cfg(feature = "disks")]
pub use image::Image;
pub use ledger::{Ledger, Model, hash_of_bytes, served};
#[cfg(feature = "disks")]
pub use loop_device::sweep;
#[cfg(feature = "disks")]
pub use recording::Fault;
#[cfg(feature = "disks")]
pub use replay::{Effort, Kind, Outcome, Replay, Violation};
#[cfg(feature = "disks")]
pub use rig::{Recorded, Rig};
pub use workload::{Marks, Workload};
