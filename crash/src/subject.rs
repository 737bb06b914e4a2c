//! A log under test, seen from outside: records that are appended, acknowledged and found again.

mod libwal;
#[cfg(feature = "peers")]
mod okaywal;
#[cfg(feature = "peers")]
mod panics;
#[cfg(feature = "peers")]
mod raft_engine;
#[cfg(feature = "peers")]
mod sqlite;
mod systems;
#[cfg(feature = "peers")]
mod wal_db;
#[cfg(feature = "peers")]
mod writeahead;

use std::fmt::Display;
use std::path::Path;

pub use libwal::Libwal;
pub use systems::{system, systems};

/// Why a call of a log under test did not do what it was asked.
#[derive(Clone, Debug)]
pub struct Failed(pub String);

/// A log that was opened, and the records it gave back, the oldest first.
pub type Opened = (Box<dyn Subject>, Vec<Vec<u8>>);

/// Opens logs of one kind, each set to the safest it offers.
pub trait System: Sync {
    /// As reports name it.
    fn name(&self) -> &'static str;

    /// The version under test.
    fn version(&self) -> &'static str;

    /// Creates the log in `directory`, which may be missing, or opens and reads what is there.
    ///
    /// # Errors
    ///
    /// What the log says. That is a finding where the log was acknowledged anything.
    fn open(&self, directory: &Path) -> Result<Opened, Failed>;
}

/// An open log.
pub trait Subject: Send + Sync {
    /// Appends a record. When this returns, the record survives power loss.
    ///
    /// # Errors
    ///
    /// What the log says; then it is open whether the record is there.
    fn append(&self, record: &[u8]) -> Result<(), Failed>;

    /// Closes the log as its documentation wants it.
    ///
    /// # Errors
    ///
    /// What the log says.
    fn close(self: Box<Self>) -> Result<(), Failed>;
}

/// The content of the record with this number: its number, and bytes that follow from it.
pub fn record(number: u64, len: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    let mut rng = crate::Rng::new(number);
    while bytes.len() < len.max(8) {
        bytes.extend_from_slice(&rng.next().to_le_bytes());
    }
    bytes.truncate(len.max(8));
    bytes
}

/// Holds what was found against what was appended in order: the records with the numbers 0, 1, 2...
/// of which the first `acknowledged` were, and the first `submitted` may be there.
///
/// # Errors
///
/// The promise that is broken, in words.
pub fn judge(found: &[Vec<u8>], acknowledged: u64, submitted: u64) -> Result<(), String> {
    for (number, bytes) in (0..).zip(found) {
        if *bytes != record(number, bytes.len()) {
            let head: [u8; 8] =
                bytes.get(..8).and_then(|head| head.try_into().ok()).unwrap_or_default();
            let other = u64::from_le_bytes(head);
            return Err(match *bytes == record(other, bytes.len()) {
                true => format!("record {number} is record {other}"),
                false => format!("record {number} has bytes nobody appended"),
            });
        }
    }
    let count = found.len() as u64;
    if count < acknowledged {
        return Err(format!("{acknowledged} records were acknowledged, {count} are there"));
    }
    if count > submitted {
        return Err(format!("{submitted} records were appended, {count} are there"));
    }
    Ok(())
}

fn failed(error: impl Display) -> Failed {
    Failed(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_foreign_repeated_and_changed_records_are_told_apart() {
        let found: Vec<_> = (0..5).map(|number| record(number, 40)).collect();
        assert_eq!(judge(&found, 4, 5), Ok(()));
        assert!(judge(&found, 6, 7).is_err_and(|text| text.contains("6 records were ack")));
        assert!(judge(&found, 4, 4).is_err_and(|text| text.contains("5 are there")));
        let mut repeated = found.clone();
        repeated[3] = record(2, 40);
        assert_eq!(judge(&repeated, 4, 5), Err("record 3 is record 2".into()));
        let mut changed = found;
        changed[1][20] ^= 1;
        assert_eq!(judge(&changed, 4, 5), Err("record 1 has bytes nobody appended".into()));
    }
}
