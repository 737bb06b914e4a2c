//! The simulated disk as the engine's threads see it: every call is a step of the schedule, and
//! chosen ones go wrong.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use wal_core::simulation;
use wal_core::vfs::{Access, File, Lock, Mapping, MemVfs, Vfs};

/// What goes wrong, once the log is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The `nth` sync of any file fails, and what it was to make durable never gets there.
    Sync { nth: usize },
    /// The `nth` write to any file stops half-way and fails.
    Write { nth: usize },
    /// From the `nth` write to a segment on, so many find no room.
    Full { nth: usize, times: usize },
}

/// The disk of one case. Clones are handles to the same one.
#[derive(Clone)]
pub struct Stage {
    memory: MemVfs,
    state: Arc<Mutex<State>>,
    /// How long a sync takes.
    sync_time: Duration,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    writes: usize,
    segment_writes: usize,
    syncs: usize,
    faults: u64,
}

struct Prop {
    inner: Arc<dyn File>,
    path: PathBuf,
    stage: Stage,
}

impl Stage {
    pub fn new(memory: MemVfs, sync_time: Duration) -> Stage {
        Stage { memory, state: Arc::default(), sync_time }
    }

    /// From now on calls are counted, and go wrong.
    pub fn arm(&self, fault: Option<Fault>) {
        *self.state() = State { fault, ..State::default() };
    }

    /// How many calls went wrong.
    pub fn faults(&self) -> u64 {
        self.state().faults
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_write(&self, path: &Path) -> Option<i32> {
        let mut state = self.state();
        let is_segment = !path.ends_with("STATE");
        state.writes += 1;
        state.segment_writes += usize::from(is_segment);
        let failed = match state.fault? {
            Fault::Write { nth } => (state.writes == nth).then_some(libc::EIO),
            Fault::Full { nth, times } => {
                let at = state.segment_writes;
                (is_segment && (nth..nth + times).contains(&at)).then_some(libc::ENOSPC)
            }
            Fault::Sync { .. } => None,
        };
        state.faults += u64::from(failed.is_some());
        failed
    }

    fn is_sync_failing(&self) -> bool {
        let mut state = self.state();
        state.syncs += 1;
        let fails = state.fault == Some(Fault::Sync { nth: state.syncs });
        state.faults += u64::from(fails);
        fails
    }
}

impl Vfs for Stage {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        simulation::step();
        self.memory.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        simulation::step();
        self.memory.list(path)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        simulation::step();
        let inner = self.memory.open(path, access)?;
        Ok(Arc::new(Prop { inner, path: path.to_owned(), stage: self.clone() }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        simulation::step();
        self.memory.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        simulation::step();
        self.memory.rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        simulation::step();
        self.memory.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        simulation::step();
        self.memory.sync_dir(path)
    }

    fn now(&self) -> SystemTime {
        self.memory.now()
    }

    fn is_copy_on_write(&self, path: &Path) -> bool {
        self.memory.is_copy_on_write(path)
    }
}

impl File for Prop {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        simulation::step();
        self.inner.read_at(buf, offset)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        simulation::step();
        let Some(errno) = self.stage.on_write(&self.path) else {
            return self.inner.write_at(bufs, offset);
        };
        if errno == libc::EIO {
            let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            if let Some(half) = bytes.get(..bytes.len() / 2).filter(|half| !half.is_empty()) {
                self.inner.write_at(&[IoSlice::new(half)], offset)?;
            }
        }
        Err(io::Error::from_raw_os_error(errno))
    }

    fn sync(&self) -> io::Result<()> {
        simulation::step();
        simulation::pass(self.stage.sync_time);
        if self.stage.is_sync_failing() {
            self.stage.memory.drop_unsynced(&self.path)?;
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        self.inner.sync()?;
        // Whoever waits learns of it later than the disk.
        simulation::step();
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        simulation::step();
        self.inner.set_len(len)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        simulation::step();
        self.inner.try_lock(lock)
    }

    fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
        self.inner.map(len)
    }

    fn alignment(&self) -> usize {
        self.inner.alignment()
    }
}
