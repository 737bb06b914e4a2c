//! Where a cursor or a replay starts.

use wal_core::{Lsn, Position};

use crate::error::{Failure, Outcome};
use crate::time;

/// Where a cursor, follower or replay starts; goes with a number `at`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_from {
    /// The first record there is; `at` is not looked at.
    WAL_FROM_FIRST = 0,
    /// The record with the LSN `at`, or where it will be, for the next LSN.
    WAL_FROM_LSN = 1,
    /// After the last record; `at` is not looked at.
    WAL_FROM_END = 2,
    /// The first record committed at the time `at` (nanoseconds since 1970) or later.
    WAL_FROM_TIME = 3,
}

/// The position C speaks of.
pub(crate) fn position(from: i32, at: u64) -> Outcome<Position> {
    if from == wal_from::WAL_FROM_FIRST as i32 {
        Ok(Position::First)
    } else if from == wal_from::WAL_FROM_LSN as i32 {
        Ok(Position::At(lsn(at)?))
    } else if from == wal_from::WAL_FROM_END as i32 {
        Ok(Position::End)
    } else if from == wal_from::WAL_FROM_TIME as i32 {
        Ok(Position::Time(time::from_ns(i64::try_from(at).unwrap_or(-1))?))
    } else {
        Err(Failure::invalid(format!("from is {from}: pass one of enum wal_from")))
    }
}

/// The LSN C speaks of.
pub(crate) fn lsn(number: u64) -> Outcome<Lsn> {
    Ok(Lsn::try_from(number)?)
}

/// An LSN as C gets it: 0 for none.
pub(crate) fn number(lsn: Option<Lsn>) -> u64 {
    lsn.map_or(0, Lsn::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_are_none_are_refused() {
        for (from, at) in [(-1, 1), (4, 1), (1, 0), (1, 1 << 63), (3, 1 << 63)] {
            assert!(position(from, at).is_err(), "{from} {at}");
        }
    }

    #[test]
    fn every_position_can_be_said() {
        assert_eq!(position(0, 99).expect("first"), Position::First);
        assert_eq!(position(1, 7).expect("seven"), Position::At(Lsn::new(7).expect("seven")));
        assert_eq!(position(2, 99).expect("end"), Position::End);
        assert!(matches!(position(3, 5), Ok(Position::Time(_))));
    }
}
