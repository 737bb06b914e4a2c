//! A descriptor that tells of the durable LSN, for event loops other than asyncio's.

use std::os::fd::AsRawFd;

use pyo3::prelude::*;

use crate::boundary::detached;
use crate::reports::number;

/// Readable when the durable LSN has advanced, or the log was poisoned or closed, since it was last
/// acknowledged. Goes into `selectors`, `select.poll` and the like as it is.
#[pyclass(frozen, module = "libwal")]
pub(crate) struct Notifier(wal_core::Notifier);

impl Notifier {
    pub(crate) fn new(notifier: wal_core::Notifier) -> Notifier {
        Notifier(notifier)
    }
}

#[pymethods]
impl Notifier {
    /// The descriptor to poll for reading. Do not read from it or close it.
    fn fileno(&self) -> i32 {
        self.0.fd().as_raw_fd()
    }

    /// Makes the descriptor unreadable until the next news, and returns the durable LSN.
    fn acknowledge(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        detached(py, || self.0.acknowledge()).map(number)
    }

    fn __repr__(&self) -> String {
        format!("<libwal.Notifier fd={}>", self.fileno())
    }
}
