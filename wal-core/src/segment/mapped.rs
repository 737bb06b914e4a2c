//! A segment that is mapped, in the form that finds a record fastest.

use super::body::{Entries, entry_at};
use super::source::Source;
use super::{SeedRun, Segment};
use crate::frame::RecordFrame;
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
        Some(Mapped { first_lsn, count, first_entry, seeds, memory })
    }

    /// One verified record. `None` says nothing of it: [`Segment::record`] does.
    #[inline(always)]
    pub(crate) fn record(&mut self, segment: &Segment, lsn: Lsn) -> Option<Record> {
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
        let bytes = self.memory.get(offset as usize..)?;
        let seed = self.seeds.at(segment.seeds(), offset);
        let frame = RecordFrame::verified(bytes, offset, seed, delta)?;
        let continues = segment.batch_continues(lsn.get(), frame.flags);
        Some(Record::at(&self.memory, frame.payload, lsn, continues))
    }
}
