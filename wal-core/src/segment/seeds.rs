//! Which seed a frame's checksum starts from: the header's until the first opening, then the
//! opening's.

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::ops::Range;

use super::{OpeningAt, SegmentHeader};
use crate::frame::Seed;
use crate::limits::OPENINGS_PER_SEGMENT_MAX;

/// The seeds of one segment by file offset. Readers take no lock.
pub(crate) struct Seeds {
    /// Of the header, and of the footer whatever openings there are.
    header: Seed,
    /// How many of `runs` are set. Written by one thread at a time, after the run itself.
    count: AtomicUsize,
    /// Allocated by the first opening: most segments have none.
    runs: OnceLock<Box<[OnceLock<Run>]>>,
}

#[derive(Clone, Copy)]
struct Run {
    opening: OpeningAt,
    seed: Seed,
}

/// A reader's note of the seed that frames in a run of offsets have.
///
/// An opening pushed later may fall into the run: what is verified with its seed then fails, which
/// says nothing before it was tried with a fresh one.
#[derive(Clone)]
pub(crate) struct SeedRun {
    seed: Seed,
    offsets: Range<u64>,
}

impl SeedRun {
    /// A note that says nothing yet.
    pub(crate) fn unknown(seeds: &Seeds) -> SeedRun {
        SeedRun { seed: seeds.header, offsets: 0..0 }
    }

    /// The seed of the frame at `offset`.
    #[inline]
    pub(crate) fn at(&mut self, seeds: &Seeds, offset: u64) -> Seed {
        if !self.offsets.contains(&offset) {
            *self = seeds.run_at(offset);
        }
        self.seed
    }
}

impl Seeds {
    pub(crate) fn new(header: &SegmentHeader) -> Seeds {
        Seeds { header: header.seed(), count: AtomicUsize::new(0), runs: OnceLock::new() }
    }

    /// The seed of the frame at `offset`. An opening frame itself has the seed before it.
    #[inline]
    pub(crate) fn at(&self, offset: u64) -> Seed {
        let count = self.count.load(Ordering::Acquire);
        if count == 0 { self.header } else { self.after_openings(offset, count) }
    }

    /// Adds an opening after all others. One caller at a time; the engine starts a new segment
    /// rather than pass `OPENINGS_PER_SEGMENT_MAX`.
    pub(crate) fn push(&self, header: &SegmentHeader, opening: OpeningAt) {
        let count = self.count.load(Ordering::Acquire);
        let runs = self
            .runs
            .get_or_init(|| (0..OPENINGS_PER_SEGMENT_MAX).map(|_| OnceLock::new()).collect());
        let seed = Seed::new(&header.uuid, header.id, opening.epoch, opening.salt);
        if runs.get(count).is_some_and(|run| run.set(Run { opening, seed }).is_ok()) {
            self.count.store(count.saturating_add(1), Ordering::Release);
        }
    }

    pub(crate) fn openings(&self) -> Vec<OpeningAt> {
        let count = self.count.load(Ordering::Acquire);
        let runs = self.runs.get().into_iter().flatten().take(count);
        runs.filter_map(OnceLock::get).map(|run| run.opening).collect()
    }

    fn after_openings(&self, offset: u64, count: usize) -> Seed {
        self.run_among(offset, count).seed
    }

    #[cold]
    fn run_at(&self, offset: u64) -> SeedRun {
        self.run_among(offset, self.count.load(Ordering::Acquire))
    }

    fn run_among(&self, offset: u64, count: usize) -> SeedRun {
        let runs = self.runs.get().and_then(|runs| runs.get(..count)).unwrap_or_default();
        let before = |run: &OnceLock<Run>| run.get().is_some_and(|run| run.opening.offset < offset);
        let after = runs.partition_point(before);
        let run = after.checked_sub(1).and_then(|at| runs.get(at)).and_then(OnceLock::get);
        let next = runs.get(after).and_then(OnceLock::get);
        let behind = |run: &Run| run.opening.offset.saturating_add(1);
        SeedRun {
            seed: run.map_or(self.header, |run| run.seed),
            offsets: run.map_or(0, behind)..next.map_or(u64::MAX, behind),
        }
    }
}
