//! Opening, closing, destroying.

use std::time::Duration;

use wal_core::{AtCapacity, Io, Level, Log, Lsn, Options, ReadMode, RecoveryReport, Retention};

use super::answer::{Answer, Trouble, lsn, or_dash};
use super::session::Session;
use crate::literal::hex;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "open" => open(session, line, Log::open),
        "open_read_only" => open(session, line, Log::open_read_only),
        "close" => session.log(line).map_err(Trouble::from).and_then(|log| {
            log.close()?;
            Ok("ok".to_owned())
        }),
        "destroy" => {
            Log::destroy(session.directory(line)).map_err(Trouble::from).map(|()| "ok".to_owned())
        }
        "path" => session.log(line).map_err(Trouble::from).map(|log| {
            let name = log.path().file_name().map(|name| name.to_string_lossy().into_owned());
            format!("ok dir={}", or_dash(name))
        }),
        "uuid" => session
            .log(line)
            .map_err(Trouble::from)
            .map(|log| format!("ok uuid={}", hex(&log.uuid()))),
        _ => return None,
    })
}

fn open(
    session: &mut Session,
    line: &Line<'_>,
    how: impl Fn(std::path::PathBuf, Options) -> wal_core::Result<(Log, RecoveryReport)>,
) -> Answer {
    let name = line.optional("log").unwrap_or("log").to_owned();
    let (directory, options) = (session.directory(line), options(line)?);
    let (log, report) = how(directory, options)?;
    session.logs.insert(name, log);
    let cut = report
        .cut
        .as_ref()
        .map(|cut| format!("{}:{}:{}", cut.place.segment, cut.place.offset, cut.bytes));
    let (first, last) = (or_dash(report.first_lsn), or_dash(report.last_lsn));
    Ok(format!("ok case={} first={first} last={last} cut={}", report.case, or_dash(cut)))
}

/// The options a line gives, defaults otherwise.
fn options(line: &Line<'_>) -> Result<Options, Trouble> {
    let default = Options::default();
    let milliseconds = |key: &str| -> Result<Option<Duration>, String> {
        Ok(line.parsed(key)?.map(Duration::from_millis))
    };
    let micros = line.parsed("max_batch_delay_us")?.map(Duration::from_micros);
    let count = |key: &str, default: u64| -> Result<u64, String> {
        Ok(line.parsed(key)?.unwrap_or(default))
    };
    Ok(Options {
        level: level(line)?.unwrap_or(default.level),
        sync_every: milliseconds("sync_every_ms")?,
        sync_bytes: line.parsed("sync_bytes")?,
        segment_bytes: count("segment_bytes", default.segment_bytes)?,
        record_bytes_max: count("record_bytes_max", default.record_bytes_max)?,
        batch_bytes_max: count("batch_bytes_max", default.batch_bytes_max)?,
        ring_bytes: count("ring_bytes", default.ring_bytes)?,
        max_batch_delay: micros.unwrap_or(default.max_batch_delay),
        max_batch_bytes: count("max_batch_bytes", default.max_batch_bytes)?,
        max_bytes: line.parsed("max_bytes")?,
        at_capacity: one_of(
            line,
            "at_capacity",
            &[
                ("reject", AtCapacity::Reject),
                ("block", AtCapacity::Block),
                ("trim_oldest", AtCapacity::TrimOldest),
            ],
        )?,
        retention: Retention {
            bytes: line.parsed("retention_bytes")?,
            age: milliseconds("retention_age_ms")?,
            records: line.parsed("retention_records")?,
        },
        lock_wait: milliseconds("lock_wait_ms")?.unwrap_or(default.lock_wait),
        first_lsn: lsn(count("first_lsn", Lsn::FIRST.get())?)?,
        create: line.yes("create", default.create)?,
        io: one_of(
            line,
            "io",
            &[("auto", Io::Auto), ("buffered", Io::Buffered), ("direct", Io::Direct)],
        )?,
        read_mode: one_of(
            line,
            "read_mode",
            &[("map", ReadMode::Map), ("pread", ReadMode::Pread)],
        )?,
        pad_to_block: line.yes("pad_to_block", default.pad_to_block)?,
    })
}

/// The level a line gives.
pub(super) fn level(line: &Line<'_>) -> Result<Option<Level>, String> {
    match line.optional("level") {
        None => Ok(None),
        Some("buffered") => Ok(Some(Level::Buffered)),
        Some("os") => Ok(Some(Level::Os)),
        Some("disk") => Ok(Some(Level::Disk)),
        Some(other) => Err(format!("level={other} is none")),
    }
}

/// One of the values of an option; its default when it is left out.
fn one_of<T: Copy + Default>(
    line: &Line<'_>,
    key: &str,
    values: &[(&str, T)],
) -> Result<T, String> {
    let Some(word) = line.optional(key) else { return Ok(T::default()) };
    let found = values.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or_else(|| format!("{key}={word} is none"))
}
