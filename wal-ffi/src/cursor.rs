//! Cursors: a reader's position, moved record by record or read in packed batches.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, TryLockError};

use wal_core::Cursor;

use crate::boundary::{self, Handle};
use crate::error::{Failure, Outcome, wal_error};
use crate::guard::Guard;
use crate::log::wal_log;
use crate::position::position;
use crate::read::Batch;
use crate::record::{self, wal_record};
use crate::time;

/// A reader's position between two records. One thread at a time; it may move between threads.
pub struct wal_cursor {
    engine: Mutex<Cursor>,
    guard: Guard,
}

impl Handle for wal_cursor {
    const NAME: &'static str = "cursor";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

impl wal_cursor {
    fn engine(&self) -> Outcome<MutexGuard<'_, Cursor>> {
        alone(&self.engine, "cursor")
    }
}

/// Locks what one thread at a time may use; a second thread is told instead of let in or kept
/// waiting.
pub(crate) fn alone<'a, T>(mutex: &'a Mutex<T>, name: &str) -> Outcome<MutexGuard<'a, T>> {
    match mutex.try_lock() {
        Ok(state) => Ok(state),
        // A panic poisons the handle's guard, which is asked before.
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => Err(Failure::invalid(format!(
            "{name} is in use by another thread: open one for each thread"
        ))),
    }
}

/// Opens a cursor at the position `from` (one of `enum wal_from`) and `at`.
///
/// - Ownership: `*cursor` is the caller's, who releases it with `wal_cursor_release`; it may
///   outlive the log's handle.
/// - Thread-safety: any thread at once.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_NOT_FOUND` for an LSN after the next one, which is in `wal_error.lsn`;
///   `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`,
///   `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_open(
    log: *const wal_log,
    from: i32,
    at: u64,
    cursor: *mut *mut wal_cursor,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(cursor, "cursor")?;
            let engine = log.engine().cursor(position(from, at)?)?;
            let engine = Mutex::new(engine);
            boundary::give(out, wal_cursor { engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// The record after the position, which moves behind it. At the end, `*record` is `NULL` and the
/// call succeeds; a later call finds what was appended since.
///
/// - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`, `WAL_ERR_CORRUPT`,
///   `WAL_ERR_IO`; `WAL_ERR_CLOSED` at the end of a log that was closed; `WAL_ERR_FORKED` when all
///   that was at hand is delivered. The position stays where it was.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_next(
    cursor: *mut wal_cursor,
    record: *mut *mut wal_record,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(cursor, err, |cursor| {
            let out = boundary::out(record, "record")?;
            match cursor.engine()?.next()? {
                Some(record) => record::give(out, record),
                None => out.put(std::ptr::null_mut()),
            }
            Ok(())
        })
    }
}

/// The record before the position, which moves in front of it. At the beginning, `*record` is
/// `NULL` and the call succeeds.
///
/// - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`, `WAL_ERR_CORRUPT`,
///   `WAL_ERR_IO`, `WAL_ERR_FORKED`; a log that was closed is read to its beginning. The position
///   stays where it was.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_prev(
    cursor: *mut wal_cursor,
    record: *mut *mut wal_record,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(cursor, err, |cursor| {
            let out = boundary::out(record, "record")?;
            match cursor.engine()?.prev()? {
                Some(record) => record::give(out, record),
                None => out.put(std::ptr::null_mut()),
            }
            Ok(())
        })
    }
}

/// Fills `buffer` with the next records in the packed layout: as many as fit, at most `count_max`
/// (0 for any number). `*count` gets how many, 0 at the end; `*used` how many bytes they take.
///
/// - Ownership: `buffer` is the caller's.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_FULL` when not even one record fits, with the size needed in `*used` and 0 in
///   `*count`; else as `wal_cursor_next`, told only when no record comes before the trouble.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_read_packed(
    cursor: *mut wal_cursor,
    buffer: *mut c_void,
    capacity: usize,
    count_max: usize,
    count: *mut usize,
    used: *mut usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(cursor, err, |cursor| {
            let batch = Batch::new(buffer, capacity, count_max, count, used)?;
            let mut engine = cursor.engine()?;
            batch.fill(|memory, count_max| Ok(engine.read_packed(memory, count_max)?))
        })
    }
}

/// Moves the cursor to the position `from` (one of `enum wal_from`) and `at`.
///
/// - Ownership: none.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: as `wal_cursor_open`. The position stays where it was.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_seek(
    cursor: *mut wal_cursor,
    from: i32,
    at: u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::on(cursor, err, |cursor| Ok(cursor.engine()?.seek(position(from, at)?)?)) }
}

/// Moves the cursor to the first record committed at `time_ns` (nanoseconds since 1970) or later.
///
/// - Ownership: none.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: as `wal_cursor_open`. The position stays where it was.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_seek_time(
    cursor: *mut wal_cursor,
    time_ns: i64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(cursor, err, |cursor| {
            Ok(cursor.engine()?.seek_time(time::from_ns(time_ns)?)?)
        })
    }
}

/// The commit time of the record last returned, in nanoseconds since 1970.
///
/// - Ownership: none.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: may read from the disk.
/// - Errors: `WAL_ERR_INVALID` before the first record; `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`,
///   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`. A log that was closed is asked as before.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_time(
    cursor: *mut wal_cursor,
    time_ns: *mut i64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(cursor, err, |cursor| {
            let out = boundary::out(time_ns, "time_ns")?;
            out.put(time::to_ns(cursor.engine()?.time()?));
            Ok(())
        })
    }
}

/// The LSN `wal_cursor_next` would return, if it is there; 0 when `cursor` is `NULL` or in use.
///
/// - Ownership: none.
/// - Thread-safety: one thread at a time.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `cursor` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_next_lsn(cursor: *const wal_cursor) -> u64 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::getter(cursor, 0, |cursor| {
            cursor.engine().map_or(0, |engine| engine.next_lsn().get())
        })
    }
}

/// Releases the cursor. Records it returned stay valid. `NULL` is ignored.
///
/// - Ownership: `cursor` must not be used again.
/// - Thread-safety: once, when no other call on it is running.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `cursor` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_cursor_release(cursor: *mut wal_cursor) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(cursor) }
}
