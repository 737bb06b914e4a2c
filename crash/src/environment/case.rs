//! A case of an environment, and how it is run.

use super::{clock, directory, full, limits, mounts, openers, strange};
use crate::Tally;

/// What came of a case: how many situations were judged, or why none was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// So many situations, each as promised.
    Right(u64),
    /// It takes what is not here.
    NotRun(String),
}

/// A case by its name. In error: the promise that is broken, in words.
pub type Case = (&'static str, fn(&std::path::Path, bool) -> Result<Judged, String>);

/// Runs the cases, or the one of this name; `is_full` with every value instead of some.
pub fn run(only: Option<&str>, is_full: bool, tally: &mut Tally) {
    for (name, case) in CASES {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let judged = tempfile::tempdir().map_err(|error| error.to_string());
        let judged = judged.and_then(|directory| case(directory.path(), is_full));
        match judged {
            Ok(Judged::Right(count)) => tally.add("faults", count),
            Ok(Judged::NotRun(why)) => {
                println!("environment: NOT RUN: {name}: {why}");
                tally.add("not run", 1);
            }
            Err(what) => tally
                .violation(&format!("{name}: {what}\nagain: crash-environment --only '{name}'")),
        }
    }
}

/// All cases, in the order in which they run.
pub const CASES: [Case; 15] = [
    ("a full memory at every block", full::at_every_block),
    ("a full tmpfs of every size", mounts::full_tmpfs),
    ("a full ext4, and space again", mounts::full_ext4),
    ("a read-only remount under an open log", mounts::read_only_remount),
    ("tmpfs is called what it is", mounts::tmpfs_is_noted),
    ("clocks that jump", clock::jumps),
    ("a second opener by any way", openers::every_way),
    ("a bind mount of the directory", mounts::bind_mount),
    ("a deleted lock file under an open log", openers::deleted_lock),
    ("strange files in place of segments and state", strange::in_every_place),
    ("a renamed directory under an open log", directory::renamed),
    ("a removed directory under an open log", directory::removed),
    ("standard streams closed", limits::closed_streams),
    ("any umask", limits::any_umask),
    ("limits of size and descriptors", limits::resource_limits),
];
