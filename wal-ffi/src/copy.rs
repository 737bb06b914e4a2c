//! The hot copy.

use std::ffi::c_char;

use wal_core::CopyReport;

use crate::boundary::{self, Versioned};
use crate::error::wal_error;
use crate::log::wal_log;
use crate::position::number;

/// A finished hot copy. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_copy_report {
    /// `sizeof(wal_copy_report)`, set by the caller.
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// How many records were copied.
    pub records: u64,
    /// The first of them, 0 if there is none.
    pub first_lsn: u64,
    /// The last of them, 0 if there is none.
    pub last_lsn: u64,
    /// The identity of the copy.
    pub uuid: [u8; 16],
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_copy_report {
    const NAME: &'static str = "wal_copy_report";
    const TEXT: Option<usize> = None;
}

impl wal_copy_report {
    fn of(report: &CopyReport) -> wal_copy_report {
        wal_copy_report {
            struct_size: 0,
            reserved: 0,
            records: report.records,
            first_lsn: number(report.first_lsn),
            last_lsn: number(report.last_lsn),
            uuid: report.uuid,
        }
    }
}

/// Copies the log, while it is in use, to a new log in the directory `path`, with an identity of
/// its own. `report` may be `NULL`.
///
/// When this returns `WAL_OK`, the copy survives power loss.
///
/// - Ownership: `path` is copied.
/// - Thread-safety: any thread at once; appends go on.
/// - Blocking: reads and writes the whole log.
/// - Errors: `WAL_ERR_INVALID` when there is something at `path`, `WAL_ERR_FULL`, `WAL_ERR_IO`,
///   `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_copy_to(
    log: *const wal_log,
    path: *const c_char,
    report: *mut wal_copy_report,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let path = boundary::path(path, "path")?;
            let report = boundary::struct_out_optional(report)?;
            report.put(&wal_copy_report::of(&log.engine().copy_to(path)?));
            Ok(())
        })
    }
}

const _: () = assert!(size_of::<wal_copy_report>() == 48);
