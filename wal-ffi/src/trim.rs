//! Dropping records: at the head, at the tail, or all of them.

use crate::boundary;
use crate::error::wal_error;
use crate::log::wal_log;
use crate::position::{self, number};

/// Drops every record before the LSN `before`. `first_lsn` may be `NULL`; it gets the first record
/// still there, 0 if there is none. LSNs go on counting.
///
/// When this returns `WAL_OK`, the records are gone for every reader, also after power loss.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once; cursors before `before` get `WAL_ERR_TRIMMED`.
/// - Blocking: one sync.
/// - Errors: `WAL_ERR_INVALID` beyond the next LSN, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
///   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_trim(
    log: *const wal_log,
    before: u64,
    first_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out_optional(first_lsn, "first_lsn")?;
            out.put(number(log.engine().trim(position::lsn(before)?)?));
            Ok(())
        })
    }
}

/// Drops every record after the LSN `after`, also inside a batch.
///
/// When this returns `WAL_OK`, the records are gone, also after power loss, and never come back.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once; cursors beyond `after` get `WAL_ERR_TRUNCATED`.
/// - Blocking: one sync.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
///   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_truncate(log: *const wal_log, after: u64, err: *mut wal_error) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::on(log, err, |log| Ok(log.engine().truncate(position::lsn(after)?)?)) }
}

/// Empties the log; the next record gets the LSN `next`.
///
/// When this returns `WAL_OK`, the log is empty, also after power loss.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: syncs.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`, `WAL_ERR_IO`,
///   `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_reset_to(log: *const wal_log, next: u64, err: *mut wal_error) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::on(log, err, |log| Ok(log.engine().reset_to(position::lsn(next)?)?)) }
}
