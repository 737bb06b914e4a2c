//! What a log is and what is in it, without reading all of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind, Result};
use crate::lsn::{FileOffset, Lsn, Place};
use crate::options::{Options, ReadMode};
use crate::read_only::read_slots;
use crate::recovery::{
    Judged, RecoveryReport, Survey, first_lsn, is_writer_alive, judged, report_of, sealed_segments,
};
use crate::segment::{DATA_START, Segment, Stop};
use crate::state::Slot;
use crate::stats::SegmentStats;
use crate::vfs::{Access, RealVfs, Vfs};

/// What [`info`] found.
#[derive(Clone, Debug)]
pub struct Info {
    /// The log's identity.
    pub uuid: [u8; 16],
    /// The number of the last run of writing.
    pub epoch: u64,
    /// Whether the last writer closed the log in order.
    pub clean: bool,
    /// Whether a writer has it open now.
    pub writer_alive: bool,
    /// The first record there is.
    pub first_lsn: Option<Lsn>,
    /// The last record there is.
    pub last_lsn: Option<Lsn>,
    /// The LSN the next record gets.
    pub next_lsn: Lsn,
    /// Everything before this place is known to be on stable storage. There may be more.
    pub durable_through: Place,
    /// When the first record was committed.
    pub first_time: Option<SystemTime>,
    /// When the last record was committed.
    pub last_time: Option<SystemTime>,
    /// The segments, oldest first.
    pub segments: Vec<SegmentStats>,
    /// Spare segments waiting.
    pub spares: u64,
    /// Keys of the key-value state.
    pub values: u64,
    /// Bytes of all files in the log's directory.
    pub disk_bytes: u64,
    /// Bytes of valid frames: records, trailers and whatever stands between them.
    pub valid_bytes: u64,
    /// What an opening for writing would find and decide now.
    pub recovery: RecoveryReport,
}

/// Tells what the log at `path` is: identity, extent, segments, and what an opening would decide.
/// Reads headers, the state and the newest segment, beside a live writer too; changes nothing.
///
/// # Errors
/// `NotFound` when there is no log; `Corrupt` where an opening would refuse it, [`super::verify`]
/// says what is wrong in full; `Unsupported` for a newer format, `Invalid` for a path that is no
/// directory, `Io`.
pub fn info(path: impl AsRef<Path>) -> Result<Info> {
    info_with(Arc::new(RealVfs), path)
}

/// The same on another storage.
///
/// # Errors
/// As [`info`].
pub fn info_with(vfs: Arc<dyn Vfs>, path: impl AsRef<Path>) -> Result<Info> {
    let path = path.as_ref();
    let mut tries_left = TRIES_MAX;
    loop {
        let writer_alive = is_writer_alive(&*vfs, path)?;
        match look(&vfs, path, writer_alive) {
            // A live writer may have changed something between two glances.
            Err(error) if writer_alive && tries_left > 0 && may_pass(&error) => {
                tries_left -= 1;
                crate::sync::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io | ErrorKind::Trimmed)
}

fn look(vfs: &Arc<dyn Vfs>, path: &Path, writer_alive: bool) -> Result<Info> {
    let options = Options { read_mode: ReadMode::Pread, ..Options::default() };
    let state = read_slots(&**vfs, path)?;
    let slot = state.newest().cloned().unwrap_or_else(Slot::unknown);
    let survey = Survey::take(&**vfs, path, state.newest())?;
    let tail = judged(&**vfs, &survey, state.newest(), &options)?;
    let report = report_of(false, Some(&state), &survey, &tail, &slot);
    let next = tail.as_ref().map_or(slot.next_lsn, |tail| tail.scanned.scanner.next_lsn);
    let first = first_lsn(&survey, &slot);
    let segments = sealed_segments(vfs, &survey, &tail, &options, true);
    let is_tail_sealed = tail.as_ref().is_some_and(|tail| tail.scanned.stop == Stop::Sealed);
    let newest = segments.len().saturating_sub(1);
    let stats = segments.iter().enumerate();
    let stats = stats.map(|(at, segment)| stats_of(segment, at < newest || is_tail_sealed));
    let is_empty = first >= next;
    let time_at = |lsn: u64| -> Result<Option<SystemTime>> {
        let holds = |segment: &&Arc<Segment>| segment.header().first_lsn <= lsn;
        let Some(segment) = segments.iter().rev().find(holds).filter(|_| !is_empty) else {
            return Ok(None);
        };
        let commit = segment.commit_after(lsn)?;
        Ok(UNIX_EPOCH.checked_add(Duration::from_nanos(commit.time_ns)))
    };
    let valid = segments.iter().filter_map(|segment| segment.extent());
    Ok(Info {
        uuid: slot.uuid,
        epoch: tail.as_ref().map_or(0, |tail| tail.scanned.scanner.epoch).max(slot.epoch),
        clean: report.case == crate::RecoveryCase::Clean,
        writer_alive,
        first_lsn: Lsn::new(first).filter(|_| !is_empty),
        last_lsn: Lsn::new(next.saturating_sub(1)).filter(|_| !is_empty),
        next_lsn: Lsn::new(next).unwrap_or(Lsn::MAX),
        durable_through: durable_through(&survey, &tail, &slot),
        first_time: time_at(first)?,
        last_time: time_at(next.saturating_sub(1))?,
        segments: stats.collect::<Result<_>>()?,
        spares: survey.spares.len() as u64,
        values: slot.values.iter().len() as u64,
        disk_bytes: disk_bytes(&**vfs, path)?,
        valid_bytes: valid
            .fold(0, |sum, extent| sum.saturating_add(extent.end.saturating_sub(DATA_START))),
        recovery: report,
    })
}

fn stats_of(segment: &Segment, sealed: bool) -> Result<SegmentStats> {
    let header = segment.header();
    let extent = segment.extent();
    let next = extent.map_or(header.first_lsn, |extent| extent.next_lsn);
    let last = Lsn::new(next.saturating_sub(1));
    Ok(SegmentStats {
        id: header.id,
        first_lsn: Lsn::new(header.first_lsn).unwrap_or(Lsn::MAX),
        last_lsn: last.filter(|_| next > header.first_lsn),
        end: FileOffset(extent.map_or(DATA_START, |extent| extent.end)),
        file_bytes: segment.file_bytes()?,
        sealed,
        epoch: header.epoch,
        created: UNIX_EPOCH
            .checked_add(Duration::from_nanos(header.created_ns))
            .unwrap_or(UNIX_EPOCH),
    })
}

fn durable_through(survey: &Survey, tail: &Option<Judged>, slot: &Slot) -> Place {
    let headers = survey.chain.iter().map(|found| found.header.durable_through);
    let scanned = tail.as_ref().map(|tail| tail.scanned.scanner.durable_through);
    headers.chain(scanned).fold(slot.tail, Ord::max)
}

fn disk_bytes(vfs: &dyn Vfs, path: &Path) -> Result<u64> {
    let names = vfs.list(path).map_err(|error| Error::io("listing the log", path, error))?;
    let mut bytes = 0;
    for name in names {
        // What is no regular file is not the log's; what is gone by now takes no room.
        let Ok(file) = vfs.open(&path.join(name), Access::Read) else { continue };
        bytes += file.len().unwrap_or(0);
    }
    Ok(bytes)
}

const TRIES_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(2);
