//! The engine's events for the host's own logger: nothing is ever printed.

use std::ffi::{CString, c_char, c_void};
use std::sync::{PoisonError, RwLock};

use wal_core::listener::{Told, hear, listen};

use crate::boundary;
use crate::callback::{Home, Payload, scope};
use crate::codes::wal_code;
use crate::error::{Failure, Outcome, wal_error};
use crate::panic::contain;

/// How much the log callback hears of.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_verbosity {
    /// Nothing.
    WAL_LOG_OFF = 0,
    /// Failures nobody was there to be told of.
    WAL_LOG_ERROR = 1,
    /// What an operator should look at, such as a cut tail.
    WAL_LOG_WARN = 2,
    /// Openings, closings, rotations.
    WAL_LOG_INFO = 3,
    /// What helps to find a fault.
    WAL_LOG_DEBUG = 4,
    /// Everything.
    WAL_LOG_TRACE = 5,
}

/// Gets one event: its level (one of `enum wal_verbosity`), the part of the library it comes from,
/// its text with its fields (both terminated UTF-8, valid until the callback returns) and the
/// caller's pointer.
pub type wal_log_fn = Option<
    unsafe extern "C-unwind" fn(
        level: i32,
        target: *const c_char,
        message: *const c_char,
        payload: *mut c_void,
    ),
>;

/// Has `callback` called for every event of the library up to `level` (one of `enum
/// wal_verbosity`), for all logs of the process. `NULL` or `WAL_LOG_OFF` ends it. Without a
/// callback the library is silent.
///
/// - Ownership: `payload` must stay valid for good: a call may still be running when this returns.
/// - Thread-safety: any thread at once. The callback runs on any thread, several at once, in the
///   middle of the library's work: it must be quick and must not call the library.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`; `WAL_ERR_CONFLICT` in a Rust program that has a subscriber already.
/// - Since: 0.1.0
///
/// # Safety
/// `err` is valid as the header says, `payload` may be used on any thread, and the callback returns
/// without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_set_log_callback(
    level: i32,
    callback: wal_log_fn,
    payload: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let known = u8::try_from(level).ok().filter(|level| *level <= TRACE);
            let level = known.ok_or_else(|| {
                Failure::invalid(format!("level is {level}: pass one of enum wal_verbosity"))
            })?;
            let sink = callback.map(|callback| Sink { callback, payload: Payload(payload) });
            install()?;
            let heard = if sink.is_some() { level } else { OFF };
            *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
            hear(heard);
            Ok(())
        })
    }
}

/// Where events go.
#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C-unwind" fn(i32, *const c_char, *const c_char, *mut c_void),
    payload: Payload,
}

/// Becomes the process's listener for the engine's events, once.
fn install() -> Outcome {
    if listen(tell) {
        return Ok(());
    }
    Err(Failure::own(
        wal_code::WAL_ERR_CONFLICT,
        "conflict: this program has a tracing subscriber, which hears the events already".into(),
    ))
}

fn tell(told: &Told<'_>) {
    let sink = *SINK.read().unwrap_or_else(PoisonError::into_inner);
    let Some(sink) = sink else { return };
    // Nobody above could do anything about a panic.
    let _ = contain(|| {
        let (target, message) = (terminated(told.target), terminated(told.text));
        scope(Home::Engine, || {
            // SAFETY: both texts live until the callback is over; the rest is the caller's promise.
            unsafe {
                (sink.callback)(
                    told.level.into(),
                    target.as_ptr(),
                    message.as_ptr(),
                    sink.payload.pointer(),
                );
            }
        });
    });
}

fn terminated(text: &str) -> CString {
    CString::new(text.replace('\0', "?")).unwrap_or_default()
}

const OFF: u8 = wal_verbosity::WAL_LOG_OFF as u8;
const TRACE: u8 = wal_verbosity::WAL_LOG_TRACE as u8;

/// Written by `wal_set_log_callback`, read by every event that is heard.
static SINK: RwLock<Option<Sink>> = RwLock::new(None);
