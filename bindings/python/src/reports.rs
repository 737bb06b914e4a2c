//! What the engine reports, as the classes of `libwal/_reports.py`.

use std::path::PathBuf;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use wal_core::check::{self, Info, RepairReport, VerifyReport};
use wal_core::{CopyReport, Cut, Histogram, Log, Lsn, RecoveryReport, SegmentStats, Stats};

use crate::boundary::{detached, in_python};
use crate::error;
use crate::options::{level_name, nanoseconds};

/// What is known of a log without opening it.
#[pyfunction]
pub(crate) fn info<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
    let info = detached(py, || check::info(path))?;
    in_python(py, || informed(py, &info))
}

fn informed<'py>(py: Python<'py>, info: &Info) -> PyResult<Bound<'py, PyAny>> {
    Report::new(py, "Info")?
        .with("_uuid", PyBytes::new(py, &info.uuid))?
        .with("epoch", info.epoch)?
        .with("clean", info.clean)?
        .with("writer_alive", info.writer_alive)?
        .with("first_lsn", number(info.first_lsn))?
        .with("last_lsn", number(info.last_lsn))?
        .with("next_lsn", info.next_lsn.get())?
        .with("first_time", info.first_time.map(nanoseconds))?
        .with("last_time", info.last_time.map(nanoseconds))?
        .with("segments", segments(py, &info.segments)?)?
        .with("spares", info.spares)?
        .with("values", info.values)?
        .with("disk_bytes", info.disk_bytes)?
        .with("valid_bytes", info.valid_bytes)?
        .with("recovery", recovery(py, &info.recovery)?)?
        .made()
}

/// Reads a whole log and tells everything that is wrong with it; changes nothing.
#[pyfunction]
pub(crate) fn verify<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
    let report = detached(py, || check::verify(path, |_, _| {}))?;
    in_python(py, || verified(py, &report))
}

fn verified<'py>(py: Python<'py>, report: &VerifyReport) -> PyResult<Bound<'py, PyAny>> {
    let findings: PyResult<Vec<_>> = report
        .findings
        .iter()
        .map(|finding| {
            Report::new(py, "Finding")?
                .with("error", error::exception(py, &finding.error)?)?
                .with("records_at_stake", finding.records_at_stake)?
                .made()
        })
        .collect();
    Report::new(py, "VerifyReport")?
        .with("findings", findings?)?
        .with("segments", report.segments)?
        .with("commits", report.commits)?
        .with("records", report.records)?
        .with("bytes", report.bytes)?
        .with("first_lsn", number(report.first_lsn))?
        .with("last_lsn", number(report.last_lsn))?
        .with("torn_tail", report.torn_tail.as_ref().map(|tail| cut(py, tail)).transpose()?)?
        .made()
}

/// Salvages what is intact of a damaged log, keeping the files it changes beside.
#[pyfunction]
#[pyo3(signature = (path, *, dry_run=false))]
pub(crate) fn repair<'py>(
    py: Python<'py>,
    path: PathBuf,
    dry_run: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let report = detached(py, || check::repair(path, dry_run))?;
    in_python(py, || repaired(py, &report))
}

fn repaired<'py>(py: Python<'py>, report: &RepairReport) -> PyResult<Bound<'py, PyAny>> {
    let lost: PyResult<Vec<_>> = report.lost.iter().map(|lsns| error::range(py, *lsns)).collect();
    Report::new(py, "RepairReport")?
        .with("actions", &report.actions)?
        .with("lost", lost?)?
        .with("backup", report.backup.as_ref())?
        .with("changed", report.changed)?
        .made()
}

/// Removes a log: all its files, and the directory if nothing else is in it.
#[pyfunction]
pub(crate) fn destroy(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    detached(py, || Log::destroy(path))
}

pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    let counters = &stats.counters;
    let poisoned = stats.poisoned.as_ref().map(|cause| error::exception(py, cause)).transpose()?;
    Report::new(py, "Stats")?
        .with("durability", level_name(stats.level))?
        .with("epoch", stats.epoch)?
        .with("first_lsn", number(stats.first_lsn))?
        .with("last_lsn", number(stats.last_lsn))?
        .with("next_lsn", stats.next_lsn.get())?
        .with("submitted_lsn", number(stats.submitted_lsn))?
        .with("written_lsn", number(stats.written_lsn))?
        .with("durable_lsn", number(stats.durable_lsn))?
        .with("poisoned", poisoned)?
        .with("direct_io", stats.direct_io)?
        .with("records", counters.records)?
        .with("record_bytes", counters.record_bytes)?
        .with("commits", counters.commits)?
        .with("bytes_written", counters.bytes_written)?
        .with("syncs", counters.syncs)?
        .with("state_syncs", counters.state_syncs)?
        .with("rotations", counters.rotations)?
        .with("spare_misses", counters.spare_misses)?
        .with("recycled", counters.recycled)?
        .with("trimmed", counters.trimmed)?
        .with("waits_for_room", counters.waits_for_room)?
        .with("flushes_inline", counters.flushes_inline)?
        .with("flushes_background", counters.flushes_background)?
        .with("reads", counters.reads)?
        .with("write_latency", latency(py, &stats.write_latency)?)?
        .with("sync_latency", latency(py, &stats.sync_latency)?)?
        .with("segments", segments(py, &stats.segments)?)?
        .with("spares", stats.spares)?
        .with("ring_bytes_used", stats.ring_bytes_used)?
        .made()
}

pub(crate) fn recovery<'py>(
    py: Python<'py>,
    report: &RecoveryReport,
) -> PyResult<Bound<'py, PyAny>> {
    Report::new(py, "RecoveryReport")?
        .with("case", report.case.label())?
        .with("created", report.created)?
        .with("first_lsn", number(report.first_lsn))?
        .with("last_lsn", number(report.last_lsn))?
        .with("cut", report.cut.as_ref().map(|tail| cut(py, tail)).transpose()?)?
        .with("notes", &report.notes)?
        .with("bytes_scanned", report.bytes_scanned)?
        .with("commits_scanned", report.commits_scanned)?
        .with("bytes_rewritten", report.bytes_rewritten)?
        .with("duration", report.duration.as_secs_f64())?
        .made()
}

pub(crate) fn copied<'py>(py: Python<'py>, report: &CopyReport) -> PyResult<Bound<'py, PyAny>> {
    Report::new(py, "CopyReport")?
        .with("records", report.records)?
        .with("first_lsn", number(report.first_lsn))?
        .with("last_lsn", number(report.last_lsn))?
        .with("_uuid", PyBytes::new(py, &report.uuid))?
        .made()
}

/// The number of an LSN that may be absent.
pub(crate) fn number(lsn: Option<Lsn>) -> Option<u64> {
    lsn.map(Lsn::get)
}

fn cut<'py>(py: Python<'py>, cut: &Cut) -> PyResult<Bound<'py, PyAny>> {
    Report::new(py, "Cut")?
        .with("segment", cut.place.segment.0)?
        .with("offset", cut.place.offset.0)?
        .with("bytes", cut.bytes)?
        .with("reason", &cut.reason)?
        .made()
}

fn segments<'py>(py: Python<'py>, segments: &[SegmentStats]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let made = segments.iter().map(|segment| {
        Report::new(py, "Segment")?
            .with("id", segment.id.0)?
            .with("first_lsn", segment.first_lsn.get())?
            .with("last_lsn", number(segment.last_lsn))?
            .with("end", segment.end.0)?
            .with("file_bytes", segment.file_bytes)?
            .with("sealed", segment.sealed)?
            .with("epoch", segment.epoch)?
            .with("created", nanoseconds(segment.created))?
            .made()
    });
    made.collect()
}

fn latency<'py>(py: Python<'py>, histogram: &Histogram) -> PyResult<Bound<'py, PyAny>> {
    let buckets: Vec<(f64, u64)> =
        histogram.buckets().map(|(bound, count)| (bound.as_secs_f64(), count)).collect();
    Report::new(py, "Latency")?
        .with("count", histogram.count())?
        .with("mean", histogram.mean().as_secs_f64())?
        .with("max", histogram.max().as_secs_f64())?
        .with("p50", histogram.quantile(0.5).as_secs_f64())?
        .with("p99", histogram.quantile(0.99).as_secs_f64())?
        .with("buckets", buckets)?
        .made()
}

/// A report in the making: its class, and what is known by the names of its fields.
struct Report<'py> {
    class: Bound<'py, PyAny>,
    fields: Bound<'py, PyDict>,
}

impl<'py> Report<'py> {
    fn new(py: Python<'py>, class: &str) -> PyResult<Report<'py>> {
        let class = py.import("libwal._reports")?.getattr(class)?;
        Ok(Report { class, fields: PyDict::new(py) })
    }

    fn with(self, name: &str, value: impl IntoPyObjectExt<'py>) -> PyResult<Report<'py>> {
        let value = value.into_bound_py_any(self.fields.py())?;
        self.fields.set_item(name, value)?;
        Ok(self)
    }

    fn made(self) -> PyResult<Bound<'py, PyAny>> {
        self.class.call((), Some(&self.fields))
    }
}
