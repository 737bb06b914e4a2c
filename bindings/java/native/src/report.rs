//! Reports as Java takes them apart: numbers and texts, in an order both sides know (`Fields`).

use jni::sys::jlong;
use wal_core::check::{Info, RepairReport, VerifyReport};
use wal_core::{Error, Histogram, Lsn, LsnRange, RecoveryReport, SegmentStats, Stats};

use crate::boundary::{ABSENT, Outcome, Reference, error_numbers, error_text};
use crate::env::Env;
use crate::options::{level_number, span_ns, time_ns};

/// What is on its way to Java.
#[derive(Default)]
pub(crate) struct Report {
    numbers: Vec<jlong>,
    texts: Vec<Option<String>>,
}

impl Report {
    /// The two arrays.
    pub(crate) fn into_java(self, env: Env) -> Outcome<Reference> {
        let parts = [env.new_longs(&self.numbers)?, env.new_texts(&self.texts)?];
        env.new_objects(&parts).map(Reference)
    }

    pub(crate) fn number(&mut self, number: jlong) {
        self.numbers.push(number);
    }

    pub(crate) fn count(&mut self, count: u64) {
        self.number(jlong::try_from(count).unwrap_or(jlong::MAX));
    }

    pub(crate) fn lsn(&mut self, lsn: Option<Lsn>) {
        self.number(lsn.map_or(ABSENT, |lsn| lsn.get() as jlong));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.texts.push(Some(text.to_owned()));
    }

    pub(crate) fn uuid(&mut self, uuid: &[u8; 16]) {
        for half in uuid.chunks(8) {
            self.number(half.iter().fold(0, |sum, byte| sum << 8 | jlong::from(*byte)));
        }
    }

    fn yes(&mut self, yes: bool) {
        self.number(yes.into());
    }

    fn optional_text(&mut self, text: Option<String>) {
        self.texts.push(text);
    }

    fn range(&mut self, lsns: LsnRange) {
        self.lsn(Some(lsns.first));
        self.lsn(Some(lsns.final_));
    }

    /// A text and seven numbers, as `Upcalls.error` takes them, and the path.
    fn error(&mut self, error: &Error) {
        self.numbers.extend(error_numbers(error));
        self.text(&error_text(error));
        self.optional_text(error.path().map(|path| path.to_string_lossy().into_owned()));
    }

    pub(crate) fn recovery(&mut self, report: &RecoveryReport) {
        self.text(report.case.label());
        self.yes(report.created);
        self.lsn(report.first_lsn);
        self.lsn(report.last_lsn);
        self.cut(report.cut.as_ref());
        self.count(report.notes.len() as u64);
        report.notes.iter().for_each(|note| self.text(note));
        self.count(report.bytes_scanned);
        self.count(report.commits_scanned);
        self.count(report.bytes_rewritten);
        self.number(span_ns(report.duration));
    }

    fn cut(&mut self, cut: Option<&wal_core::Cut>) {
        self.yes(cut.is_some());
        if let Some(cut) = cut {
            self.count(cut.place.segment.0);
            self.count(cut.place.offset.0);
            self.count(cut.bytes);
            self.text(&cut.reason);
        }
    }

    pub(crate) fn stats(&mut self, stats: &Stats) {
        self.number(level_number(stats.level));
        self.count(stats.epoch);
        self.lsn(stats.first_lsn);
        self.lsn(stats.last_lsn);
        self.lsn(Some(stats.next_lsn));
        self.lsn(stats.submitted_lsn);
        self.lsn(stats.written_lsn);
        self.lsn(stats.durable_lsn);
        self.yes(stats.poisoned.is_some());
        if let Some(cause) = &stats.poisoned {
            self.error(cause);
        }
        self.yes(stats.direct_io);
        let counters = &stats.counters;
        for count in [
            counters.records,
            counters.record_bytes,
            counters.commits,
            counters.bytes_written,
            counters.syncs,
            counters.state_syncs,
            counters.rotations,
            counters.spare_misses,
            counters.recycled,
            counters.trimmed,
            counters.waits_for_room,
            counters.flushes_inline,
            counters.flushes_background,
            counters.reads,
        ] {
            self.count(count);
        }
        self.histogram(&stats.write_latency);
        self.histogram(&stats.sync_latency);
        self.segments(&stats.segments);
        self.count(stats.spares);
        self.count(stats.ring_bytes_used);
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.count(histogram.count());
        self.number(span_ns(histogram.max()));
        self.number(span_ns(histogram.mean()));
        let buckets: Vec<_> = histogram.buckets().collect();
        self.count(buckets.len() as u64);
        for (bound, count) in buckets {
            self.number(span_ns(bound));
            self.count(count);
        }
    }

    fn segments(&mut self, segments: &[SegmentStats]) {
        self.count(segments.len() as u64);
        for segment in segments {
            self.count(segment.id.0);
            self.lsn(Some(segment.first_lsn));
            self.lsn(segment.last_lsn);
            self.count(segment.end.0);
            self.count(segment.file_bytes);
            self.yes(segment.sealed);
            self.count(segment.epoch);
            self.number(time_ns(segment.created));
        }
    }

    pub(crate) fn info(&mut self, info: &Info) {
        self.uuid(&info.uuid);
        self.count(info.epoch);
        self.yes(info.clean);
        self.yes(info.writer_alive);
        self.lsn(info.first_lsn);
        self.lsn(info.last_lsn);
        self.lsn(Some(info.next_lsn));
        self.count(info.durable_through.segment.0);
        self.count(info.durable_through.offset.0);
        self.number(info.first_time.map_or(ABSENT, time_ns));
        self.number(info.last_time.map_or(ABSENT, time_ns));
        self.segments(&info.segments);
        self.count(info.spares);
        self.count(info.values);
        self.count(info.disk_bytes);
        self.count(info.valid_bytes);
        self.recovery(&info.recovery);
    }

    pub(crate) fn verified(&mut self, report: &VerifyReport) {
        self.count(report.findings.len() as u64);
        for finding in &report.findings {
            self.error(&finding.error);
            self.yes(finding.records_at_stake);
        }
        self.count(report.segments);
        self.count(report.commits);
        self.count(report.records);
        self.count(report.bytes);
        self.lsn(report.first_lsn);
        self.lsn(report.last_lsn);
        self.cut(report.torn_tail.as_ref());
    }

    pub(crate) fn repaired(&mut self, report: &RepairReport) {
        self.count(report.actions.len() as u64);
        report.actions.iter().for_each(|action| self.text(action));
        self.count(report.lost.len() as u64);
        report.lost.iter().for_each(|lost| self.range(*lost));
        self.optional_text(report.backup.as_ref().map(|path| path.to_string_lossy().into_owned()));
        self.yes(report.changed);
    }
}
