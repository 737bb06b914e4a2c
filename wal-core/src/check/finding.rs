//! One wrong place in a log.

use std::path::Path;

use crate::error::{Damage, Error};
use crate::lsn::{FileOffset, Lsn, LsnRange, SegmentId};

/// One wrong place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What is wrong and where: `Corrupt` with file, offset and the records at stake as far as the
    /// readable bytes tell, or `Io` where the system refuses to read.
    pub error: Error,
    /// Whether records, or the key-value state, can be lost by it. False for what the log holds
    /// twice or can be built again: one of two header copies, one of two state slots, a footer.
    pub records_at_stake: bool,
}

/// A place in one of a log's files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) path: &'a Path,
    pub(super) segment: Option<SegmentId>,
    pub(super) offset: u64,
}

impl Spot<'_> {
    /// The bytes here are wrong. The records from the first LSN up to the second one, which is not
    /// among them, are at stake.
    pub(super) fn wrong(
        &self,
        (first, next): (u64, u64),
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::corrupt(Damage {
            path: self.path.to_owned(),
            segment: self.segment,
            offset: FileOffset(self.offset),
            lsns: lsns(first, next),
            expected: expected.into(),
            found: found.into(),
        })
    }
}

/// The LSNs from `first` up to `next`, which is not among them; none when that is none.
pub(super) fn lsns(first: u64, next: u64) -> Option<LsnRange> {
    let (first, last) = (Lsn::new(first)?, Lsn::new(next.checked_sub(1)?)?);
    (first <= last).then_some(LsnRange { first, final_: last })
}
