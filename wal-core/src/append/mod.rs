//! The append path: claim a place, copy and checksum outside any lock, commit in groups.

mod batch;
mod chores;
mod claims;
mod commit;
mod engine;
mod gather;
mod group;
mod pace;
mod pages;
mod ring;
mod serve;
mod stats;
mod submit;
mod tail;
mod ticket;
mod turn;
mod waiters;
mod writer;

pub(crate) use batch::Batch;
pub(crate) use claims::Claims;
pub(crate) use commit::{Active, Committer};
pub(crate) use engine::{Engine, Marks, Parts, deadline};
pub(crate) use ring::Ring;
pub(crate) use tail::Tail;
pub(crate) use ticket::Submitted;
pub use ticket::Ticket;
pub(crate) use waiters::Place;
#[cfg(feature = "loom")]
pub(crate) use waiters::{Bound, Waiters};
pub(crate) use writer::{SegmentWriter, write_all};
