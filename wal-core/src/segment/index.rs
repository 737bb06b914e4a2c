//! The index of an active segment: where each record's frame stands, grown by the writer while
//! readers look into it without a lock.

use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicU32, Ordering};

/// Append-only buckets, each twice as large as the one before, so that nothing is ever moved under
/// a reader. An entry is an offset in units of eight; zero means none (no frame stands at offset
/// 0).
pub(crate) struct Index {
    buckets: [OnceLock<Box<[AtomicU32]>>; BUCKETS],
}

impl Default for Index {
    fn default() -> Index {
        Index { buckets: std::array::from_fn(|_| OnceLock::new()) }
    }
}

impl Index {
    /// Sets the entry of the record `delta` after the segment's first. One caller at a time.
    #[inline]
    pub(crate) fn push(&self, delta: u32, entry: u32) {
        let (bucket, slot) = place(delta);
        let Some(entries) = self.buckets.get(bucket) else { return };
        let entries = entries.get_or_init(|| allocate(bucket));
        if let Some(place) = entries.get(slot) {
            place.store(entry, Ordering::Release);
        }
    }

    /// The entry of the record `delta` after the first. Entries of records that were rolled back
    /// stay until they are overwritten: the caller asks for visible records only.
    #[inline]
    pub(crate) fn entry(&self, delta: u32) -> Option<u32> {
        let (bucket, slot) = place(delta);
        let entry = self.buckets.get(bucket)?.get()?.get(slot)?.load(Ordering::Acquire);
        (entry != 0).then_some(entry)
    }
}

/// Bucket `b` holds the deltas whose sum with `FIRST_BUCKET` has its highest bit at `b` above that
/// of `FIRST_BUCKET`; the bits below are the slot.
#[inline]
fn place(delta: u32) -> (usize, usize) {
    let position = u64::from(delta).saturating_add(FIRST_BUCKET);
    let top = position.ilog2();
    let bucket = top.saturating_sub(FIRST_BUCKET.ilog2());
    (bucket as usize, (position ^ (1 << top)) as usize)
}

#[cold]
fn allocate(bucket: usize) -> Box<[AtomicU32]> {
    (0..FIRST_BUCKET << bucket).map(|_| AtomicU32::new(0)).collect()
}

/// Entries of the first bucket: 4 KiB, so that an idle log stays small.
const FIRST_BUCKET: u64 = if cfg!(feature = "loom") { 4 } else { 1024 };
/// Enough for every `u32`.
const BUCKETS: usize = 23;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_delta_has_a_slot_of_its_own_inside_its_bucket() {
        let mut expected = (0, 0);
        for delta in 0..100_000 {
            assert_eq!(place(delta), expected);
            expected.1 += 1;
            if expected.1 == (FIRST_BUCKET as usize) << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        let (bucket, slot) = place(u32::MAX);
        assert!(bucket < BUCKETS && (slot as u64) < FIRST_BUCKET << bucket);
    }

    #[test]
    fn what_was_not_pushed_is_not_there_and_a_rewound_push_overwrites() {
        let index = Index::default();
        assert_eq!(index.entry(0), None);
        assert_eq!(index.entry(u32::MAX), None);
        for delta in 0..5000 {
            index.push(delta, delta + 1024);
        }
        index.push(3000, 7);
        for delta in 0..5000 {
            assert_eq!(index.entry(delta), Some(if delta == 3000 { 7 } else { delta + 1024 }));
        }
        assert_eq!(index.entry(5000), None);
    }

    #[test]
    fn a_reader_beside_the_writer_sees_whole_entries_or_none() {
        let index = Index::default();
        crate::sync::thread::scope(|scope| {
            scope.spawn(|| (0..100_000).for_each(|delta| index.push(delta, delta + 1)));
            for _ in 0..2 {
                scope.spawn(|| {
                    for delta in (0..100_000).rev() {
                        assert!(index.entry(delta).is_none_or(|entry| entry == delta + 1));
                    }
                });
            }
        });
        assert_eq!(index.entry(99_999), Some(100_000));
    }
}
