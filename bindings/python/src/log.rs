//! The log.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyRange, PyTuple};
use wal_core::{
    AppendOptions, ErrorKind, Level, Lsn, Position, RecoveryReport, ReplayOptions, Result, Wait,
    packed,
};

use crate::aio::{Channel, Ticket};
use crate::boundary::{attached, detached, in_python, in_slices_or_timeout};
use crate::notifier::Notifier;
use crate::options::{self, Changes};
use crate::reading::{Cursor, Follower};
use crate::replay::{self, Replay};
use crate::{error, record, reports};

/// The native part of `libwal.Log`.
#[pyclass(frozen, subclass, module = "libwal._libwal")]
pub(crate) struct Log {
    log: wal_core::Log,
    level: Level,
    recovery: RecoveryReport,
    is_closed: AtomicBool,
}

#[pymethods]
impl Log {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, options: &Bound<'_, PyDict>) -> PyResult<Log> {
        let is_read_only =
            options.get_item("read_only")?.is_some_and(|value| value.is_truthy().unwrap_or(false));
        let lock_wait = match options.get_item("lock_wait")? {
            Some(value) if !value.is_none() => options::duration("lock_wait", &value)?,
            _ => Duration::ZERO,
        };
        let deadline = Instant::now().checked_add(lock_wait);
        let options = options::options(options)?;
        let level = options.level;
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let wait = left.map_or(LOCK_SLICE, |left| left.min(LOCK_SLICE));
            let options = wal_core::Options { lock_wait: wait, ..options.clone() };
            let opened = detached(py, || {
                let opened = if is_read_only {
                    wal_core::Log::open_read_only(&path, options)
                } else {
                    wal_core::Log::open(&path, options)
                };
                Ok(opened)
            })?;
            match opened {
                Ok((log, recovery)) => {
                    let is_closed = AtomicBool::new(false);
                    return Ok(Log { log, level, recovery, is_closed });
                }
                Err(error)
                    if error.kind() == ErrorKind::Locked
                        && left.is_none_or(|left| left > LOCK_SLICE) =>
                {
                    py.check_signals()?;
                }
                Err(error) => return Err(error::raised(py, &error)),
            }
        }
    }

    /// Makes everything durable, at whatever durability it was appended, and lets go of the log.
    /// Every other call raises ClosedError from then on; closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.is_closed.store(true, Ordering::Release);
        detached(py, || self.log.close())
    }

    /// Whether `close` was called.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// The log's directory.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        in_python(py, || self.log.path().into_bound_py_any(py))
    }

    /// What opening the log found.
    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        in_python(py, || reports::recovery(py, &self.recovery))
    }

    #[getter]
    fn _uuid<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.log.uuid())
    }

    fn _channel(&self) -> PyResult<Channel> {
        Channel::new(&self.log).map_err(|trouble| PyOSError::new_err(trouble.to_string()))
    }

    /// Appends one record and returns its LSN. When this returns, the record survives power loss
    /// at durability "disk" (the default), the death of the process at "os".
    #[pyo3(signature = (record, *, durability=None, timeout=None, time=None))]
    fn append(
        &self,
        py: Python<'_>,
        record: &Bound<'_, PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let record = options::bytes(record)?;
        let record = record.as_bytes();
        let terms = Terms::new(durability, timeout, time)?;
        if terms.level.unwrap_or(self.level) == Level::Buffered && record.len() <= QUICK_BYTES_MAX {
            // A copy into the engine's memory: shorter than letting go of the GIL.
            let quick = AppendOptions { wait: Wait::Try, ..terms.options(None) };
            let quickly = attached(py, || unless_full(self.log.with(quick).append(record)))?;
            if let Some(lsn) = quickly {
                return Ok(lsn.get());
            }
        }
        terms.call(py, |options| self.log.with(options).append(record)).map(Lsn::get)
    }

    /// Appends several records as one batch and returns a range of their LSNs: after a crash all
    /// of them are there or none.
    #[pyo3(signature = (records, *, durability=None, timeout=None, time=None))]
    fn append_batch<'py>(
        &self,
        py: Python<'py>,
        records: &Bound<'py, PyAny>,
        durability: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
        time: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyRange>> {
        let records = options::many_bytes(records)?;
        let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
        let terms = Terms::new(durability, timeout, time)?;
        let lsns = terms.call(py, |options| self.log.with(options).append_batch(&records))?;
        error::range(py, lsns)
    }

    /// Appends a batch that `libwal.pack` has packed.
    #[pyo3(signature = (data, *, durability=None, timeout=None, time=None))]
    fn append_packed<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        durability: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
        time: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyRange>> {
        let data = options::bytes(data)?;
        let data = data.as_bytes();
        let terms = Terms::new(durability, timeout, time)?;
        let lsns = terms
            .call(py, |options| self.log.with(options).append_batch(&packed::unpack(data)?))?;
        error::range(py, lsns)
    }

    /// Appends one record if the next LSN is `lsn`, else raises ConflictError.
    #[pyo3(signature = (lsn, record, *, durability=None, timeout=None, time=None))]
    fn append_at(
        &self,
        py: Python<'_>,
        lsn: &Bound<'_, PyAny>,
        record: &Bound<'_, PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let lsn = options::lsn(lsn)?;
        let record = options::bytes(record)?;
        let record = record.as_bytes();
        let terms = Terms::new(durability, timeout, time)?;
        terms.call(py, |options| self.log.with(options).append_at(lsn, record)).map(Lsn::get)
    }

    /// Hands one record to the log without waiting for its durability, which the ticket tells.
    #[pyo3(signature = (record, *, durability=None, timeout=None, time=None))]
    fn submit(
        slf: &Bound<'_, Self>,
        record: &Bound<'_, PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Ticket> {
        let record = options::bytes(record)?;
        let (log, record) = (&slf.get().log, record.as_bytes());
        let terms = Terms::new(durability, timeout, time)?;
        let ticket = terms.call(slf.py(), |options| log.with(options).submit(record))?;
        Ok(Ticket::new(slf.clone().into_any().unbind(), ticket))
    }

    /// Hands a batch to the log without waiting for its durability.
    #[pyo3(signature = (records, *, durability=None, timeout=None, time=None))]
    fn submit_batch(
        slf: &Bound<'_, Self>,
        records: &Bound<'_, PyAny>,
        durability: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Ticket> {
        let records = options::many_bytes(records)?;
        let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
        let log = &slf.get().log;
        let terms = Terms::new(durability, timeout, time)?;
        let ticket = terms.call(slf.py(), |options| log.with(options).submit_batch(&records))?;
        Ok(Ticket::new(slf.clone().into_any().unbind(), ticket))
    }

    /// Waits until the record `lsn` is durable, also when it is yet to be appended. Returns the
    /// durable LSN, which may be a later one.
    #[pyo3(signature = (lsn, timeout=None))]
    fn wait_durable(
        &self,
        py: Python<'_>,
        lsn: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let (lsn, timeout) = (options::lsn(lsn)?, options::timeout(timeout)?);
        in_slices_or_timeout(py, timeout, |slice| self.log.wait_durable(lsn, Some(slice)))
            .map(Lsn::get)
    }

    /// Makes everything appended before the call durable. Returns the durable LSN.
    fn sync(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || self.log.sync()).map(reports::number)
    }

    /// The bytes of the record with this LSN, verified.
    fn read<'py>(&self, py: Python<'py>, lsn: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let lsn = options::lsn(lsn)?;
        let record = detached(py, || self.log.read(lsn))?;
        Ok(PyBytes::new(py, &record))
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        lsn: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.read(py, lsn)
    }

    /// The records with these LSNs, in their order.
    fn read_many<'py>(
        &self,
        py: Python<'py>,
        lsns: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let lsns: PyResult<Vec<Lsn>> = lsns.try_iter()?.map(|lsn| options::lsn(&lsn?)).collect();
        let lsns = lsns?;
        let records = detached(py, || replay::read_many(&self.log, &lsns))?;
        record::list(py, &records)
    }

    /// When the record was committed, in nanoseconds since 1970.
    fn time_of(&self, py: Python<'_>, lsn: &Bound<'_, PyAny>) -> PyResult<u64> {
        let lsn = options::lsn(lsn)?;
        detached(py, || self.log.time_of(lsn)).map(options::nanoseconds)
    }

    /// A cursor before the record `start` ("first", "end" or an LSN), or before the first one
    /// committed at `from_time` or later. With `reverse` a loop over it goes back, from the end
    /// unless told otherwise.
    #[pyo3(signature = (start=None, *, from_time=None, reverse=false))]
    fn cursor(
        &self,
        py: Python<'_>,
        start: Option<&Bound<'_, PyAny>>,
        from_time: Option<&Bound<'_, PyAny>>,
        reverse: bool,
    ) -> PyResult<Cursor> {
        let default = if reverse { Position::End } else { Position::First };
        let position = options::position(start, from_time, default)?;
        let cursor = detached(py, || self.log.cursor(position))?;
        Ok(Cursor::new(self.log.clone(), cursor, reverse))
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Cursor> {
        self.cursor(py, None, None, false)
    }

    /// A cursor that waits at the end: for what comes from now on, or from `start` or `from_time`.
    #[pyo3(signature = (start=None, *, from_time=None))]
    fn follow(
        slf: &Bound<'_, Self>,
        start: Option<&Bound<'_, PyAny>>,
        from_time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Follower> {
        let position = options::position(start, from_time, Position::End)?;
        let log = &slf.get().log;
        let follower = detached(slf.py(), || log.follow(position))?;
        Ok(Follower::new(slf.clone().into_any().unbind(), log.clone(), follower))
    }

    #[pyo3(signature = (start, from_time, threads, in_order))]
    fn _replay(
        &self,
        start: Option<&Bound<'_, PyAny>>,
        from_time: Option<&Bound<'_, PyAny>>,
        threads: usize,
        in_order: bool,
    ) -> PyResult<Replay> {
        let from = options::position(start, from_time, Position::First)?;
        Ok(Replay::new(self.log.clone(), from, ReplayOptions { threads, in_order }))
    }

    /// Drops every record before `before`. Returns the first record still there.
    fn trim(&self, py: Python<'_>, before: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
        let before = options::lsn(before)?;
        detached(py, || self.log.trim(before)).map(reports::number)
    }

    /// Drops every record after `after`; their LSNs are issued again.
    fn truncate(&self, py: Python<'_>, after: &Bound<'_, PyAny>) -> PyResult<()> {
        let after = options::lsn(after)?;
        detached(py, || self.log.truncate(after))
    }

    /// Drops every record; the next one gets the LSN `next`.
    fn reset_to(&self, py: Python<'_>, next: &Bound<'_, PyAny>) -> PyResult<()> {
        let next = options::lsn(next)?;
        detached(py, || self.log.reset_to(next))
    }

    /// Copies the log as it is now to a new directory, while it is being written.
    fn copy_to<'py>(&self, py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        let report = detached(py, || self.log.copy_to(path))?;
        in_python(py, || reports::copied(py, &report))
    }

    /// Counters, watermarks, segments and latencies.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = detached(py, || self.log.stats())?;
        in_python(py, || reports::stats(py, &stats))
    }

    /// A file descriptor for an event loop of your own, readable when the durable LSN has advanced.
    fn notifier(&self, py: Python<'_>) -> PyResult<Notifier> {
        detached(py, || self.log.notifier()).map(Notifier::new)
    }

    /// The first visible record, None when there is none.
    #[getter]
    fn first_lsn(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || Ok(reports::number(self.log.first_lsn())))
    }

    /// The last visible record, None when there is none.
    #[getter]
    fn last_lsn(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || Ok(reports::number(self.log.last_lsn())))
    }

    /// The last durable record.
    #[getter]
    fn durable_lsn(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || Ok(reports::number(self.log.durable_lsn())))
    }

    /// The last record given to the kernel.
    #[getter]
    fn written_lsn(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || Ok(reports::number(self.log.written_lsn())))
    }

    /// The last record handed to the log.
    #[getter]
    fn submitted_lsn(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || Ok(reports::number(self.log.submitted_lsn())))
    }

    /// The LSN the next record gets.
    #[getter]
    fn next_lsn(&self, py: Python<'_>) -> PyResult<u64> {
        detached(py, || Ok(self.log.next_lsn().get()))
    }

    fn _value_get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = options::bytes(key)?;
        let key = key.as_bytes();
        let value = detached(py, || self.log.values().get(key))?;
        Ok(value.map(|value| PyBytes::new(py, &value)))
    }

    fn _values_update(&self, py: Python<'_>, changes: &Bound<'_, PyAny>) -> PyResult<()> {
        let changes = Changes::of(changes)?;
        let changes = changes.slices();
        detached(py, || self.log.values().update(&changes))
    }

    fn _values_list<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let values = detached(py, || self.log.values().list())?;
        let pair = |(key, value): &(Vec<u8>, Vec<u8>)| {
            PyTuple::new(py, [PyBytes::new(py, key), PyBytes::new(py, value)])
        };
        values.iter().map(pair).collect()
    }
}

/// What one append asks for.
struct Terms {
    level: Option<Level>,
    timeout: Option<Duration>,
    time: Option<std::time::SystemTime>,
}

impl Terms {
    fn new(
        durability: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Terms> {
        Ok(Terms {
            level: durability.map(options::level).transpose()?,
            timeout: options::timeout(timeout)?,
            time: time.map(options::system_time).transpose()?,
        })
    }

    fn options(&self, wait: Option<Duration>) -> AppendOptions {
        let wait = wait.map_or(Wait::Try, Wait::AtMost);
        AppendOptions { level: self.level, wait, time: self.time }
    }

    /// Makes a call that may wait for room: not at all with a timeout of 0.
    fn call<T: Send>(
        &self,
        py: Python<'_>,
        call: impl Fn(AppendOptions) -> Result<T> + Send + Sync,
    ) -> PyResult<T> {
        if self.timeout == Some(Duration::ZERO) {
            return detached(py, || call(self.options(None)));
        }
        in_slices_or_timeout(py, self.timeout, |slice| call(self.options(Some(slice))))
    }
}

fn unless_full<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        other => other.map(Some),
    }
}

/// How long an opening waits for the lock before signals are looked for.
const LOCK_SLICE: Duration = Duration::from_millis(100);

/// Up to here copying a record takes less time than giving the GIL away and getting it back.
const QUICK_BYTES_MAX: usize = 16 << 10;
