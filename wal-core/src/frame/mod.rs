//! Frames: the bytes of a record, a commit trailer, an opening, a seal. Pure; no input makes it
//! panic.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod commit;
mod header;
mod opening;
mod seed;

pub(crate) use commit::{COMMIT_FRAME_BYTES, Commit};
pub(crate) use header::{
    FLAG_BATCH_CONTINUES, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, Fault, Frame, FrameHeader, Kind,
    RecordFrame, frame_bytes,
};
pub(crate) use opening::{OPENING_FRAME_BYTES, Opening};
pub(crate) use seed::Seed;
