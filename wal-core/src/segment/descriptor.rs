//! The open file of a sealed segment that is read with `pread`: kept for the next read, but never
//! more than a few in the whole process, however many segments and logs there are.

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::collections::VecDeque;
use std::path::Path;

use crate::error::{Error, Result};
use crate::vfs::{Access, File, Vfs};

/// A place for one segment's open file. It empties itself when other segments are read more.
pub(crate) struct Descriptor {
    slot: Arc<Slot>,
}

type Slot = Mutex<Option<Arc<dyn File>>>;

impl Descriptor {
    /// A place that holds this open file for now.
    pub(crate) fn of(file: Arc<dyn File>) -> Descriptor {
        let slot = Arc::new(Mutex::new(Some(file)));
        keep(&slot);
        Descriptor { slot }
    }

    /// The file, opened when it is not open.
    pub(crate) fn file(&self, vfs: &dyn Vfs, path: &Path) -> Result<Arc<dyn File>> {
        let mut slot = lock(&self.slot);
        if let Some(file) = &*slot {
            return Ok(Arc::clone(file));
        }
        let file = vfs.open(path, Access::Read).map_err(|error| Error::io("open", path, error))?;
        *slot = Some(Arc::clone(&file));
        // The slot's lock goes before others are taken, or two threads could wait for each other.
        drop(slot);
        keep(&self.slot);
        Ok(file)
    }
}

/// Enters a filled slot in the list of open ones and empties the one that is longest in it, when
/// there are too many. Readers that have the file in hand keep it until they are done.
fn keep(slot: &Arc<Slot>) {
    let evicted = with_open(|open| -> Vec<_> {
        open.push_back(Arc::downgrade(slot));
        let surplus = open.len().saturating_sub(DESCRIPTORS_MAX);
        open.drain(..surplus).filter_map(|slot| slot.upgrade()).collect()
    });
    for slot in evicted {
        lock(&slot).take();
    }
}

/// No invariant spans a panic here: a slot is filled or it is not.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The slots that were filled, longest ago first.
#[cfg(not(any(feature = "simulate", feature = "shuttle", feature = "loom")))]
fn with_open<T>(change: impl FnOnce(&mut Open) -> T) -> T {
    static OPEN: Mutex<Open> = Mutex::new(VecDeque::new());
    change(&mut lock(&OPEN))
}

/// The same of one simulation, which is one thread.
#[cfg(any(feature = "simulate", feature = "shuttle", feature = "loom"))]
fn with_open<T>(change: impl FnOnce(&mut Open) -> T) -> T {
    thread_local! {
        static OPEN: std::cell::RefCell<Open> = const { std::cell::RefCell::new(VecDeque::new()) };
    }
    OPEN.with_borrow_mut(change)
}

type Open = VecDeque<Weak<Slot>>;

/// Descriptors kept in the process for reading sealed segments without a mapping.
const DESCRIPTORS_MAX: usize = 64;
