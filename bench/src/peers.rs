//! The other embeddable logs, each set to what libwal calls its level `Disk`: an append that
//! returns has reached the device. `bench/README.md` says how each is set and what was traced.

use std::any::Any;
use std::fmt::Display;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::log::{Failure, Result, System};

mod commit_group;
mod okaywal;
mod open_wal;
mod positions;
mod raft_engine;
#[cfg(test)]
mod round_trip;
mod wal_db;
mod walrus;
mod writeahead;

/// Every peer, in the order of the reports.
pub fn all() -> Vec<Box<dyn System>> {
    vec![
        Box::new(okaywal::Okaywal),
        Box::new(raft_engine::RaftEngine),
        Box::new(walrus::Walrus),
        Box::new(wal_db::WalDb),
        Box::new(writeahead::WriteAhead),
        Box::new(open_wal::OpenWal),
    ]
}

/// The payload of one unit of writing where the peer leaves its size to the caller.
const BATCH_BYTES: usize = 1 << 20;

fn failed(error: impl Display) -> Failure {
    Failure::Failed(format!("{error:#}"))
}

/// Runs a call of a peer that panics where others return an error.
fn caught<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(failed(message(&*panic))))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}

/// Makes what opening a log wrote durable, so that no measured append pays for the zeros and the
/// names, and none is lost with a name that its peer never synced.
fn settle(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            File::open(entry.path()).and_then(|file| file.sync_all()).map_err(failed)?;
        }
    }
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_peer_is_a_failure_with_its_text() {
        let result: Result<()> = caught(|| panic!("disk {}", 7));
        assert!(matches!(result, Err(Failure::Failed(text)) if text == "disk 7"));
    }

    #[test]
    fn every_peer_has_a_name_and_a_version_of_its_own() {
        let mut names: Vec<_> = all().iter().map(|peer| peer.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 6);
        let lock = include_str!("../../Cargo.lock");
        for peer in all() {
            let entry = format!("name = \"{}\"\nversion = \"{}\"\n", peer.name(), peer.version());
            assert!(lock.contains(&entry), "{} {}", peer.name(), peer.version());
        }
    }
}
