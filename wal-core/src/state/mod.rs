//! The state file: the few facts about a log that are not in its segments.
//!
//! It is the authority for the first LSN, the clean-close mark and the key-value state, and it
//! carries a copy of how far the log is known to be durable. The writer holds its lock. Two slots
//! are overwritten in turn, so that a crash in the middle of a write leaves the other one.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod slot;
mod slots;
mod values;

pub(crate) use slot::Slot;
pub(crate) use slots::{SlotsCase, StateFile};
pub(crate) use values::{ValueMap, check_key};
