//! Looking into a log from outside, beside a live writer or after a crash.

use std::ffi::{c_char, c_void};

use wal_core::check::{self, Info};

use crate::boundary::{self, Versioned};
use crate::callback::Payload;
use crate::error::wal_error;
use crate::position::number;
use crate::recovery::wal_recovery_report;
use crate::stats::{tell_segments, wal_segment_fn};
use crate::time;

/// What there is at a path. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_info {
    /// `sizeof(wal_info)`, set by the caller.
    pub struct_size: u32,
    /// Whether the last writer closed the log properly: 1 or 0.
    pub clean: i32,
    /// Whether a writer has it open now: 1 or 0.
    pub writer_alive: i32,
    /// Always 0.
    pub reserved: u32,
    /// The log's identity.
    pub uuid: [u8; 16],
    /// The epoch of the last run of writing.
    pub epoch: u64,
    /// The first record, 0 if there is none.
    pub first_lsn: u64,
    /// The last record, 0 if there is none.
    pub last_lsn: u64,
    /// The LSN the next record gets.
    pub next_lsn: u64,
    /// Everything below this segment and offset is known to be durable.
    pub durable_segment: u64,
    /// The offset in that segment.
    pub durable_offset: u64,
    /// The commit time of the first record, in nanoseconds since 1970; 0 if there is none.
    pub first_time_ns: i64,
    /// The commit time of the last record; 0 if there is none.
    pub last_time_ns: i64,
    /// How many segments there are.
    pub segments: u64,
    /// How many spare segments.
    pub spares: u64,
    /// How many entries the key-value state has.
    pub values: u64,
    /// Bytes of all files.
    pub disk_bytes: u64,
    /// Bytes of valid frames.
    pub valid_bytes: u64,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_info {
    const NAME: &'static str = "wal_info";
    const TEXT: Option<usize> = None;
}

impl wal_info {
    fn of(info: &Info) -> wal_info {
        wal_info {
            struct_size: 0,
            clean: i32::from(info.clean),
            writer_alive: i32::from(info.writer_alive),
            reserved: 0,
            uuid: info.uuid,
            epoch: info.epoch,
            first_lsn: number(info.first_lsn),
            last_lsn: number(info.last_lsn),
            next_lsn: info.next_lsn.get(),
            durable_segment: info.durable_through.segment.0,
            durable_offset: info.durable_through.offset.0,
            first_time_ns: info.first_time.map_or(0, time::to_ns),
            last_time_ns: info.last_time.map_or(0, time::to_ns),
            segments: info.segments.len() as u64,
            spares: info.spares,
            values: info.values,
            disk_bytes: info.disk_bytes,
            valid_bytes: info.valid_bytes,
        }
    }
}

/// Tells what there is at `path`, and what opening it would do. `info`, `recovery` and `segments`
/// may be `NULL`; `segments` is called for every segment, oldest first. Nothing on disk is
/// changed.
///
/// - Ownership: `path` is copied, `payload` handed through.
/// - Thread-safety: any thread at once, beside a live writer; the callback runs on the calling
///   thread.
/// - Blocking: reads headers and the tail.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_CORRUPT`, `WAL_ERR_UNSUPPORTED`,
///   `WAL_ERR_IO`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_check_info(
    path: *const c_char,
    info: *mut wal_info,
    recovery: *mut wal_recovery_report,
    segments: wal_segment_fn,
    payload: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let path = boundary::path(path, "path")?;
            let info_out = boundary::struct_out_optional(info)?;
            let recovery_out = boundary::struct_out_optional(recovery)?;
            let found = check::info(path)?;
            tell_segments(&found.segments, segments, Payload(payload));
            info_out.put(&wal_info::of(&found));
            recovery_out.put(&wal_recovery_report::of(&found.recovery));
            Ok(())
        })
    }
}

const _: () = assert!(size_of::<wal_info>() == 136);
