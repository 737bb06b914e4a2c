//! What opening a log found and did, as C gets it.

use std::ffi::c_char;
use std::fmt::Write;
use std::mem::offset_of;

use wal_core::{RecoveryCase, RecoveryReport};

use crate::boundary::Versioned;
use crate::error::write_text;
use crate::position::number;
use crate::time;

/// What opening found.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_recovery_case {
    /// Something a newer version of the engine tells apart; the message says what.
    WAL_RECOVERY_OTHER = 0,
    /// There was no log; it was created.
    WAL_RECOVERY_CREATED = 1,
    /// The log was closed properly.
    WAL_RECOVERY_CLEAN = 2,
    /// The log was not closed, and its last commit is whole.
    WAL_RECOVERY_WHOLE = 3,
    /// The log was not closed, and an unfinished commit was cut off its end.
    WAL_RECOVERY_TORN_TAIL = 4,
}

/// What opening found and did. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_recovery_report {
    /// `sizeof(wal_recovery_report)`, set by the caller.
    pub struct_size: u32,
    /// One of `enum wal_recovery_case`.
    pub recovery_case: i32,
    /// Whether the log was created: 1 or 0.
    pub created: i32,
    /// Whether a tail was cut: 1 or 0. Nothing that was acknowledged at the disk level is in it.
    pub cut: i32,
    /// The first record, 0 if there is none.
    pub first_lsn: u64,
    /// The last record, 0 if there is none.
    pub last_lsn: u64,
    /// The segment whose tail was cut.
    pub cut_segment: u64,
    /// Where in it.
    pub cut_offset: u64,
    /// How many bytes were dropped.
    pub cut_bytes: u64,
    /// Bytes read to find the end.
    pub bytes_scanned: u64,
    /// Commits read to find the end.
    pub commits_scanned: u64,
    /// Bytes written again and synced before anything was served.
    pub bytes_rewritten: u64,
    /// How long it took.
    pub duration_ns: u64,
    /// The report as text: case, cut and notes; always terminated, cut if it is longer.
    pub message: [c_char; 512],
}

// SAFETY: `repr(C)`, begins with its size, only integers, and the text stands last.
unsafe impl Versioned for wal_recovery_report {
    const NAME: &'static str = "wal_recovery_report";
    const TEXT: Option<usize> = Some(offset_of!(wal_recovery_report, message));
}

impl wal_recovery_report {
    /// The engine's report as C gets it.
    pub(crate) fn of(report: &RecoveryReport) -> wal_recovery_report {
        let cut = report.cut.as_ref();
        let mut written = wal_recovery_report {
            struct_size: 0,
            recovery_case: case_of(report.case) as i32,
            created: i32::from(report.created),
            cut: i32::from(cut.is_some()),
            first_lsn: number(report.first_lsn),
            last_lsn: number(report.last_lsn),
            cut_segment: cut.map_or(0, |cut| cut.place.segment.0),
            cut_offset: cut.map_or(0, |cut| cut.place.offset.0),
            cut_bytes: cut.map_or(0, |cut| cut.bytes),
            bytes_scanned: report.bytes_scanned,
            commits_scanned: report.commits_scanned,
            bytes_rewritten: report.bytes_rewritten,
            duration_ns: time::span_ns(report.duration),
            message: [0; 512],
        };
        write_text(&mut written.message, &text_of(report));
        written
    }
}

fn case_of(case: RecoveryCase) -> wal_recovery_case {
    match case {
        RecoveryCase::Created => wal_recovery_case::WAL_RECOVERY_CREATED,
        RecoveryCase::Clean => wal_recovery_case::WAL_RECOVERY_CLEAN,
        RecoveryCase::Whole => wal_recovery_case::WAL_RECOVERY_WHOLE,
        RecoveryCase::TornTail => wal_recovery_case::WAL_RECOVERY_TORN_TAIL,
        _ => wal_recovery_case::WAL_RECOVERY_OTHER,
    }
}

fn text_of(report: &RecoveryReport) -> String {
    let mut text = report.case.to_string();
    if let Some(cut) = &report.cut {
        // Writing to a string cannot fail.
        let _ = write!(text, "; {} bytes cut at {}: {}", cut.bytes, cut.place, cut.reason);
    }
    for note in &report.notes {
        text.push_str("; ");
        text.push_str(note);
    }
    text
}

const _: () = assert!(size_of::<wal_recovery_report>() == 600);
