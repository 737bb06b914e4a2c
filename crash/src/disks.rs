//! Real file systems on a disk that loses power: workloads run on a mounted file system whose disk
//! records every write and flush; every state that a power loss may leave is mounted, and the log
//! on it is opened, judged, and gone on with.

mod block_file;
pub mod blocks;
mod campaign;
pub mod check;
mod checker;
mod command;
pub mod effect;
mod errand;
pub mod event;
pub mod extents;
mod faults;
pub mod file_system;
pub mod host;
mod image;
pub mod ledger;
mod look;
mod loop_device;
mod peers;
mod recording;
mod replay;
mod rig;
pub mod script;
mod states;
pub mod workload;

pub use blocks::{BLOCK_BYTES, Blocks, pieces};
pub use check::{Verdict, serve};
pub use checker::Checker;
pub use command::main;
pub use errand::{Errand, Plan};
pub use event::Event;
pub use faults::{Cases, run as run_faults};
pub use file_system::{FileSystem, HOME, LOG};
pub use host::{die_with_the_parent, has};
pub use image::Image;
pub use ledger::{Ledger, Model, hash_of_bytes, served};
pub use loop_device::sweep;
pub use recording::Fault;
pub use replay::{Effort, Kind, Outcome, Replay, Violation};
pub use rig::{Recorded, Rig};
pub use workload::{Marks, Workload};
