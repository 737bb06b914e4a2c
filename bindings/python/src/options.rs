//! Arguments of Python as the engine takes them. Ranges are the engine's to check.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDelta, PyDict, PyList, PyMemoryView, PyString, PyTuple};
use wal_core::{AtCapacity, Io, Level, Lsn, Options, Position, ReadMode, Retention};

use crate::error;

/// The options of `libwal.open`, whose names and defaults are in `libwal/_log.py`.
pub(crate) fn options(given: &Bound<'_, PyDict>) -> PyResult<Options> {
    let py = given.py();
    let given = Given(given);
    let default = Options::default();
    let count = |name, default: u64| given.map(name, number).map(|found| found.unwrap_or(default));
    Ok(Options {
        level: given.map("durability", |_, value| level(value))?.unwrap_or(default.level),
        sync_every: given.map("sync_every", duration)?,
        sync_bytes: given.map("sync_bytes", number)?,
        segment_bytes: count("segment_bytes", default.segment_bytes)?,
        record_bytes_max: count("record_bytes_max", default.record_bytes_max)?,
        batch_bytes_max: count("batch_bytes_max", default.batch_bytes_max)?,
        ring_bytes: count("ring_bytes", default.ring_bytes)?,
        max_batch_delay: given.map("max_batch_delay", duration)?.unwrap_or_default(),
        max_batch_bytes: count("max_batch_bytes", default.max_batch_bytes)?,
        max_bytes: given.map("max_bytes", number)?,
        at_capacity: given
            .map("at_capacity", |name, value| {
                one_of(
                    name,
                    value,
                    &[
                        ("reject", AtCapacity::Reject),
                        ("block", AtCapacity::Block),
                        ("trim_oldest", AtCapacity::TrimOldest),
                    ],
                )
            })?
            .unwrap_or_default(),
        retention: Retention {
            bytes: given.map("retention_bytes", number)?,
            age: given.map("retention_age", duration)?,
            records: given.map("retention_records", number)?,
        },
        // Waiting for the lock is done in slices, so that Ctrl-C ends it.
        lock_wait: Duration::ZERO,
        first_lsn: lsn_of(py, count("first_lsn", Lsn::FIRST.get())?)?,
        create: given.map("create", |_, value| value.is_truthy())?.unwrap_or(default.create),
        io: given
            .map("io", |name, value| {
                one_of(
                    name,
                    value,
                    &[("auto", Io::Auto), ("buffered", Io::Buffered), ("direct", Io::Direct)],
                )
            })?
            .unwrap_or_default(),
        read_mode: given
            .map("read_mode", |name, value| {
                one_of(name, value, &[("map", ReadMode::Map), ("pread", ReadMode::Pread)])
            })?
            .unwrap_or(ReadMode::Pread),
        pad_to_block: given
            .map("pad_to_block", |_, value| value.is_truthy())?
            .unwrap_or(default.pad_to_block),
    })
}

struct Given<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Given<'_, 'py> {
    /// What was given under a name, converted; `None` stands for what was not.
    fn map<T>(
        &self,
        name: &str,
        convert: impl Fn(&str, &Bound<'py, PyAny>) -> PyResult<T>,
    ) -> PyResult<Option<T>> {
        match self.0.get_item(name)? {
            Some(value) if !value.is_none() => convert(name, &value).map(Some),
            _ => Ok(None),
        }
    }
}

/// A level by its name; a `Durability` is a string.
pub(crate) fn level(value: &Bound<'_, PyAny>) -> PyResult<Level> {
    let names = [("disk", Level::Disk), ("os", Level::Os), ("buffered", Level::Buffered)];
    one_of("durability", value, &names)
}

/// The name of a level.
pub(crate) fn level_name(level: Level) -> &'static str {
    match level {
        Level::Buffered => "buffered",
        Level::Os => "os",
        Level::Disk => "disk",
    }
}

/// The record's bytes: the object itself where nobody can change it, else a copy, made here with
/// the GIL held.
pub(crate) fn bytes<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let view = PyMemoryView::from(value).map_err(|_| {
        let name = value.get_type().name();
        let name = name.map_or_else(|_| "this object".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("a bytes-like object is required, not '{name}'"))
    })?;
    let copy = view.call_method0("tobytes")?;
    view.call_method0("release")?;
    Ok(copy.cast_into::<PyBytes>()?)
}

/// The bytes of several records. Each is held, so that a change of the list changes nothing here.
///
/// Lists and tuples alone: another iterable would run Python code here (see
/// [`crate::boundary::in_python`]), for as long as it likes.
pub(crate) fn many_bytes<'py>(values: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    if let Ok(values) = values.cast::<PyList>() {
        return values.iter().map(|value| bytes(&value)).collect();
    }
    if let Ok(values) = values.cast::<PyTuple>() {
        return values.iter().map(|value| bytes(&value)).collect();
    }
    Err(PyTypeError::new_err("several records are required: pass a list or tuple of bytes"))
}

/// Changes of values: pairs of a key and a value, or `None` to delete.
pub(crate) struct Changes<'py>(Vec<(Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>)>);

impl<'py> Changes<'py> {
    pub(crate) fn of(given: &Bound<'py, PyAny>) -> PyResult<Changes<'py>> {
        let pair = |pair: Bound<'py, PyAny>| {
            let (key, value): (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>) = pair.extract()?;
            Ok((bytes(&key)?, value.as_ref().map(bytes).transpose()?))
        };
        given.cast::<PyList>()?.iter().map(pair).collect::<PyResult<_>>().map(Changes)
    }

    pub(crate) fn slices(&self) -> Vec<(&[u8], Option<&[u8]>)> {
        let slices = self
            .0
            .iter()
            .map(|(key, value)| (key.as_bytes(), value.as_ref().map(|v| v.as_bytes())));
        slices.collect()
    }
}

/// An LSN.
pub(crate) fn lsn(value: &Bound<'_, PyAny>) -> PyResult<Lsn> {
    lsn_of(value.py(), number("lsn", value)?)
}

fn lsn_of(py: Python<'_>, number: u64) -> PyResult<Lsn> {
    Lsn::try_from(number).map_err(|error| error::raised(py, &error))
}

/// Where to start reading: an LSN, `"first"` or `"end"`, or a time.
pub(crate) fn position(
    start: Option<&Bound<'_, PyAny>>,
    from_time: Option<&Bound<'_, PyAny>>,
    default: Position,
) -> PyResult<Position> {
    let (start, time) = match (start, from_time) {
        (None, None) => return Ok(default),
        (Some(start), None) => (start, None),
        (None, Some(time)) => (time, Some(time)),
        (Some(start), Some(_)) => {
            let message = "start and from_time are both given: pass one of them";
            return Err(error::invalid(start.py(), message));
        }
    };
    if let Some(time) = time {
        return Ok(Position::Time(system_time(time)?));
    }
    if start.is_instance_of::<PyString>() {
        return one_of("start", start, &[("first", Position::First), ("end", Position::End)]);
    }
    lsn(start).map(Position::At)
}

/// A time: nanoseconds since 1970 as `time.time_ns` gives them, or a `datetime`.
pub(crate) fn system_time(value: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let py = value.py();
    let since = match value.getattr_opt("timestamp")? {
        Some(timestamp) => {
            let seconds: f64 = timestamp.call0()?.extract()?;
            Duration::try_from_secs_f64(seconds).ok()
        }
        None => Some(Duration::from_nanos(number("time", value)?)),
    };
    since
        .and_then(|since| UNIX_EPOCH.checked_add(since))
        .ok_or_else(|| error::invalid(py, "a time must be in 1970 or later"))
}

/// A time as nanoseconds since 1970.
pub(crate) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A time to wait: seconds, or a `timedelta`.
pub(crate) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let py = value.py();
    let seconds: f64 = match value.cast::<PyDelta>() {
        Ok(delta) => delta.call_method0("total_seconds")?.extract()?,
        Err(_) => value.extract()?,
    };
    if seconds == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| error::invalid(py, format!("{name} is {seconds}: pass seconds, 0 or more")))
}

/// How long to wait, `None` for as long as it takes.
pub(crate) fn timeout(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    value.map(|value| duration("timeout", value)).transpose()
}

fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    if value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(format!("{name} must be an int, not bool")));
    }
    value.extract::<u64>().map_err(|trouble| {
        if trouble.is_instance_of::<PyOverflowError>(value.py()) {
            let message = format!("{name} is {value}: it must be 0 to {}", u64::MAX);
            return error::invalid(value.py(), message);
        }
        trouble
    })
}

fn one_of<T: Copy>(name: &str, value: &Bound<'_, PyAny>, choices: &[(&str, T)]) -> PyResult<T> {
    let given = value.cast::<PyString>()?.to_str()?.to_owned();
    let found = choices.iter().find(|(choice, _)| *choice == given);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let choices: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        let message = format!("{name} is {given:?}: pass one of {}", choices.join(", "));
        error::invalid(value.py(), message)
    })
}
