//! The first phases of opening: the directory, the lock, the state.

use crate::sync::thread;
use crate::sync::time::Instant;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::survey::segment_files;
use crate::error::{Damage, Error, ErrorKind, Result};
use crate::lsn::FileOffset;
use crate::options::Options;
use crate::recovery::report::RecoveryCase;
use crate::state::{SlotsCase, StateFile};
use crate::vfs::{Access, File, Lock, Vfs};

/// The name of the state file, which is also the lock file: it is never replaced, so its inode is
/// the log's identity while somebody writes to it.
pub(crate) const STATE_FILE: &str = "STATE";

/// Opens the state file, creating directory and file where the options allow, and takes the
/// writer's lock.
pub(super) fn lock(vfs: &dyn Vfs, path: &Path, options: &Options) -> Result<Arc<dyn File>> {
    let state_path = path.join(STATE_FILE);
    let file = match vfs.open(&state_path, Access::Write) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(vfs, path, options)?,
        Err(error) => return Err(refuse(path, &state_path, error)),
    };
    wait_for_lock(&*file, path, options.lock_wait)?;
    Ok(file)
}

/// The same for a log that must exist.
pub(crate) fn lock_existing(vfs: &dyn Vfs, path: &Path) -> Result<Arc<dyn File>> {
    lock(vfs, path, &Options { create: false, ..Options::default() })
}

/// Reads the state, and refuses a missing one beside segments that need it.
pub(crate) fn read_state(vfs: &dyn Vfs, path: &Path, file: Arc<dyn File>) -> Result<StateFile> {
    let state_path = path.join(STATE_FILE);
    let state = StateFile::open(file, &state_path)?;
    if *state.case() == SlotsCase::Fresh && !segment_files(vfs, path)?.is_empty() {
        return Err(state_lost(&state_path, "an unfinished state file"));
    }
    Ok(state)
}

/// Segments without a state: it was there once.
pub(crate) fn state_lost(state_path: &Path, found: &str) -> Error {
    Error::corrupt(Damage {
        path: state_path.to_owned(),
        segment: None,
        offset: FileOffset(0),
        lsns: None,
        expected: "a state slot, because there are segments".into(),
        found: format!("{found} (case {})", RecoveryCase::StateLost),
    })
}

/// Creates the directory and an empty state file, whose name is not durable yet.
///
/// A crash leaves a directory, with or without an empty state file: the next opening starts over.
fn create(vfs: &dyn Vfs, path: &Path, options: &Options) -> Result<Arc<dyn File>> {
    let state_path = path.join(STATE_FILE);
    if !options.create {
        return Err(Error::at_path(ErrorKind::NotFound, path, "there is no log here"));
    }
    vfs.create_dir_all(path).map_err(|error| refuse(path, path, error))?;
    if !segment_files(vfs, path)?.is_empty() {
        // Somebody else may have made the log since it was looked for: a state comes before all
        // segments, so it is there now, or it is lost.
        return vfs.open(&state_path, Access::Write).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => state_lost(&state_path, "no such file"),
            _ => refuse(path, &state_path, error),
        });
    }
    match vfs.open(&state_path, Access::Create) {
        // Somebody else is creating the same log: whoever gets the lock does it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            vfs.open(&state_path, Access::Write)
        }
        opened => opened,
    }
    .map_err(|error| refuse(path, &state_path, error))
}

fn wait_for_lock(file: &dyn File, path: &Path, lock_wait: Duration) -> Result<()> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        let is_locked = file
            .try_lock(Lock::Exclusive)
            .map_err(|error| Error::io("locking the log", path, error))?;
        if is_locked {
            return Ok(());
        }
        let waited = started.elapsed();
        if waited >= lock_wait.max(LOCK_GRACE) {
            return Err(Error::at_path(
                ErrorKind::Locked,
                path,
                "another writer has the log open: close it there, or set lock_wait",
            ));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Whether a writer has the log open. A reader's question; it holds the lock for a moment.
pub(crate) fn is_writer_alive(vfs: &dyn Vfs, path: &Path) -> Result<bool> {
    let state_path = path.join(STATE_FILE);
    let file = match vfs.open(&state_path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refuse(path, &state_path, error)),
    };
    let is_free = file.try_lock(Lock::Shared);
    Ok(!is_free.map_err(|error| Error::io("asking for the lock", &state_path, error))?)
}

/// What the system's refusal to open means for the user.
fn refuse(path: &Path, file: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => Error::at_path(
            ErrorKind::Invalid,
            path,
            "a log is a directory, and this is something else: choose another path",
        ),
        io::ErrorKind::InvalidInput => Error::at_path(
            ErrorKind::Invalid,
            file,
            "the state file of a log is a regular file, and this is something else",
        ),
        _ => Error::io("opening the log", file, error),
    }
}

/// A reader that asks whether a writer is alive, and the child of a fork before it lets go, hold
/// the lock for a moment: that is not another writer.
const LOCK_GRACE: Duration = Duration::from_millis(20);
