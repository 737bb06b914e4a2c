//! A reader's place in a segment: records one after the other, in either direction, out of chunks
//! that are read ahead (or out of the mapping, which is one chunk).

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::source::{Chunk, Reader};
use super::{DATA_START, SeedRun, Segment};
use crate::error::Result;
use crate::frame::{FRAME_HEADER_BYTES, Frame, Kind, RecordFrame, Seed};
use crate::lsn::Lsn;
use crate::memory::Memory;
use crate::record::Record;

/// See the module.
pub(crate) struct Window {
    segment: Arc<Segment>,
    reader: Reader,
    /// Index entries of a footer that is not mapped.
    index: Reader,
    ahead_bytes_max: u64,
    /// Where the frame that is wanted next most often stands: after the one read last.
    after: u64,
    /// The seed of the frames around there.
    seeds: SeedRun,
    /// Records from here on may not be served: they belong to another segment or were not visible
    /// when the caller looked.
    until: u64,
    /// Records from here on were not visible when the chunk was read: its bytes of them are none.
    chunk_until: u64,
}

impl Window {
    /// A window on the records of `segment` below `until`. What one read fetches starts small and
    /// doubles up to `ahead_bytes_max` as records are read in order.
    pub(crate) fn new(segment: Arc<Segment>, until: u64, ahead_bytes_max: u64) -> Window {
        Window {
            seeds: SeedRun::unknown(segment.seeds()),
            segment,
            reader: Reader::new(AHEAD_BYTES_FIRST.min(ahead_bytes_max)),
            index: Reader::new(INDEX_AHEAD_BYTES),
            ahead_bytes_max,
            after: 0,
            until,
            chunk_until: 0,
        }
    }

    /// All of the memory the record read last lies in.
    pub(crate) fn memory(&self) -> Option<&Memory> {
        self.reader.chunk().map(Chunk::memory)
    }

    /// Goes on in another segment, or in the same one when it was sealed or more became visible.
    pub(crate) fn move_to(&mut self, segment: &Arc<Segment>, until: u64) {
        self.until = until;
        if Arc::ptr_eq(&self.segment, segment) {
            return;
        }
        if self.segment.id() != segment.id() {
            self.after = 0;
        }
        self.reader.forget();
        self.index.forget();
        self.seeds = SeedRun::unknown(segment.seeds());
        self.segment = Arc::clone(segment);
    }

    /// Points `record` at a verified record of the segment, below the window's end.
    ///
    /// # Errors
    /// `Corrupt` when its bytes are not what was written; `Io` when they cannot be read.
    #[inline]
    pub(crate) fn read(&mut self, lsn: u64, record: &mut Record) -> Result<()> {
        let Window { segment, reader, seeds, after, chunk_until, .. } = self;
        if lsn < *chunk_until
            && let Some(chunk) = reader.chunk()
            && read_at(segment, chunk, seeds, after, lsn, record).is_some()
        {
            return Ok(());
        }
        self.read_by_index(lsn, record, Direction::Forward)
    }

    /// Hands out the records from `lsns` on that lie behind the one read last, as far as they are
    /// in memory and whole. Returns the first it did not hand out, or what `deliver` broke with
    /// and at which record.
    #[inline]
    pub(crate) fn run<B>(
        &mut self,
        lsns: Range<u64>,
        record: &mut Record,
        deliver: &mut impl FnMut(&Record, &Memory) -> ControlFlow<B>,
    ) -> ControlFlow<(u64, B), u64> {
        let Window { segment, reader, seeds, after, chunk_until, .. } = self;
        let until = lsns.end.min(*chunk_until);
        let Some(chunk) = reader.chunk() else { return ControlFlow::Continue(lsns.start) };
        let memory = chunk.memory();
        if let Some(body) = segment.loaded() {
            body.populate(*after);
        }
        for lsn in lsns.start..until {
            if read_at(segment, chunk, seeds, after, lsn, record).is_none() {
                return ControlFlow::Continue(lsn);
            }
            if let ControlFlow::Break(value) = deliver(record, memory) {
                return ControlFlow::Break((lsn, value));
            }
        }
        ControlFlow::Continue(until.max(lsns.start))
    }

    /// The same, for a reader on its way back.
    pub(crate) fn read_back(&mut self, lsn: u64, record: &mut Record) -> Result<()> {
        self.read_by_index(lsn, record, Direction::Back)
    }

    #[inline(never)]
    fn read_by_index(&mut self, lsn: u64, record: &mut Record, way: Direction) -> Result<()> {
        let Window { segment, reader, index, until, .. } = self;
        let body = segment.body()?;
        let offset = segment.offset(body, lsn, index)?;
        if lsn >= self.chunk_until {
            reader.forget();
        }
        if reader.held(offset).is_empty() {
            let start = match way {
                Direction::Forward => offset,
                Direction::Back => {
                    let next = lsn.saturating_add(1);
                    let end = if next < *until {
                        segment.offset(body, next, index)?
                    } else {
                        offset.saturating_add(FINAL_FRAME_GUESS)
                    };
                    end.saturating_sub(reader.ahead_bytes).max(DATA_START).min(offset)
                }
            };
            let len = match segment.extent() {
                Some(_) => reader.ahead_bytes,
                // No more than what is visible: a reader at the end of an active segment would
                // fetch the same emptiness again and again.
                None => {
                    let end = segment.offset(body, until.saturating_sub(1), index)?;
                    let visible = end.saturating_add(FINAL_FRAME_GUESS).saturating_sub(start);
                    reader.ahead_bytes.min(visible)
                }
            };
            let least_bytes = offset.saturating_sub(start).saturating_add(FRAME_HEADER_BYTES);
            reader.fetch(segment, &body.source, start, least_bytes, len)?;
            reader.ahead_bytes = reader.ahead_bytes.saturating_mul(2).min(self.ahead_bytes_max);
            self.chunk_until = *until;
        }
        if reader.hold_frame(segment, &body.source, offset)? {
            self.chunk_until = *until;
        }
        let Some(chunk) = reader.chunk() else { return Err(segment.not_here(lsn)) };
        let frame = segment.verify(lsn, offset, chunk.bytes_from(offset))?;
        self.seeds = SeedRun::unknown(segment.seeds());
        self.after = match way {
            Direction::Forward => offset.saturating_add(frame.header.frame_bytes()),
            Direction::Back => offset,
        };
        let frame = RecordFrame { payload: frame.payload, flags: frame.header.flags };
        point_at(segment, chunk, frame, lsn, record).ok_or_else(|| segment.not_here(lsn))
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Back,
}

/// Points `record` at the record `lsn` if its frame stands at `after` or behind a few frames that
/// are no records, and moves `after` behind it. `None` says nothing of the bytes: the index
/// decides.
#[inline(always)]
fn read_at(
    segment: &Segment,
    chunk: &Chunk,
    seeds: &mut SeedRun,
    after: &mut u64,
    lsn: u64,
    record: &mut Record,
) -> Option<()> {
    let delta = segment.delta(lsn)?;
    let mut steps_left = STEPS_MAX;
    let mut offset = *after;
    loop {
        let seed = seeds.at(segment.seeds(), offset);
        let bytes = chunk.bytes_from(offset);
        if let Some(frame) = RecordFrame::verified(bytes, offset, seed, delta) {
            *after = offset.saturating_add(frame.frame_bytes());
            return point_at(segment, chunk, frame, lsn, record);
        }
        steps_left = u32::checked_sub(steps_left, 1)?;
        offset = offset.saturating_add(other_frame_bytes(bytes, offset, seed)?);
    }
}

/// Bytes of the frame at the start of `bytes` if it is a whole one and no record.
#[inline(never)]
fn other_frame_bytes(bytes: &[u8], offset: u64, seed: Seed) -> Option<u64> {
    let frame = Frame::decode(bytes, offset, seed).ok()?;
    (frame.header.kind != Kind::Record).then(|| frame.header.frame_bytes())
}

#[inline]
fn point_at(
    segment: &Segment,
    chunk: &Chunk,
    frame: RecordFrame<'_>,
    lsn: u64,
    record: &mut Record,
) -> Option<()> {
    let continues = segment.batch_continues(lsn, frame.flags);
    record.point_at_part(chunk.memory(), frame.payload, Lsn::new(lsn)?, continues);
    Some(())
}

const AHEAD_BYTES_FIRST: u64 = 16 << 10;
const INDEX_AHEAD_BYTES: u64 = 8 << 10;
/// The final visible record's length is not known before it is read; most are shorter.
const FINAL_FRAME_GUESS: u64 = 4 << 10;
/// Frames that may stand between two records: a trailer, padding, an opening.
const STEPS_MAX: u32 = 4;
