//! Verifying every byte of a log, and repairing it.

use std::ffi::{CString, c_char, c_void};
use std::os::unix::ffi::OsStrExt;

use wal_core::check::{self, Finding, RepairReport, VerifyReport};

use crate::boundary::{self, Versioned};
use crate::callback::{Home, Payload, scope};
use crate::codes::wal_code;
use crate::error::wal_error;
use crate::options::truth;
use crate::position::number;

/// One wrong place.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_finding {
    /// The size of this struct, as the library knows it.
    pub struct_size: u32,
    /// What is wrong: `WAL_ERR_CORRUPT`, or another code of `enum wal_code`.
    pub code: i32,
    /// Whether records can be lost by it: 1 or 0.
    pub records_at_stake: i32,
    /// Always 0.
    pub reserved: u32,
    /// The segment, 0 if none.
    pub segment: u64,
    /// Where in the file.
    pub offset: u64,
    /// The first record at stake, 0 if it is not known.
    pub first_lsn: u64,
    /// The last record at stake, 0 if it is not known.
    pub last_lsn: u64,
    /// The file, terminated; empty if it is not about one.
    pub path: *const c_char,
    /// What is wrong, for a person: one line of UTF-8, terminated.
    pub message: *const c_char,
}

/// Gets one finding (valid until the callback returns) and the caller's pointer.
pub type wal_finding_fn =
    Option<unsafe extern "C-unwind" fn(finding: *const wal_finding, payload: *mut c_void)>;

/// Told how far a verification is; may be called often.
pub type wal_progress_fn =
    Option<unsafe extern "C-unwind" fn(bytes_done: u64, bytes_total: u64, payload: *mut c_void)>;

/// What a verification found. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wal_verify_report {
    /// `sizeof(wal_verify_report)`, set by the caller.
    pub struct_size: u32,
    /// Whether there is an unfinished tail that opening would cut, which is no damage: 1 or 0.
    pub torn_tail: i32,
    /// How many findings there are; 0 for a sound log.
    pub findings: u64,
    /// Segments read.
    pub segments: u64,
    /// Commits read.
    pub commits: u64,
    /// Records read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The first record, 0 if there is none.
    pub first_lsn: u64,
    /// The last record, 0 if there is none.
    pub last_lsn: u64,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_verify_report {
    const NAME: &'static str = "wal_verify_report";
    const TEXT: Option<usize> = None;
}

impl wal_verify_report {
    fn of(report: &VerifyReport) -> wal_verify_report {
        wal_verify_report {
            struct_size: 0,
            torn_tail: i32::from(report.torn_tail.is_some()),
            findings: report.findings.len() as u64,
            segments: report.segments,
            commits: report.commits,
            records: report.records,
            bytes: report.bytes,
            first_lsn: number(report.first_lsn),
            last_lsn: number(report.last_lsn),
        }
    }
}

/// Reads every byte of the log at `path` and compares it with its checksums. `progress`, `finding`
/// and `report` may be `NULL`. Nothing on disk is changed.
///
/// - Ownership: `path` is copied, `payload` handed through.
/// - Thread-safety: any thread at once, beside a live writer; the callbacks run on the calling
///   thread.
/// - Blocking: reads the whole log.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_UNSUPPORTED`, `WAL_ERR_IO`. Damage is
///   no error of this call: look at `report.findings`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callbacks return without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_check_verify(
    path: *const c_char,
    progress: wal_progress_fn,
    finding: wal_finding_fn,
    payload: *mut c_void,
    report: *mut wal_verify_report,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let path = boundary::path(path, "path")?;
            let out = boundary::struct_out_optional(report)?;
            let payload = Payload(payload);
            let found = scope(Home::Caller, || {
                let found = check::verify(path, |done, total| {
                    if let Some(progress) = progress {
                        progress(done, total, payload.pointer());
                    }
                })?;
                for each in &found.findings {
                    tell_finding(each, finding, payload);
                }
                wal_core::Result::Ok(found)
            })?;
            out.put(&wal_verify_report::of(&found));
            Ok(())
        })
    }
}

/// What a line of a repair says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_repair_line {
    /// `text` is something that was (or would be) done.
    WAL_REPAIR_ACTION = 1,
    /// The records `first_lsn` to `last_lsn` are lost.
    WAL_REPAIR_LOST = 2,
    /// `text` is the directory with copies of the changed files.
    WAL_REPAIR_BACKUP = 3,
}

/// Gets one line of a repair: one of `enum wal_repair_line`, its text (terminated, valid until the
/// callback returns), the records it speaks of (0 for none) and the caller's pointer.
pub type wal_repair_fn = Option<
    unsafe extern "C-unwind" fn(
        line: i32,
        text: *const c_char,
        first_lsn: u64,
        last_lsn: u64,
        payload: *mut c_void,
    ),
>;

/// What a repair did. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wal_repair_report {
    /// `sizeof(wal_repair_report)`, set by the caller.
    pub struct_size: u32,
    /// Whether anything was changed: 1 or 0.
    pub changed: i32,
    /// How many things were (or would be) done; 0 for a sound log.
    pub actions: u64,
    /// How many records are lost.
    pub lost_records: u64,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_repair_report {
    const NAME: &'static str = "wal_repair_report";
    const TEXT: Option<usize> = None;
}

impl wal_repair_report {
    fn of(report: &RepairReport) -> wal_repair_report {
        wal_repair_report {
            struct_size: 0,
            changed: i32::from(report.changed),
            actions: report.actions.len() as u64,
            lost_records: report
                .lost
                .iter()
                .fold(0, |sum: u64, lost| sum.saturating_add(lost.count())),
        }
    }
}

/// Salvages the log at `path`: cuts away what is damaged and keeps copies of the changed files.
/// With `dry_run` 1, only tells what it would do. `line` and `report` may be `NULL`.
///
/// When this returns `WAL_OK`, the repaired log survives power loss.
///
/// - Ownership: `path` is copied, `payload` handed through.
/// - Thread-safety: any thread; the callback runs on the calling thread.
/// - Blocking: reads the whole log, writes and syncs what it changes.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED` while a writer holds the log,
///   `WAL_ERR_UNSUPPORTED`, `WAL_ERR_FULL`, `WAL_ERR_IO`, `WAL_ERR_CORRUPT` when nothing can be
///   salvaged.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_check_repair(
    path: *const c_char,
    dry_run: i32,
    line: wal_repair_fn,
    payload: *mut c_void,
    report: *mut wal_repair_report,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            let path = boundary::path(path, "path")?;
            let out = boundary::struct_out_optional(report)?;
            let done = check::repair(path, truth("dry_run", dry_run)?)?;
            tell_repair(&done, line, Payload(payload));
            out.put(&wal_repair_report::of(&done));
            Ok(())
        })
    }
}

fn tell_finding(finding: &Finding, callback: wal_finding_fn, payload: Payload) {
    let Some(callback) = callback else { return };
    let error = &finding.error;
    let path =
        error.path().map_or_else(CString::default, |path| terminated(path.as_os_str().as_bytes()));
    let message = terminated(error.to_string().as_bytes());
    let told = wal_finding {
        struct_size: size_of::<wal_finding>() as u32,
        code: wal_code::of_kind(error.kind()).number(),
        records_at_stake: i32::from(finding.records_at_stake),
        reserved: 0,
        segment: error.segment().map_or(0, |segment| segment.0),
        offset: error.offset().map_or(0, |offset| offset.0),
        first_lsn: number(error.lsns().map(|lsns| lsns.first)),
        last_lsn: number(error.lsns().map(|lsns| lsns.final_)),
        path: path.as_ptr(),
        message: message.as_ptr(),
    };
    // SAFETY: the finding lives until the callback is over; the rest is the caller's promise.
    unsafe { callback(&raw const told, payload.pointer()) }
}

fn tell_repair(done: &RepairReport, callback: wal_repair_fn, payload: Payload) {
    let Some(callback) = callback else { return };
    let tell = |line: wal_repair_line, text: &[u8], first_lsn, last_lsn| {
        let text = terminated(text);
        // SAFETY: the text lives until the callback is over; the rest is the caller's promise.
        unsafe { callback(line as i32, text.as_ptr(), first_lsn, last_lsn, payload.pointer()) }
    };
    scope(Home::Caller, || {
        for action in &done.actions {
            tell(wal_repair_line::WAL_REPAIR_ACTION, action.as_bytes(), 0, 0);
        }
        for lost in &done.lost {
            let text = format!("LSN {lost} lost");
            let (first, last) = (lost.first.get(), lost.final_.get());
            tell(wal_repair_line::WAL_REPAIR_LOST, text.as_bytes(), first, last);
        }
        if let Some(backup) = &done.backup {
            let path = backup.as_os_str().as_bytes();
            tell(wal_repair_line::WAL_REPAIR_BACKUP, path, 0, 0);
        }
    });
}

/// The bytes up to the first zero among them, terminated.
fn terminated(bytes: &[u8]) -> CString {
    let kept: Vec<u8> = bytes.iter().copied().take_while(|byte| *byte != 0).collect();
    CString::new(kept).unwrap_or_default()
}

const _: () = assert!(size_of::<wal_verify_report>() == 64);
const _: () = assert!(size_of::<wal_repair_report>() == 24);
