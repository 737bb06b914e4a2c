//! Records as Python's objects.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyMemoryView, PySlice, PyType};
use pyo3::{IntoPyObjectExt, ffi};
use wal_core::{Record, packed};

use crate::{error, options};

/// A record: a pair of LSN and bytes with names for both, and `batch_continues` beside.
pub(crate) fn object<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyAny>> {
    let items = [
        record.lsn().get().into_bound_py_any(py)?,
        PyBytes::new(py, record).into_any(),
        record.batch_continues().into_bound_py_any(py)?,
    ];
    let class = record_type(py)?;
    // SAFETY: the class was made by `PyStructSequence_NewType` with three fields; each item is
    // given away once, to a place of its own, before anybody sees the object.
    unsafe {
        let object =
            Bound::from_owned_ptr_or_err(py, ffi::PyStructSequence_New(class.as_type_ptr()))?;
        for (place, item) in (0..).zip(items) {
            ffi::PyStructSequence_SetItem(object.as_ptr(), place, item.into_ptr());
        }
        Ok(object)
    }
}

/// A list of records.
pub(crate) fn list<'py>(py: Python<'py>, records: &[Record]) -> PyResult<Bound<'py, PyList>> {
    let objects: PyResult<Vec<_>> = records.iter().map(|record| object(py, record)).collect();
    PyList::new(py, objects?)
}

/// The class of records.
pub(crate) fn record_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let field = |(name, doc): (&CStr, &CStr)| ffi::PyStructSequence_Field {
            name: name.as_ptr(),
            doc: doc.as_ptr(),
        };
        let end = ffi::PyStructSequence_Field { name: ptr::null(), doc: ptr::null() };
        let [lsn, data, batch_continues] = FIELDS.map(field);
        let mut fields = [lsn, data, batch_continues, end];
        let mut description = ffi::PyStructSequence_Desc {
            name: c"libwal.Record".as_ptr(),
            doc: RECORD_DOC.as_ptr(),
            fields: fields.as_mut_ptr(),
            n_in_sequence: 2,
        };
        // SAFETY: the texts live for ever, the description until the call is over, and the fields
        // end with an empty one.
        unsafe {
            let class = ffi::PyStructSequence_NewType(&raw mut description);
            Bound::from_owned_ptr_or_err(py, class.cast()).map(|class| class.cast_into_unchecked())
        }
        .map(Bound::unbind)
    })?;
    Ok(class.bind(py))
}

/// Many records in one piece of memory: what a batch read costs least in.
#[pyclass(frozen, module = "libwal")]
pub(crate) struct Arena {
    /// All payloads, one behind the other.
    #[pyo3(get)]
    data: Py<PyBytes>,
    /// Where each payload begins, and where the last one ends.
    offsets: Vec<u64>,
    /// The LSN of the first record; the others follow without a gap.
    first: Option<u64>,
}

#[pymethods]
impl Arena {
    /// The LSN of the first record, None when there is none; the others follow without a gap.
    #[getter]
    fn first_lsn(&self) -> Option<u64> {
        self.first
    }

    /// Where each payload begins in `data`, and where the last one ends: a memoryview of integers.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // A view of the host's own memory, which is nobody's format.
        #[allow(clippy::host_endian_bytes)]
        let bytes: Vec<u8> = self.offsets.iter().flat_map(|at| at.to_ne_bytes()).collect();
        PyMemoryView::from(&PyBytes::new(py, &bytes))?.call_method1("cast", ("Q",))
    }

    fn __len__(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The payload of a record, counted from 0, as a view that copies nothing.
    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let count = self.__len__();
        let place = if index < 0 { index + count as isize } else { index };
        let place = usize::try_from(place).ok().filter(|place| *place < count);
        let place = place.ok_or_else(|| PyIndexError::new_err("arena index out of range"))?;
        let bound = |at: usize| self.offsets[at] as isize;
        let view = PyMemoryView::from(self.data.bind(py))?;
        view.get_item(PySlice::new(py, bound(place), bound(place + 1), 1))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let bytes = self.data.bind(py).as_bytes().len();
        let first = self.first.map_or("None".to_owned(), |first| first.to_string());
        format!("<libwal.Arena of {} records, {bytes} bytes, first_lsn={first}>", self.__len__())
    }
}

impl Arena {
    pub(crate) fn of(py: Python<'_>, records: &[Record]) -> PyResult<Arena> {
        let mut offsets = Vec::with_capacity(records.len() + 1);
        offsets.push(0);
        let mut end = 0;
        for record in records {
            end += record.len() as u64;
            offsets.push(end);
        }
        let data = PyBytes::new_with(py, end as usize, |mut memory| {
            for record in records {
                let (place, rest) = memory.split_at_mut(record.len());
                place.copy_from_slice(record);
                memory = rest;
            }
            Ok(())
        })?;
        let first = records.first().map(|record| record.lsn().get());
        Ok(Arena { data: data.unbind(), offsets, first })
    }
}

/// Packs records as `Log.append_packed` takes them.
#[pyfunction]
pub(crate) fn pack<'py>(records: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = records.py();
    let records = options::many_bytes(records)?;
    let sizes = records.iter().map(|record| packed::packed_bytes(record.as_bytes().len()));
    let size = sizes.sum::<Option<usize>>();
    let size = size.ok_or_else(|| error::invalid(py, "no memory could hold these records"))?;
    let mut memory = vec![MaybeUninit::uninit(); size];
    let mut packer = packed::Packer::new(&mut memory);
    for record in &records {
        if !packer.push(0, false, record.as_bytes()) {
            return Err(error::invalid(py, "a record is too long to be packed"));
        }
    }
    Ok(PyBytes::new(py, packer.filled()))
}

const RECORD_DOC: &CStr = c"A record: a pair of its LSN and its bytes.";

const FIELDS: [(&CStr, &CStr); 3] = [
    (c"lsn", c"The record's position in its log."),
    (c"data", c"The record's bytes."),
    (c"batch_continues", c"Whether the next record belongs to the same batch."),
];
