//! The decoders, for fuzzing and for nothing else: no part of the API, and not there without the
//! feature.

use crate::checksum::crc32;
use crate::frame::{Commit, FRAME_HEADER_BYTES, Frame, FrameHeader, Opening, Seed};
use crate::lsn::SegmentId;
use crate::segment::{
    Footer, Scanner, SegmentHeader, file_name, later_durable_through, parse_file_name,
};
use crate::state::Slot;

/// Shows `bytes` to every decoder as what they might be. What one of them believes has to be what
/// its encoder would have written.
///
/// # Panics
/// When a decoder believes what no encoder writes, or by a bug in one of them.
pub fn decode(bytes: &[u8], offset: u64) {
    let seed = Seed::new(&[7; 16], SegmentId(3), 2, offset);
    let _ = FrameHeader::peek(bytes);
    let _ = Frame::decode(bytes, offset, seed);
    frame(&sealed(bytes, offset, seed), offset, seed);
    if let Ok(header) = SegmentHeader::decode(bytes) {
        let again = header.encode();
        let copy = again.get(..bytes.len().min(4096)).and_then(|c| SegmentHeader::decode(c).ok());
        assert!(copy == Some(header), "a header is {header:?}, written again {copy:?}");
        let mut scanner = Scanner::new(header);
        let frames = bytes.get(8192..).unwrap_or_default();
        let mut last = None;
        let _ = scanner.run(frames, &mut |delta, offset| {
            assert!(last.is_none_or(|last| last < offset), "record {delta} stands at {offset}");
            last = Some(offset);
        });
        assert!(scanner.end <= 8192 + frames.len() as u64, "a scan ends behind the bytes");
        let _ = later_durable_through(frames, 8192, scanner.seed(), header.id);
    }
    if let Ok(slot) = Slot::decode(bytes) {
        let again = Slot::decode(&slot.encode());
        assert!(again.as_ref() == Ok(&slot), "a slot is {slot:?}, written again {again:?}");
    }
    if let Ok(name) = std::str::from_utf8(bytes)
        && let Some(id) = parse_file_name(name)
    {
        assert_eq!(file_name(id), name, "two names of one segment");
    }
}

/// The bytes as a frame with the right checksum, where their length allows one.
fn sealed(bytes: &[u8], offset: u64, seed: Seed) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = FrameHeader::peek(&bytes).map_or(0, |header| {
        (FRAME_HEADER_BYTES as usize).saturating_add(header.payload_bytes as usize)
    });
    if let Some(covered) = bytes.get(4..end) {
        let checksum = crc32(seed.at(offset), covered);
        if let Some(place) = bytes.get_mut(..4) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
    }
    bytes
}

/// Decodes a frame and whatever its payload may be.
fn frame(bytes: &[u8], offset: u64, seed: Seed) {
    let Ok(frame) = Frame::decode(bytes, offset, seed) else { return };
    assert!(frame.payload.len() <= bytes.len(), "a payload is longer than its frame");
    let _ = Commit::decode(frame.payload);
    let _ = Opening::decode(frame.payload);
    if let Some(footer) = Footer::decode(frame.payload, offset) {
        for delta in [0, 1, footer.count.saturating_sub(1), footer.count, u32::MAX] {
            let _ = footer.entry_offset(delta);
        }
    }
}
