//! Cursors and followers, which read ahead so that a loop leaves the GIL once for many records.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyList;
use wal_core::{Error, Log, Lsn, Position, Record, Result};

use crate::boundary::{attached, detached, in_python, in_slices};
use crate::error;
use crate::options::{self, nanoseconds};
use crate::record::{self, Arena};

/// A position in a log, and what was read ahead of it.
pub(crate) struct Reader<S> {
    pub(crate) source: S,
    log: Log,
    ahead: VecDeque<Record>,
    /// Whether what was read ahead lies before the position.
    is_back: bool,
    /// What was met behind the records ahead.
    trouble: Option<Error>,
    returned: Option<Lsn>,
}

/// What a reader reads from.
pub(crate) trait Source {
    fn cursor(&mut self) -> &mut wal_core::Cursor;
}

impl Source for wal_core::Cursor {
    fn cursor(&mut self) -> &mut wal_core::Cursor {
        self
    }
}

impl Source for wal_core::Follower {
    fn cursor(&mut self) -> &mut wal_core::Cursor {
        wal_core::Follower::cursor(self)
    }
}

impl<S: Source> Reader<S> {
    fn new(log: Log, source: S, is_back: bool) -> Reader<S> {
        Reader { source, log, ahead: VecDeque::new(), is_back, trouble: None, returned: None }
    }

    /// The next record of those that were read ahead.
    pub(crate) fn pop(&mut self) -> Result<Option<Record>> {
        match self.ahead.pop_front() {
            Some(record) => {
                self.returned = Some(record.lsn());
                Ok(Some(record))
            }
            None => self.trouble.take().map_or(Ok(None), Err),
        }
    }

    /// Puts a record behind those that were read ahead.
    pub(crate) fn push(&mut self, record: Record) {
        self.ahead.push_back(record);
    }

    /// Keeps an error for whoever pops next.
    pub(crate) fn push_trouble(&mut self, error: Error) {
        self.trouble = Some(error);
    }

    /// Reads ahead; true when there is something to pop.
    fn fill(&mut self, count_max: usize, bytes_max: usize) -> bool {
        let mut bytes = 0;
        while self.trouble.is_none() && self.ahead.len() < count_max && bytes < bytes_max {
            let cursor = self.source.cursor();
            match if self.is_back { cursor.prev() } else { cursor.next() } {
                Ok(Some(record)) => {
                    bytes += record.len();
                    self.ahead.push_back(record);
                }
                Ok(None) => break,
                Err(error) => self.trouble = Some(error),
            }
        }
        !self.ahead.is_empty() || self.trouble.is_some()
    }

    /// Up to so many records, and bytes unless the first one alone has more; an error comes alone.
    fn take(&mut self, count_max: usize, bytes_max: usize) -> Result<Vec<Record>> {
        self.fill(count_max, bytes_max);
        let mut taken = Vec::new();
        let mut bytes = 0;
        while taken.len() < count_max && (bytes < bytes_max || taken.is_empty()) {
            if taken.is_empty() {
                let Some(record) = self.pop()? else { break };
                bytes += record.len();
                taken.push(record);
            } else {
                let Some(record) = self.ahead.pop_front() else { break };
                self.returned = Some(record.lsn());
                bytes += record.len();
                taken.push(record);
            }
        }
        Ok(taken)
    }

    /// Moves the source back to the position, giving up what was read ahead.
    fn rewind(&mut self) -> Result<()> {
        if let Some(error) = self.trouble.take_if(|_| self.ahead.is_empty()) {
            return Err(error);
        }
        let Some(front) = self.ahead.front().map(Record::lsn) else { return Ok(()) };
        let place = if self.is_back { front.next().unwrap_or(Lsn::MAX) } else { front };
        self.source.cursor().seek(place)?;
        self.ahead.clear();
        self.trouble = None;
        Ok(())
    }

    fn step(&mut self, is_back: bool) -> Result<Option<Record>> {
        self.rewind()?;
        let cursor = self.source.cursor();
        let record = if is_back { cursor.prev() } else { cursor.next() }?;
        self.returned = record.as_ref().map(Record::lsn).or(self.returned);
        Ok(record)
    }

    fn seek(&mut self, to: Position) -> Result<()> {
        self.source.cursor().seek(to)?;
        self.ahead.clear();
        self.trouble = None;
        Ok(())
    }

    fn next_lsn(&mut self) -> Lsn {
        match self.ahead.front().map(Record::lsn) {
            Some(front) if self.is_back => front.next().unwrap_or(Lsn::MAX),
            Some(front) => front,
            None => self.source.cursor().next_lsn(),
        }
    }

    fn time(&mut self) -> Result<u64> {
        match self.returned {
            Some(lsn) => self.log.time_of(lsn).map(nanoseconds),
            None => self.source.cursor().time().map(nanoseconds),
        }
    }
}

/// A reader that several threads may have: locked without the GIL, or not waited for.
pub(crate) struct Shared<S>(Mutex<Reader<S>>);

impl<S: Source + Send> Shared<S> {
    pub(crate) fn new(log: Log, source: S, is_back: bool) -> Arc<Shared<S>> {
        Arc::new(Shared(Mutex::new(Reader::new(log, source, is_back))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Reader<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reader unless another thread is at it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Reader<S>>> {
        match self.0.try_lock() {
            Ok(reader) => Some(reader),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Does something with the reader, without the GIL.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut Reader<S>) -> Result<T> + Send,
    ) -> PyResult<T> {
        detached(py, || body(&mut self.lock()))
    }

    /// What was read ahead, for as little as it takes to look.
    fn pop(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        match self.try_lock() {
            Some(mut reader) => attached(py, || reader.pop()),
            None => Ok(None),
        }
    }

    /// The next record for a loop.
    fn pull(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        if let Some(record) = self.pop(py)? {
            return Ok(Some(record));
        }
        self.with(py, |reader| {
            reader.fill(AHEAD_COUNT, AHEAD_BYTES);
            reader.pop()
        })
    }
}

/// A position between two records of a log, which moves over them both ways.
#[pyclass(frozen, module = "libwal")]
pub(crate) struct Cursor {
    reader: Arc<Shared<wal_core::Cursor>>,
}

impl Cursor {
    pub(crate) fn new(log: Log, cursor: wal_core::Cursor, is_back: bool) -> Cursor {
        Cursor { reader: Shared::new(log, cursor, is_back) }
    }
}

#[pymethods]
impl Cursor {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.reader.pull(py)?)
    }

    /// The record after the position, and moves past it; None at the end.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.reader.with(py, |reader| reader.step(false))?)
    }

    /// The record before the position, and moves back before it; None at the first record.
    fn prev<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.reader.with(py, |reader| reader.step(true))?)
    }

    /// Up to `count` records and about `bytes_max` bytes in one call, in the cursor's direction;
    /// an empty list at the end.
    #[pyo3(signature = (count=1000, *, bytes_max=1 << 20))]
    fn read_batch<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        bytes_max: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let records = self.reader.with(py, |reader| reader.take(count, bytes_max))?;
        record::list(py, &records)
    }

    /// The same in one piece of memory, for those who look at many records.
    #[pyo3(signature = (count=1 << 16, *, bytes_max=1 << 20))]
    fn read_arena(&self, py: Python<'_>, count: usize, bytes_max: usize) -> PyResult<Arena> {
        Arena::of(py, &self.reader.with(py, |reader| reader.take(count, bytes_max))?)
    }

    /// Moves to an LSN, to "first" or "end", or to the first record of a time.
    #[pyo3(signature = (to=None, *, from_time=None))]
    fn seek(
        &self,
        py: Python<'_>,
        to: Option<&Bound<'_, PyAny>>,
        from_time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let to = options::position(to, from_time, Position::First)?;
        self.reader.with(py, |reader| reader.seek(to))
    }

    /// The commit time of the record last returned, in nanoseconds since 1970.
    fn time(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.with(py, Reader::time)
    }

    /// The LSN of the record after the position, whether it is there already or not.
    #[getter]
    fn next_lsn(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.with(py, |reader| Ok(reader.next_lsn().get()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<libwal.Cursor at {}>", self.next_lsn(py)?))
    }
}

/// A cursor that waits for records not yet there.
#[pyclass(frozen, module = "libwal")]
pub(crate) struct Follower {
    pub(crate) reader: Arc<Shared<wal_core::Follower>>,
    /// The log as Python has it, which knows the event loops.
    owner: Py<PyAny>,
}

impl Follower {
    pub(crate) fn new(owner: Py<PyAny>, log: Log, follower: wal_core::Follower) -> Follower {
        Follower { reader: Shared::new(log, follower, false), owner }
    }

    /// The next record, waiting for it; `None` when the time is up.
    fn wait(&self, py: Python<'_>, timeout: Option<Duration>) -> PyResult<Option<Record>> {
        if let Some(record) = self.reader.pop(py)? {
            return Ok(Some(record));
        }
        in_slices(py, timeout, |slice| {
            let mut reader = self.reader.lock();
            if let Some(record) = reader.pop()? {
                return Ok(Some(record));
            }
            if let Some(record) = reader.source.next_timeout(slice)? {
                reader.push(record);
                reader.fill(AHEAD_COUNT, AHEAD_BYTES);
            }
            reader.pop()
        })
    }
}

#[pymethods]
impl Follower {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.wait(py, None)?)
    }

    /// The next record; waits until there is one, for at most `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.wait(py, options::timeout(timeout)?)? {
            Some(record) => record::object(py, &record),
            None => Err(error::timeout(py, "no record came in time")),
        }
    }

    /// The next record if there is one now, else None.
    fn try_next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.reader.pull(py)?)
    }

    /// Up to `count` records and about `bytes_max` bytes of what is there now; an empty list when
    /// there is nothing.
    #[pyo3(signature = (count=1000, *, bytes_max=1 << 20))]
    fn read_batch<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        bytes_max: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let records = self.reader.with(py, |reader| reader.take(count, bytes_max))?;
        record::list(py, &records)
    }

    /// The same in one piece of memory.
    #[pyo3(signature = (count=1 << 16, *, bytes_max=1 << 20))]
    fn read_arena(&self, py: Python<'_>, count: usize, bytes_max: usize) -> PyResult<Arena> {
        Arena::of(py, &self.reader.with(py, |reader| reader.take(count, bytes_max))?)
    }

    /// Moves to an LSN, to "first" or "end", or to the first record of a time.
    #[pyo3(signature = (to=None, *, from_time=None))]
    fn seek(
        &self,
        py: Python<'_>,
        to: Option<&Bound<'_, PyAny>>,
        from_time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let to = options::position(to, from_time, Position::First)?;
        self.reader.with(py, |reader| reader.seek(to))
    }

    /// The commit time of the record last returned, in nanoseconds since 1970.
    fn time(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.with(py, Reader::time)
    }

    /// The LSN of the record that comes next.
    #[getter]
    fn next_lsn(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.with(py, |reader| Ok(reader.next_lsn().get()))
    }

    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let glue = py.import("libwal._aio")?;
        in_python(py, || glue.call_method1("follower_next", (slf,)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }

    #[getter]
    fn _log(&self, py: Python<'_>) -> Py<PyAny> {
        self.owner.clone_ref(py)
    }

    /// The next record of those that were read ahead, for the event loop.
    fn _pop<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        made(py, self.reader.pop(py)?)
    }

    /// Reads ahead; returns whether there is something to pop. For a thread of the event loop.
    fn _fill(&self, py: Python<'_>) -> PyResult<bool> {
        self.reader.with(py, |reader| Ok(reader.fill(AHEAD_COUNT, AHEAD_BYTES)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<libwal.Follower at {}>", self.next_lsn(py)?))
    }
}

fn made(py: Python<'_>, record: Option<Record>) -> PyResult<Option<Bound<'_, PyAny>>> {
    record.map(|record| record::object(py, &record)).transpose()
}

/// How far a loop reads ahead.
const AHEAD_COUNT: usize = 256;
const AHEAD_BYTES: usize = 256 << 10;
