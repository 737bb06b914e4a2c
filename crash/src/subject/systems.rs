//! Every log that can be put under test, by name.

use super::System;
#[cfg(feature = "peers")]
use super::{
    okaywal::Okaywal, raft_engine::RaftEngine, sqlite::Sqlite, wal_db::WalDb,
    writeahead::WriteAhead,
};

/// libwal first, with segments of the smallest size and everything else as it comes; then, with
/// the feature `peers`, the other logs, each at the safest setting its documentation names.
pub fn systems() -> Vec<Box<dyn System>> {
    vec![
        Box::new(super::Libwal(wal_core::Options {
            segment_bytes: wal_core::limits::SEGMENT_BYTES_MIN,
            ..wal_core::Options::default()
        })),
        #[cfg(feature = "peers")]
        Box::new(Okaywal),
        #[cfg(feature = "peers")]
        Box::new(RaftEngine),
        #[cfg(feature = "peers")]
        Box::new(WriteAhead),
        #[cfg(feature = "peers")]
        Box::new(WalDb),
        #[cfg(feature = "peers")]
        Box::new(Sqlite),
    ]
}

/// The log with this name.
pub fn system(name: &str) -> Option<Box<dyn System>> {
    systems().into_iter().find(|system| system.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge, record};

    /// Enough to fill several files of every log.
    const RECORDS: u64 = 120;

    fn round_trip(name: &str) {
        let system = system(name).expect("it is registered");
        let directory = tempfile::tempdir().expect("a directory");
        let mut appended = 0;
        for _ in 0..3 {
            let (log, found) = system.open(&directory.path().join("log")).expect("it opens");
            assert_eq!(judge(&found, appended, appended), Ok(()), "{name}");
            for number in appended..appended + RECORDS {
                log.append(&record(number, 20 + number as usize * 37 % 900)).expect("it appends");
            }
            appended += RECORDS;
            log.close().expect("it closes");
        }
    }

    #[test]
    fn records_of_libwal_come_back_in_order() {
        round_trip("libwal");
    }

    #[cfg(feature = "peers")]
    mod peers {
        use super::{round_trip, systems};

        #[test]
        fn records_of_okaywal_come_back_in_order() {
            round_trip("okaywal");
        }

        #[test]
        fn records_of_raft_engine_come_back_in_order() {
            round_trip("raft-engine");
        }

        #[test]
        fn records_of_writeahead_come_back_in_order() {
            round_trip("writeahead");
        }

        #[test]
        fn records_of_wal_db_come_back_in_order() {
            round_trip("wal-db");
        }

        #[test]
        fn records_of_sqlite_come_back_in_order() {
            round_trip("SQLite");
        }

        #[test]
        fn the_versions_are_those_that_are_linked() {
            let lock = include_str!("../../../Cargo.lock");
            for peer in systems().iter().skip(1).filter(|peer| peer.name() != "SQLite") {
                let entry =
                    format!("name = \"{}\"\nversion = \"{}\"\n", peer.name(), peer.version());
                assert!(lock.contains(&entry), "{} {}", peer.name(), peer.version());
            }
        }
    }
}
