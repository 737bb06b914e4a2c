//! The part of a log a replay goes through, segment by segment.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::live::Live;
use crate::lookup;
use crate::memory::Memory;
use crate::position::{Position, trimmed, truncated};
use crate::record::Record;
use crate::segment::{Segment, Window};
use crate::tail::Tail;

/// The records that are visible when a replay starts. What is appended meanwhile is not delivered,
/// so that a replay ends even beside writers.
pub(super) struct Range<'a> {
    tail: &'a dyn Tail,
    generation: u64,
    pub(super) from: u64,
    pub(super) end: u64,
}

/// A run of records in one segment.
pub(super) struct Piece {
    pub(super) segment: Arc<Segment>,
    pub(super) from: u64,
    pub(super) until: u64,
    /// How far the segment may be read ahead, as the next piece goes on in it.
    ahead_until: u64,
}

impl<'a> Range<'a> {
    pub(super) fn new(tail: &'a dyn Tail, from: Position) -> Result<Range<'a>> {
        tail.check_open()?;
        let generation = tail.live().cuts.generation();
        let from = from.resolve(tail)?;
        let (_, end) = tail.snapshot();
        Ok(Range { tail, generation, from, end })
    }

    pub(super) fn tail(&self) -> &'a dyn Tail {
        self.tail
    }

    /// The piece that starts with record `lsn`, as the log is now.
    ///
    /// # Errors
    /// `Trimmed` or `Truncated` when the log lost it meanwhile.
    pub(super) fn piece(&self, lsn: u64) -> Result<Piece> {
        let live = self.tail.live();
        self.check(&live, lsn)?;
        let found = live.segment_and_end_for(lsn);
        let (segment, segment_end) = found.ok_or_else(|| lookup::no_segment(lsn))?;
        let until = segment_end.min(self.end);
        Ok(Piece { segment: Arc::clone(segment), from: lsn, until, ahead_until: until })
    }

    /// Has the system read the start of the segment behind the piece's when the piece is near its
    /// end: otherwise the disk would have nothing to do while that segment is opened. `ahead` is
    /// where it was done before.
    pub(super) fn read_ahead(&self, piece: &Piece, ahead: &mut u64) {
        let end = piece.ahead_until;
        let records = end.saturating_sub(piece.segment.header().first_lsn);
        let is_near = end.saturating_sub(piece.from) <= records / NEAR_PARTS;
        if !is_near || end >= self.end || *ahead == end {
            return;
        }
        *ahead = end;
        if let Some((next, _)) = self.tail.live().segment_and_end_for(end) {
            next.read_ahead(START_BYTES);
        }
    }

    /// Whether the replay may go on with record `lsn`.
    pub(super) fn check(&self, live: &Live, lsn: u64) -> Result<()> {
        if let Some(kept_end) = live.cuts.cut_since(self.generation, self.end)
            && kept_end <= lsn
        {
            return Err(truncated(lsn, kept_end));
        }
        if lsn < live.first_lsn {
            return Err(trimmed(lsn, live.first_lsn));
        }
        Ok(())
    }

    /// What an error at record `lsn` means when the log lost the record meanwhile.
    #[cold]
    pub(super) fn explain(&self, lsn: u64, error: Error) -> Error {
        self.check(&self.tail.live(), lsn).err().unwrap_or(error)
    }
}

impl Piece {
    /// The piece, or as much of its start as has `records`.
    pub(super) fn at_most(self, records: u64) -> Piece {
        let until = self.until.min(self.from.saturating_add(records.max(1)));
        Piece { until, ..self }
    }

    /// Hands out the records in order, all in the same `Record`, with the memory each lies in,
    /// through a window that goes on where the piece before ended.
    ///
    /// # Errors
    /// Where and why it stopped before the end of the piece.
    #[inline]
    pub(super) fn each<B>(
        &self,
        window: &mut Option<Window>,
        mut deliver: impl FnMut(&Record, &Memory) -> ControlFlow<B>,
    ) -> std::result::Result<(), Stop<B>> {
        let window = match window {
            Some(window) => {
                window.move_to(&self.segment, self.ahead_until);
                window
            }
            None => window.insert(Window::new(
                Arc::clone(&self.segment),
                self.ahead_until,
                AHEAD_BYTES_MAX,
            )),
        };
        let mut record = Record::empty();
        let mut lsn = self.from;
        loop {
            match window.run(lsn..self.until, &mut record, &mut deliver) {
                ControlFlow::Continue(next) => lsn = next,
                ControlFlow::Break((lsn, value)) => return Err(Stop::Asked(lsn, value)),
            }
            if lsn >= self.until {
                return Ok(());
            }
            if let Err(error) = window.read(lsn, &mut record) {
                return Err(Stop::Failed(lsn, error));
            }
            let Some(memory) = window.memory() else {
                return Err(Stop::Failed(lsn, lookup::no_segment(lsn)));
            };
            if let ControlFlow::Break(value) = deliver(&record, memory) {
                return Err(Stop::Asked(lsn, value));
            }
            lsn = lsn.saturating_add(1);
        }
    }
}

/// Why a piece was not gone through to its end.
pub(super) enum Stop<B> {
    /// `deliver` broke with this value at this record.
    Asked(u64, B),
    /// The record could not be read.
    Failed(u64, Error),
}

/// What one read of an unmapped segment fetches at the most.
const AHEAD_BYTES_MAX: u64 = 1 << 20;
/// Within this part of a segment its end is near.
const NEAR_PARTS: u64 = 8;
/// How much of the start of the next segment is read ahead; from there on the system does it.
const START_BYTES: u64 = 4 << 20;
