//! Learning that records became durable: by a file descriptor or by a callback.

use std::ffi::c_void;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wal_core::{Notifier, Subscription};

use crate::boundary::{self, Handle};
use crate::callback::{Home, Payload, scope};
use crate::error::{Failure, wal_error};
use crate::guard::Guard;
use crate::log::wal_log;
use crate::panic::contain;
use crate::position::number;

/// A file descriptor that becomes readable when the durable LSN advances. Each listener opens its
/// own, so that none takes another's wake-up.
pub struct wal_notifier {
    engine: Notifier,
    guard: Guard,
}

impl Handle for wal_notifier {
    const NAME: &'static str = "notifier";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// Opens a notifier of the log's durable LSN.
///
/// - Ownership: `*notifier` is the caller's, who releases it with `wal_notifier_release`.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_notifier_open(
    log: *const wal_log,
    notifier: *mut *mut wal_notifier,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(notifier, "notifier")?;
            let engine = log.engine().notifier()?;
            boundary::give(out, wal_notifier { engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// The file descriptor, for `poll` and its relatives; -1 when `notifier` is `NULL`. It is readable
/// from the moment the durable LSN advances, or the log is poisoned or closed, until
/// `wal_notifier_acknowledge`.
///
/// - Ownership: the notifier's; never read, write or close it.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; -1 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `notifier` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_notifier_fd(notifier: *const wal_notifier) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(notifier, -1, |notifier| notifier.engine.fd().as_raw_fd()) }
}

/// Makes the descriptor unreadable again and tells the durable LSN, 0 if there is none.
/// `durable_lsn` may be `NULL`. What becomes durable afterwards makes it readable once more, so
/// nothing is missed by acknowledging first and looking at the watermark then.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FORKED`; `WAL_ERR_POISONED` and `WAL_ERR_CLOSED`: nothing
///   will become durable any more.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_notifier_acknowledge(
    notifier: *const wal_notifier,
    durable_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(notifier, err, |notifier| {
            let out = boundary::out_optional(durable_lsn, "durable_lsn")?;
            out.put(number(notifier.engine.acknowledge()?));
            Ok(())
        })
    }
}

/// Releases the notifier and closes its descriptor. `NULL` is ignored.
///
/// - Ownership: `notifier` and its descriptor must not be used again: take it out of `epoll` first.
/// - Thread-safety: once, when no other call on it is running.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `notifier` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_notifier_release(notifier: *mut wal_notifier) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(notifier) }
}

/// Told after each advance of the durable LSN; `failure` is `NULL`. When the log is poisoned it is
/// told once more, with `durable_lsn` 0 and the failure, valid until the callback returns.
pub type wal_durable_fn = Option<
    unsafe extern "C-unwind" fn(durable_lsn: u64, failure: *const wal_error, payload: *mut c_void),
>;

/// Told when nobody will use `payload` any more, so that it can be freed.
pub type wal_drop_fn = Option<unsafe extern "C-unwind" fn(payload: *mut c_void)>;

/// The callbacks asked for with `wal_on_durable`; releasing it ends them.
pub struct wal_subscription {
    // Never read: dropping it is what ends the callbacks.
    _engine: Subscription,
    guard: Guard,
}

impl Handle for wal_subscription {
    const NAME: &'static str = "subscription";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// Has `callback` called after each advance of the durable LSN, often once for many records, until
/// the subscription is released. `drop_payload` may be `NULL`; it is called once, when `payload` is
/// no longer needed; never when this call fails.
///
/// Nothing waits for the callback: it may append, wait and read. Closing and releasing inside it
/// are deferred until it is over. Calls come one at a time; while one lasts, later news stands for
/// earlier.
///
/// - Ownership: `*subscription` is the caller's, who releases it with `wal_subscription_release`.
/// - Thread-safety: any thread at once; the callback runs on a thread of the library.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, `payload` may be used on other threads, and the
/// callbacks return without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_on_durable(
    log: *const wal_log,
    callback: wal_durable_fn,
    payload: *mut c_void,
    drop_payload: wal_drop_fn,
    subscription: *mut *mut wal_subscription,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let callback = callback.ok_or_else(|| Failure::invalid("callback is NULL"))?;
            let out = boundary::out(subscription, "subscription")?;
            let owned = Arc::new(Owned {
                payload: Payload(payload),
                drop_payload,
                is_ours: AtomicBool::new(false),
            });
            let theirs = Arc::clone(&owned);
            let engine = log.engine().on_durable(move |durable| {
                tell(callback, theirs.payload, durable);
            })?;
            owned.is_ours.store(true, Ordering::Release);
            boundary::give(out, wal_subscription { _engine: engine, guard: Guard::default() });
            Ok(())
        })
    }
}

/// Ends the callbacks. One that is running on another thread may still be running when this
/// returns; `drop_payload` is called after it. `NULL` is ignored.
///
/// - Ownership: `subscription` must not be used again.
/// - Thread-safety: once, on any thread, also inside the callback.
/// - Blocking: may wait for a running callback.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `subscription` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_subscription_release(subscription: *mut wal_subscription) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(subscription) }
}

/// The caller's payload, which goes back through `drop_payload` when the last user is done.
struct Owned {
    payload: Payload,
    drop_payload: wal_drop_fn,
    /// Set once the subscription stands: a payload of a refused one stays the caller's.
    is_ours: AtomicBool,
}

impl Drop for Owned {
    fn drop(&mut self) {
        let Some(drop_payload) = self.drop_payload else { return };
        if !self.is_ours.load(Ordering::Acquire) {
            return;
        }
        let pointer = self.payload.pointer();
        // SAFETY: nobody uses the payload any more; what the function does is the caller's promise.
        let _ = contain(|| scope(Home::Engine, || unsafe { drop_payload(pointer) }));
    }
}

/// Calls C with the news. Nothing that happens inside reaches the engine's thread.
fn tell(
    callback: unsafe extern "C-unwind" fn(u64, *const wal_error, *mut c_void),
    payload: Payload,
    durable: wal_core::Result<wal_core::Lsn>,
) {
    let _ = contain(|| {
        scope(Home::Engine, || match durable {
            // SAFETY: what the callback does with its pointer is the caller's promise.
            Ok(lsn) => unsafe { callback(lsn.get(), std::ptr::null(), payload.pointer()) },
            Err(error) => {
                let mut failure = wal_error::of(&Failure::from(error));
                failure.struct_size = ERROR_BYTES;
                // SAFETY: the failure lives until the callback is over; the rest as above.
                unsafe { callback(0, &raw const failure, payload.pointer()) }
            }
        })
    });
}

const ERROR_BYTES: u32 = size_of::<wal_error>() as u32;
