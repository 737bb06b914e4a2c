//! What the engine asks of a file system.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::file::File;

/// How [`Vfs::open`] opens a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading only; the file must exist.
    Read,
    /// For reading and writing; the file must exist.
    Write,
    /// For reading and writing; the file is created empty and must not exist.
    Create,
    /// As `Write`, past the page cache where the file system can (`O_DIRECT`); falls back to
    /// `Write` where it cannot. [`File::alignment`] tells which it became.
    WriteDirect,
}

/// A file system and a wall clock.
pub trait Vfs: Send + Sync + 'static {
    /// Creates a directory and its missing parents.
    ///
    /// When this returns, the new directories survive power loss.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in no order. `.` and `..` are left out.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// Opens a file. Refuses what is not a regular file with `InvalidInput`.
    ///
    /// When this returns, a created file is visible; its name survives power loss only after
    /// [`Vfs::sync_dir`].
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>>;

    /// Removes a file. Durable after [`Vfs::sync_dir`]; open handles and mappings stay valid.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Renames a file over whatever has the new name. Durable after [`Vfs::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes an empty directory. Durable after [`Vfs::sync_dir`] of its parent.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// When this returns, every creation, removal and renaming in the directory survives power
    /// loss.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The wall clock.
    fn now(&self) -> SystemTime;

    /// Whether overwriting a block of a file in `path` moves it (copy-on-write): zeroing ahead and
    /// recycling are then wasted work.
    fn is_copy_on_write(&self, path: &Path) -> bool;

    /// Whether what is in `path` is kept in memory alone and gone with the power, as far as the
    /// system tells: then no sync means anything.
    fn is_volatile(&self, _path: &Path) -> bool {
        false
    }
}
