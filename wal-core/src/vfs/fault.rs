//! A file system that fails on purpose.

mod faulty_file;
mod script;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::faulty_file::FaultyFile;
use self::script::{Rule, Script};
use super::file::File;
use super::file_system::{Access, Vfs};
use super::mem::MemVfs;

/// What a call does, for choosing and counting calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of `Vfs` or `File` with its name")]
pub enum Operation {
    CreateDirAll,
    List,
    /// [`Vfs::open`] of a file that exists.
    Open,
    /// [`Vfs::open`] with [`Access::Create`].
    Create,
    Remove,
    Rename,
    RemoveDir,
    SyncDir,
    Read,
    Write,
    Sync,
    Len,
    SetLen,
    Lock,
    Map,
}

/// What goes wrong in a call. The numbers are `errno` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done and the call fails.
    Fail(i32),
    /// A read or write does at most this many bytes and says so. Other calls are not affected.
    Short(usize),
    /// A write does at most this many bytes and then fails. Other calls just fail.
    Tear(usize, i32),
    /// A sync fails, and what it was to make durable stays visible but never gets there, whatever
    /// later syncs say. Loses nothing unless made with [`FaultVfs::over_memory`].
    LoseUnsynced(i32),
}

/// One call that reached a [`FaultVfs`], whatever came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it does.
    pub operation: Operation,
    /// The file or directory; the old name of a renaming.
    pub path: PathBuf,
    /// Where a read or write starts; 0 for others.
    pub offset: u64,
    /// How many bytes were asked for; the length of `SetLen` and `Map`; 0 for others.
    pub len: u64,
}

/// A wrapper around any file system that fails, shortens, tears or delays chosen calls, and keeps a
/// list of all of them. Clones are handles to the same one.
///
/// ```
/// use std::io::IoSlice;
/// use std::path::Path;
/// use wal_core::vfs::{Access, Fault, FaultVfs, MemVfs, Operation, Vfs};
///
/// let vfs = FaultVfs::over_memory(MemVfs::new());
/// let file = vfs.open(Path::new("file"), Access::Create)?;
/// vfs.fail_nth(Operation::Write, 2, Fault::Fail(libc::EIO));
/// assert!(file.write_at(&[IoSlice::new(b"one")], 0).is_ok());
/// assert!(file.write_at(&[IoSlice::new(b"two")], 3).is_err());
/// assert!(file.write_at(&[IoSlice::new(b"two")], 3).is_ok());
/// assert_eq!(vfs.count(Operation::Write), 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct FaultVfs {
    inner: Arc<dyn Vfs>,
    memory: Option<MemVfs>,
    script: Arc<Script>,
}

impl FaultVfs {
    /// Wraps a file system.
    pub fn new(inner: Arc<dyn Vfs>) -> FaultVfs {
        FaultVfs { inner, memory: None, script: Arc::default() }
    }

    /// Wraps a file system in memory, in which failed syncs can lose what they were to make
    /// durable.
    pub fn over_memory(memory: MemVfs) -> FaultVfs {
        let inner = Arc::new(memory.clone());
        FaultVfs { inner, memory: Some(memory), script: Arc::default() }
    }

    /// Lets the `nth` call of this kind from now on (the next one is 1) go wrong, once.
    pub fn fail_nth(&self, operation: Operation, nth: usize, fault: Fault) {
        self.fail(operation, |_| true, nth, false, fault);
    }

    /// Lets the `nth` call of this kind from now on and all that follow go wrong.
    pub fn fail_from(&self, operation: Operation, nth: usize, fault: Fault) {
        self.fail(operation, |_| true, nth, true, fault);
    }

    /// Lets the `nth` call of this kind on a path that `applies` go wrong, once or `for_ever`. Of
    /// several rules that apply to a call, the one made first decides.
    pub fn fail(
        &self,
        operation: Operation,
        applies: impl Fn(&Path) -> bool + Send + Sync + 'static,
        nth: usize,
        for_ever: bool,
        fault: Fault,
    ) {
        self.script.add(Rule::new(operation, Box::new(applies), nth, for_ever, fault));
    }

    /// Lets every call of this kind take this much longer.
    pub fn delay(&self, operation: Operation, delay: Duration) {
        self.script.delay(operation, delay);
    }

    /// Forgets all faults and delays; the list of calls stays.
    pub fn heal(&self) {
        self.script.heal();
    }

    /// Every call so far, the first one first.
    pub fn calls(&self) -> Vec<Call> {
        self.script.calls()
    }

    /// How many calls of this kind there were.
    pub fn count(&self, operation: Operation) -> usize {
        self.script.count(operation)
    }

    /// Empties the list of calls.
    pub fn clear_calls(&self) {
        self.script.clear_calls();
    }

    /// Notes a call on a path and lets it through, or not.
    fn pass(&self, operation: Operation, path: &Path) -> io::Result<()> {
        self.script.call(Call { operation, path: path.to_owned(), offset: 0, len: 0 }).refuse()
    }
}

impl fmt::Debug for FaultVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultVfs").finish_non_exhaustive()
    }
}

impl Vfs for FaultVfs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.pass(Operation::CreateDirAll, path)?;
        self.inner.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.pass(Operation::List, path)?;
        self.inner.list(path)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let creates = access == Access::Create;
        self.pass(if creates { Operation::Create } else { Operation::Open }, path)?;
        let inner = self.inner.open(path, access)?;
        Ok(Arc::new(FaultyFile::new(inner, path, self.memory.clone(), self.script.clone())))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.pass(Operation::Remove, path)?;
        self.inner.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass(Operation::Rename, from)?;
        self.inner.rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.pass(Operation::RemoveDir, path)?;
        self.inner.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.pass(Operation::SyncDir, path)?;
        self.inner.sync_dir(path)
    }

    fn now(&self) -> SystemTime {
        self.inner.now()
    }

    fn is_copy_on_write(&self, path: &Path) -> bool {
        self.inner.is_copy_on_write(path)
    }

    fn is_volatile(&self, path: &Path) -> bool {
        self.inner.is_volatile(path)
    }
}
