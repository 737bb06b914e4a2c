//! The writing log's account of itself.

use crate::sync::atomic::Ordering;

use super::engine::{Engine, Marks};
use crate::error::Result;
use crate::live::Live;
use crate::lsn::{FileOffset, Lsn};
use crate::segment::Segment;
use crate::stats::{SegmentStats, Stats};
use crate::time::system_time;

impl Engine {
    /// A snapshot of counters, watermarks, segments and latencies.
    pub(crate) fn stats(&self) -> Result<Stats> {
        self.check_open()?;
        let live = self.live();
        let end = self.visible_end();
        let is_empty = live.first_lsn >= end;
        let mark = |mark| Marks::last(mark).filter(|last| last.get() >= live.first_lsn);
        // The slowest first: none of them then seems to have overtaken another one.
        let durable_lsn = mark(&self.marks.durable);
        let written_lsn = mark(&self.marks.written);
        let submitted_lsn = mark(&self.marks.submitted);
        let next_lsn = Lsn::new(self.claims().next_lsn()).unwrap_or(Lsn::MAX);
        Ok(Stats {
            level: self.options.level,
            epoch: self.epoch.load(Ordering::Relaxed),
            first_lsn: Lsn::new(live.first_lsn).filter(|_| !is_empty),
            last_lsn: Lsn::new(end.saturating_sub(1)).filter(|_| !is_empty),
            next_lsn,
            submitted_lsn,
            written_lsn,
            durable_lsn,
            poisoned: self.poisoned().cloned(),
            direct_io: self.marks.is_direct.load(Ordering::Relaxed),
            counters: self.meters.counters(self.keeper.syncs(), self.views.reads()),
            write_latency: self.meters.write_latency.histogram(),
            sync_latency: self.meters.sync_latency.histogram(),
            segments: self.segment_stats(&live),
            spares: self.spares.count(),
            ring_bytes_used: self.ring_bytes_used(),
        })
    }

    fn segment_stats(&self, live: &Live) -> Vec<SegmentStats> {
        let end = self.marks.tail_end.load(Ordering::Relaxed);
        let next_lsn = self.marks.written.load(Ordering::Acquire);
        let of = |segment: &Segment| {
            let (end, next_lsn) =
                segment.extent().map_or((end, next_lsn), |extent| (extent.end, extent.next_lsn));
            let header = segment.header();
            SegmentStats {
                id: segment.id(),
                first_lsn: Lsn::new(header.first_lsn).unwrap_or(Lsn::MAX),
                last_lsn: Lsn::new(next_lsn - 1).filter(|last| last.get() >= header.first_lsn),
                end: FileOffset(end),
                file_bytes: segment.file_bytes().unwrap_or(0),
                sealed: segment.extent().is_some(),
                epoch: header.epoch,
                created: system_time(header.created_ns),
            }
        };
        live.segments.iter().map(|segment| of(segment)).collect()
    }
}
