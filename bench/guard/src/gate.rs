//! A door that keeps the background from writing while the calling thread is counted.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wal_core::vfs::{Fault, FaultVfs, Operation, RealVfs};

/// A file system whose writes wait while its door is held.
///
/// A flush held there has the committer but no lock an appender takes, and as long as it lasts no
/// appender starts another one: what an append costs its caller is then the same in every run.
pub struct Gate {
    vfs: FaultVfs,
    door: Arc<Mutex<()>>,
    arrivals: Receiver<()>,
}

impl Gate {
    /// The real file system behind an open door.
    pub fn new() -> Gate {
        let vfs = FaultVfs::new(Arc::new(RealVfs));
        let door = Arc::new(Mutex::new(()));
        let (arrive, arrivals) = mpsc::channel();
        let behind = Arc::clone(&door);
        let waits_and_passes = move |_: &std::path::Path| {
            let _ = arrive.send(());
            drop(behind.lock().unwrap_or_else(PoisonError::into_inner));
            false
        };
        vfs.fail(Operation::Write, waits_and_passes, 1, true, Fault::Short(0));
        Gate { vfs, door, arrivals }
    }

    /// The file system.
    pub fn vfs(&self) -> Arc<FaultVfs> {
        Arc::new(self.vfs.clone())
    }

    /// Closes the door until the guard goes.
    pub fn close(&self) -> MutexGuard<'_, ()> {
        let guard = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        while self.arrivals.try_recv().is_ok() {}
        guard
    }

    /// Waits until a write stands at the door.
    pub fn await_write(&self) -> crate::Outcome<()> {
        Ok(self.arrivals.recv_timeout(crate::workload::PATIENCE)?)
    }
}
