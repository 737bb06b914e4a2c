//! What a crash may leave of a recording.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::blocks::{BLOCK_BYTES, Block, Blocks, hash, pieces};
use super::event::Event;
use super::extents;
use crate::Rng;

/// What was written between two flushes: a crash keeps any part of it, block by block.
#[derive(Debug)]
pub struct Epoch {
    /// The first event after the flush before.
    pub begin: usize,
    /// The flush that ends it, or the end of the recording.
    pub end: usize,
    units: Vec<Unit>,
}

/// The part of a write that is in one block.
#[derive(Debug)]
struct Unit {
    /// The event that is the write.
    event: usize,
    number: u64,
    at: usize,
    bytes: Arc<[u8]>,
    from: usize,
    len: usize,
    /// Whether it is known to be the data of a file: of that, a crash keeps any sectors.
    is_data: bool,
}

/// What arrived of the units of an epoch: which of the eight sectors of each.
pub type Subset = Vec<u8>;

impl Epoch {
    /// The epochs of a recording, the oldest first.
    pub fn all(events: &[Event]) -> Vec<Epoch> {
        let mut epochs = Vec::new();
        let data = DataBlocks::of(events);
        let mut epoch = Epoch { begin: 0, end: events.len(), units: Vec::new() };
        for (event, what) in events.iter().enumerate() {
            match what {
                Event::Write(offset, bytes) => {
                    let mut from = 0;
                    for (number, at, piece) in pieces(*offset, bytes) {
                        let (bytes, len) = (Arc::clone(bytes), piece.len());
                        let is_data = len == BLOCK_BYTES && data.has(event, number);
                        epoch.units.push(Unit { event, number, at, bytes, from, len, is_data });
                        from += len;
                    }
                }
                Event::Flush => {
                    epoch.end = event;
                    epochs.push(epoch);
                    epoch = Epoch { begin: event + 1, end: events.len(), units: Vec::new() };
                }
                Event::Mark(_) => {}
            }
        }
        epochs.push(epoch);
        epochs
    }

    /// How many blocks were written.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// How many events have happened at the least when this subset has arrived.
    pub fn earliest_cut(&self, subset: &[u8]) -> usize {
        let last = self.units.iter().zip(subset).rev().find(|(_, arrived)| **arrived != NONE);
        last.map_or(self.begin, |(unit, _)| unit.event + 1)
    }

    /// The blocks that differ from `durable` when this subset has arrived, and the whole's hash.
    pub fn patch(&self, durable: &Blocks, subset: &[u8]) -> (Vec<(u64, Block)>, u64) {
        let mut changed: HashMap<u64, [u8; BLOCK_BYTES]> = HashMap::new();
        for (unit, arrived) in
            self.units.iter().zip(subset).filter(|(_, arrived)| **arrived != NONE)
        {
            let block = changed.entry(unit.number).or_insert_with(|| {
                durable.block(unit.number).map_or([0; BLOCK_BYTES], |block| **block)
            });
            let bytes = &unit.bytes[unit.from..unit.from + unit.len];
            if *arrived == WHOLE {
                block[unit.at..unit.at + unit.len].copy_from_slice(bytes);
                continue;
            }
            let sectors = block.chunks_mut(SECTOR_BYTES).zip(bytes.chunks(SECTOR_BYTES));
            for (_, (old, new)) in (0..8).zip(sectors).filter(|(at, _)| arrived >> at & 1 == 1) {
                old.copy_from_slice(new);
            }
        }
        let mut whole = durable.hash();
        let mut blocks = Vec::with_capacity(changed.len());
        for (number, block) in changed {
            let block = Arc::new(block);
            whole ^=
                durable.block(number).map_or(0, |old| hash(number, old)) ^ hash(number, &block);
            blocks.push((number, block));
        }
        (blocks, whole)
    }

    /// Lets everything arrive.
    pub fn complete(&self, durable: &mut Blocks) {
        for unit in &self.units {
            let place = unit.number * BLOCK_BYTES as u64 + unit.at as u64;
            durable.write(place, &unit.bytes[unit.from..unit.from + unit.len]);
        }
    }

    /// Up to `most` subsets: all there are when these are few; otherwise every prefix, each unit
    /// alone missing, each alone present, and random ones, of which chance drops what is too many.
    /// Blocks that are data of files are torn in some of them.
    pub fn subsets(&self, most: usize, rng: &mut Rng) -> Vec<Subset> {
        let count = self.units.len();
        let mut subsets: Vec<Subset> = Vec::new();
        if count <= UNITS_ALL_SUBSETS {
            for bits in 0..1_u32 << count {
                subsets.push((0..count).map(|unit| whole(bits >> unit & 1 == 1)).collect());
            }
        } else {
            for cut in 0..=count {
                subsets.push((0..count).map(|unit| whole(unit < cut)).collect());
            }
            for odd in 0..count {
                subsets.push((0..count).map(|unit| whole(unit != odd)).collect());
                subsets.push((0..count).map(|unit| whole(unit == odd)).collect());
            }
            for _ in 0..count.max(RANDOM_SUBSETS) {
                let (cut, percent) = (1 + rng.below(count), 5 + rng.below(91) as u64);
                subsets.push(
                    (0..count).map(|unit| whole(unit < cut && rng.chance(percent))).collect(),
                );
            }
        }
        self.tear(&mut subsets, rng);
        subsets.sort_unstable();
        subsets.dedup();
        // Nothing and everything are always looked at.
        while subsets.len() > most.max(2) {
            let out = rng.below(subsets.len());
            let odd = subsets[out].iter().any(|unit| *unit != NONE)
                && !subsets[out].iter().all(|unit| *unit == WHOLE);
            if odd {
                subsets.swap_remove(out);
            }
        }
        subsets
    }

    /// Adds subsets in which blocks of data arrive in part.
    fn tear(&self, subsets: &mut Vec<Subset>, rng: &mut Rng) {
        let data = self.units.iter().filter(|unit| unit.is_data).count();
        for _ in 0..data.min(TORN_SUBSETS) * 2 {
            let mut torn = subsets[rng.below(subsets.len())].clone();
            let chosen = rng.below(data);
            let units = self.units.iter().zip(&mut torn).filter(|(unit, _)| unit.is_data);
            for (at, (_, arrived)) in units.enumerate() {
                if at == chosen || rng.chance(20) {
                    *arrived = rng.next() as u8;
                }
            }
            subsets.push(torn);
        }
    }
}

/// Where files had their data, at every time the workload looked.
struct DataBlocks(Vec<(usize, Vec<Range<u64>>)>);

impl DataBlocks {
    fn of(events: &[Event]) -> DataBlocks {
        let looks = events.iter().enumerate().filter_map(|(at, event)| match event {
            Event::Mark(line) => Some((at, extents::of_words(line.strip_prefix("data ")?))),
            _ => None,
        });
        DataBlocks(looks.collect())
    }

    /// Whether what was written by this event belonged to a file at the next look.
    fn has(&self, event: usize, number: u64) -> bool {
        let next = self.0.partition_point(|(at, _)| *at < event);
        let data = self.0.get(next);
        data.is_some_and(|(_, extents)| extents.iter().any(|extent| extent.contains(&number)))
    }
}

fn whole(arrived: bool) -> u8 {
    if arrived { WHOLE } else { NONE }
}

const NONE: u8 = 0;
const WHOLE: u8 = u8::MAX;

/// What a device writes whole or not at all, or so it is assumed of a torn block.
const SECTOR_BYTES: usize = 512;

const TORN_SUBSETS: usize = 16;

/// Up to so many units, every subset is looked at.
const UNITS_ALL_SUBSETS: usize = 6;

const RANDOM_SUBSETS: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Vec<Event> {
        let write = |offset, byte| Event::Write(offset, vec![byte; 8192].into());
        let mark = || Event::Mark("begin sync".to_owned());
        vec![
            write(0, 1),
            Event::Flush,
            write(4096, 2),
            mark(),
            write(16384, 3),
            Event::Flush,
            mark(),
        ]
    }

    #[test]
    fn a_flush_ends_what_may_be_missing() {
        let epochs = Epoch::all(&recording());
        let sizes: Vec<_> = epochs.iter().map(|one| (one.begin, one.end, one.units())).collect();
        assert_eq!(sizes, [(0, 1, 2), (2, 5, 4), (6, 7, 0)]);
        let mut durable = Blocks::default();
        epochs[0].complete(&mut durable);
        let (blocks, hash) = epochs[1].patch(&durable, &[NONE, WHOLE, NONE, WHOLE]);
        assert_eq!(blocks.len(), 2);
        assert_eq!(epochs[1].earliest_cut(&[NONE, WHOLE, NONE, NONE]), 3);
        assert_eq!(epochs[1].earliest_cut(&[WHOLE, NONE, NONE, 1]), 5);
        assert_eq!(epochs[1].earliest_cut(&[NONE; 4]), 2);
        for (number, block) in blocks {
            durable.put(number, block);
        }
        assert_eq!(durable.hash(), hash);
    }

    #[test]
    fn data_is_torn_and_nothing_else() {
        let write = Event::Write(0, vec![1; 4096 * 2].into());
        let events = [write, Event::Mark("data 1-2".to_owned())];
        let epochs = Epoch::all(&events);
        let subsets = epochs[0].subsets(1000, &mut Rng::new(3));
        let is_torn = |arrived: &u8| *arrived != NONE && *arrived != WHOLE;
        assert!(subsets.iter().all(|subset| !is_torn(&subset[0])));
        assert!(subsets.iter().any(|subset| is_torn(&subset[1])));
        let (blocks, _) = epochs[0].patch(&Blocks::default(), &[NONE, 0b1000_0010]);
        let sectors: Vec<_> = blocks[0].1.chunks(512).map(|sector| sector[0]).collect();
        assert_eq!((blocks[0].0, &sectors[..]), (1, &[0, 1, 0, 0, 0, 0, 0, 1][..]));
    }

    #[test]
    fn few_units_have_all_their_subsets_and_many_keep_the_extremes() {
        let mut rng = Rng::new(1);
        let epochs = Epoch::all(&recording());
        let mut all = epochs[1].subsets(100, &mut rng);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 16);
        let many = vec![Event::Write(0, vec![1; 4096 * 40].into())];
        let few = Epoch::all(&many)[0].subsets(9, &mut rng);
        assert_eq!(few.len(), 9);
        assert!(few.contains(&vec![NONE; 40]) && few.contains(&vec![WHOLE; 40]));
    }
}
