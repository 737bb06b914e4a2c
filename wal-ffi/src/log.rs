//! The log's handle: opening, closing, releasing, destroying, and what it is.

use std::ffi::{c_char, c_void};

use wal_core::{Log, Options};

use crate::boundary::{self, Handle};
use crate::callback;
use crate::error::{Failure, Outcome, wal_error};
use crate::guard::Guard;
use crate::options::wal_options;
use crate::position;
use crate::read::fill;
use crate::recovery::wal_recovery_report;

/// An open log. Every function that takes it as `const` may be called from any thread at once.
pub struct wal_log {
    engine: Log,
    guard: Guard,
}

impl wal_log {
    /// The engine's handle.
    #[inline]
    pub(crate) fn engine(&self) -> &Log {
        &self.engine
    }
}

impl Handle for wal_log {
    const NAME: &'static str = "log";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// Opens the log in the directory `path` for writing, and creates it if it is missing. `options`
/// may be `NULL` for the defaults. `report` may be `NULL`.
///
/// When this returns, everything the log serves survives power loss, whatever happened before.
///
/// - Ownership: `*log` is the caller's, who releases it with `wal_release`. `path` and `options`
///   are copied.
/// - Thread-safety: any thread at once; one of two openers of the same path gets `WAL_ERR_LOCKED`.
/// - Blocking: reads and syncs what an unclean stop left, waits up to `lock_wait_ms` for a writer.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED`, `WAL_ERR_CORRUPT`,
///   `WAL_ERR_UNSUPPORTED`, `WAL_ERR_FULL`, `WAL_ERR_IO`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_open(
    path: *const c_char,
    options: *const wal_options,
    log: *mut *mut wal_log,
    report: *mut wal_recovery_report,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let path = boundary::path(path, "path")?;
            let out = boundary::out(log, "log")?;
            let report = boundary::struct_out_optional(report)?;
            let (engine, found) = Log::open(path, read_options(options)?)?;
            report.put(&wal_recovery_report::of(&found));
            boundary::give(out, wal_log { engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// Opens the log in the directory `path` for reading only, beside a live writer or after a crash.
/// Nothing on disk is changed; appending and trimming are `WAL_ERR_INVALID`. `options` and `report`
/// may be `NULL`.
///
/// - Ownership: `*log` is the caller's, who releases it with `wal_release`. `path` and `options`
///   are copied.
/// - Thread-safety: any thread at once, any number of readers.
/// - Blocking: reads what an unclean stop left.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_CORRUPT`, `WAL_ERR_UNSUPPORTED`,
///   `WAL_ERR_IO`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_open_read_only(
    path: *const c_char,
    options: *const wal_options,
    log: *mut *mut wal_log,
    report: *mut wal_recovery_report,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let path = boundary::path(path, "path")?;
            let out = boundary::out(log, "log")?;
            let report = boundary::struct_out_optional(report)?;
            let (engine, found) = Log::open_read_only(path, read_options(options)?)?;
            report.put(&wal_recovery_report::of(&found));
            boundary::give(out, wal_log { engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// Closes the log: syncs everything at whatever level, lets the lock go, ends all waits. Later
/// calls on the log are `WAL_ERR_CLOSED`; the handle itself stays valid until `wal_release`.
/// Closing a closed log does nothing.
///
/// When this returns `WAL_OK`, every record that was ever appended survives power loss. Inside a
/// callback the close is deferred: it returns at once, refuses later calls, and is done when the
/// callback is over.
///
/// - Ownership: unchanged.
/// - Thread-safety: any thread at once, also while other calls on the log are running.
/// - Blocking: writes and syncs what is still in memory.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_POISONED`, `WAL_ERR_FORKED`: what could not
///   be made durable is unknown until the log is opened again. The log is closed all the same.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_close(log: *const wal_log, err: *mut wal_error) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on_any(log, err, |log| {
            if !callback::is_inside() {
                return Ok(log.engine.close()?);
            }
            log.guard.mark_closing();
            let engine = log.engine.clone();
            callback::outside(move || {
                // A failed close poisons the log, and whoever closes it again is told.
                let _ = engine.close();
            });
            Ok(())
        })
    }
}

/// Releases the handle. The log is closed as well as it can be when its last handle goes; close
/// it first to learn whether that worked. Cursors, records, notifiers and subscriptions of the
/// log stay valid and are released on their own. `NULL` is ignored.
///
/// - Ownership: `log` must not be used again, by any thread.
/// - Thread-safety: once, when no other call on this handle is running.
/// - Blocking: as `wal_close`.
/// - Errors: none are told.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_release(log: *mut wal_log) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(log) }
}

/// Removes the log in the directory `path`, and the directory if nothing foreign is in it.
///
/// - Ownership: `path` is copied.
/// - Thread-safety: any thread at once.
/// - Blocking: removes files and syncs directories.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED` while a writer holds the log,
///   `WAL_ERR_IO`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_destroy(path: *const c_char, err: *mut wal_error) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::call(err, || Ok(Log::destroy(boundary::path(path, "path")?)?)) }
}

/// Writes the directory the log is in to `buffer`, not terminated, and its length to `*len`.
///
/// - Ownership: `buffer` is the caller's.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`; `WAL_ERR_FULL` when `buffer` is too small, with the size needed in
///   `*len`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_path(
    log: *const wal_log,
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
            let path = log.engine.path().as_os_str().as_encoded_bytes();
            len.put(path.len());
            if path.len() > memory.len() {
                return Err(Failure::too_small(capacity, path.len()));
            }
            fill(memory, path);
            Ok(())
        })
    }
}

/// Writes the log's 128-bit identity to the 16 bytes at `uuid`.
///
/// - Ownership: `uuid` is the caller's.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`.
/// - Since: 0.1.0
///
/// # Safety
/// `uuid` points at 16 writable bytes; the others are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_uuid(
    log: *const wal_log,
    uuid: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            boundary::out(uuid.cast::<[u8; 16]>(), "uuid")?.put(log.engine.uuid());
            Ok(())
        })
    }
}

/// Waits until everything up to `lsn`, which need not be appended yet, is on stable storage.
/// `timeout_ms` is negative for as long as it takes. `durable_lsn` may be `NULL`; it gets the
/// watermark, which is `lsn` or above.
///
/// When this returns `WAL_OK`, the records up to `*durable_lsn` survive power loss.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: until the records are durable, the time is up, or the log is closed or poisoned.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TIMEOUT`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
///   `WAL_ERR_IO`, `WAL_ERR_FORKED`; `WAL_ERR_FULL` when the record that had this LSN was refused
///   for want of room, until the LSN is issued again.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_wait_durable(
    log: *const wal_log,
    lsn: u64,
    timeout_ms: i64,
    durable_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out_optional(durable_lsn, "durable_lsn")?;
            let timeout = crate::time::timeout(timeout_ms);
            let durable = log.engine.wait_durable(position::lsn(lsn)?, timeout)?;
            out.put(durable.get());
            Ok(())
        })
    }
}

/// Syncs the log, at whatever level its records were appended. `durable_lsn` may be `NULL`; it gets
/// the watermark, 0 for a log without records.
///
/// When this returns `WAL_OK`, everything appended before the call survives power loss.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: writes and syncs.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`, `WAL_ERR_IO`,
///   `WAL_ERR_FULL`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_sync(
    log: *const wal_log,
    durable_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out_optional(durable_lsn, "durable_lsn")?;
            out.put(position::number(log.engine.sync()?));
            Ok(())
        })
    }
}

/// The options behind `options`, the defaults for `NULL`.
///
/// # Safety
/// `NULL`, or points at a `wal_options` with its size set.
unsafe fn read_options(options: *const wal_options) -> Outcome<Options> {
    if options.is_null() {
        return Ok(Options::default());
    }
    // SAFETY: as the caller promises.
    unsafe { boundary::struct_in(options, wal_options::defaults())? }.read()
}
