//! Where a cursor starts, and what becomes of places that are not there.

use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use crate::lookup;
use crate::lsn::Lsn;
use crate::tail::Tail;
use crate::time::nanoseconds;

/// A place between two records of a log.
///
/// ```
/// use wal_core::{Lsn, Position};
/// assert_eq!(Position::from(Lsn::FIRST), Position::At(Lsn::FIRST));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before the first record there is.
    First,
    /// Before this record, or where it will be when it is the next one.
    At(Lsn),
    /// After the last visible record.
    End,
    /// Before the first record committed at this time or later.
    Time(SystemTime),
}

impl From<Lsn> for Position {
    fn from(lsn: Lsn) -> Position {
        Position::At(lsn)
    }
}

impl Position {
    /// The LSN of the record after this place, whether it is there already or not.
    pub(crate) fn resolve(self, tail: &dyn Tail) -> Result<u64> {
        let (live, end) = tail.snapshot();
        match self {
            Position::First => Ok(live.first_lsn),
            Position::End => Ok(end),
            Position::At(lsn) if lsn.get() < live.first_lsn => {
                Err(trimmed(lsn.get(), live.first_lsn))
            }
            Position::At(lsn) if lsn.get() > end => Err(not_appended(lsn.get(), end)),
            Position::At(lsn) => Ok(lsn.get()),
            Position::Time(time) => lookup::first_at(tail, nanoseconds(time)),
        }
    }
}

/// The position is below the first record there is.
#[cold]
pub(crate) fn trimmed(lsn: u64, first: u64) -> Error {
    let message = format!("record {lsn} was trimmed, the log starts at {first}");
    Error::at_lsn(ErrorKind::Trimmed, Lsn::new(first), message)
}

/// The position was cut off by a truncation after which `next` was the next LSN; zero stands for a
/// reset, which keeps no record.
#[cold]
pub(crate) fn truncated(position: u64, next: u64) -> Error {
    let kept = Lsn::new(next.saturating_sub(1));
    let message = match kept {
        Some(kept) => format!("the log was truncated after {kept}, the reader was at {position}"),
        None => format!("the log was emptied, the reader was at {position}"),
    };
    Error::at_lsn(ErrorKind::Truncated, kept, message)
}

/// There is no such record yet.
#[cold]
pub(crate) fn not_appended(lsn: u64, next: u64) -> Error {
    let message = format!("record {lsn} is not appended yet, the next LSN is {next}");
    Error::at_lsn(ErrorKind::NotFound, Lsn::new(next), message)
}
