//! A file system in memory that can lose power.

mod content;
mod crash;
mod journal;
mod machine;
mod model;
mod moment;
mod open_file;
mod sectors;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use self::crash::Part;
pub use self::moment::Moment;

use self::crash::Grain;
use self::machine::{Machine, errno, normal};
use self::model::{Model, Op};
use self::open_file::MemFile;
use super::file::File;
use super::file_system::{Access, Vfs};
use super::fork::watch_forks;

/// A file system in memory, for tests of what a crash leaves behind.
///
/// It knows what is visible and what is durable, and it remembers every operation that changed
/// something, so that the file system can be had as it was after any of them: as a power loss may
/// leave it ([`MemVfs::crash_at`]) or as the death of the process does ([`MemVfs::kill_at`]).
/// Clones are handles to the same file system.
///
/// The clock stands still between the calls of [`Vfs::now`], each of which takes a microsecond.
/// Files are never mapped. Direct files insist on their alignment.
///
/// ```
/// use std::io::IoSlice;
/// use std::path::{Path, PathBuf};
/// use wal_core::vfs::{Access, MemVfs, Vfs};
///
/// let vfs = MemVfs::new();
/// let file = vfs.open(Path::new("file"), Access::Create)?;
/// file.write_at(&[IoSlice::new(b"safe")], 0)?;
/// file.sync()?;
/// vfs.sync_dir(Path::new(""))?;
/// file.write_at(&[IoSlice::new(b"lost")], 0)?;
///
/// let found = vfs.crash_at(vfs.op_count(), &mut |_choices| 0);
/// assert_eq!(found.file_bytes(Path::new("file"))?, b"safe");
/// let found = vfs.kill_at(vfs.op_count());
/// assert_eq!(found.file_bytes(Path::new("file"))?, b"lost");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct MemVfs {
    machine: Arc<Mutex<Machine>>,
}

impl MemVfs {
    /// An empty file system.
    pub fn new() -> MemVfs {
        // Logs in memory notice a fork as others do; where that fails, they have nothing to lose.
        let _ = watch_forks();
        MemVfs::with(Model::default(), SystemTime::UNIX_EPOCH + START)
    }

    /// How many operations have changed something so far.
    pub fn op_count(&self) -> usize {
        self.machine().journal.count()
    }

    /// The operations so far in words, the first one first; without those that were forgotten.
    pub fn ops(&self) -> Vec<String> {
        self.machine().journal.ops().iter().map(Op::to_string).collect()
    }

    /// What the operation with this number, the first being 1, wrote: to which file, where, and the
    /// bytes; `None` for one that is no write, or is not known.
    pub fn written_by(&self, op: usize) -> Option<(PathBuf, u64, Vec<u8>)> {
        match self.machine().journal.op(op)? {
            Op::Write { path, offset, bytes, .. } => {
                Some((path.to_path_buf(), *offset, bytes.to_vec()))
            }
            _ => None,
        }
    }

    /// Forgets the operations so far, to save memory; their number stays counted.
    pub fn forget_ops(&self) {
        self.machine().journal.forget();
    }

    /// The file system as it may be found after power was lost right after the first `op`
    /// operations. Nothing is open or locked, and everything found is durable.
    ///
    /// What was synced is there. Of everything else any part may be: each sector of 512 bytes of
    /// each unsynced write, or a part of a sector; each change of a length; each creation, removal
    /// and renaming in a directory that was not synced since. `chooser` decides: it is called with
    /// a number of choices `n` and answers with one of `0..n`, where 0 always means that nothing of
    /// what it is about has arrived and `n - 1` that all of it has. For a sector, 1 tears it.
    ///
    /// # Panics
    ///
    /// If `op` is more than [`MemVfs::op_count`] or was forgotten.
    pub fn crash_at(&self, op: usize, chooser: &mut dyn FnMut(usize) -> usize) -> MemVfs {
        Moment::new(self, op, Grain::Torn).power_loss(&mut |part| chooser(part.choices))
    }

    /// The file system as it is found after the process died right after the first `op` operations:
    /// all of them are visible, none is more durable than before, nothing is open or locked.
    ///
    /// # Panics
    ///
    /// If `op` is more than [`MemVfs::op_count`] or was forgotten.
    pub fn kill_at(&self, op: usize) -> MemVfs {
        Moment::new(self, op, Grain::Torn).death()
    }

    /// The moment right after the first `op` operations, to take many crashes of. Power loss leaves
    /// whole sectors of 512 bytes there, and only what makes a difference is a choice.
    ///
    /// # Panics
    ///
    /// If `op` is more than [`MemVfs::op_count`] or was forgotten.
    pub fn moment(&self, op: usize) -> Moment {
        Moment::new(self, op, Grain::Whole)
    }

    /// A number that a file system with other names, lengths or bytes, visible or durable, has with
    /// a probability of one in 2^64.
    pub fn digest(&self) -> u64 {
        self.machine().model.digest()
    }

    /// Ends it: from now on every call of whoever still uses it fails, and changes nothing.
    pub fn power_off(&self) {
        self.machine().is_off = true;
    }

    /// Sets the clock.
    pub fn set_now(&self, now: SystemTime) {
        self.machine().now = now;
    }

    /// Limits what all files together may take, in blocks of 4096 bytes; holes take nothing.
    ///
    /// A write past it writes what fits, or fails with `StorageFull`; so does an extension by more
    /// than what is left.
    pub fn set_capacity(&self, capacity_bytes: Option<u64>) {
        self.machine().capacity_bytes = capacity_bytes;
    }

    /// Makes the next sync of any file fail with `EIO` and lose what it was to make durable, as
    /// systems do: the bytes stay visible, count as clean, and no later sync brings them to the
    /// medium unless they are written again.
    pub fn fail_next_sync(&self) {
        self.machine().fails_next_sync = true;
    }

    /// Loses what was written to a file since its last sync, as [`MemVfs::fail_next_sync`] does,
    /// without telling anybody.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn drop_unsynced(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let inode = machine.file(path)?;
        machine.perform(Op::LoseUnsynced { path: path.into(), inode });
        Ok(())
    }

    /// What a file holds.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn file_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let machine = self.machine();
        let content = machine.content(machine.file(path)?);
        let mut bytes = vec![0; content.len() as usize];
        content.read(&mut bytes, 0);
        Ok(bytes)
    }

    /// Replaces what a file holds, durably; creates it, and its directory, if it does not exist.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn set_file_bytes(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.machine().file(path).is_err() {
            let path = normal(path)?;
            let dir = path.parent().unwrap_or(Path::new(""));
            self.create_dir_all(dir)?;
            self.open(&path, Access::Create)?;
            self.sync_dir(dir)?;
        }
        let mut machine = self.machine();
        let inode = machine.file(path)?;
        machine.perform(Op::Replace { path: path.into(), inode, bytes: bytes.into() });
        Ok(())
    }

    /// Damages one byte on the medium by flipping the bits of `mask`. Does nothing past the end.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn corrupt(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let mut machine = self.machine();
        let inode = machine.file(path)?;
        machine.perform(Op::Flip { path: path.into(), inode, offset, mask });
        Ok(())
    }

    /// Changes bytes on the medium, as a write that went astray does: visible and durable ones.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut machine = self.machine();
        let inode = machine.file(path)?;
        machine.perform(Op::Overwrite { path: path.into(), inode, offset, bytes: bytes.into() });
        Ok(())
    }

    fn with(model: Model, now: SystemTime) -> MemVfs {
        MemVfs { machine: Arc::new(Mutex::new(Machine::new(model, now))) }
    }

    fn state_after(&self, op: usize) -> (Model, SystemTime) {
        let machine = self.machine();
        let count = machine.journal.count();
        let state = machine.journal.state_after(op, &machine.model);
        (state.unwrap_or_else(|| panic!("operation {op} of {count} is not known")), machine.now)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }
}

impl Default for MemVfs {
    fn default() -> MemVfs {
        MemVfs::new()
    }
}

impl fmt::Debug for MemVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemVfs").field("op_count", &self.op_count()).finish_non_exhaustive()
    }
}

impl Vfs for MemVfs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        running(&self.machine)?.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        running(&self.machine)?.list(path)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let open_file = running(&self.machine)?.open(path, access)?;
        Ok(Arc::new(MemFile::new(self.machine.clone(), open_file, path, access)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        running(&self.machine)?.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        running(&self.machine)?.rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        running(&self.machine)?.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        running(&self.machine)?.sync_dir(path)
    }

    fn now(&self) -> SystemTime {
        self.machine().tick()
    }

    fn is_copy_on_write(&self, _path: &Path) -> bool {
        false
    }
}

/// A panic elsewhere leaves no operation half done: each is one change after all checks.
fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine, if it has power.
fn running(machine: &Mutex<Machine>) -> io::Result<MutexGuard<'_, Machine>> {
    let machine = lock(machine);
    if machine.is_off { Err(errno(libc::EIO)) } else { Ok(machine) }
}

/// When the clock of a new file system starts, after 1970: 2025-01-01 00:00:00 UTC.
const START: Duration = Duration::from_secs(1_735_689_600);
