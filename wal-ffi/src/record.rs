//! A record's handle: its bytes where they are, without a copy.

use std::ffi::c_void;

use wal_core::Record;
use wal_core::packed::BATCH_CONTINUES;

use crate::boundary::{self, Handle, Out};
use crate::error::wal_error;
use crate::guard::Guard;
use crate::log::wal_log;
use crate::position;

/// One record that was read. It keeps its segment's memory alive, also when the log is closed or
/// trimmed meanwhile.
pub struct wal_record {
    record: Record,
    guard: Guard,
}

impl Handle for wal_record {
    const NAME: &'static str = "record";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// Moves a record to the caller.
pub(crate) fn give(out: Out<*mut wal_record>, record: Record) {
    boundary::give(out, wal_record { record, guard: Guard::default() });
}

/// The flags of a record, as the packed layout has them.
pub(crate) fn flags(record: &Record) -> u32 {
    if record.batch_continues() { BATCH_CONTINUES } else { 0 }
}

/// Reads the record `lsn` without copying it.
///
/// - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
/// - Thread-safety: any thread at once.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`,
///   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_open(
    log: *const wal_log,
    lsn: u64,
    record: *mut *mut wal_record,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(record, "record")?;
            give(out, log.engine().read(position::lsn(lsn)?)?);
            Ok(())
        })
    }
}

/// The record's bytes; `NULL` when `record` is.
///
/// - Ownership: the bytes are valid until the record is released, and must not be changed.
/// - Thread-safety: any thread at once.
/// - Blocking: never; with `WAL_READ_MODE_MAP`, touching the bytes may read from the disk.
/// - Errors: none; `NULL` instead.
/// - Since: 0.1.0
///
/// # Safety
/// `record` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_data(record: *const wal_record) -> *const c_void {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(record, std::ptr::null(), |record| record.record.as_ptr().cast()) }
}

/// How many bytes the record has.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `record` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_len(record: *const wal_record) -> usize {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(record, 0, |record| record.record.len()) }
}

/// The record's LSN.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `record` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_lsn(record: *const wal_record) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(record, 0, |record| record.record.lsn().get()) }
}

/// The record's flags, as in the packed layout: `WAL_PACKED_BATCH_CONTINUES`.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `record` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_flags(record: *const wal_record) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(record, 0, |record| flags(&record.record)) }
}

/// Releases the record and the memory it pins. `NULL` is ignored.
///
/// - Ownership: `record` and its bytes must not be used again.
/// - Thread-safety: once, on any thread.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `record` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_record_release(record: *mut wal_record) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(record) }
}
