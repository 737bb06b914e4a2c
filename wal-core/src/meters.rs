//! What the engine counts as it goes; `stats` reads it.

use crate::sync::gauge::{AtomicU64, Ordering};
use std::time::Duration;

use crate::stats::{Counters, Histogram};

/// The counters and histograms of one open log. Written by whoever does the work, read by anyone.
#[derive(Default)]
pub(crate) struct Meters {
    pub(crate) records: Counter,
    pub(crate) record_bytes: Counter,
    pub(crate) commits: Counter,
    pub(crate) bytes_written: Counter,
    pub(crate) syncs: Counter,
    pub(crate) rotations: Counter,
    pub(crate) spare_misses: Counter,
    pub(crate) recycled: Counter,
    pub(crate) trimmed: Counter,
    pub(crate) waits_for_room: Counter,
    pub(crate) flushes_inline: Counter,
    pub(crate) flushes_background: Counter,
    pub(crate) reads: Counter,
    pub(crate) write_latency: Recorder,
    pub(crate) sync_latency: Recorder,
}

/// A count of events, on a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The same where there is one writer at a time: no other processor has to be asked. For what
    /// only the holder of the committer counts.
    #[inline]
    pub(crate) fn add_alone(&self, count: u64) {
        add_alone(&self.0, count);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Meters {
    /// A snapshot of the counters; `state_syncs` are counted by the state file's keeper, `reads`
    /// of single records by the views.
    pub(crate) fn counters(&self, state_syncs: u64, reads: u64) -> Counters {
        Counters {
            records: self.records.count(),
            record_bytes: self.record_bytes.count(),
            commits: self.commits.count(),
            bytes_written: self.bytes_written.count(),
            syncs: self.syncs.count(),
            state_syncs,
            rotations: self.rotations.count(),
            spare_misses: self.spare_misses.count(),
            recycled: self.recycled.count(),
            trimmed: self.trimmed.count(),
            waits_for_room: self.waits_for_room.count(),
            flushes_inline: self.flushes_inline.count(),
            flushes_background: self.flushes_background.count(),
            reads: self.reads.count().saturating_add(reads),
        }
    }
}

/// A histogram in the making.
pub(crate) struct Recorder {
    buckets: [AtomicU64; Histogram::BUCKETS],
    max_ns: AtomicU64,
    sum_ns: AtomicU64,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            buckets: [const { AtomicU64::new(0) }; Histogram::BUCKETS],
            max_ns: AtomicU64::new(0),
            sum_ns: AtomicU64::new(0),
        }
    }
}

impl Recorder {
    /// Records a latency. One caller at a time: the holder of the committer.
    pub(crate) fn record(&self, latency: Duration) {
        let ns = whole_nanoseconds(latency);
        if let Some(bucket) = self.buckets.get(Histogram::bucket_of(ns)) {
            add_alone(bucket, 1);
        }
        if ns > self.max_ns.load(Ordering::Relaxed) {
            self.max_ns.store(ns, Ordering::Relaxed);
        }
        add_alone(&self.sum_ns, ns);
    }

    pub(crate) fn histogram(&self) -> Histogram {
        let buckets: Vec<u64> =
            self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        Histogram {
            count: buckets.iter().sum(),
            buckets,
            max_ns: self.max_ns.load(Ordering::Relaxed),
            sum_ns: self.sum_ns.load(Ordering::Relaxed),
        }
    }
}

/// Adds without an atomic addition, for a number that one thread at a time writes. It wraps as that
/// would.
fn add_alone(number: &AtomicU64, count: u64) {
    number.store(number.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

/// The nanoseconds of a latency; 584 years are as good as any more.
fn whole_nanoseconds(latency: Duration) -> u64 {
    let seconds_ns = latency.as_secs().saturating_mul(1_000_000_000);
    seconds_ns.saturating_add(u64::from(latency.subsec_nanos()))
}
