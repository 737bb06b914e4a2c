//! Spare segments: files that are zeroed, synced and named before a rotation needs them.

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::time::Instant;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::growth::{self, Growth};
use crate::limits::SEGMENT_BYTES_INITIAL;
use crate::lsn::SegmentId;
use crate::segment::{DATA_START, file_name};
use crate::vfs::{Access, File, Lock, Vfs};

/// The spare segments of one log and the making of them.
pub(crate) struct Spares {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    segment_bytes: u64,
    /// Whether blocks stay where they are when overwritten; otherwise zeroing is wasted work.
    zero_ahead: bool,
    shelf: Mutex<Shelf>,
    made: Condvar,
    /// The committer waits for the spare in the making: it takes it as far as it is zeroed.
    hurry: AtomicBool,
}

#[derive(Default)]
struct Shelf {
    ready: VecDeque<Spare>,
    /// The spare that somebody is making right now.
    making: Option<SegmentId>,
    /// The newest segment whose file was asked for: files up to it belong to the log.
    taken: Option<SegmentId>,
}

/// A file that becomes a segment when its header is written.
pub(crate) struct Spare {
    pub(crate) id: SegmentId,
    pub(crate) file: Arc<dyn File>,
    pub(crate) zeroed_to: u64,
}

/// A segment file ready to be written.
pub(crate) struct Acquired {
    pub(crate) file: Arc<dyn File>,
    /// The same file, opened for writing past the page cache.
    pub(crate) direct: Option<Arc<dyn File>>,
    pub(crate) growth: Arc<Growth>,
    /// It had to be made there and then.
    pub(crate) missed: bool,
}

impl Spares {
    /// `ready` are the spares an opening found, ascending.
    pub(crate) fn new(
        vfs: Arc<dyn Vfs>,
        directory: &Path,
        segment_bytes: u64,
        ready: Vec<Spare>,
    ) -> Spares {
        let zero_ahead = !vfs.is_copy_on_write(directory);
        let shelf = Mutex::new(Shelf { ready: ready.into(), making: None, taken: None });
        let directory = directory.to_owned();
        let (made, hurry) = (Condvar::new(), AtomicBool::new(false));
        Spares { vfs, directory, segment_bytes, zero_ahead, shelf, made, hurry }
    }

    pub(crate) fn count(&self) -> u64 {
        self.shelf().ready.len() as u64
    }

    /// The file of segment `id`, which is to hold `bytes`: the spare that waits under this name, or
    /// a new one, small at first. It is opened for writing past the page cache as well where that
    /// is asked for.
    ///
    /// When this returns, the file's name survives power loss.
    pub(crate) fn acquire(&self, id: SegmentId, bytes: u64, is_direct: bool) -> Result<Acquired> {
        let spare = self.take(id);
        let missed = spare.is_none();
        let spare = match spare {
            Some(spare) => spare,
            None => self.make(id, SEGMENT_BYTES_INITIAL.min(bytes), &|| false)?,
        };
        let zeroed_to = if self.zero_ahead { spare.zeroed_to } else { u64::MAX };
        let growth = Arc::new(Growth::new(Arc::clone(&spare.file), bytes, zeroed_to));
        let direct = if is_direct { Some(self.open_direct(id)?) } else { None };
        Ok(Acquired { file: spare.file, direct, growth, missed })
    }

    /// Makes the spare for `id`, its first `bytes` zeroed, unless there is one. When `is_over`, it
    /// is left as far as it is.
    pub(crate) fn prepare(
        &self,
        id: SegmentId,
        bytes: u64,
        is_over: &dyn Fn() -> bool,
    ) -> Result<()> {
        if !self.begin(id) {
            return Ok(());
        }
        let made = self.make(id, bytes.min(self.segment_bytes), is_over);
        let (spare, result) = match made {
            Ok(spare) => (Some(spare), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.finish(spare);
        result
    }

    /// Turns a trimmed segment's file into the spare `id`, unless there are enough spares or a
    /// reader in another process still uses the file. Returns whether it did.
    pub(crate) fn recycle(&self, from: &Path, id: SegmentId) -> io::Result<bool> {
        if !self.zero_ahead || !self.begin(id) {
            return Ok(false);
        }
        let recycled = self.recycle_as(from, id);
        let (spare, result) = match recycled {
            Ok(spare) => (spare, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let did = spare.is_some();
        self.finish(spare);
        result.map(|()| did)
    }

    /// As [`Spares::make`], a file that cannot be used as a spare does not stay in its way.
    fn recycle_as(&self, from: &Path, id: SegmentId) -> io::Result<Option<Spare>> {
        let recycled = self.rename_as(from, id);
        if recycled.is_err() {
            let _ = self.vfs.remove(&self.path(id));
        }
        recycled
    }

    /// The old header is zeroed and synced before the file gets its new name, so that at no time a
    /// file's name and its header disagree.
    fn rename_as(&self, from: &Path, id: SegmentId) -> io::Result<Option<Spare>> {
        let file = self.vfs.open(from, Access::Write)?;
        let len = file.len()?;
        // One that a stream has grown may be a little short: it grows again.
        let is_fitting = len <= self.segment_bytes && len >= self.segment_bytes / 2;
        if !is_fitting || !file.try_lock(Lock::Exclusive)? {
            return Ok(None);
        }
        growth::zero(&*file, 0, DATA_START)?;
        file.sync()?;
        self.vfs.rename(from, &self.path(id))?;
        self.vfs.sync_dir(&self.directory)?;
        drop(file);
        let file = self.vfs.open(&self.path(id), Access::Write)?;
        Ok(Some(Spare { id, file, zeroed_to: len }))
    }

    /// The spare for `id`, once nobody is making one.
    fn take(&self, id: SegmentId) -> Option<Spare> {
        let mut shelf = self.shelf();
        while shelf.making.is_some() {
            self.hurry.store(true, Ordering::Relaxed);
            shelf = self.made.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
        shelf.taken = shelf.taken.max(Some(id));
        while shelf.ready.front().is_some_and(|spare| spare.id < id) {
            shelf.ready.pop_front();
        }
        if shelf.ready.front()?.id == id { shelf.ready.pop_front() } else { None }
    }

    /// Whether the caller is to make the spare `id`: there is none, nobody else makes one, and the
    /// committer has not gone past it since the caller looked.
    fn begin(&self, id: SegmentId) -> bool {
        let mut shelf = self.shelf();
        if shelf.taken >= Some(id)
            || shelf.making.is_some()
            || shelf.ready.iter().any(|spare| spare.id >= id)
        {
            return false;
        }
        shelf.making = Some(id);
        self.hurry.store(false, Ordering::Relaxed);
        true
    }

    fn finish(&self, spare: Option<Spare>) {
        let mut shelf = self.shelf();
        shelf.making = None;
        shelf.ready.extend(spare);
        drop(shelf);
        self.made.notify_all();
    }

    fn make(&self, id: SegmentId, bytes: u64, is_over: &dyn Fn() -> bool) -> Result<Spare> {
        let path = self.path(id);
        let failed = |error| Error::io("making a segment file", &path, error);
        let file = self.vfs.open(&path, Access::Create).map_err(failed)?;
        let zeroed = self.zero(&*file, bytes, is_over);
        if zeroed.is_err() {
            // Whatever was made of it is no use and takes room; a crash here leaves a spare that
            // the next opening finds. A file that was there before is never removed.
            let _ = self.vfs.remove(&path);
        }
        let zeroed_to = zeroed.map_err(failed)?;
        Ok(Spare { id, file, zeroed_to })
    }

    /// Zeroes and syncs the file a step at a time, as far as there is time.
    fn zero(&self, file: &dyn File, bytes: u64, is_over: &dyn Fn() -> bool) -> io::Result<u64> {
        let mut zeroed_to = 0;
        while self.zero_ahead && zeroed_to < bytes {
            if zeroed_to > 0 && (self.hurry.load(Ordering::Relaxed) || is_over()) {
                break;
            }
            let start = Instant::now();
            let to = bytes.min(zeroed_to + growth::STEP_BYTES);
            growth::zero(file, zeroed_to, to)?;
            zeroed_to = to;
            if zeroed_to < bytes {
                file.sync()?;
                growth::pause_since(start);
            }
        }
        file.sync()?;
        self.vfs.sync_dir(&self.directory)?;
        Ok(zeroed_to)
    }

    fn open_direct(&self, id: SegmentId) -> Result<Arc<dyn File>> {
        let path = self.path(id);
        self.vfs
            .open(&path, Access::WriteDirect)
            .map_err(|error| Error::io("opening a segment file", &path, error))
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        self.directory.join(file_name(id))
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::MemVfs;

    /// A background thread that looked up the next segment's number and then slept found the
    /// segment written already, and took its file for the remains of a spare.
    #[test]
    fn the_file_of_a_segment_is_not_made_a_spare_again() {
        let vfs = MemVfs::new();
        let directory = Path::new("/log");
        vfs.create_dir_all(directory).expect("a directory");
        let bytes = 64 * 1024;
        let spares = Spares::new(Arc::new(vfs.clone()), directory, bytes, Vec::new());
        let id = SegmentId(1);
        let acquired = spares.acquire(id, bytes, false).expect("a file");
        growth::zero(&*acquired.file, 0, bytes).expect("room");
        let old = directory.join("old");
        vfs.set_file_bytes(&old, &vec![7; bytes as usize]).expect("a file");

        spares.prepare(id, bytes, &|| false).expect("nothing is to be done");
        assert!(!spares.recycle(&old, id).expect("nothing is to be done"));
        let error = spares.make(id, bytes, &|| false).err().expect("there is such a file");
        assert_eq!(error.os_errno(), Some(libc::EEXIST));
        let found = vfs.file_bytes(&spares.path(id)).expect("the file is still there");
        assert!(found == vec![0; bytes as usize], "and holds what was written to it");
        assert!(spares.recycle(&old, SegmentId(2)).expect("the next one is free"));
    }

    /// What is appended to a recycled file is acknowledged under its new name, so the old one must
    /// not come back.
    #[test]
    fn a_recycled_file_keeps_its_new_name_through_power_loss() {
        let vfs = MemVfs::new();
        let directory = Path::new("/log");
        vfs.create_dir_all(directory).expect("a directory");
        let bytes = 64 * 1024;
        let spares = Spares::new(Arc::new(vfs.clone()), directory, bytes, Vec::new());
        let id = SegmentId(1);
        drop(spares.acquire(id, bytes, false).expect("a file"));
        vfs.set_file_bytes(&spares.path(id), &vec![7; bytes as usize]).expect("a file");

        let next = SegmentId(2);
        assert!(spares.recycle(&spares.path(id), next).expect("nothing fails"));
        let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
        let kept = found.file_bytes(&spares.path(next)).expect("the new name is there");
        let (start, rest) = kept.split_at(DATA_START as usize);
        assert!(start.iter().all(|&byte| byte == 0), "the old header is gone");
        assert!(rest.len() as u64 == bytes - DATA_START, "it is the whole file");
        assert!(found.file_bytes(&spares.path(id)).is_err(), "the old name is gone");
    }
}
