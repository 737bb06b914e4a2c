//! What the commits of late were like: it decides how the file is prepared and written.

/// How much is written between two syncs.
///
/// A log of small durable commits is bound by latency: blocks that were zeroed ahead spare every
/// sync a change of metadata, and the page cache serves those who read what was just written. A
/// stream is bound by bandwidth, at whatever level, because a segment is synced before the next one
/// begins: zeroing would write every block twice, the metadata of its large commits costs little
/// beside them, and past the page cache nothing is copied.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Bytes between two syncs, a moving average.
    synced_bytes: u64,
    /// Bytes since the last sync.
    unsynced_bytes: u64,
}

impl Pace {
    pub(crate) fn written(&mut self, bytes: u64) {
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(bytes);
    }

    /// A sync took what was written.
    pub(crate) fn synced(&mut self) {
        let bytes = std::mem::take(&mut self.unsynced_bytes);
        self.synced_bytes = self.synced_bytes - self.synced_bytes / WEIGHT + bytes / WEIGHT;
    }

    /// Whether so much is written between syncs that bandwidth is what counts.
    pub(crate) fn is_stream(&self) -> bool {
        self.synced_bytes.max(self.unsynced_bytes) >= STREAM_BYTES
    }
}

/// One part in so many of the average is the latest sync's.
const WEIGHT: u64 = 8;
/// From here on zeroing a block takes longer than the metadata of writing it unprepared, spread
/// over the blocks of a sync (`docs/decisions/0009`).
const STREAM_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_commits_are_no_stream_and_some_large_ones_are() {
        let mut pace = Pace::default();
        let mut commits = |count: u32, bytes: u64| {
            for _ in 0..count {
                pace.written(bytes);
                pace.synced();
            }
            pace.is_stream()
        };
        assert!(!commits(1000, 4096));
        assert!(commits(8, 1 << 20));
        assert!(!commits(32, 4096), "a log that has calmed down is prepared for small commits");
    }

    #[test]
    fn what_is_not_synced_is_a_stream_before_long() {
        let mut pace = Pace::default();
        for _ in 0..1000 {
            pace.written(300);
        }
        assert!(pace.is_stream());
    }
}
