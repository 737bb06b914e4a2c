//! How a log is opened and what one append may ask for, as C says it.

use std::time::Duration;

use wal_core::{AppendOptions, AtCapacity, Io, Level, Options, ReadMode, Retention, Wait};

use crate::boundary::{self, Versioned};
use crate::codes::{wal_at_capacity, wal_io, wal_level, wal_read_mode};
use crate::error::{Failure, Outcome, wal_error};
use crate::{position, time};

/// How a log is opened. Fill it with `wal_options_init`, then change what should differ; most
/// programs only choose the level.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_options {
    /// `sizeof(wal_options)`, set by `wal_options_init`.
    pub struct_size: u32,
    /// What an acknowledgement promises unless the call says otherwise: one of `enum wal_level`.
    pub level: i32,
    /// Sync at the latest this long after a record was written, below the disk level; 0 for never.
    pub sync_every_ms: u64,
    /// Sync at the latest when this many bytes were written since the last sync; 0 for never.
    pub sync_bytes: u64,
    /// Size of a segment file, 64 KiB to 4 GiB, a multiple of 4 KiB.
    pub segment_bytes: u64,
    /// The longest record accepted.
    pub record_bytes_max: u64,
    /// The largest batch accepted, the sum of its payloads.
    pub batch_bytes_max: u64,
    /// Memory for records on their way to the kernel; appenders wait when it is full.
    pub ring_bytes: u64,
    /// How long a flush may wait for more records; 0, the default, is the fastest.
    pub max_batch_delay_us: u64,
    /// About how much one flush takes at the most.
    pub max_batch_bytes: u64,
    /// Size of all segment files together that is not exceeded; 0 for no limit.
    pub max_bytes: u64,
    /// What happens at `max_bytes`: one of `enum wal_at_capacity`.
    pub at_capacity: i32,
    /// How the active segment is written: one of `enum wal_io`.
    pub io: i32,
    /// Trim whole segments so that about this many bytes of records are kept; 0 for no limit.
    pub retention_bytes: u64,
    /// Trim whole segments whose records are all older than this; 0 for no limit.
    pub retention_age_ms: u64,
    /// Trim whole segments so that about this many records are kept; 0 for no limit.
    pub retention_records: u64,
    /// How long opening waits for another writer to go; 0 fails with `WAL_ERR_LOCKED` at once.
    pub lock_wait_ms: u64,
    /// The first LSN of a log that is created by this opening.
    pub first_lsn: u64,
    /// Whether a missing log is created: 1 or 0.
    pub create: i32,
    /// How sealed segments are read: one of `enum wal_read_mode`.
    pub read_mode: i32,
    /// Whether every commit is padded to a full block, for devices that may damage the neighbours
    /// of a sector when power fails: 1 or 0.
    pub pad_to_block: i32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_options {
    const NAME: &'static str = "wal_options";
    const TEXT: Option<usize> = None;
}

impl wal_options {
    /// The engine's defaults, as C says them.
    pub(crate) fn defaults() -> wal_options {
        let options = Options::default();
        wal_options {
            struct_size: 0,
            level: wal_level::WAL_LEVEL_DEFAULT as i32,
            sync_every_ms: options.sync_every.map_or(0, milliseconds),
            sync_bytes: options.sync_bytes.unwrap_or(0),
            segment_bytes: options.segment_bytes,
            record_bytes_max: options.record_bytes_max,
            batch_bytes_max: options.batch_bytes_max,
            ring_bytes: options.ring_bytes,
            max_batch_delay_us: u64::try_from(options.max_batch_delay.as_micros()).unwrap_or(0),
            max_batch_bytes: options.max_batch_bytes,
            max_bytes: options.max_bytes.unwrap_or(0),
            at_capacity: wal_at_capacity::WAL_AT_CAPACITY_REJECT as i32,
            io: wal_io::WAL_IO_AUTO as i32,
            retention_bytes: options.retention.bytes.unwrap_or(0),
            retention_age_ms: options.retention.age.map_or(0, milliseconds),
            retention_records: options.retention.records.unwrap_or(0),
            lock_wait_ms: milliseconds(options.lock_wait),
            first_lsn: options.first_lsn.get(),
            create: i32::from(options.create),
            read_mode: wal_read_mode::WAL_READ_MODE_MAP as i32,
            pad_to_block: i32::from(options.pad_to_block),
            reserved: 0,
        }
    }

    /// The engine's options. Ranges are the engine's to check; choices are checked here, because
    /// the engine has no way to say a wrong one.
    pub(crate) fn read(&self) -> Outcome<Options> {
        reserved("wal_options", self.reserved)?;
        Ok(Options {
            level: level(self.level)?.unwrap_or_default(),
            sync_every: limit(self.sync_every_ms).map(Duration::from_millis),
            sync_bytes: limit(self.sync_bytes),
            segment_bytes: self.segment_bytes,
            record_bytes_max: self.record_bytes_max,
            batch_bytes_max: self.batch_bytes_max,
            ring_bytes: self.ring_bytes,
            max_batch_delay: Duration::from_micros(self.max_batch_delay_us),
            max_batch_bytes: self.max_batch_bytes,
            max_bytes: limit(self.max_bytes),
            at_capacity: at_capacity(self.at_capacity)?,
            retention: Retention {
                bytes: limit(self.retention_bytes),
                age: limit(self.retention_age_ms).map(Duration::from_millis),
                records: limit(self.retention_records),
            },
            lock_wait: Duration::from_millis(self.lock_wait_ms),
            first_lsn: position::lsn(self.first_lsn)?,
            create: truth("create", self.create)?,
            io: io(self.io)?,
            read_mode: read_mode(self.read_mode)?,
            pad_to_block: truth("pad_to_block", self.pad_to_block)?,
        })
    }
}

/// What one batch asks for beyond the log's options. Fill it with `wal_append_options_init`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_append_options {
    /// `sizeof(wal_append_options)`, set by `wal_append_options_init`.
    pub struct_size: u32,
    /// The level of this append: one of `enum wal_level`.
    pub level: i32,
    /// How long to wait for room: negative for as long as it takes, 0 for not at all
    /// (`WAL_ERR_WOULD_BLOCK`), else at most this long (`WAL_ERR_TIMEOUT`).
    pub wait_ms: i64,
    /// The commit time to record, in nanoseconds since 1970, for copies and imports; negative for
    /// the clock's.
    pub time_ns: i64,
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Versioned for wal_append_options {
    const NAME: &'static str = "wal_append_options";
    const TEXT: Option<usize> = None;
}

impl wal_append_options {
    /// What an append without options asks for.
    pub(crate) const DEFAULTS: wal_append_options = wal_append_options {
        struct_size: 0,
        level: wal_level::WAL_LEVEL_DEFAULT as i32,
        wait_ms: -1,
        time_ns: -1,
    };

    /// The engine's options.
    pub(crate) fn read(&self) -> Outcome<AppendOptions> {
        let wait = match time::timeout(self.wait_ms) {
            None => Wait::Block,
            Some(Duration::ZERO) => Wait::Try,
            Some(wait) => Wait::AtMost(wait),
        };
        let time = if self.time_ns < 0 { None } else { Some(time::from_ns(self.time_ns)?) };
        Ok(AppendOptions { level: level(self.level)?, wait, time })
    }
}

/// Fills `options` with the defaults of this library. `struct_size` is `sizeof(wal_options)`.
///
/// - Ownership: the struct is the caller's.
/// - Thread-safety: any thread, each with a struct of its own.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID` for `NULL` and for an impossible size.
/// - Since: 0.1.0
///
/// # Safety
/// `options` points at `struct_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_options_init(options: *mut wal_options, struct_size: usize) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(std::ptr::null_mut::<wal_error>(), || {
            boundary::struct_init(options, struct_size, &wal_options::defaults())
        })
    }
}

/// Fills `options` with what an append without options asks for. `struct_size` is
/// `sizeof(wal_append_options)`.
///
/// - Ownership: the struct is the caller's.
/// - Thread-safety: any thread, each with a struct of its own.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID` for `NULL` and for an impossible size.
/// - Since: 0.1.0
///
/// # Safety
/// `options` points at `struct_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_append_options_init(
    options: *mut wal_append_options,
    struct_size: usize,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(std::ptr::null_mut::<wal_error>(), || {
            boundary::struct_init(options, struct_size, &wal_append_options::DEFAULTS)
        })
    }
}

/// The level C speaks of, `None` for the log's own.
#[inline]
pub(crate) fn level(level: i32) -> Outcome<Option<Level>> {
    if level == wal_level::WAL_LEVEL_DEFAULT as i32 {
        Ok(None)
    } else if level == wal_level::WAL_LEVEL_BUFFERED as i32 {
        Ok(Some(Level::Buffered))
    } else if level == wal_level::WAL_LEVEL_OS as i32 {
        Ok(Some(Level::Os))
    } else if level == wal_level::WAL_LEVEL_DISK as i32 {
        Ok(Some(Level::Disk))
    } else {
        Err(not_one_of("level", level, "wal_level"))
    }
}

/// The level as C gets it.
pub(crate) fn level_number(level: Level) -> i32 {
    match level {
        Level::Buffered => wal_level::WAL_LEVEL_BUFFERED as i32,
        Level::Os => wal_level::WAL_LEVEL_OS as i32,
        Level::Disk => wal_level::WAL_LEVEL_DISK as i32,
    }
}

fn at_capacity(choice: i32) -> Outcome<AtCapacity> {
    if choice == wal_at_capacity::WAL_AT_CAPACITY_REJECT as i32 {
        Ok(AtCapacity::Reject)
    } else if choice == wal_at_capacity::WAL_AT_CAPACITY_BLOCK as i32 {
        Ok(AtCapacity::Block)
    } else if choice == wal_at_capacity::WAL_AT_CAPACITY_TRIM_OLDEST as i32 {
        Ok(AtCapacity::TrimOldest)
    } else {
        Err(not_one_of("at_capacity", choice, "wal_at_capacity"))
    }
}

fn io(choice: i32) -> Outcome<Io> {
    if choice == wal_io::WAL_IO_AUTO as i32 {
        Ok(Io::Auto)
    } else if choice == wal_io::WAL_IO_BUFFERED as i32 {
        Ok(Io::Buffered)
    } else if choice == wal_io::WAL_IO_DIRECT as i32 {
        Ok(Io::Direct)
    } else {
        Err(not_one_of("io", choice, "wal_io"))
    }
}

fn read_mode(choice: i32) -> Outcome<ReadMode> {
    if choice == wal_read_mode::WAL_READ_MODE_MAP as i32 {
        Ok(ReadMode::Map)
    } else if choice == wal_read_mode::WAL_READ_MODE_PREAD as i32 {
        Ok(ReadMode::Pread)
    } else {
        Err(not_one_of("read_mode", choice, "wal_read_mode"))
    }
}

/// A yes or no of C.
pub(crate) fn truth(name: &str, choice: i32) -> Outcome<bool> {
    match choice {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::invalid(format!("{name} is {choice}: pass 0 or 1"))),
    }
}

/// Refuses a reserved field that is in use: a later version may give it a meaning.
pub(crate) fn reserved(name: &str, value: u32) -> Outcome {
    if value == 0 { Ok(()) } else { Err(Failure::invalid(format!("{name}.reserved must be 0"))) }
}

#[cold]
fn not_one_of(name: &str, choice: i32, list: &str) -> Failure {
    Failure::invalid(format!("{name} is {choice}: pass one of enum {list}"))
}

/// A limit of C, where 0 says that there is none.
fn limit(value: u64) -> Option<u64> {
    (value != 0).then_some(value)
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

const _: () = assert!(size_of::<wal_options>() == 144);
const _: () = assert!(size_of::<wal_append_options>() == 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_choices_are_refused_by_name() {
        type Change = fn(&mut wal_options);
        let changes: [(&str, Change); 8] = [
            ("level", |o| o.level = 4),
            ("at_capacity", |o| o.at_capacity = -1),
            ("io", |o| o.io = 3),
            ("read_mode", |o| o.read_mode = 2),
            ("create", |o| o.create = 2),
            ("pad_to_block", |o| o.pad_to_block = -1),
            ("reserved", |o| o.reserved = 1),
            ("LSN", |o| o.first_lsn = 0),
        ];
        for (name, change) in changes {
            let mut options = wal_options::defaults();
            change(&mut options);
            let message = options.read().expect_err(name).message();
            assert!(message.contains(name), "{name}: {message}");
        }
    }

    #[test]
    fn the_defaults_are_the_engines() {
        assert_eq!(wal_options::defaults().read().expect("defaults"), Options::default());
        let append = wal_append_options::DEFAULTS.read().expect("defaults");
        assert_eq!(append, AppendOptions::default());
    }

    #[test]
    fn every_field_reaches_the_engine() {
        let given = wal_options {
            level: 2,
            sync_every_ms: 3,
            sync_bytes: 4,
            segment_bytes: 5,
            record_bytes_max: 6,
            batch_bytes_max: 7,
            ring_bytes: 8,
            max_batch_delay_us: 9,
            max_batch_bytes: 10,
            max_bytes: 11,
            at_capacity: 2,
            io: 2,
            retention_bytes: 12,
            retention_age_ms: 13,
            retention_records: 14,
            lock_wait_ms: 15,
            first_lsn: 16,
            create: 0,
            read_mode: 1,
            pad_to_block: 1,
            ..wal_options::defaults()
        };
        let expected = Options {
            level: Level::Os,
            sync_every: Some(Duration::from_millis(3)),
            sync_bytes: Some(4),
            segment_bytes: 5,
            record_bytes_max: 6,
            batch_bytes_max: 7,
            ring_bytes: 8,
            max_batch_delay: Duration::from_micros(9),
            max_batch_bytes: 10,
            max_bytes: Some(11),
            at_capacity: AtCapacity::TrimOldest,
            io: Io::Direct,
            retention: Retention {
                bytes: Some(12),
                age: Some(Duration::from_millis(13)),
                records: Some(14),
            },
            lock_wait: Duration::from_millis(15),
            first_lsn: wal_core::Lsn::new(16).expect("an LSN"),
            create: false,
            read_mode: ReadMode::Pread,
            pad_to_block: true,
        };
        assert_eq!(given.read().expect("well-formed"), expected);
    }

    #[test]
    fn the_waits_of_an_append_are_told_apart() {
        let wait = |wait_ms| {
            let options = wal_append_options { wait_ms, ..wal_append_options::DEFAULTS };
            options.read().expect("well-formed").wait
        };
        assert_eq!(wait(-5), Wait::Block);
        assert_eq!(wait(0), Wait::Try);
        assert_eq!(wait(20), Wait::AtMost(Duration::from_millis(20)));
    }
}
