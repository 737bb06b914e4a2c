//! The floors: the bare system calls or memory loops that handle the same bytes.

mod chunks;
mod commits;
mod files;
mod frames;
mod measure;
mod ring;
mod zeroed;

pub use measure::{NAMES, measure};
