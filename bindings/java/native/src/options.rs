//! Options as Java hands them over: numbers in the order of `bindings/codes.toml`, -1 for what is
//! not given, durations in nanoseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jni::sys::{jint, jlong};
use wal_core::{
    AppendOptions, AtCapacity, Io, Level, Lsn, Options, Position, ReadMode, Retention, Wait,
};

use crate::boundary::{Failure, Outcome};

/// The options of opening.
pub(crate) fn options(numbers: &[jlong]) -> Outcome<Options> {
    let [
        level_number,
        sync_every,
        sync_bytes,
        segment_bytes,
        record_bytes_max,
        batch_bytes_max,
        ring_bytes,
        max_batch_delay,
        max_batch_bytes,
        max_bytes,
        at_capacity,
        retention_bytes,
        retention_age,
        retention_records,
        lock_wait,
        first_lsn,
        create,
        io,
        read_mode,
        pad_to_block,
    ] = *numbers
    else {
        return Err(Failure::internal("not as many options as there are"));
    };
    let default = Options::default();
    Ok(Options {
        level: level(level_number as jint)?.unwrap_or(default.level),
        sync_every: given(sync_every).map(Duration::from_nanos),
        sync_bytes: given(sync_bytes),
        segment_bytes: given(segment_bytes).unwrap_or(default.segment_bytes),
        record_bytes_max: given(record_bytes_max).unwrap_or(default.record_bytes_max),
        batch_bytes_max: given(batch_bytes_max).unwrap_or(default.batch_bytes_max),
        ring_bytes: given(ring_bytes).unwrap_or(default.ring_bytes),
        max_batch_delay: given(max_batch_delay)
            .map_or(default.max_batch_delay, Duration::from_nanos),
        max_batch_bytes: given(max_batch_bytes).unwrap_or(default.max_batch_bytes),
        max_bytes: given(max_bytes),
        at_capacity: match at_capacity {
            0 => AtCapacity::Reject,
            1 => AtCapacity::Block,
            2 => AtCapacity::TrimOldest,
            other => return Err(not_one("atCapacity", other)),
        },
        retention: Retention {
            bytes: given(retention_bytes),
            age: given(retention_age).map(Duration::from_nanos),
            records: given(retention_records),
        },
        lock_wait: given(lock_wait).map_or(default.lock_wait, Duration::from_nanos),
        first_lsn: given(first_lsn).map_or(Ok(default.first_lsn), Lsn::try_from)?,
        create: create != 0,
        io: match io {
            0 => Io::Auto,
            1 => Io::Buffered,
            2 => Io::Direct,
            other => return Err(not_one("io", other)),
        },
        read_mode: match read_mode {
            0 => ReadMode::Map,
            1 => ReadMode::Pread,
            other => return Err(not_one("readMode", other)),
        },
        pad_to_block: pad_to_block != 0,
    })
}

/// What an append asks for beyond the log's options.
pub(crate) fn append_options(at: jint, wait_ns: jlong, time_ns: jlong) -> Outcome<AppendOptions> {
    let wait = match given(wait_ns) {
        None => Wait::Block,
        Some(0) => Wait::Try,
        Some(wait_ns) => Wait::AtMost(Duration::from_nanos(wait_ns)),
    };
    Ok(AppendOptions { level: level(at)?, wait, time: given(time_ns).map(time) })
}

/// A position, as `Position` has it.
pub(crate) fn position(kind: jint, number: jlong) -> Outcome<Position> {
    match kind {
        0 => Ok(Position::First),
        1 => Ok(Position::End),
        2 => Ok(Position::At(lsn(number)?)),
        3 => Ok(Position::Time(time(given(number).unwrap_or(0)))),
        other => Err(not_one("position", other.into())),
    }
}

pub(crate) fn lsn(number: jlong) -> Outcome<Lsn> {
    u64::try_from(number).ok().and_then(Lsn::new).ok_or_else(|| {
        Failure::invalid(format!("{number} is not an LSN: they run from 1 to {}", Lsn::MAX))
    })
}

/// The number of a level; the log's own has 0.
pub(crate) fn level_number(level: Level) -> jlong {
    match level {
        Level::Buffered => 1,
        Level::Os => 2,
        Level::Disk => 3,
    }
}

fn level(number: jint) -> Outcome<Option<Level>> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(Level::Buffered)),
        2 => Ok(Some(Level::Os)),
        3 => Ok(Some(Level::Disk)),
        other => Err(not_one("level", other.into())),
    }
}

fn given(number: jlong) -> Option<u64> {
    u64::try_from(number).ok()
}

/// A moment, from nanoseconds since 1970.
fn time(time_ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(time_ns)
}

/// A moment as Java gets it: 0 for one before 1970, the largest number for one after 2262.
pub(crate) fn time_ns(time: SystemTime) -> jlong {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| jlong::try_from(since.as_nanos()).unwrap_or(jlong::MAX))
}

/// A duration as Java gets it.
pub(crate) fn span_ns(span: Duration) -> jlong {
    jlong::try_from(span.as_nanos()).unwrap_or(jlong::MAX)
}

#[cold]
fn not_one(name: &str, number: jlong) -> Failure {
    Failure::internal(&format!("{name} is {number}"))
}
