//! Reading many records: by their LSNs, and a whole log with several threads.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use pyo3::prelude::*;
use pyo3::types::PyList;
use wal_core::{Error, Log, Lsn, Position, Record, ReplayOptions, Result};

use crate::boundary::in_slices;
use crate::{error, record};

/// The records with these LSNs; an error where there is one for the first of them.
pub(crate) fn read_many(log: &Log, lsns: &[Lsn]) -> Result<Vec<Record>> {
    let mut records = Vec::with_capacity(lsns.len());
    log.read_many(lsns, |record| {
        records.push(record.clone());
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(records)
}

/// The records of a replay by several threads, many at a time. The threads read and verify ahead
/// and know nothing of Python: it is the thread of the loop that gets the records. They end when
/// this is dropped.
#[pyclass(frozen, module = "libwal._libwal")]
pub(crate) struct Replay(Mutex<Receiver<Delivery>>);

/// Some records, or how the replay ended.
type Delivery = Result<Vec<Record>>;

impl Replay {
    pub(crate) fn new(log: Log, from: Position, options: ReplayOptions) -> Replay {
        let (sender, receiver) = sync_channel(DELIVERIES_MAX);
        thread::spawn(move || deliver(&log, from, options, &sender));
        Replay(Mutex::new(receiver))
    }
}

#[pymethods]
impl Replay {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let delivery = in_slices(py, None, |slice| {
            let receiver = lock(&self.0);
            match receiver.recv_timeout(slice) {
                Ok(delivery) => Ok(Some(Some(delivery))),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                // Everything was delivered.
                Err(RecvTimeoutError::Disconnected) => Ok(Some(None)),
            }
        })?;
        match delivery.flatten() {
            None => Ok(None),
            Some(Ok(records)) => record::list(py, &records).map(Some),
            Some(Err(trouble)) => Err(error::raised(py, &trouble)),
        }
    }
}

/// Replays into the channel until its other end is gone.
fn deliver(log: &Log, from: Position, options: ReplayOptions, sender: &SyncSender<Delivery>) {
    let gathered = Mutex::new(Vec::with_capacity(CHUNK_COUNT));
    let ended = log.replay_parallel(from, options, |record| {
        let mut records = lock(&gathered);
        records.push(record.clone());
        if records.len() < CHUNK_COUNT {
            return Ok::<_, Error>(ControlFlow::Continue(()));
        }
        // With the lock, so that what is delivered in order is sent in order.
        let full = std::mem::replace(&mut *records, Vec::with_capacity(CHUNK_COUNT));
        let is_heard = sender.send(Ok(full)).is_ok();
        Ok(if is_heard { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    });
    // What came before an error is delivered before it is told.
    let rest = std::mem::take(&mut *lock(&gathered));
    let is_heard = rest.is_empty() || sender.send(Ok(rest)).is_ok();
    if let (true, Err(trouble)) = (is_heard, ended) {
        let _ = sender.send(Err(trouble));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records that are handed over at once, and how many such hand-overs wait to be taken.
const CHUNK_COUNT: usize = 256;
const DELIVERIES_MAX: usize = 16;
