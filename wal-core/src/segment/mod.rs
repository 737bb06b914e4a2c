//! One segment: its name, its header, its footer, and the reading of its records.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod active_file;
mod body;
mod commits;
mod damage;
mod descriptor;
mod footer;
mod header;
mod index;
mod mapped;
mod name;
mod pins;
mod rebuild;
mod scan;
mod seeds;
#[allow(clippy::module_inception)]
mod segment;
mod source;
#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests;
mod window;

pub(crate) use commits::CommitSpan;
pub(crate) use footer::{Footer, OpeningAt, footer_bytes};
pub(crate) use header::{DATA_START, HeaderFault, Predecessor, SegmentHeader};
pub(crate) use mapped::Mapped;
pub(crate) use name::{file_name, parse_file_name};
pub(crate) use scan::{Break, Scanner, Stop, later_durable_through};
pub(crate) use segment::{Extent, Segment};
pub(crate) use window::Window;

use active_file::ActiveFile;
use descriptor::Descriptor;
use index::Index;
use pins::Pins;
use seeds::{SeedRun, Seeds};
