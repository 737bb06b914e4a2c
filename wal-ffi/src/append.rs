//! Appending: one record, one from pieces, a batch, a packed batch; waited for or submitted.

use std::ffi::c_void;
use std::io::IoSlice;

use wal_core::{AppendOptions, LsnRange, limits, packed};

use crate::boundary::{self, Out};
use crate::error::{Failure, Outcome, wal_error};
use crate::log::wal_log;
use crate::options::{level, wal_append_options};
use crate::position;

/// Some bytes: a record, or a piece of one. `data` may be `NULL` only when `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_slice {
    /// Where they are.
    pub data: *const c_void,
    /// How many.
    pub len: usize,
}

/// Appends one record and waits until it is at its level. `lsn` may be `NULL`.
///
/// When this returns `WAL_OK`, the record is where `level` says: `WAL_LEVEL_DISK`: it survives
/// power loss; `WAL_LEVEL_OS`: it survives the death of the process; `WAL_LEVEL_BUFFERED`: it is
/// in the engine's memory; `WAL_LEVEL_DEFAULT`: at the log's own level.
///
/// - Ownership: `data` is copied.
/// - Thread-safety: any thread at once; waiting appends share one sync.
/// - Blocking: for room, and until the record is at its level.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FULL`, `WAL_ERR_POISONED`, `WAL_ERR_IO` (the outcome is
///   unknown until the log is reopened), `WAL_ERR_CLOSED` (unknown too, if it was closed while the
///   call was waiting), `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append(
    log: *const wal_log,
    data: *const c_void,
    len: usize,
    level: i32,
    lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let record = boundary::bytes(data, len, "data")?;
            let out = boundary::out_optional(lsn, "lsn")?;
            let appended = match at_level(level)? {
                None => log.engine().append(record)?,
                Some(options) => log.engine().with(options).append(record)?,
            };
            out.put(appended.get());
            Ok(())
        })
    }
}

/// Appends one record if it gets the LSN `expected`, and waits as `wal_append` does. It finds out
/// what became of an append whose outcome was unknown, and keeps a second writer's view fenced.
///
/// When this returns `WAL_OK`, the record is where `level` says, with the LSN `expected`.
///
/// - Ownership: `data` is copied.
/// - Thread-safety: any thread at once.
/// - Blocking: as `wal_append`.
/// - Errors: `WAL_ERR_CONFLICT` with the next LSN in `wal_error.lsn`, and those of `wal_append`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append_at(
    log: *const wal_log,
    expected: u64,
    data: *const c_void,
    len: usize,
    level: i32,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let record = boundary::bytes(data, len, "data")?;
            let expected = position::lsn(expected)?;
            match at_level(level)? {
                None => log.engine().append_at(expected, record)?,
                Some(options) => log.engine().with(options).append_at(expected, record)?,
            };
            Ok(())
        })
    }
}

/// Appends one record made of `count` pieces, and waits as `wal_append` does. `lsn` may be `NULL`.
///
/// When this returns `WAL_OK`, the record is where `level` says.
///
/// - Ownership: the pieces are copied.
/// - Thread-safety: any thread at once.
/// - Blocking: as `wal_append`.
/// - Errors: as `wal_append`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append_v(
    log: *const wal_log,
    pieces: *const wal_slice,
    count: usize,
    level: i32,
    lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let pieces = slices(pieces, count, "pieces")?;
            let pieces: Vec<IoSlice<'_>> = pieces.into_iter().map(IoSlice::new).collect();
            let out = boundary::out_optional(lsn, "lsn")?;
            let appended = match at_level(level)? {
                None => log.engine().append_vectored(&pieces)?,
                Some(options) => log.engine().with(options).append_vectored(&pieces)?,
            };
            out.put(appended.get());
            Ok(())
        })
    }
}

/// Appends `count` records as one batch and waits until it is at its level. `options` may be
/// `NULL`; so may `first_lsn` and `last_lsn`, which get the LSNs of the first and the last
/// record.
///
/// When this returns `WAL_OK`, all records are where the level says; after a crash before that,
/// either all of them are there or none.
///
/// - Ownership: the records and `options` are copied.
/// - Thread-safety: any thread at once; no record of another append comes in between.
/// - Blocking: as the options say, by default as `wal_append`.
/// - Errors: those of `wal_append`, `WAL_ERR_WOULD_BLOCK` and `WAL_ERR_TIMEOUT` as the options say.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append_batch(
    log: *const wal_log,
    records: *const wal_slice,
    count: usize,
    options: *const wal_append_options,
    first_lsn: *mut u64,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let records = slices(records, count, "records")?;
            let options = append_options(options)?;
            let out = Range::out(first_lsn, last_lsn)?;
            out.put(log.engine().with(options).append_batch(&records)?);
            Ok(())
        })
    }
}

/// Appends the records of a packed batch (see the packed layout in the manual) as one batch and
/// waits until it is at its level. `first_lsn` and `last_lsn` may be `NULL`.
///
/// When this returns `WAL_OK`, all records are where `level` says; after a crash before that,
/// either all of them are there or none.
///
/// - Ownership: `packed` is copied.
/// - Thread-safety: any thread at once; no record of another append comes in between.
/// - Blocking: as `wal_append`.
/// - Errors: as `wal_append`; `WAL_ERR_INVALID` with the place when the bytes are not a packed
///   batch.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append_packed(
    log: *const wal_log,
    packed: *const c_void,
    len: usize,
    level: i32,
    first_lsn: *mut u64,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let records = packed::unpack(boundary::bytes(packed, len, "packed")?)?;
            let out = Range::out(first_lsn, last_lsn)?;
            out.put(match at_level(level)? {
                None => log.engine().append_batch(&records)?,
                Some(options) => log.engine().with(options).append_batch(&records)?,
            });
            Ok(())
        })
    }
}

/// Hands one record to the engine without waiting for it. `lsn` may be `NULL`.
///
/// When this returns `WAL_OK`, the record is in the engine's memory and will be written. It is
/// durable when `wal_durable_lsn` reaches its LSN: wait with `wal_wait_durable`, a notifier or a
/// callback.
///
/// - Ownership: `data` is copied.
/// - Thread-safety: any thread at once.
/// - Blocking: only for room.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FULL`, `WAL_ERR_POISONED`,
///   `WAL_ERR_FORKED`. A write that fails later is told by whoever waits, and poisons the log.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_submit(
    log: *const wal_log,
    data: *const c_void,
    len: usize,
    level: i32,
    lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let record = boundary::bytes(data, len, "data")?;
            let out = boundary::out_optional(lsn, "lsn")?;
            let ticket = match at_level(level)? {
                None => log.engine().submit(record)?,
                Some(options) => log.engine().with(options).submit(record)?,
            };
            out.put(ticket.lsn().get());
            Ok(())
        })
    }
}

/// Hands `count` records to the engine as one batch without waiting for it. `options` may be
/// `NULL`; so may `first_lsn` and `last_lsn`.
///
/// When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole.
/// It is durable when `wal_durable_lsn` reaches `*last_lsn`.
///
/// - Ownership: the records and `options` are copied.
/// - Thread-safety: any thread at once; no record of another append comes in between.
/// - Blocking: only for room, as the options say.
/// - Errors: those of `wal_submit`, `WAL_ERR_WOULD_BLOCK` and `WAL_ERR_TIMEOUT` as the options say.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_submit_batch(
    log: *const wal_log,
    records: *const wal_slice,
    count: usize,
    options: *const wal_append_options,
    first_lsn: *mut u64,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let records = slices(records, count, "records")?;
            let options = append_options(options)?;
            let out = Range::out(first_lsn, last_lsn)?;
            out.put(log.engine().with(options).submit_batch(&records)?.lsns());
            Ok(())
        })
    }
}

/// Hands the records of a packed batch to the engine as one batch without waiting for it.
/// `first_lsn` and `last_lsn` may be `NULL`.
///
/// When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole.
/// It is durable when `wal_durable_lsn` reaches `*last_lsn`.
///
/// - Ownership: `packed` is copied.
/// - Thread-safety: any thread at once; no record of another append comes in between.
/// - Blocking: only for room.
/// - Errors: as `wal_submit`; `WAL_ERR_INVALID` with the place when the bytes are not a packed
///   batch.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_submit_packed(
    log: *const wal_log,
    packed: *const c_void,
    len: usize,
    level: i32,
    first_lsn: *mut u64,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let records = packed::unpack(boundary::bytes(packed, len, "packed")?)?;
            let out = Range::out(first_lsn, last_lsn)?;
            let ticket = match at_level(level)? {
                None => log.engine().submit_batch(&records)?,
                Some(options) => log.engine().with(options).submit_batch(&records)?,
            };
            out.put(ticket.lsns());
            Ok(())
        })
    }
}

/// The two results of a batch.
pub(crate) struct Range {
    first: Out<u64>,
    last: Out<u64>,
}

impl Range {
    /// # Safety
    /// Each is `NULL` or writable until the call ends.
    pub(crate) unsafe fn out(first_lsn: *mut u64, last_lsn: *mut u64) -> Outcome<Range> {
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Range {
                first: boundary::out_optional(first_lsn, "first_lsn")?,
                last: boundary::out_optional(last_lsn, "last_lsn")?,
            })
        }
    }

    pub(crate) fn put(self, lsns: LsnRange) {
        self.first.put(lsns.first.get());
        self.last.put(lsns.final_.get());
    }
}

/// The append options that differ from the log's by the level alone; `None` where nothing differs.
#[inline]
fn at_level(number: i32) -> Outcome<Option<AppendOptions>> {
    Ok(level(number)?.map(|level| AppendOptions { level: Some(level), ..Default::default() }))
}

/// # Safety
/// `NULL`, or points at a `wal_append_options` with its size set.
pub(crate) unsafe fn append_options(options: *const wal_append_options) -> Outcome<AppendOptions> {
    if options.is_null() {
        return Ok(AppendOptions::default());
    }
    // SAFETY: as the caller promises.
    unsafe { boundary::struct_in(options, wal_append_options::DEFAULTS)? }.read()
}

/// The bytes of each slice.
///
/// # Safety
/// `NULL`, or points at `count` slices, each with readable bytes for as long as `'a`.
pub(crate) unsafe fn slices<'a>(
    items: *const wal_slice,
    count: usize,
    name: &str,
) -> Outcome<Vec<&'a [u8]>> {
    if count as u64 > limits::BATCH_RECORDS_MAX {
        return Err(Failure::invalid(format!(
            "{name} has {count} elements: at most {} are possible",
            limits::BATCH_RECORDS_MAX
        )));
    }
    // SAFETY: as the caller promises.
    let items = unsafe { boundary::array(items, count, name)? };
    // SAFETY: as the caller promises.
    items.iter().map(|item| unsafe { boundary::bytes(item.data, item.len, name) }).collect()
}
