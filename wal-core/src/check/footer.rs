//! The footer of a segment, read for comparison.

use super::bytes::Bytes;
use crate::error::Result;
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader, Kind};
use crate::segment::{Footer, SegmentHeader};

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
        let Ok(frame) = FrameHeader::peek(bytes.range(at, at + FRAME_HEADER_BYTES)?) else {
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

    /// Whether it says what it should. An opening that no commit followed left no frame.
    pub(super) fn is(&self, expected: &Footer, index: &[u32]) -> bool {
        let mut footer = Footer { index_at: expected.index_at, ..self.footer.clone() };
        footer.openings.retain(|opening| opening.offset < footer.end);
        footer == *expected && self.index == index
    }
}
