//! The index of a sealed segment without a footer, rebuilt by walking its frames once.

use super::body::Entries;
use super::source::{Reader, Source};
use super::{DATA_START, Extent, OpeningAt, Segment};
use crate::error::Result;
use crate::frame::{Fault, Frame, FrameHeader, Kind, Opening, Seed};
use crate::limits::OPENINGS_PER_SEGMENT_MAX;

/// The index and the openings of everything below the extent's end. Every frame is verified.
///
/// Damage costs the records it lies in and no others: the walk goes on at the next frame that
/// verifies, which the offset in its checksum makes a proof.
pub(super) fn rebuild(
    segment: &Segment,
    source: &Source,
    extent: Extent,
) -> Result<(Entries, Vec<OpeningAt>)> {
    let count = extent.next_lsn.saturating_sub(segment.header().first_lsn);
    let mut walk = Walk {
        segment,
        source,
        reader: Reader::new(AHEAD_BYTES),
        end: extent.end,
        seed: segment.header().seed(),
        entries: vec![0; usize::try_from(count.min(ENTRIES_MAX)).unwrap_or(0)],
        next: 0,
        openings: Vec::new(),
        suspect_bytes_left: extent.end.saturating_mul(SUSPECT_FACTOR),
    };
    let mut damage = None;
    let mut offset = DATA_START;
    while offset < extent.end {
        match walk.frame(offset)? {
            Ok(header) => offset = offset.saturating_add(header.frame_bytes()),
            Err(fault) => {
                damage.get_or_insert((offset, fault));
                match walk.resume_after(offset)? {
                    Some(found) => offset = found,
                    None => break,
                }
            }
        }
    }
    Ok((Entries::Rebuilt { entries: walk.entries, damage }, walk.openings))
}

struct Walk<'a> {
    segment: &'a Segment,
    source: &'a Source,
    reader: Reader,
    end: u64,
    seed: Seed,
    entries: Vec<u32>,
    /// The least delta the next record can have.
    next: u32,
    openings: Vec<OpeningAt>,
    /// Bounds what is checksummed in the search for a frame after damage: bytes can be made to look
    /// like the start of a long frame at every offset.
    suspect_bytes_left: u64,
}

impl Walk<'_> {
    /// Verifies the frame at `offset` and takes down what it is.
    fn frame(&mut self, offset: u64) -> Result<std::result::Result<FrameHeader, Fault>> {
        self.reader.hold_frame(self.segment, self.source, offset)?;
        let frame = match Frame::decode(self.reader.held(offset), offset, self.seed) {
            Ok(frame) => frame,
            Err(fault) => return Ok(Err(fault)),
        };
        let header = frame.header;
        if offset.saturating_add(header.frame_bytes()) > self.end {
            return Ok(Err(Fault::Short));
        }
        match (header.kind, Opening::decode(frame.payload)) {
            (Kind::Record, _) if header.lsn_delta >= self.next => {
                if let Some(entry) = self.entries.get_mut(header.lsn_delta as usize) {
                    *entry = u32::try_from(offset >> 3).unwrap_or(0);
                }
                self.next = header.lsn_delta.saturating_add(1);
            }
            (Kind::Opening, Some(Opening { epoch, salt }))
                if self.openings.len() < OPENINGS_PER_SEGMENT_MAX =>
            {
                let segment = self.segment.header();
                self.seed = Seed::new(&segment.uuid, segment.id, epoch, salt);
                self.openings.push(OpeningAt { offset, epoch, salt });
            }
            _ => {}
        }
        Ok(Ok(header))
    }

    /// The next offset after damage at which a frame verifies.
    fn resume_after(&mut self, damaged: u64) -> Result<Option<u64>> {
        let mut offset = damaged.saturating_add(8);
        while offset < self.end {
            self.reader.hold(self.segment, self.source, offset, HEADER_BYTES)?;
            if let Ok(header) = FrameHeader::peek(self.reader.held(offset)) {
                let plausible = offset.saturating_add(header.frame_bytes()) <= self.end;
                if plausible && header.lsn_delta >= self.next {
                    let suspect = header.frame_bytes();
                    let Some(left) = self.suspect_bytes_left.checked_sub(suspect) else {
                        return Ok(None);
                    };
                    self.suspect_bytes_left = left;
                    self.reader.hold_frame(self.segment, self.source, offset)?;
                    if Frame::decode(self.reader.held(offset), offset, self.seed).is_ok() {
                        return Ok(Some(offset));
                    }
                }
            }
            offset = offset.saturating_add(8);
        }
        Ok(None)
    }
}

const HEADER_BYTES: u64 = crate::frame::FRAME_HEADER_BYTES;
const AHEAD_BYTES: u64 = 1 << 20;
const SUSPECT_FACTOR: u64 = 16;
/// No segment has more records: each takes at least a frame header.
const ENTRIES_MAX: u64 = crate::limits::SEGMENT_BYTES_MAX / HEADER_BYTES;
