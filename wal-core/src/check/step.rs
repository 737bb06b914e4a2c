//! One step of a repair. Each can be interrupted anywhere and done again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::append::write_all;
use crate::error::{Error, Result};
use crate::growth;
use crate::limits::{BLOCK_BYTES, SEGMENT_BYTES_INITIAL};
use crate::lsn::SegmentId;
use crate::segment::{SegmentHeader, file_name};
use crate::state::{Slot, StateFile};
use crate::vfs::{Access, File, Vfs, read_full};

/// See the module.
pub(super) enum Step {
    /// Writes bytes that can be told from others: a header copy, a footer.
    Rewrite { path: PathBuf, offset: u64, bytes: Vec<u8>, what: String },
    /// Starts a segment, whose header says where the log validly ends.
    Start { header: SegmentHeader, unsynced: Option<Unsynced>, what: String },
    /// Writes both state slots from the newest one, changed.
    State { slot: Slot, what: String },
    /// Writes a state file anew.
    Rebuild { slot: Slot, what: String },
    /// Removes a file.
    Remove { path: PathBuf, what: String },
}

/// A part of a segment that may be in the page cache alone.
pub(super) struct Unsynced {
    pub(super) path: PathBuf,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Rewrite { what, .. }
            | Step::Start { what, .. }
            | Step::State { what, .. }
            | Step::Rebuild { what, .. }
            | Step::Remove { what, .. } => f.write_str(what),
        }
    }
}

impl Step {
    /// The existing file that the step changes or removes.
    pub(super) fn changes(&self, state_path: &Path) -> Option<PathBuf> {
        match self {
            Step::Rewrite { path, .. } | Step::Remove { path, .. } => Some(path.clone()),
            Step::Start { .. } => None,
            Step::State { .. } | Step::Rebuild { .. } => Some(state_path.to_owned()),
        }
    }

    /// Does it.
    ///
    /// When this returns, it survives power loss. `state` is the locked state file.
    pub(super) fn run(
        &self,
        vfs: &dyn Vfs,
        directory: &Path,
        state: &Arc<dyn File>,
        state_path: &Path,
    ) -> Result<()> {
        let sync_directory = || {
            let synced = vfs.sync_dir(directory);
            synced.map_err(|error| Error::io("syncing the directory", directory, error))
        };
        match self {
            Step::Rewrite { path, offset, bytes, .. } => {
                let failed = |error| Error::io("rewriting a part of a segment", path, error);
                let file = vfs.open(path, Access::Write).map_err(failed)?;
                write_all(&*file, &[bytes], *offset).map_err(failed)?;
                file.sync().map_err(failed)
            }
            Step::Start { header, unsynced, .. } => {
                if let Some(unsynced) = unsynced {
                    unsynced.write_again(vfs)?;
                }
                start_segment(vfs, directory, header)?;
                sync_directory()
            }
            Step::State { slot, .. } => {
                // Twice, so that each slot alone says it.
                let mut state = StateFile::open(Arc::clone(state), state_path)?;
                state.write(slot.clone())?;
                state.write(slot.clone())
            }
            Step::Rebuild { slot, .. } => {
                StateFile::rebuild(Arc::clone(state), state_path, slot.clone())?;
                sync_directory()
            }
            Step::Remove { path, .. } => {
                match vfs.remove(path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Error::io("removing a file", path, error));
                    }
                    _ => {}
                }
                sync_directory()
            }
        }
    }
}

impl Unsynced {
    /// Writes the bytes once more and syncs: a sync that failed unseen may have left them in the
    /// page cache alone, and no later sync of unchanged pages brings them to the disk.
    fn write_again(&self, vfs: &dyn Vfs) -> Result<()> {
        let failed = |error| Error::io("rewriting the tail", &self.path, error);
        let file = vfs.open(&self.path, Access::Write).map_err(failed)?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut at = self.from;
        while at < self.to {
            let len = (self.to - at).min(COPY_BYTES as u64) as usize;
            let piece = buffer.get_mut(..len).unwrap_or_default();
            if read_full(&*file, piece, at).map_err(failed)? < len {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            }
            write_all(&*file, &[piece], at).map_err(failed)?;
            at += len as u64;
        }
        file.sync().map_err(failed)
    }
}

/// Makes the file of a segment that holds nothing yet. A crash before the end leaves a file without
/// a whole header, which is a leftover.
fn start_segment(vfs: &dyn Vfs, directory: &Path, header: &SegmentHeader) -> Result<()> {
    let path = directory.join(file_name(header.id));
    let failed = |error| Error::io("making a segment", &path, error);
    let file = vfs.open(&path, Access::Create).map_err(failed)?;
    growth::zero(&*file, 0, SEGMENT_BYTES_INITIAL).map_err(failed)?;
    file.sync().map_err(failed)?;
    write_all(&*file, &[&header.encode()], 0).map_err(failed)?;
    file.sync().map_err(failed)
}

/// The file of a segment.
pub(super) fn segment_path(directory: &Path, id: SegmentId) -> PathBuf {
    directory.join(file_name(id))
}

/// How much is copied at once.
pub(super) const COPY_BYTES: usize = 1 << 20;

const _: () = assert!(SEGMENT_BYTES_INITIAL.is_multiple_of(BLOCK_BYTES));
