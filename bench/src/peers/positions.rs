//! Where the records of a log lie whose reads take an address instead of a number.

use std::sync::{OnceLock, PoisonError, RwLock};

use crate::log::{Failure, Result};

/// The address of each record, collected from one replay when the first is asked for, so that
/// appends keep no books for it.
pub struct Positions<T> {
    /// Filled once and read without a lock: this is what random reads are measured with.
    first: OnceLock<Vec<T>>,
    /// All of them again after a record was asked for that the first replay did not meet.
    later: RwLock<Vec<T>>,
}

impl<T: Copy> Positions<T> {
    pub fn new() -> Positions<T> {
        Positions { first: OnceLock::new(), later: RwLock::new(Vec::new()) }
    }

    /// The address of the record of this index; `replay` collects all of them when it is needed.
    pub fn of(&self, index: u64, replay: impl Fn() -> Result<Vec<T>>) -> Result<T> {
        let index = usize::try_from(index).map_err(|_| missing(index))?;
        let first = match self.first.get() {
            Some(first) => first,
            None => {
                let found = replay()?;
                self.first.get_or_init(|| found)
            }
        };
        if let Some(position) = first.get(index) {
            return Ok(*position);
        }
        let known = self.later.read().unwrap_or_else(PoisonError::into_inner).get(index).copied();
        if let Some(position) = known {
            return Ok(position);
        }
        let found = replay()?;
        let position = found.get(index).copied().ok_or_else(|| missing(index as u64));
        *self.later.write().unwrap_or_else(PoisonError::into_inner) = found;
        position
    }
}

fn missing(index: u64) -> Failure {
    Failure::Failed(format!("no record {index}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_replay_is_made_only_for_records_not_yet_met() {
        let replays = Cell::new(0);
        let len = Cell::new(2_u64);
        let replay = || {
            replays.set(replays.get() + 1);
            Ok((0..len.get()).map(|index| index * 10).collect())
        };
        let positions = Positions::new();
        assert!(positions.of(2, replay).is_err());
        assert_eq!(replays.get(), 2);
        assert_eq!(positions.of(1, replay).ok(), Some(10));
        assert_eq!(replays.get(), 2);
        len.set(4);
        assert_eq!(positions.of(3, replay).ok(), Some(30));
        assert_eq!(positions.of(2, replay).ok(), Some(20));
        assert_eq!(replays.get(), 3);
    }
}
