//! Reading into memory of the caller: one record by its LSN, or as many as fit.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use wal_core::packed::Packed;

use crate::boundary::{self, Out};
use crate::error::{Failure, Outcome, wal_error};
use crate::log::wal_log;
use crate::{position, time};

/// Copies the record `lsn` to `buffer` and its length to `*len`.
///
/// - Ownership: `buffer` is the caller's.
/// - Thread-safety: any thread at once.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_FULL` when `buffer` is too small, with the size needed in `*len`;
///   `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`,
///   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_read(
    log: *const wal_log,
    lsn: u64,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let memory = boundary::memory(buffer, capacity, "buffer")?;
            let len = boundary::out(len, "len")?;
            let record = log.engine().read(position::lsn(lsn)?)?;
            copy_out(memory, len, &record)
        })
    }
}

/// The commit time of the record `lsn`, in nanoseconds since 1970.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: may read from the disk.
/// - Errors: as `wal_read`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_time_of(
    log: *const wal_log,
    lsn: u64,
    time_ns: *mut i64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(time_ns, "time_ns")?;
            out.put(time::to_ns(log.engine().time_of(position::lsn(lsn)?)?));
            Ok(())
        })
    }
}

/// Copies `bytes` to the caller, or tells how much memory they need.
pub(crate) fn copy_out(memory: &mut [MaybeUninit<u8>], len: Out<usize>, bytes: &[u8]) -> Outcome {
    len.put(bytes.len());
    if bytes.len() > memory.len() {
        return Err(Failure::too_small(memory.len(), bytes.len()));
    }
    fill(memory, bytes);
    Ok(())
}

/// Where a packed read puts its results.
pub(crate) struct Batch<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    count_max: usize,
    count: Out<usize>,
    used: Out<usize>,
}

impl<'a> Batch<'a> {
    /// # Safety
    /// `buffer` is `NULL` or `capacity` writable bytes, `count` and `used` are `NULL` or writable,
    /// all until the call ends.
    pub(crate) unsafe fn new(
        buffer: *mut c_void,
        capacity: usize,
        count_max: usize,
        count: *mut usize,
        used: *mut usize,
    ) -> Outcome<Batch<'a>> {
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Batch {
                memory: boundary::memory(buffer, capacity, "buffer")?,
                count_max: if count_max == 0 { usize::MAX } else { count_max },
                count: boundary::out(count, "count")?,
                used: boundary::out(used, "used")?,
            })
        }
    }

    /// Has `read` fill the memory, with so many records at the most, and tells what it did.
    pub(crate) fn fill(
        self,
        read: impl FnOnce(&mut [MaybeUninit<u8>], usize) -> Outcome<Packed>,
    ) -> Outcome {
        let capacity = self.memory.len();
        let Packed { count, bytes, bytes_needed } = read(self.memory, self.count_max)?;
        self.count.put(count);
        if bytes_needed > 0 {
            self.used.put(bytes_needed);
            return Err(Failure::too_small(capacity, bytes_needed));
        }
        self.used.put(bytes);
        Ok(())
    }
}

/// Copies `bytes` to the beginning of `memory`, as far as they fit.
pub(crate) fn fill(memory: &mut [MaybeUninit<u8>], bytes: &[u8]) {
    for (slot, byte) in memory.iter_mut().zip(bytes) {
        slot.write(*byte);
    }
}
