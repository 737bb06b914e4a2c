//! The footer of a segment, read for comparison.

use super::bytes::Bytes;
use super::checked::Piece;
use crate::error::Result;
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader, Kind, Seed};
use crate::limits::OPENINGS_PER_SEGMENT_MAX;
use crate::segment::{DATA_START, Footer, OpeningAt, SegmentHeader};

/// A footer and its index: the records' offsets in units of eight.
pub(super) struct FoundFooter {
    pub(super) footer: Footer,
    pub(super) index: Vec<u32>,
}

impl FoundFooter {
    /// What stands at `at`, if it is a footer whose checksum is right.
    pub(super) fn read(
        bytes: &mut Bytes,
        header: &SegmentHeader,
        at: u64,
    ) -> Result<Option<FoundFooter>> {
        let Ok(frame) = FrameHeader::peek(bytes.range(at, at.saturating_add(FRAME_HEADER_BYTES))?)
        else {
            return Ok(None);
        };
        let end = at.saturating_add(frame.frame_bytes());
        if frame.kind != Kind::Seal || end > bytes.len() {
            return Ok(None);
        }
        let bytes = bytes.range(at, end)?;
        let Ok(frame) = Frame::decode(bytes, at, header.seed()) else { return Ok(None) };
        let Some(footer) = Footer::decode(frame.payload, at) else { return Ok(None) };
        let entries = frame.payload.get(footer.index_at..).unwrap_or_default();
        let (entries, _) = entries.as_chunks::<4>();
        let index = entries.iter().take(footer.count as usize);
        let index = index.map(|entry| u32::from_le_bytes(*entry)).collect();
        Ok(Some(FoundFooter { footer, index }))
    }

    /// Whether a reader of the segment that ends at `end`, before `next_lsn`, goes by it.
    pub(super) fn is_believed(&self, header: &SegmentHeader, end: u64, next_lsn: u64) -> bool {
        let Footer { first_lsn, count, end: at, .. } = self.footer;
        first_lsn == header.first_lsn
            && first_lsn.saturating_add(u64::from(count)) >= next_lsn
            && at >= end
            && self.openings_before(end).count() <= OPENINGS_PER_SEGMENT_MAX
    }

    /// Whether it leads to each record of these pieces of the segment that ends at `end`.
    pub(super) fn leads_to(
        &self,
        bytes: &mut Bytes,
        header: &SegmentHeader,
        end: u64,
        pieces: &[Piece],
    ) -> Result<bool> {
        let mut openings = self.openings_before(end).peekable();
        let (mut seed, mut free_from) = (header.seed(), DATA_START);
        for lsn in pieces.iter().flat_map(|piece| piece.first_lsn..piece.next_lsn) {
            let delta = lsn.saturating_sub(header.first_lsn);
            let entry = usize::try_from(delta).ok().and_then(|delta| self.index.get(delta));
            let Some(at) = entry.map(|&entry| u64::from(entry) << 3) else { return Ok(false) };
            // Frames do not overlap; so nothing is read twice either.
            if at < free_from || at >= end {
                return Ok(false);
            }
            while let Some(opening) = openings.next_if(|opening| opening.offset < at) {
                if opening.offset < free_from {
                    return Ok(false);
                }
                seed = Seed::new(&header.uuid, header.id, opening.epoch, opening.salt);
                free_from = opening.offset;
            }
            let Ok(frame) = FrameHeader::peek(bytes.range(at, at + FRAME_HEADER_BYTES)?) else {
                return Ok(false);
            };
            free_from = at + frame.frame_bytes();
            let is_it = frame.kind == Kind::Record
                && u64::from(frame.lsn_delta) == delta
                && free_from <= end
                && Frame::decode(bytes.range(at, free_from)?, at, seed).is_ok();
            if !is_it {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn openings_before(&self, end: u64) -> impl Iterator<Item = &OpeningAt> {
        self.footer.openings.iter().filter(move |opening| opening.offset < end)
    }

    /// Whether it says what it should. An opening that no commit followed left no frame.
    pub(super) fn is(&self, expected: &Footer, index: &[u32]) -> bool {
        let mut footer = Footer { index_at: expected.index_at, ..self.footer.clone() };
        footer.openings.retain(|opening| opening.offset < footer.end);
        footer == *expected && self.index == index
    }
}
