//! Followers: cursors that wait at the tail.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard};

use wal_core::Follower;
use wal_core::packed::Packed;

use crate::boundary::{self, Handle};
use crate::codes::wal_code;
use crate::cursor::alone;
use crate::error::{Failure, Outcome, wal_error};
use crate::guard::Guard;
use crate::log::wal_log;
use crate::position::position;
use crate::read::Batch;
use crate::record::{self, wal_record};
use crate::time;

/// A cursor that waits at the tail. One thread at a time; it may move between threads. Closing the
/// log ends its wait.
pub struct wal_follower {
    engine: Mutex<Follower>,
    guard: Guard,
}

impl Handle for wal_follower {
    const NAME: &'static str = "follower";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

impl wal_follower {
    fn engine(&self) -> Outcome<MutexGuard<'_, Follower>> {
        alone(&self.engine, "follower")
    }
}

/// Opens a follower at the position `from` (one of `enum wal_from`) and `at`.
///
/// - Ownership: `*follower` is the caller's, who releases it with `wal_follower_release`.
/// - Thread-safety: any thread at once.
/// - Blocking: may read from the disk.
/// - Errors: as `wal_cursor_open`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_follower_open(
    log: *const wal_log,
    from: i32,
    at: u64,
    follower: *mut *mut wal_follower,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(follower, "follower")?;
            let engine = log.engine().follow(position(from, at)?)?;
            let engine = Mutex::new(engine);
            boundary::give(out, wal_follower { engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// The next record, waited for at most `timeout_ms` (negative: as long as it takes; 0: not at all).
///
/// - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: until there is a record, the time is up, or the log is closed.
/// - Errors: `WAL_ERR_TIMEOUT`; `WAL_ERR_CLOSED` when the log was closed and all is delivered; else
///   as `wal_cursor_next`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_follower_next(
    follower: *mut wal_follower,
    timeout_ms: i64,
    record: *mut *mut wal_record,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(follower, err, |follower| {
            let out = boundary::out(record, "record")?;
            let mut engine = follower.engine()?;
            let next = match time::timeout(timeout_ms) {
                None => Some(engine.next()?),
                Some(timeout) => engine.next_timeout(timeout)?,
            };
            record::give(out, next.ok_or_else(too_late)?);
            Ok(())
        })
    }
}

/// Waits for a record as `wal_follower_next` does, then fills `buffer` with what is there in the
/// packed layout: as many records as fit, at most `count_max` (0 for any number). `*count` gets how
/// many, `*used` how many bytes they take.
///
/// - Ownership: `buffer` is the caller's.
/// - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
/// - Blocking: until there is a record, the time is up, or the log is closed.
/// - Errors: `WAL_ERR_FULL` when not even one record fits, with the size needed in `*used` and 0 in
///   `*count`; else as `wal_follower_next`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_follower_read_packed(
    follower: *mut wal_follower,
    timeout_ms: i64,
    buffer: *mut c_void,
    capacity: usize,
    count_max: usize,
    count: *mut usize,
    used: *mut usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(follower, err, |follower| {
            let batch = Batch::new(buffer, capacity, count_max, count, used)?;
            let mut engine = follower.engine()?;
            batch.fill(|memory, count_max| {
                let packed = engine.read_packed(memory, count_max, time::timeout(timeout_ms))?;
                if packed == Packed::default() { Err(too_late()) } else { Ok(packed) }
            })
        })
    }
}

/// Moves the follower to the position `from` (one of `enum wal_from`) and `at`.
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
pub unsafe extern "C" fn wal_follower_seek(
    follower: *mut wal_follower,
    from: i32,
    at: u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(follower, err, |follower| {
            Ok(follower.engine()?.cursor().seek(position(from, at)?)?)
        })
    }
}

/// The LSN `wal_follower_next` will return; 0 when `follower` is `NULL` or in use.
///
/// - Ownership: none.
/// - Thread-safety: one thread at a time.
/// - Blocking: never.
/// - Errors: none; 0 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `follower` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_follower_next_lsn(follower: *const wal_follower) -> u64 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::getter(follower, 0, |follower| {
            follower.engine().map_or(0, |mut engine| engine.cursor().next_lsn().get())
        })
    }
}

/// Releases the follower. Records it returned stay valid. `NULL` is ignored.
///
/// - Ownership: `follower` must not be used again.
/// - Thread-safety: once, when no other call on it is running; to end a wait, close the log.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `follower` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_follower_release(follower: *mut wal_follower) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(follower) }
}

/// Time being up is a failure in C, where a missing record would be a `NULL` to trip over.
fn too_late() -> Failure {
    Failure::own(wal_code::WAL_ERR_TIMEOUT, "timeout: no record came in time".into())
}
