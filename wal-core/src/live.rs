//! The snapshot of a log's segments that readers pin.

use std::sync::Arc;

use crate::segment::Segment;

/// The segments there are. A new one is published for every change; readers keep the old one as
/// long as they need it.
pub(crate) struct Live {
    /// By ascending first LSN; the last is the newest. A new log has none.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The first record there is, or the LSN of the next one when there is none.
    pub(crate) first_lsn: u64,
    pub(crate) cuts: Cuts,
}

impl Live {
    /// The segment that holds this record if any does. Of several segments that start at the same
    /// LSN only the last can hold a record.
    #[inline]
    pub(crate) fn segment_for(&self, lsn: u64) -> Option<&Arc<Segment>> {
        self.segments.get(self.position_for(lsn)?)
    }

    /// The same, with the LSN after the segment's final record as far as this snapshot knows.
    pub(crate) fn segment_and_end_for(&self, lsn: u64) -> Option<(&Arc<Segment>, u64)> {
        let position = self.position_for(lsn)?;
        let next = self.segments.get(position + 1).map_or(u64::MAX, |next| next.header().first_lsn);
        let segment = self.segments.get(position)?;
        Some((segment, segment.extent().map_or(next, |extent| extent.next_lsn.min(next))))
    }

    /// The same with one more segment.
    pub(crate) fn with_newest(&self, segment: Arc<Segment>) -> Live {
        let mut segments = self.segments.clone();
        segments.push(segment);
        Live { segments, first_lsn: self.first_lsn, cuts: self.cuts.clone() }
    }

    /// The same with another object for the newest segment.
    pub(crate) fn with_newest_replaced(&self, segment: Arc<Segment>) -> Live {
        let mut segments = self.segments.clone();
        segments.pop();
        segments.push(segment);
        Live { segments, first_lsn: self.first_lsn, cuts: self.cuts.clone() }
    }

    fn position_for(&self, lsn: u64) -> Option<usize> {
        let after = self.segments.partition_point(|segment| segment.header().first_lsn <= lsn);
        let position = after.checked_sub(1)?;
        let extent = self.segments.get(position)?.extent();
        extent.is_none_or(|extent| lsn < extent.next_lsn).then_some(position)
    }
}

/// The truncations since the log was opened. They let a cursor tell that its position was cut even
/// when the LSNs were issued again since.
#[derive(Clone, Debug)]
pub(crate) struct Cuts {
    /// How many there were.
    generation: u64,
    /// The next LSN after each of the latest ones, oldest first.
    kept: Arc<[u64]>,
    /// The lowest next LSN after any of those before. Taking it for all of them errs on the safe
    /// side: a cursor that slept that long may be told of a cut that it did not suffer.
    forgotten_lowest: u64,
}

impl Cuts {
    pub(crate) fn new() -> Cuts {
        Cuts { generation: 0, kept: Arc::new([]), forgotten_lowest: u64::MAX }
    }

    /// How many truncations there were so far.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// These cuts and one more, after which `next_lsn` was the next LSN; zero for a reset, which
    /// cuts every reader wherever it stands.
    pub(crate) fn with(&self, next_lsn: u64) -> Cuts {
        let surplus = (self.kept.len() + 1).saturating_sub(KEPT_MAX);
        let (forgotten, kept) = self.kept.split_at(surplus.min(self.kept.len()));
        Cuts {
            generation: self.generation + 1,
            kept: kept.iter().copied().chain([next_lsn]).collect(),
            forgotten_lowest: forgotten.iter().copied().fold(self.forgotten_lowest, u64::min),
        }
    }

    /// The lowest next LSN after a truncation since `generation`, if a cursor whose next record
    /// would have been `position` lost something by it.
    pub(crate) fn cut_since(&self, generation: u64, position: u64) -> Option<u64> {
        let since = self.generation.saturating_sub(generation);
        let since = usize::try_from(since).unwrap_or(usize::MAX);
        let recent = self.kept.iter().rev().take(since).copied();
        let forgotten = (since > self.kept.len()).then_some(self.forgotten_lowest);
        recent.chain(forgotten).min().filter(|&next_lsn| next_lsn < position)
    }
}

/// Truncations that are told apart: 8 KiB.
const KEPT_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_below_the_position_is_seen_from_every_generation_before_it() {
        let cuts = Cuts::new().with(50).with(70);
        assert_eq!(cuts.generation(), 2);
        assert_eq!(cuts.cut_since(0, 60), Some(50));
        assert_eq!(cuts.cut_since(1, 60), None, "the cut at 70 took nothing from it");
        assert_eq!(cuts.cut_since(1, 71), Some(70));
        assert_eq!(cuts.cut_since(2, 1000), None);
        assert_eq!(cuts.cut_since(0, 50), None, "record 49 is still there");
    }

    #[test]
    fn cuts_too_many_to_keep_are_never_missed() {
        let mut cuts = Cuts::new();
        for next_lsn in (1..=5000).rev() {
            cuts = cuts.with(next_lsn);
        }
        assert_eq!(cuts.cut_since(0, 2), Some(1));
        assert_eq!(cuts.cut_since(4999, 2), Some(1));
        let cuts = (0..5000).fold(Cuts::new().with(10), |cuts, _| cuts.with(9000));
        assert_eq!(cuts.cut_since(0, 11), Some(10));
        assert_eq!(cuts.cut_since(5000, 11), None);
        assert!(cuts.kept.len() <= KEPT_MAX);
    }
}
