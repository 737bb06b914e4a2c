//! Reports that go out, as plain objects.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::*;
use napi_derive::napi;
use wal_core::check::{Info, RepairReport, VerifyReport};
use wal_core::{
    CopyReport, Cut, Histogram, Level, Lsn, LsnRange, Place, RecoveryReport, SegmentStats, Stats,
};

/// A time as nanoseconds since 1970.
pub(crate) fn nanoseconds(time: SystemTime) -> BigInt {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    BigInt::from(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// An LSN, or null.
pub(crate) fn lsn(lsn: Option<Lsn>) -> Option<BigInt> {
    lsn.map(|lsn| BigInt::from(lsn.get()))
}

/// Thirty-two hexadecimal digits.
pub(crate) fn uuid(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn level_name(level: Level) -> String {
    match level {
        Level::Buffered => "buffered",
        Level::Os => "os",
        Level::Disk => "disk",
    }
    .to_owned()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Milliseconds, as JavaScript counts them.
fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Both ends of a range of LSNs.
#[napi(object)]
pub struct LsnRangeObject {
    pub first: BigInt,
    pub last: BigInt,
}

impl From<LsnRange> for LsnRangeObject {
    fn from(lsns: LsnRange) -> LsnRangeObject {
        LsnRangeObject { first: lsns.first.get().into(), last: lsns.final_.get().into() }
    }
}

/// A place in a segment's file.
#[napi(object)]
pub struct PlaceObject {
    pub segment: BigInt,
    pub offset: BigInt,
}

impl From<Place> for PlaceObject {
    fn from(place: Place) -> PlaceObject {
        PlaceObject { segment: place.segment.0.into(), offset: place.offset.0.into() }
    }
}

/// A tail that was cut off.
#[napi(object)]
pub struct CutObject {
    pub segment: BigInt,
    pub offset: BigInt,
    pub bytes: BigInt,
    pub reason: String,
}

impl From<&Cut> for CutObject {
    fn from(cut: &Cut) -> CutObject {
        let PlaceObject { segment, offset } = cut.place.into();
        CutObject { segment, offset, bytes: cut.bytes.into(), reason: cut.reason.clone() }
    }
}

/// What an opening found and did. `kind` is the row of the decision table; `case` is no name that
/// destructuring could use.
#[napi(object, use_nullable = true)]
pub struct RecoveryObject {
    pub kind: String,
    pub created: bool,
    pub first_lsn: Option<BigInt>,
    pub last_lsn: Option<BigInt>,
    pub cut: Option<CutObject>,
    pub notes: Vec<String>,
    pub bytes_scanned: BigInt,
    pub commits_scanned: BigInt,
    pub bytes_rewritten: BigInt,
    pub duration_ms: f64,
}

impl From<&RecoveryReport> for RecoveryObject {
    fn from(report: &RecoveryReport) -> RecoveryObject {
        RecoveryObject {
            kind: report.case.label().to_owned(),
            created: report.created,
            first_lsn: lsn(report.first_lsn),
            last_lsn: lsn(report.last_lsn),
            cut: report.cut.as_ref().map(CutObject::from),
            notes: report.notes.clone(),
            bytes_scanned: report.bytes_scanned.into(),
            commits_scanned: report.commits_scanned.into(),
            bytes_rewritten: report.bytes_rewritten.into(),
            duration_ms: ms(report.duration),
        }
    }
}

/// One segment.
#[napi(object, use_nullable = true)]
pub struct SegmentObject {
    pub id: BigInt,
    pub first_lsn: BigInt,
    pub last_lsn: Option<BigInt>,
    pub end: BigInt,
    pub file_bytes: BigInt,
    pub sealed: bool,
    pub epoch: BigInt,
    pub created_ns: BigInt,
}

impl From<&SegmentStats> for SegmentObject {
    fn from(segment: &SegmentStats) -> SegmentObject {
        SegmentObject {
            id: segment.id.0.into(),
            first_lsn: segment.first_lsn.get().into(),
            last_lsn: lsn(segment.last_lsn),
            end: segment.end.0.into(),
            file_bytes: segment.file_bytes.into(),
            sealed: segment.sealed,
            epoch: segment.epoch.into(),
            created_ns: nanoseconds(segment.created),
        }
    }
}

/// Latencies in milliseconds.
#[napi(object)]
pub struct LatencyObject {
    pub count: BigInt,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl From<&Histogram> for LatencyObject {
    fn from(histogram: &Histogram) -> LatencyObject {
        LatencyObject {
            count: histogram.count().into(),
            mean_ms: ms(histogram.mean()),
            p50_ms: ms(histogram.quantile(0.5)),
            p99_ms: ms(histogram.quantile(0.99)),
            max_ms: ms(histogram.max()),
        }
    }
}

/// Event counts since the log was opened.
#[napi(object)]
pub struct CountersObject {
    pub records: BigInt,
    pub record_bytes: BigInt,
    pub commits: BigInt,
    pub bytes_written: BigInt,
    pub syncs: BigInt,
    pub state_syncs: BigInt,
    pub rotations: BigInt,
    pub spare_misses: BigInt,
    pub recycled: BigInt,
    pub trimmed: BigInt,
    pub waits_for_room: BigInt,
    pub flushes_inline: BigInt,
    pub flushes_background: BigInt,
    pub reads: BigInt,
}

/// A snapshot of a log's state.
#[napi(object, use_nullable = true)]
pub struct StatsObject {
    pub level: String,
    pub epoch: BigInt,
    pub first_lsn: Option<BigInt>,
    pub last_lsn: Option<BigInt>,
    pub next_lsn: BigInt,
    pub submitted_lsn: Option<BigInt>,
    pub written_lsn: Option<BigInt>,
    pub durable_lsn: Option<BigInt>,
    pub poisoned: Option<String>,
    pub direct_io: bool,
    pub counters: CountersObject,
    pub write_latency: LatencyObject,
    pub sync_latency: LatencyObject,
    pub segments: Vec<SegmentObject>,
    pub spares: BigInt,
    pub ring_bytes_used: BigInt,
}

impl From<&Stats> for StatsObject {
    fn from(stats: &Stats) -> StatsObject {
        let counters = &stats.counters;
        StatsObject {
            level: level_name(stats.level),
            epoch: stats.epoch.into(),
            first_lsn: lsn(stats.first_lsn),
            last_lsn: lsn(stats.last_lsn),
            next_lsn: stats.next_lsn.get().into(),
            submitted_lsn: lsn(stats.submitted_lsn),
            written_lsn: lsn(stats.written_lsn),
            durable_lsn: lsn(stats.durable_lsn),
            poisoned: stats.poisoned.as_ref().map(ToString::to_string),
            direct_io: stats.direct_io,
            counters: CountersObject {
                records: counters.records.into(),
                record_bytes: counters.record_bytes.into(),
                commits: counters.commits.into(),
                bytes_written: counters.bytes_written.into(),
                syncs: counters.syncs.into(),
                state_syncs: counters.state_syncs.into(),
                rotations: counters.rotations.into(),
                spare_misses: counters.spare_misses.into(),
                recycled: counters.recycled.into(),
                trimmed: counters.trimmed.into(),
                waits_for_room: counters.waits_for_room.into(),
                flushes_inline: counters.flushes_inline.into(),
                flushes_background: counters.flushes_background.into(),
                reads: counters.reads.into(),
            },
            write_latency: (&stats.write_latency).into(),
            sync_latency: (&stats.sync_latency).into(),
            segments: stats.segments.iter().map(SegmentObject::from).collect(),
            spares: stats.spares.into(),
            ring_bytes_used: stats.ring_bytes_used.into(),
        }
    }
}

/// What a log on disk is.
#[napi(object, use_nullable = true)]
pub struct InfoObject {
    pub uuid: String,
    pub epoch: BigInt,
    pub clean: bool,
    pub writer_alive: bool,
    pub first_lsn: Option<BigInt>,
    pub last_lsn: Option<BigInt>,
    pub next_lsn: BigInt,
    pub durable_through: PlaceObject,
    pub first_time_ns: Option<BigInt>,
    pub last_time_ns: Option<BigInt>,
    pub segments: Vec<SegmentObject>,
    pub spares: BigInt,
    pub values: BigInt,
    pub disk_bytes: BigInt,
    pub valid_bytes: BigInt,
    pub recovery: RecoveryObject,
}

impl From<&Info> for InfoObject {
    fn from(info: &Info) -> InfoObject {
        InfoObject {
            uuid: uuid(info.uuid),
            epoch: info.epoch.into(),
            clean: info.clean,
            writer_alive: info.writer_alive,
            first_lsn: lsn(info.first_lsn),
            last_lsn: lsn(info.last_lsn),
            next_lsn: info.next_lsn.get().into(),
            durable_through: info.durable_through.into(),
            first_time_ns: info.first_time.map(nanoseconds),
            last_time_ns: info.last_time.map(nanoseconds),
            segments: info.segments.iter().map(SegmentObject::from).collect(),
            spares: info.spares.into(),
            values: info.values.into(),
            disk_bytes: info.disk_bytes.into(),
            valid_bytes: info.valid_bytes.into(),
            recovery: (&info.recovery).into(),
        }
    }
}

/// What a repair did, or would do.
#[napi(object, use_nullable = true)]
pub struct RepairObject {
    pub actions: Vec<String>,
    pub lost: Vec<LsnRangeObject>,
    pub backup: Option<String>,
    pub changed: bool,
}

impl From<RepairReport> for RepairObject {
    fn from(report: RepairReport) -> RepairObject {
        RepairObject {
            actions: report.actions,
            lost: report.lost.into_iter().map(LsnRangeObject::from).collect(),
            backup: report.backup.as_deref().map(text),
            changed: report.changed,
        }
    }
}

/// A finished hot copy.
#[napi(object, use_nullable = true)]
pub struct CopyObject {
    pub records: BigInt,
    pub first_lsn: Option<BigInt>,
    pub last_lsn: Option<BigInt>,
    pub uuid: String,
}

impl From<&CopyReport> for CopyObject {
    fn from(report: &CopyReport) -> CopyObject {
        CopyObject {
            records: report.records.into(),
            first_lsn: lsn(report.first_lsn),
            last_lsn: lsn(report.last_lsn),
            uuid: uuid(report.uuid),
        }
    }
}

/// One wrong place; the error's parts.
#[napi(object, use_nullable = true)]
pub struct FindingObject {
    pub kind: String,
    pub message: String,
    pub path: Option<String>,
    pub segment: Option<BigInt>,
    pub offset: Option<BigInt>,
    pub errno: Option<i32>,
    pub lsns: Option<LsnRangeObject>,
    pub records_at_stake: bool,
}

/// What a verification found.
#[napi(object, use_nullable = true)]
pub struct VerifyObject {
    pub findings: Vec<FindingObject>,
    pub segments: BigInt,
    pub commits: BigInt,
    pub records: BigInt,
    pub bytes: BigInt,
    pub first_lsn: Option<BigInt>,
    pub last_lsn: Option<BigInt>,
    pub torn_tail: Option<CutObject>,
}

impl From<&VerifyReport> for VerifyObject {
    fn from(report: &VerifyReport) -> VerifyObject {
        let findings = report.findings.iter().map(|finding| FindingObject {
            kind: finding.error.kind().name().to_owned(),
            message: finding.error.to_string(),
            path: finding.error.path().map(text),
            segment: finding.error.segment().map(|segment| segment.0.into()),
            offset: finding.error.offset().map(|offset| offset.0.into()),
            errno: finding.error.os_errno(),
            lsns: finding.error.lsns().map(LsnRangeObject::from),
            records_at_stake: finding.records_at_stake,
        });
        VerifyObject {
            findings: findings.collect(),
            segments: report.segments.into(),
            commits: report.commits.into(),
            records: report.records.into(),
            bytes: report.bytes.into(),
            first_lsn: lsn(report.first_lsn),
            last_lsn: lsn(report.last_lsn),
            torn_tail: report.torn_tail.as_ref().map(CutObject::from),
        }
    }
}
