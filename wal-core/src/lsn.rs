//! The numbers of a log, one type each, so that two of them cannot be swapped.

use std::fmt;

use crate::error::Error;

/// Log sequence number: the position of a record in its log.
///
/// Dense and increasing by one; the first record of a log is 1 unless the log was created or reset
/// to start elsewhere. Zero is never a record, and the last LSN is `2^63 - 1` so that it fits a
/// signed 64-bit integer in every language.
///
/// ```
/// use wal_core::Lsn;
/// let lsn = Lsn::new(7).expect("7 is in range");
/// assert_eq!(lsn.get(), 7);
/// assert_eq!(Lsn::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// The first record of a log that was not told to start elsewhere.
    pub const FIRST: Lsn = Lsn(1);
    /// The largest LSN; an append that would pass it is refused with `Full`.
    pub const MAX: Lsn = Lsn((1 << 63) - 1);

    /// The LSN with this number, or `None` for 0 and for numbers above `2^63 - 1`.
    pub const fn new(number: u64) -> Option<Lsn> {
        if number == 0 || number > Lsn::MAX.0 { None } else { Some(Lsn(number)) }
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The LSN after this one, or `None` at the end of the number range.
    pub const fn next(self) -> Option<Lsn> {
        Lsn::new(self.0 + 1)
    }

    /// The LSN before this one, or `None` before the first.
    pub const fn previous(self) -> Option<Lsn> {
        Lsn::new(self.0 - 1)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for Lsn {
    type Error = Error;

    fn try_from(number: u64) -> Result<Lsn, Error> {
        Lsn::new(number).ok_or_else(|| {
            Error::invalid(format!("{number} is not an LSN: they run from 1 to {}", Lsn::MAX))
        })
    }
}

/// The LSNs of a batch, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LsnRange {
    /// The LSN of the first record.
    pub first: Lsn,
    /// The LSN of the final record.
    pub final_: Lsn,
}

impl LsnRange {
    /// `count` LSNs from `first` on, which lie in range and are at least one.
    pub(crate) fn dense(first: u64, count: u32) -> LsnRange {
        LsnRange { first: Lsn(first), final_: Lsn(first + u64::from(count) - 1) }
    }

    /// How many records the range spans.
    pub const fn count(&self) -> u64 {
        self.final_.0 - self.first.0 + 1
    }

    /// Whether `lsn` lies in the range.
    pub const fn contains(&self, lsn: Lsn) -> bool {
        self.first.0 <= lsn.0 && lsn.0 <= self.final_.0
    }
}

impl fmt::Display for LsnRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.final_)
    }
}

/// The number of a segment, which is also its file name. Ids only grow; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in bytes from the start of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

impl fmt::Display for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the log's files: a segment and an offset in it. Ordered as the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The segment.
    pub segment: SegmentId,
    /// The offset in the segment's file.
    pub offset: FileOffset,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} offset {}", self.segment, self.offset)
    }
}
