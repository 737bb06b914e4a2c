//! What a log tells about itself: counters, watermarks, segments and latencies.

use std::time::{Duration, SystemTime};

use crate::lsn::{FileOffset, Lsn, SegmentId};
use crate::options::Level;

/// A snapshot of a log's state; each figure is exact, all of them together are not one instant.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The log's default level.
    pub level: Level,
    /// The epoch of this run of writing.
    pub epoch: u64,
    /// The first record there is.
    pub first_lsn: Option<Lsn>,
    /// The last record readers see.
    pub last_lsn: Option<Lsn>,
    /// The LSN the next record gets.
    pub next_lsn: Lsn,
    /// The last record handed to the engine.
    pub submitted_lsn: Option<Lsn>,
    /// The last record given to the kernel.
    pub written_lsn: Option<Lsn>,
    /// The last record on stable storage.
    pub durable_lsn: Option<Lsn>,
    /// The first cause, when the log is poisoned.
    pub poisoned: Option<crate::Error>,
    /// Whether the active segment is written past the page cache.
    pub direct_io: bool,
    /// Event counts since the log was opened.
    pub counters: Counters,
    /// Time from one flush's start to its bytes being in the kernel.
    pub write_latency: Histogram,
    /// Time of a data sync.
    pub sync_latency: Histogram,
    /// The segments, oldest first; the last one is active.
    pub segments: Vec<SegmentStats>,
    /// Spare segments waiting.
    pub spares: u64,
    /// Bytes of ring memory in use by records on their way.
    pub ring_bytes_used: u64,
}

/// Event counts since the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records appended.
    pub records: u64,
    /// Payload bytes of them.
    pub record_bytes: u64,
    /// Commits written.
    pub commits: u64,
    /// Bytes given to the kernel: frames, trailers, headers and footers.
    pub bytes_written: u64,
    /// Data syncs of segments, on the commit path.
    pub syncs: u64,
    /// Syncs of the state file.
    pub state_syncs: u64,
    /// Segments sealed.
    pub rotations: u64,
    /// Segments that had to be made on the commit path because no spare was ready.
    pub spare_misses: u64,
    /// Segments reused.
    pub recycled: u64,
    /// Segments trimmed.
    pub trimmed: u64,
    /// Times an appender had to wait for room.
    pub waits_for_room: u64,
    /// Flushes done by a waiting appender itself.
    pub flushes_inline: u64,
    /// Flushes done by a shared background thread.
    pub flushes_background: u64,
    /// Records read.
    pub reads: u64,
}

/// One segment of a log.
#[derive(Clone, Debug)]
pub struct SegmentStats {
    /// Its number and file name.
    pub id: SegmentId,
    /// The LSN of its first record (of its first possible record when it is empty).
    pub first_lsn: Lsn,
    /// Its last record, `None` while empty.
    pub last_lsn: Option<Lsn>,
    /// Where its valid bytes end.
    pub end: FileOffset,
    /// The size of its file.
    pub file_bytes: u64,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Its epoch.
    pub epoch: u64,
    /// When it was started.
    pub created: SystemTime,
}

/// A latency histogram: power-of-two buckets of nanoseconds with four steps each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    pub(crate) buckets: Vec<u64>,
    pub(crate) count: u64,
    pub(crate) max_ns: u64,
    pub(crate) sum_ns: u64,
}

impl Histogram {
    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest value.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max_ns)
    }

    /// The mean, zero when empty.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum_ns.checked_div(self.count).unwrap_or(0))
    }

    /// A bound that `fraction` (0 to 1) of the values do not exceed, at most a fifth above the
    /// tightest one; zero when empty.
    pub fn quantile(&self, fraction: f64) -> Duration {
        let wanted = ((self.count as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(Histogram::bound_of(bucket).min(self.max_ns));
            }
        }
        self.max()
    }

    /// The buckets that hold values: the largest value each can hold, and how many it holds.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let counts = self.buckets.iter().enumerate().filter(|&(_, &count)| count > 0);
        counts.map(|(bucket, &count)| (Duration::from_nanos(Histogram::bound_of(bucket)), count))
    }

    /// Four buckets for each power of two of nanoseconds.
    pub(crate) const BUCKETS: usize = 256;

    pub(crate) fn bucket_of(ns: u64) -> usize {
        if ns < 4 {
            return ns as usize;
        }
        let power = ns.ilog2() as usize;
        (power - 1) * 4 + ((ns >> (power - 2)) & 3) as usize
    }

    fn bound_of(bucket: usize) -> u64 {
        if bucket < 4 {
            return bucket as u64;
        }
        let (power, step) = (bucket / 4 + 1, bucket as u64 % 4);
        if power >= 64 {
            return u64::MAX;
        }
        let step_ns = 1u64 << (power - 2);
        (1u64 << power) + (step_ns * step) + (step_ns - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_no_further_than_a_quarter_below_its_bound() {
        for ns in (0..2000).chain((5..63).map(|power| (1u64 << power) + (1 << (power / 2)))) {
            let bucket = Histogram::bucket_of(ns);
            let bound = Histogram::bound_of(bucket);
            assert!(bound >= ns, "{ns} is over {bound}");
            assert!(bound - ns <= ns / 4, "{ns} is far below {bound}");
            assert!(bucket == 0 || Histogram::bound_of(bucket - 1) < ns);
        }
        assert!(Histogram::bucket_of(u64::MAX) < Histogram::BUCKETS);
    }

    #[test]
    fn quantiles_follow_the_values() {
        let mut buckets = vec![0; Histogram::BUCKETS];
        for ns in 1..=1000 {
            buckets[Histogram::bucket_of(ns)] += 1;
        }
        let histogram = Histogram { buckets, count: 1000, max_ns: 1000, sum_ns: 500_500 };
        let median = histogram.quantile(0.5).as_nanos();
        assert!((500..=625).contains(&median), "median {median}");
        assert_eq!(histogram.quantile(1.0), Duration::from_nanos(1000));
        assert_eq!(histogram.buckets().map(|(_, count)| count).sum::<u64>(), 1000);
        let empty = Histogram { buckets: vec![], count: 0, max_ns: 0, sum_ns: 0 };
        assert_eq!(empty.quantile(0.99), Duration::ZERO);
    }
}
