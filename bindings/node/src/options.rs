//! Options that come in, as plain objects and numbers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::*;
use napi_derive::napi;
use wal_core::{
    AppendOptions, AtCapacity, Io, Level, Lsn, Options, Position, ReadMode, Retention, Wait,
};

/// How a log is opened. JavaScript has checked types and names; ranges are the engine's to check.
#[napi(object)]
#[derive(Default)]
pub struct OpenOptions {
    pub read_only: Option<bool>,
    pub level: Option<String>,
    pub sync_every_ms: Option<BigInt>,
    pub sync_bytes: Option<BigInt>,
    pub segment_bytes: Option<BigInt>,
    pub record_bytes_max: Option<BigInt>,
    pub batch_bytes_max: Option<BigInt>,
    pub ring_bytes: Option<BigInt>,
    pub max_batch_delay_us: Option<BigInt>,
    pub max_batch_bytes: Option<BigInt>,
    pub max_bytes: Option<BigInt>,
    pub at_capacity: Option<String>,
    pub retention_bytes: Option<BigInt>,
    pub retention_age_ms: Option<BigInt>,
    pub retention_records: Option<BigInt>,
    pub lock_wait_ms: Option<BigInt>,
    pub first_lsn: Option<BigInt>,
    pub create: Option<bool>,
    pub io: Option<String>,
    pub read_mode: Option<String>,
    pub pad_to_block: Option<bool>,
}

impl OpenOptions {
    /// The engine's options.
    pub(crate) fn read(&self) -> wal_core::Result<Options> {
        let default = Options::default();
        let milliseconds = |value: &Option<BigInt>| optional(value).map(Duration::from_millis);
        let first_lsn = optional(&self.first_lsn).map_or(Ok(default.first_lsn), Lsn::try_from)?;
        let micros = optional(&self.max_batch_delay_us).map(Duration::from_micros);
        Ok(Options {
            level: level(self.level.as_deref()).unwrap_or(default.level),
            sync_every: milliseconds(&self.sync_every_ms),
            sync_bytes: optional(&self.sync_bytes),
            segment_bytes: optional(&self.segment_bytes).unwrap_or(default.segment_bytes),
            record_bytes_max: optional(&self.record_bytes_max).unwrap_or(default.record_bytes_max),
            batch_bytes_max: optional(&self.batch_bytes_max).unwrap_or(default.batch_bytes_max),
            ring_bytes: optional(&self.ring_bytes).unwrap_or(default.ring_bytes),
            max_batch_delay: micros.unwrap_or(default.max_batch_delay),
            max_batch_bytes: optional(&self.max_batch_bytes).unwrap_or(default.max_batch_bytes),
            max_bytes: optional(&self.max_bytes),
            at_capacity: match self.at_capacity.as_deref() {
                Some("block") => AtCapacity::Block,
                Some("trimOldest") => AtCapacity::TrimOldest,
                _ => AtCapacity::Reject,
            },
            retention: Retention {
                bytes: optional(&self.retention_bytes),
                age: milliseconds(&self.retention_age_ms),
                records: optional(&self.retention_records),
            },
            lock_wait: milliseconds(&self.lock_wait_ms).unwrap_or(default.lock_wait),
            first_lsn,
            create: self.create.unwrap_or(default.create),
            io: match self.io.as_deref() {
                Some("buffered") => Io::Buffered,
                Some("direct") => Io::Direct,
                _ => Io::Auto,
            },
            read_mode: match self.read_mode.as_deref() {
                Some("pread") => ReadMode::Pread,
                _ => ReadMode::Map,
            },
            pad_to_block: self.pad_to_block.unwrap_or(default.pad_to_block),
        })
    }
}

/// What one append asks for: a level or none, how long to wait for room (negative for as long as it
/// takes), and the commit time to record.
pub(crate) fn append_options(
    name: Option<&str>,
    wait_ms: f64,
    time_ns: Option<u64>,
) -> AppendOptions {
    let wait = match wait_ms {
        ms if ms < 0.0 => Wait::Block,
        0.0 => Wait::Try,
        ms => Wait::AtMost(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX)),
    };
    AppendOptions { level: level(name), wait, time: time_ns.map(time_from) }
}

/// A time from nanoseconds since 1970.
pub(crate) fn time_from(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// A position: 0 is the first record, 1 an LSN, 2 the end, 3 a time.
pub(crate) fn position(kind: u32, value: u64) -> wal_core::Result<Position> {
    Ok(match kind {
        0 => Position::First,
        1 => Position::At(Lsn::try_from(value)?),
        2 => Position::End,
        _ => Position::Time(time_from(value)),
    })
}

fn level(name: Option<&str>) -> Option<Level> {
    match name {
        Some("buffered") => Some(Level::Buffered),
        Some("os") => Some(Level::Os),
        Some("disk") => Some(Level::Disk),
        _ => None,
    }
}

/// JavaScript has checked the range.
fn optional(value: &Option<BigInt>) -> Option<u64> {
    value.as_ref().map(|value| value.get_u64().1)
}
