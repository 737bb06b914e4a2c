//! What a log tells about itself: counters, watermarks, latencies and segments.

use std::ffi::c_void;

use wal_core::{Histogram, SegmentStats, Stats};

use crate::boundary::{self, Versioned};
use crate::callback::{Home, Payload, scope};
use crate::error::{Failure, wal_error};
use crate::log::wal_log;
use crate::options::level_number;
use crate::position::number;
use crate::time;

/// A latency: how often, how long.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wal_latency {
    /// How many were measured.
    pub count: u64,
    /// The mean, 0 if none was measured.
    pub mean_ns: u64,
    /// What half of them did not exceed.
    pub p50_ns: u64,
    /// What 90 of 100 did not exceed.
    pub p90_ns: u64,
    /// What 99 of 100 did not exceed.
    pub p99_ns: u64,
    /// What 999 of 1000 did not exceed.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// A log's state; each figure is exact, all of them together are not one instant. Counters count
/// from the opening. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wal_stats {
    /// `sizeof(wal_stats)`, set by the caller.
    pub struct_size: u32,
    /// The log's level: one of `enum wal_level`.
    pub level: i32,
    /// Whether the log refuses appends after a failure: 1 or 0. `wal_poisoned` tells the cause.
    pub poisoned: i32,
    /// Whether the active segment is written past the page cache: 1 or 0.
    pub direct_io: i32,
    /// The epoch of this run of writing.
    pub epoch: u64,
    /// The first record readers see, 0 if there is none.
    pub first_lsn: u64,
    /// The last record readers see, 0 if there is none.
    pub last_lsn: u64,
    /// The LSN the next record gets.
    pub next_lsn: u64,
    /// The last record handed to the engine, 0 if there is none.
    pub submitted_lsn: u64,
    /// The last record given to the kernel, 0 if there is none.
    pub written_lsn: u64,
    /// The last record on stable storage, 0 if there is none.
    pub durable_lsn: u64,
    /// Records appended.
    pub records: u64,
    /// Payload bytes of them.
    pub record_bytes: u64,
    /// Commits written.
    pub commits: u64,
    /// Bytes given to the kernel.
    pub bytes_written: u64,
    /// Syncs of segments on the commit path.
    pub syncs: u64,
    /// Syncs of the state file.
    pub state_syncs: u64,
    /// Segments sealed.
    pub rotations: u64,
    /// Segments made on the commit path because no spare was ready.
    pub spare_misses: u64,
    /// Segments reused.
    pub recycled: u64,
    /// Segments trimmed.
    pub trimmed: u64,
    /// Times an appender had to wait for room.
    pub waits_for_room: u64,
    /// Flushes done by a waiting appender itself.
    pub flushes_inline: u64,
    /// Flushes done by a thread of the library.
    pub flushes_background: u64,
    /// Records read.
    pub reads: u64,
    /// Segments there are.
    pub segments: u64,
    /// Spare segments waiting.
    pub spares: u64,
    /// Bytes of ring memory in use.
    pub ring_bytes_used: u64,
    /// Time from a flush's start to its bytes being in the kernel.
    pub write_latency: wal_latency,
    /// Time of a sync.
    pub sync_latency: wal_latency,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_stats {
    const NAME: &'static str = "wal_stats";
    const TEXT: Option<usize> = None;
}

/// One segment of a log.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wal_segment {
    /// The size of this struct, as the library knows it.
    pub struct_size: u32,
    /// Whether it is sealed: 1 or 0.
    pub sealed: i32,
    /// Its number and file name.
    pub id: u64,
    /// The LSN of its first record, or of its first possible one.
    pub first_lsn: u64,
    /// Its last record, 0 while it is empty.
    pub last_lsn: u64,
    /// Where its valid bytes end.
    pub end: u64,
    /// The size of its file.
    pub file_bytes: u64,
    /// Its epoch.
    pub epoch: u64,
    /// When it was started, in nanoseconds since 1970.
    pub created_ns: i64,
}

/// Gets one segment, oldest first (valid until the callback returns), and the caller's pointer.
/// Returns 0 to go on, anything else to stop.
pub type wal_segment_fn =
    Option<unsafe extern "C-unwind" fn(segment: *const wal_segment, payload: *mut c_void) -> i32>;

/// Fills `stats` with the log's state.
///
/// - Ownership: `stats` is the caller's.
/// - Thread-safety: any thread at once.
/// - Blocking: never for long.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_stats_read(
    log: *const wal_log,
    stats: *mut wal_stats,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::struct_out(stats)?;
            out.put(&wal_stats::of(&log.engine().stats()?));
            Ok(())
        })
    }
}

/// Calls `callback` for every segment, oldest first, until it says to stop. The last is the active
/// one.
///
/// - Ownership: `payload` is handed through.
/// - Thread-safety: any thread at once; the callback runs on the calling thread.
/// - Blocking: as the callback does.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says, and the callback returns without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_stats_segments(
    log: *const wal_log,
    callback: wal_segment_fn,
    payload: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            if callback.is_none() {
                return Err(Failure::invalid("callback is NULL"));
            }
            tell_segments(&log.engine().stats()?.segments, callback, Payload(payload));
            Ok(())
        })
    }
}

/// Whether the log refuses appends: `WAL_OK` if not, else `WAL_ERR_POISONED`, with the first cause
/// in `err`.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_POISONED`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_poisoned(log: *const wal_log, err: *mut wal_error) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| match log.engine().stats()?.poisoned {
            None => Ok(()),
            Some(cause) => Err(Failure::poisoned(cause)),
        })
    }
}

/// Calls C for each segment, if C wants to hear of them.
pub(crate) fn tell_segments(segments: &[SegmentStats], callback: wal_segment_fn, payload: Payload) {
    let Some(callback) = callback else { return };
    scope(Home::Caller, || {
        for segment in segments {
            let segment = wal_segment::of(segment);
            // SAFETY: the segment lives until the callback is over; the rest is C's promise.
            if unsafe { callback(&raw const segment, payload.pointer()) } != 0 {
                break;
            }
        }
    });
}

impl wal_segment {
    fn of(segment: &SegmentStats) -> wal_segment {
        wal_segment {
            struct_size: size_of::<wal_segment>() as u32,
            sealed: i32::from(segment.sealed),
            id: segment.id.0,
            first_lsn: segment.first_lsn.get(),
            last_lsn: number(segment.last_lsn),
            end: segment.end.0,
            file_bytes: segment.file_bytes,
            epoch: segment.epoch,
            created_ns: time::to_ns(segment.created),
        }
    }
}

impl wal_stats {
    fn of(stats: &Stats) -> wal_stats {
        let counters = &stats.counters;
        wal_stats {
            struct_size: 0,
            level: level_number(stats.level),
            poisoned: i32::from(stats.poisoned.is_some()),
            direct_io: i32::from(stats.direct_io),
            epoch: stats.epoch,
            first_lsn: number(stats.first_lsn),
            last_lsn: number(stats.last_lsn),
            next_lsn: stats.next_lsn.get(),
            submitted_lsn: number(stats.submitted_lsn),
            written_lsn: number(stats.written_lsn),
            durable_lsn: number(stats.durable_lsn),
            records: counters.records,
            record_bytes: counters.record_bytes,
            commits: counters.commits,
            bytes_written: counters.bytes_written,
            syncs: counters.syncs,
            state_syncs: counters.state_syncs,
            rotations: counters.rotations,
            spare_misses: counters.spare_misses,
            recycled: counters.recycled,
            trimmed: counters.trimmed,
            waits_for_room: counters.waits_for_room,
            flushes_inline: counters.flushes_inline,
            flushes_background: counters.flushes_background,
            reads: counters.reads,
            segments: stats.segments.len() as u64,
            spares: stats.spares,
            ring_bytes_used: stats.ring_bytes_used,
            write_latency: wal_latency::of(&stats.write_latency),
            sync_latency: wal_latency::of(&stats.sync_latency),
        }
    }
}

impl wal_latency {
    fn of(histogram: &Histogram) -> wal_latency {
        wal_latency {
            count: histogram.count(),
            mean_ns: time::span_ns(histogram.mean()),
            p50_ns: time::span_ns(histogram.quantile(0.5)),
            p90_ns: time::span_ns(histogram.quantile(0.9)),
            p99_ns: time::span_ns(histogram.quantile(0.99)),
            p999_ns: time::span_ns(histogram.quantile(0.999)),
            max_ns: time::span_ns(histogram.max()),
        }
    }
}

const _: () = assert!(size_of::<wal_latency>() == 56);
const _: () = assert!(size_of::<wal_segment>() == 64);
