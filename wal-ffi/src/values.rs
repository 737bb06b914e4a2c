//! The log's small key-value state: a vote, a term, an offset.

use std::ffi::c_void;

use wal_core::limits;

use crate::append::wal_slice;
use crate::boundary;
use crate::callback::{Home, Payload, scope};
use crate::codes::wal_code;
use crate::error::{Failure, Outcome, wal_error};
use crate::log::wal_log;
use crate::options::{reserved, truth};
use crate::read::copy_out;

/// One change of `wal_value_update`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_value_change {
    /// The key, at most 255 bytes.
    pub key: wal_slice,
    /// The value, at most 4096 bytes; not looked at when `remove` is 1.
    pub value: wal_slice,
    /// 0 to set the key, 1 to delete it.
    pub remove: i32,
    /// Must be 0.
    pub reserved: u32,
}

/// Gets one entry: the key, the value (both valid until the callback returns) and the caller's
/// pointer. Returns 0 to go on, anything else to stop.
pub type wal_value_fn = Option<
    unsafe extern "C-unwind" fn(
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        payload: *mut c_void,
    ) -> i32,
>;

/// Copies the value of a key to `buffer` and its length to `*len`.
///
/// - Ownership: `buffer` is the caller's.
/// - Thread-safety: any thread at once.
/// - Blocking: never for long.
/// - Errors: `WAL_ERR_NOT_FOUND`; `WAL_ERR_FULL` when `buffer` is too small, with the size needed
///   in `*len`; `WAL_ERR_INVALID`, `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_value_read(
    log: *const wal_log,
    key: *const c_void,
    key_len: usize,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let key = boundary::bytes(key, key_len, "key")?;
            let memory = boundary::memory(buffer, capacity, "buffer")?;
            let len = boundary::out(len, "len")?;
            let value = log.engine().values().get(key)?.ok_or_else(|| {
                Failure::own(wal_code::WAL_ERR_NOT_FOUND, "not found: no such key".into())
            })?;
            copy_out(memory, len, &value)
        })
    }
}

/// Sets a key to a value.
///
/// When this returns `WAL_OK`, the value survives power loss.
///
/// - Ownership: key and value are copied.
/// - Thread-safety: any thread at once.
/// - Blocking: one sync.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FULL`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
///   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_value_set(
    log: *const wal_log,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let key = boundary::bytes(key, key_len, "key")?;
            let value = boundary::bytes(value, value_len, "value")?;
            Ok(log.engine().values().set(key, value)?)
        })
    }
}

/// Deletes a key. `existed` may be `NULL`; it gets 1 if the key was there, else 0.
///
/// When this returns `WAL_OK`, the key is gone, also after power loss.
///
/// - Ownership: the key is copied.
/// - Thread-safety: any thread at once.
/// - Blocking: one sync.
/// - Errors: as `wal_value_set`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_value_delete(
    log: *const wal_log,
    key: *const c_void,
    key_len: usize,
    existed: *mut i32,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let key = boundary::bytes(key, key_len, "key")?;
            let out = boundary::out_optional(existed, "existed")?;
            out.put(i32::from(log.engine().values().delete(key)?));
            Ok(())
        })
    }
}

/// Makes `count` changes together: after a crash, all of them are there or none.
///
/// When this returns `WAL_OK`, the changes survive power loss.
///
/// - Ownership: the changes are copied.
/// - Thread-safety: any thread at once.
/// - Blocking: one sync.
/// - Errors: as `wal_value_set`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_value_update(
    log: *const wal_log,
    changes: *const wal_value_change,
    count: usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            if count as u64 > limits::STATE_SLOT_BYTES {
                return Err(Failure::invalid(format!("{count} changes are more than fit a log")));
            }
            let changes = boundary::array(changes, count, "changes")?;
            let changes: Vec<Change<'_>> =
                changes.iter().map(|change| read_change(change)).collect::<Outcome<_>>()?;
            Ok(log.engine().values().update(&changes)?)
        })
    }
}

/// Calls `callback` for every entry in key order until it says to stop.
///
/// - Ownership: `payload` is handed through; key and value are the library's.
/// - Thread-safety: any thread at once; the callback runs on the calling thread.
/// - Blocking: as the callback does.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_value_list(
    log: *const wal_log,
    callback: wal_value_fn,
    payload: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let callback = callback.ok_or_else(|| Failure::invalid("callback is NULL"))?;
            let payload = Payload(payload);
            let entries = log.engine().values().list()?;
            scope(Home::Caller, || {
                for (key, value) in &entries {
                    let (k, v) = (key.as_ptr().cast(), value.as_ptr().cast());
                    if callback(k, key.len(), v, value.len(), payload.pointer()) != 0 {
                        break;
                    }
                }
            });
            Ok(())
        })
    }
}

/// A key and its new value; `None` deletes it.
type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// # Safety
/// The slices of the change are readable for as long as `'a`.
unsafe fn read_change<'a>(change: &wal_value_change) -> Outcome<Change<'a>> {
    reserved("wal_value_change", change.reserved)?;
    // SAFETY: as the caller promises.
    unsafe {
        let key = boundary::bytes(change.key.data, change.key.len, "key")?;
        if truth("remove", change.remove)? {
            return Ok((key, None));
        }
        Ok((key, Some(boundary::bytes(change.value.data, change.value.len, "value")?)))
    }
}
