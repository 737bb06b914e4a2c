//! The log's watermarks: plain getters, 0 for none.

use crate::boundary;
use crate::log::wal_log;
use crate::position::number;

/// The first record readers see, 0 if there is none (or `log` is `NULL`).
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_first_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| number(log.engine().first_lsn())) }
}

/// The last record readers see, 0 if there is none (or `log` is `NULL`).
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_last_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| number(log.engine().last_lsn())) }
}

/// The last record on stable storage, 0 if there is none (or `log` is `NULL`). Records up to it
/// survive power loss.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_durable_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| number(log.engine().durable_lsn())) }
}

/// The last record given to the kernel, 0 if there is none (or `log` is `NULL`). Records up to it
/// survive the death of the process.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_written_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| number(log.engine().written_lsn())) }
}

/// The last record handed to the engine, 0 if there is none (or `log` is `NULL`).
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_submitted_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| number(log.engine().submitted_lsn())) }
}

/// The LSN the next record gets; 0 when `log` is `NULL`.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once; by the time it is used another thread may have taken the
///   number, which `wal_append_at` finds out.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `log` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_next_lsn(log: *const wal_log) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(log, 0, |log| log.engine().next_lsn().get()) }
}
