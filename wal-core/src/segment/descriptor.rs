//! The open file of a sealed segment that is read with `pread`: kept for the next read, but never
//! more than a few in the whole process, however many segments and logs there are.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
    let mut open = lock(&OPEN);
    open.push_back(Arc::downgrade(slot));
    let surplus = open.len().saturating_sub(DESCRIPTORS_MAX);
    let evicted: Vec<_> = open.drain(..surplus).filter_map(|slot| slot.upgrade()).collect();
    drop(open);
    for slot in evicted {
        lock(&slot).take();
    }
}

/// No invariant spans a panic here: a slot is filled or it is not.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static OPEN: Mutex<VecDeque<Weak<Slot>>> = Mutex::new(VecDeque::new());

/// Descriptors kept in the process for reading sealed segments without a mapping.
const DESCRIPTORS_MAX: usize = 64;
