//! A segment that is mapped, in the form that finds a record fastest.

use super::body::{Entries, entry_at};
use super::source::Source;
use super::{SeedRun, Segment};
use crate::frame::{RecordFrame, Seed};
use crate::le;
use crate::lsn::Lsn;
use crate::memory::Memory;
use crate::record::Record;

/// See the module. Random reads wait for memory most of the time, and the processor starts on the
/// next one as far as its window of instructions reaches: so every instruction counts here.
pub(crate) struct Mapped {
    first_lsn: u64,
    /// How many records there are. Those of an active segment come and come.
    count: u64,
    /// Where the entry of the first one stands, in the footer of a sealed segment. Otherwise the
    /// segment is asked.
    first_entry: Option<u64>,
    seeds: SeedRun,
    /// With a count of its own: whoever has a `Mapped` to itself shares none with other threads.
    memory: Memory,
    /// The record lent last; it has the count of `memory`.
    lent: Record,
}

impl Mapped {
    /// The segment's, if it has been read from before and is mapped. Of an active segment that
    /// grows it will lack the newest records.
    pub(crate) fn of(segment: &Segment) -> Option<Mapped> {
        let body = segment.loaded()?;
        let memory = match &body.source {
            Source::Mapped(memory) => memory.with_own_count(),
            Source::Active(active) => active.mapped()?.with_own_count(),
            Source::Sealed(_) => return None,
        };
        let first_entry = match &body.entries {
            Entries::InFooter(first_entry) => Some(*first_entry),
            Entries::Growing(_) | Entries::Rebuilt { .. } => None,
        };
        let first_lsn = segment.header().first_lsn;
        let next_lsn = segment.extent().map_or(u64::MAX, |extent| extent.next_lsn);
        let count = next_lsn.saturating_sub(first_lsn).min(u64::from(u32::MAX));
        let seeds = SeedRun::unknown(segment.seeds());
        let lent = Record::at(&memory, memory.get(..0).unwrap_or_default(), Lsn::FIRST, false);
        Some(Mapped { first_lsn, count, first_entry, seeds, memory, lent })
    }

    /// One verified record. `None` says nothing of it: [`Segment::record`] does.
    #[inline(always)]
    pub(crate) fn record(&mut self, segment: &Segment, lsn: Lsn) -> Option<Record> {
        let (delta, offset) = self.place(segment, lsn)?;
        let seed = self.seeds.at(segment.seeds(), offset);
        let frame = frame_at(&self.memory, offset, seed, delta)?;
        let continues = segment.batch_continues(lsn.get(), frame.flags);
        Some(Record::at(&self.memory, frame.payload, lsn, continues))
    }

    /// Whether the record is there and verifies: then it is the one that [`Mapped::lent`] lends,
    /// for which no atomic operation is needed.
    #[inline(always)]
    pub(crate) fn point(&mut self, segment: &Segment, lsn: Lsn) -> bool {
        self.try_point(segment, lsn).is_some()
    }

    /// The record found last.
    #[inline(always)]
    pub(crate) fn lent(&self) -> &Record {
        &self.lent
    }

    #[inline(always)]
    fn try_point(&mut self, segment: &Segment, lsn: Lsn) -> Option<()> {
        let (delta, offset) = self.place(segment, lsn)?;
        let seed = self.seeds.at(segment.seeds(), offset);
        let frame = frame_at(&self.memory, offset, seed, delta)?;
        let continues = segment.batch_continues(lsn.get(), frame.flags);
        self.lent.point_at_part(&self.memory, frame.payload, lsn, continues);
        Some(())
    }

    /// Has the processor fetch the entry of a record's frame.
    #[inline]
    pub(crate) fn prefetch_entry(&self, lsn: Lsn) {
        let distance = lsn.get().wrapping_sub(self.first_lsn);
        if let Some(first) = self.first_entry.filter(|_| distance < self.count) {
            self.memory.prefetch(entry_at(first, distance as u32) as usize, 1);
        }
    }

    /// Has the processor fetch the start of a record's frame.
    #[inline]
    pub(crate) fn prefetch_frame(&self, segment: &Segment, lsn: Lsn) {
        if let Some((_, offset)) = self.place(segment, lsn) {
            self.memory.prefetch(offset as usize, PREFETCHED_BYTES);
        }
    }

    /// Number of the record from the first, and offset of its frame.
    #[inline(always)]
    fn place(&self, segment: &Segment, lsn: Lsn) -> Option<(u32, u64)> {
        let distance = lsn.get().wrapping_sub(self.first_lsn);
        if distance >= self.count {
            return None;
        }
        let delta = distance as u32;
        let offset = match self.first_entry {
            Some(first) => {
                u64::from(le::u32_at(&self.memory, entry_at(first, delta) as usize)?) << 3
            }
            None => segment.loaded()?.offset_in_memory(delta)?,
        };
        Some((delta, offset))
    }
}

#[inline(always)]
fn frame_at(memory: &Memory, offset: u64, seed: Seed, delta: u32) -> Option<RecordFrame<'_>> {
    RecordFrame::verified(memory.get(offset as usize..)?, offset, seed, delta)
}

/// Of a longer frame the processor fetches the rest by itself, once it is gone through.
const PREFETCHED_BYTES: usize = 320;
