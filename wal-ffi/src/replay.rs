//! Replaying a log through a callback that can stop it.

use std::ffi::c_void;
use std::ops::ControlFlow;

use wal_core::{Record, ReplayOptions};

use crate::boundary;
use crate::callback::{Home, Payload, scope};
use crate::error::{Failure, Outcome, wal_error};
use crate::log::wal_log;
use crate::options::truth;
use crate::position::{number, position};
use crate::record::flags;

/// Gets one record of a replay: its LSN, its bytes (valid until the callback returns), its flags as
/// in the packed layout, and the caller's pointer. Returns 0 to go on, anything else to stop.
pub type wal_replay_fn = Option<
    unsafe extern "C-unwind" fn(
        lsn: u64,
        data: *const c_void,
        len: usize,
        flags: u32,
        payload: *mut c_void,
    ) -> i32,
>;

/// Calls `callback` for every record from the position `from` (one of `enum wal_from`) and `at` to
/// the end, in LSN order, until it says to stop. `last_lsn` may be `NULL`; it gets the last record
/// that was delivered, 0 if there was none.
///
/// - Ownership: `payload` is handed through; the record's bytes are the log's.
/// - Thread-safety: any thread at once; the callback runs on the calling thread.
/// - Blocking: reads the log.
/// - Errors: as `wal_cursor_open` and `wal_cursor_next`; records before the trouble were delivered.
///   Being stopped is none.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_replay(
    log: *const wal_log,
    from: i32,
    at: u64,
    callback: wal_replay_fn,
    payload: *mut c_void,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let deliver = Delivery::new(callback, payload)?;
            let out = boundary::out_optional(last_lsn, "last_lsn")?;
            let from = position(from, at)?;
            let last = scope(Home::Caller, || {
                log.engine().replay(from, |record| Ok::<_, Failure>(deliver.call(record)))
            })?;
            out.put(number(last));
            Ok(())
        })
    }
}

/// Calls `callback` for every record from the position `from` and `at` to the end, on `threads`
/// threads (0 for one per core), until it says to stop. With `in_order` 1, there is one call at a
/// time, in LSN order; with 0, records of a segment come in order and segments in parallel. `count`
/// may be `NULL`; it gets how many records were delivered.
///
/// - Ownership: `payload` is handed through; the record's bytes are the log's.
/// - Thread-safety: any thread at once; the callback runs on several threads, at once when
///   `in_order` is 0.
/// - Blocking: reads the log.
/// - Errors: as `wal_replay`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_replay_parallel(
    log: *const wal_log,
    from: i32,
    at: u64,
    threads: u32,
    in_order: i32,
    callback: wal_replay_fn,
    payload: *mut c_void,
    count: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let deliver = Delivery::new(callback, payload)?;
            let out = boundary::out_optional(count, "count")?;
            let from = position(from, at)?;
            let options = ReplayOptions {
                threads: usize::try_from(threads).unwrap_or(0),
                in_order: truth("in_order", in_order)?,
            };
            let delivered = log.engine().replay_parallel(from, options, |record| {
                scope(Home::Engine, || Ok::<_, Failure>(deliver.call(record)))
            })?;
            out.put(delivered);
            Ok(())
        })
    }
}

/// The callback with its pointer.
struct Delivery {
    callback: unsafe extern "C-unwind" fn(u64, *const c_void, usize, u32, *mut c_void) -> i32,
    payload: Payload,
}

impl Delivery {
    fn new(callback: wal_replay_fn, payload: *mut c_void) -> Outcome<Delivery> {
        let callback = callback.ok_or_else(|| Failure::invalid("callback is NULL"))?;
        Ok(Delivery { callback, payload: Payload(payload) })
    }

    fn call(&self, record: &Record) -> ControlFlow<()> {
        let (data, len) = (record.as_ptr().cast(), record.len());
        // SAFETY: the record lives until the callback is over; the rest is the caller's promise.
        let answer = unsafe {
            (self.callback)(record.lsn().get(), data, len, flags(record), self.payload.pointer())
        };
        if answer == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
