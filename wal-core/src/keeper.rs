//! The state file in use: one writer at a time, and what readers of it need without waiting.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::state::{Slot, StateFile, ValueMap};

/// The state file of a writing log. Holding it is holding the log's lock.
pub(crate) struct Keeper {
    state: Mutex<Option<StateFile>>,
    contents_seq: AtomicU64,
    syncs: AtomicU64,
}

impl Keeper {
    pub(crate) fn new(state: StateFile) -> Keeper {
        let contents_seq = state.newest().map_or(0, |slot| slot.contents_seq);
        Keeper {
            state: Mutex::new(Some(state)),
            contents_seq: AtomicU64::new(contents_seq),
            syncs: AtomicU64::new(0),
        }
    }

    /// The number of the durable slot that last changed what only the state file knows. Commits
    /// carry it, so that the loss of that slot cannot go unnoticed.
    pub(crate) fn contents_seq(&self) -> u64 {
        self.contents_seq.load(Ordering::Acquire)
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Writes a slot that `change` made from the newest one.
    ///
    /// When this returns, the change survives power loss. A crash before leaves the slot before or
    /// this one.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Slot) -> Result<()>) -> Result<()> {
        let mut guard = self.lock();
        let state = open(&mut guard)?;
        let mut slot = newest(state)?.clone();
        change(&mut slot)?;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        state.write(slot)?;
        let contents_seq = newest(state)?.contents_seq;
        self.contents_seq.store(contents_seq, Ordering::Release);
        Ok(())
    }

    /// The key-value state.
    pub(crate) fn values(&self) -> Result<ValueMap> {
        let mut guard = self.lock();
        Ok(newest(open(&mut guard)?)?.values.clone())
    }

    /// The newest slot.
    pub(crate) fn slot(&self) -> Result<Slot> {
        let mut guard = self.lock();
        Ok(newest(open(&mut guard)?)?.clone())
    }

    /// Lets go of the file and with it of the log's lock.
    pub(crate) fn release(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<StateFile>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(state: &mut Option<StateFile>) -> Result<&mut StateFile> {
    state.as_mut().ok_or_else(|| Error::plain(ErrorKind::Closed, "the log was closed"))
}

fn newest(state: &StateFile) -> Result<&Slot> {
    state.newest().ok_or_else(|| Error::plain(ErrorKind::Internal, "a state file without a slot"))
}
