//! Real file systems on a disk that loses power: workloads run on a mounted file system whose disk
//! records every write and flush; every state that a power loss may leave is mounted, and the log
//! on it is opened, judged, and gone on with.

mod block_file;
mod blocks;
mod campaign;
mod check;
mod checker;
mod command;
mod effect;
mod errand;
mod extents;
mod faults;
mod file_system;
mod image;
mod ledger;
mod look;
mod loop_device;
mod peers;
mod recording;
mod replay;
mod rig;
mod script;
mod states;
mod workload;

pub use blocks::{BLOCK_BYTES, Blocks};
pub use check::{Verdict, serve};
pub use checker::Checker;
pub use command::main;
pub use errand::{Errand, Plan, die_with_the_parent};
pub use faults::{Cases, run as run_faults};
pub use file_system::{FileSystem, HOME};
pub use image::Image;
pub use ledger::Ledger;
pub use loop_device::sweep;
pub use recording::{Event, Fault};
pub use replay::{Effort, Kind, LOG, Outcome, Replay, Violation};
pub use rig::{Recorded, Rig};
