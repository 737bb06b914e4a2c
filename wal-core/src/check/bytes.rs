//! The bytes of a segment file, read a window at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::frame::{COMMIT_FRAME_BYTES, Commit, Frame, FrameHeader, Kind, Seed};
use crate::vfs::{Access, File, Lock, Vfs, read_full};

/// An open segment file. Never mapped: what cannot be read is an error, not a signal.
pub(super) struct Bytes {
    file: Arc<dyn File>,
    path: PathBuf,
    len: u64,
    buffer: Vec<u8>,
    /// How much was read, some of it more than once.
    read_bytes: u64,
}

/// An intact commit trailer found in a search.
pub(super) struct FoundTrailer {
    /// Where it ends.
    pub(super) end: u64,
    pub(super) commit: Commit,
    pub(super) seed: Seed,
}

impl Bytes {
    pub(super) fn open(vfs: &dyn Vfs, path: &Path) -> Result<Bytes> {
        let failed = |error| Error::io("opening a segment", path, error);
        let file = vfs.open(path, Access::Read).map_err(failed)?;
        // While somebody reads it, a writer removes a trimmed segment instead of using it again.
        let _ = file.try_lock(Lock::Shared).map_err(failed)?;
        let len = file.len().map_err(failed)?;
        Ok(Bytes { file, path: path.to_owned(), len, buffer: Vec::new(), read_bytes: 0 })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file was read over and over. Made-up bytes can be broken so often that whoever
    /// goes on behind each break never comes to an end.
    pub(super) fn is_worn_out(&self) -> bool {
        self.read_bytes > self.len.saturating_mul(READ_FACTOR).saturating_add(READ_BYTES_FREE)
    }

    /// Asks for the length again: a live writer makes files longer.
    pub(super) fn refresh(&mut self) -> Result<()> {
        self.len = self
            .file
            .len()
            .map_err(|error| Error::io("asking for the length of a segment", &self.path, error))?;
        Ok(())
    }

    /// The bytes from `from` to `to`, fewer where the file ends.
    pub(super) fn range(&mut self, from: u64, to: u64) -> Result<&[u8]> {
        let len = to.min(self.len).saturating_sub(from) as usize;
        let failed = |error| Error::io("reading a segment", &self.path, error);
        if let Some(missing) = len.checked_sub(self.buffer.len()) {
            let refused = |_| failed(std::io::ErrorKind::OutOfMemory.into());
            self.buffer.try_reserve_exact(missing).map_err(refused)?;
            self.buffer.resize(len, 0);
        }
        let window = self.buffer.get_mut(..len).unwrap_or_default();
        let read = read_full(&*self.file, window, from).map_err(failed)?;
        self.read_bytes = self.read_bytes.saturating_add(read as u64);
        Ok(self.buffer.get(..read).unwrap_or_default())
    }

    /// The first intact commit trailer between `from` and `to` under any of these seeds.
    pub(super) fn trailer(
        &mut self,
        from: u64,
        to: u64,
        seeds: &[Seed],
        wanted: impl Fn(&Commit) -> bool,
    ) -> Result<Option<FoundTrailer>> {
        let mut base = from;
        while base < to.min(self.len) {
            let window = self.range(base, to.min(base + WINDOW_BYTES))?;
            let is_final = (window.len() as u64) < WINDOW_BYTES;
            for at in (0..window.len()).step_by(8) {
                let rest = window.get(at..).unwrap_or_default();
                match FrameHeader::peek(rest) {
                    // A longer frame is no trailer, and its checksum would be taken over all of it.
                    Ok(header)
                        if header.kind == Kind::Commit
                            && header.frame_bytes() == COMMIT_FRAME_BYTES => {}
                    _ => continue,
                }
                let offset = base + at as u64;
                for &seed in seeds {
                    let Ok(frame) = Frame::decode(rest, offset, seed) else { continue };
                    let Some(commit) = Commit::decode(frame.payload) else { continue };
                    if wanted(&commit) {
                        let end = offset + COMMIT_FRAME_BYTES;
                        return Ok(Some(FoundTrailer { end, commit, seed }));
                    }
                }
            }
            if is_final {
                break;
            }
            // A trailer may lie across the edge of two windows.
            base += WINDOW_BYTES - COMMIT_FRAME_BYTES;
        }
        Ok(None)
    }

    /// How many bytes from `from` on are not zeros up to the end of the file.
    pub(super) fn used_after(&mut self, from: u64) -> Result<u64> {
        let (mut base, mut used) = (from, 0);
        while base < self.len {
            let window = self.range(base, base + WINDOW_BYTES)?;
            if window.is_empty() {
                break;
            }
            if let Some(last) = window.iter().rposition(|&byte| byte != 0) {
                used = base + last as u64 + 1 - from;
            }
            base += window.len() as u64;
        }
        Ok(used)
    }
}

/// How much is read at once, unless a commit is longer.
pub(super) const WINDOW_BYTES: u64 = 1 << 20;
/// So many times a file is read before it is worn out, and this much of a small one.
const READ_FACTOR: u64 = 16;
const READ_BYTES_FREE: u64 = 256 << 20;

const _: () = assert!(WINDOW_BYTES.is_multiple_of(8));
const _: () = assert!(COMMIT_FRAME_BYTES.is_multiple_of(8));
