//! How a log is opened and what one append may ask for.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::limits;
use crate::lsn::Lsn;

/// What an acknowledgement promises, and what readers see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The record is in the engine's memory; it is lost with the process.
    Buffered,
    /// The record was given to the kernel; it survives the death of the process.
    Os,
    /// The record survives power loss.
    #[default]
    Disk,
}

/// What happens to an append that finds the log at its capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtCapacity {
    /// The append fails with `Full`.
    #[default]
    Reject,
    /// The append waits until a trim makes room (or fails as its [`Wait`] says).
    Block,
    /// The oldest segments are trimmed, whether they were read or not.
    TrimOldest,
}

/// What may be trimmed without being asked: whole sealed segments at the head, oldest first, while
/// any of the limits that are set is exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Keep at most about this many bytes of records (whole segments).
    pub bytes: Option<u64>,
    /// Keep records at most about this long after their commit.
    pub age: Option<Duration>,
    /// Keep at most about this many records.
    pub records: Option<u64>,
}

/// How the active segment is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// The engine chooses for each commit, by what was written between the syncs of late: large
    /// commits of a stream go past the page cache, all others through it.
    #[default]
    Auto,
    /// Through the page cache.
    Buffered,
    /// Past the page cache (`O_DIRECT`), where the file system can; `stats` tells.
    Direct,
}

impl Io {
    /// From how many bytes on a commit to a file opened for it goes past the page cache.
    pub(crate) fn direct_bytes_min(self) -> u64 {
        match self {
            Io::Auto => DIRECT_BYTES_MIN,
            Io::Buffered => u64::MAX,
            Io::Direct => 0,
        }
    }
}

/// How records are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// Through a mapping, without copying; of the newest segment only where it is written through
    /// the page cache. A device error while reading is a signal (`SIGBUS`), as
    /// is another process cutting the file.
    #[default]
    Map,
    /// With `pread` into memory of the record; every failure is an error.
    Pread,
}

/// How a log is opened. Every field has a default; only the level is a decision most users make.
///
/// ```
/// use wal_core::{Level, Options};
/// let options = Options { level: Level::Os, ..Options::default() };
/// # assert_eq!(options.level, Level::Os);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What an acknowledgement promises unless the call says otherwise.
    pub level: Level,
    /// Sync at the latest this long after a record was written, at `Os` and `Buffered` levels.
    /// Covers the last record too.
    pub sync_every: Option<Duration>,
    /// Sync at the latest when this many bytes were written since the last sync.
    pub sync_bytes: Option<u64>,
    /// Size of a segment file, 64 KiB to 4 GiB. Applies to segments started from now on.
    pub segment_bytes: u64,
    /// The longest record accepted; a longer one is `Invalid` before anything happens.
    pub record_bytes_max: u64,
    /// The largest batch accepted (sum of its payloads).
    pub batch_bytes_max: u64,
    /// Memory for records on their way to the kernel; appenders wait when it is full.
    pub ring_bytes: u64,
    /// How long a flush may wait for more records, where a user trades latency for fewer syncs.
    /// Zero (the default) is the fastest: a flush takes what came during the one before.
    pub max_batch_delay: Duration,
    /// About how much one flush takes at the most.
    pub max_batch_bytes: u64,
    /// Size of all segment files together that is not exceeded; at least two segments.
    pub max_bytes: Option<u64>,
    /// What happens at `max_bytes`.
    pub at_capacity: AtCapacity,
    /// What may be trimmed without being asked.
    pub retention: Retention,
    /// How long opening waits for another writer to go; zero fails with `Locked` at once.
    pub lock_wait: Duration,
    /// The first LSN of a log that is created by this opening.
    pub first_lsn: Lsn,
    /// Whether a missing log is created; otherwise opening it is `NotFound`.
    pub create: bool,
    /// How the active segment is written.
    pub io: Io,
    /// How records are read.
    pub read_mode: ReadMode,
    /// Pads every commit to a full block, for devices that may damage the neighbours of a sector
    /// they are writing when power fails.
    pub pad_to_block: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            level: Level::Disk,
            sync_every: None,
            sync_bytes: None,
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            record_bytes_max: limits::RECORD_BYTES_MAX_DEFAULT,
            batch_bytes_max: limits::BATCH_BYTES_MAX_DEFAULT,
            ring_bytes: limits::RING_BYTES_DEFAULT,
            max_batch_delay: Duration::ZERO,
            max_batch_bytes: limits::FLUSH_BYTES_MAX_DEFAULT,
            max_bytes: None,
            at_capacity: AtCapacity::Reject,
            retention: Retention::default(),
            lock_wait: Duration::ZERO,
            first_lsn: Lsn::FIRST,
            create: true,
            io: Io::Auto,
            read_mode: ReadMode::Map,
            pad_to_block: false,
        }
    }
}

/// What one append asks for beyond the log's options; see [`crate::Log::with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppendOptions {
    /// The level of this append; the log's unless set.
    pub level: Option<Level>,
    /// What to do when the ring is full or the log is at a blocking capacity.
    pub wait: Wait,
    /// The commit time to record, for copies and imports; the clock's unless set. A log's times
    /// never go back: a time before the previous commit's is raised to it.
    pub time: Option<SystemTime>,
}

/// How long a call may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// As long as it takes.
    #[default]
    Block,
    /// Not at all: `WouldBlock`.
    Try,
    /// At most this long: `Timeout`.
    AtMost(Duration),
}

impl Options {
    /// Checks every field against its range and against the others.
    ///
    /// # Errors
    /// `Invalid`, naming the field, its value and the range.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::invalid(format!("{name} is {value}: it must be {least} to {most}")))
        };
        within(
            "segment_bytes",
            self.segment_bytes,
            limits::SEGMENT_BYTES_MIN,
            limits::SEGMENT_BYTES_MAX,
        )
        .map_err(|error| {
            Error::invalid(format!(
                "{}; a smaller segment would be mostly headers, a larger one breaks the index",
                error.message()
            ))
        })?;
        if !self.segment_bytes.is_multiple_of(limits::BLOCK_BYTES) {
            return Err(Error::invalid(format!(
                "segment_bytes is {}: it must be a multiple of {}",
                self.segment_bytes,
                limits::BLOCK_BYTES
            )));
        }
        within("record_bytes_max", self.record_bytes_max, 1, limits::RECORD_BYTES_MAX)?;
        within(
            "batch_bytes_max",
            self.batch_bytes_max,
            self.record_bytes_max,
            limits::BATCH_BYTES_MAX,
        )?;
        within("ring_bytes", self.ring_bytes, limits::RING_BYTES_MIN, limits::RING_BYTES_MAX)?;
        within("max_batch_bytes", self.max_batch_bytes, 4096, limits::RING_BYTES_MAX)?;
        if let Some(max_bytes) = self.max_bytes {
            within("max_bytes", max_bytes, self.segment_bytes.saturating_mul(2), u64::MAX)?;
        }
        if self.max_batch_delay > Duration::from_secs(1) {
            return Err(Error::invalid(format!(
                "max_batch_delay is {:?}: at most one second",
                self.max_batch_delay
            )));
        }
        Ok(())
    }
}

/// From here on a durable commit is faster past the page cache than through it.
const DIRECT_BYTES_MIN: u64 = 64 * 1024;
