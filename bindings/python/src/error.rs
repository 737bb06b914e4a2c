//! Errors of the engine as Python's exceptions, whose classes are in `libwal/_errors.py`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyRange};
use wal_core::{Error, ErrorKind};

use crate::boundary;

/// The exception for an error of the engine.
#[cold]
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(trouble) => trouble,
    }
}

/// The same as an object, to be set or kept instead of raised.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    boundary::in_python(py, || made(py, error))
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let attributes = PyDict::new(py);
    attributes.set_item("lsn", error.lsn().map(|lsn| lsn.get()))?;
    attributes.set_item("segment", error.segment().map(|segment| segment.0))?;
    attributes.set_item("offset", error.offset().map(|offset| offset.0))?;
    attributes.set_item("path", error.path())?;
    attributes.set_item("errno", error.os_errno())?;
    if let Some(lsns) = error.lsns() {
        attributes.set_item("lsns", range(py, lsns)?)?;
    }
    // With the causes, which `Debug` puts behind.
    class(py, error.kind())?.call((format!("{error:?}"),), Some(&attributes))
}

/// A wrong argument.
#[cold]
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raised(py, &Error::invalid(message))
}

/// A bug in libwal.
#[cold]
pub(crate) fn internal(py: Python<'_>, text: &str) -> PyErr {
    own(py, ErrorKind::Internal, format!("internal: {text}; please report it"))
}

/// The time was up.
#[cold]
pub(crate) fn timeout(py: Python<'_>, text: &str) -> PyErr {
    own(py, ErrorKind::Timeout, format!("timeout: {text}"))
}

fn own(py: Python<'_>, kind: ErrorKind, message: String) -> PyErr {
    match boundary::in_python(py, || class(py, kind)?.call1((message,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(trouble) => trouble,
    }
}

/// LSNs as Python's `range`.
pub(crate) fn range(py: Python<'_>, lsns: wal_core::LsnRange) -> PyResult<Bound<'_, PyRange>> {
    // The last LSN is 2^63 - 1: what follows it has no place in a signed integer.
    let (first, end) = (lsns.first.get(), lsns.final_.get().saturating_add(1));
    let signed = |number: u64| isize::try_from(number).unwrap_or(isize::MAX);
    PyRange::new(py, signed(first), signed(end))
}

fn class(py: Python<'_>, kind: ErrorKind) -> PyResult<Bound<'_, PyAny>> {
    static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || -> PyResult<Py<PyDict>> {
        let classes = py.import("libwal._errors")?.getattr("CLASSES")?;
        Ok(classes.cast_into::<PyDict>()?.unbind())
    })?;
    let found = classes.bind(py).get_item(kind.name())?;
    found.ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err(kind.name()))
}
