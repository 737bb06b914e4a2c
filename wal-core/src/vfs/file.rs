//! What the engine asks of an open file.

use std::io::{self, IoSlice};
use std::sync::Arc;

/// Which lock [`File::try_lock`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Any number of holders, as long as none is exclusive.
    Shared,
    /// One holder, here or in any other process.
    Exclusive,
}

/// A mapping of a file's first bytes into memory, read-only, that shows what is written to them
/// later. While it lives, the file must not be cut below, nor written over, any byte of it that is
/// still looked at.
pub type Mapping = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// An open file. Every method may be called from several threads at once.
#[expect(clippy::len_without_is_empty, reason = "a length is asked of the system, not of a list")]
pub trait File: Send + Sync {
    /// Reads into `buf` at `offset`; returns how many bytes, 0 at the end of the file. May return
    /// fewer than asked; never `Interrupted`.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes the slices one after the other at `offset`; returns how many bytes. May return fewer
    /// than asked, never 0 for a non-empty request, never `Interrupted`. The offset, and each
    /// slice's address and length, are multiples of [`File::alignment`].
    ///
    /// When this returns, the bytes survive the death of the process, not yet power loss.
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;

    /// When this returns, every earlier write to this file and its length survive power loss.
    ///
    /// After an error nothing is known of the earlier writes, and a later success does not make
    /// them safe: they must be written again.
    fn sync(&self) -> io::Result<()>;

    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Cuts the file or extends it with zeros. Durable after [`File::sync`].
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Takes a lock on the file (the inode, not the name) if nobody else holds a conflicting one;
    /// returns whether it was taken. Another open of the same file in the same process counts as
    /// somebody else; the same open file may change its lock to the other kind. An exclusive lock
    /// needs a file opened for writing. Released when the last reference to this open file goes
    /// (a [`Mapping`] is not one), also by the death of the process; not inherited through `fork`:
    /// in the child a locked file is closed and every call on it is refused.
    fn try_lock(&self, lock: Lock) -> io::Result<bool>;

    /// Maps the first `len` bytes, which must not exceed the file's length; `None` where mappings
    /// are not to be had, and the caller reads instead.
    fn map(&self, len: u64) -> io::Result<Option<Mapping>>;

    /// Says that `len` bytes at `offset` are read soon, so that reads of several files wait for the
    /// device together and not one after the other. A hint: nothing comes of it where the system
    /// has no such call.
    fn will_read(&self, offset: u64, len: u64) {
        let _ = (offset, len);
    }

    /// Has the system begin to write back what was written of `len` bytes at `offset`, so that less
    /// is left for the next sync. Promises nothing: only [`File::sync`] does. Nothing comes of it
    /// where the system has no such call.
    fn write_back(&self, offset: u64, len: u64) {
        let _ = (offset, len);
    }

    /// What offsets, addresses and lengths of writes must be multiples of: 1 unless direct.
    fn alignment(&self) -> usize;
}

/// Whether a write of `bufs` at `offset` is one a file of this alignment takes.
pub(super) fn is_aligned(bufs: &[IoSlice<'_>], offset: u64, alignment: usize) -> bool {
    let fits = |buf: &IoSlice<'_>| {
        buf.len().is_multiple_of(alignment) && buf.as_ptr().addr().is_multiple_of(alignment)
    };
    offset.is_multiple_of(alignment as u64) && bufs.iter().all(fits)
}
