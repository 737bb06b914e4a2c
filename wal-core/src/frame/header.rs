//! The 16 bytes in front of every frame, and the judgement of a frame's bytes.

use super::Seed;
use crate::checksum::crc32;
use crate::le;

/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: u64 = 16;
/// Every frame starts and ends at a multiple of this.
pub(crate) const FRAME_ALIGNMENT: u64 = 8;
/// Set on every record of a batch but the final one.
pub(crate) const FLAG_BATCH_CONTINUES: u8 = 1;

/// What a frame is. Zero is no kind, so that zeroed space never reads as a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Record,
    Commit,
    Padding,
    Opening,
    Seal,
    /// A later version's frame that this one may pass over.
    Skippable(u8),
}

/// A frame's header fields, less its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) payload_bytes: u32,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// LSN less the segment's first LSN; for other frames than records, of the next record.
    pub(crate) lsn_delta: u32,
}

/// A frame whose checksum was verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) payload: &'a [u8],
}

/// A record's frame whose checksum was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFrame<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) flags: u8,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The header is all zero: nothing was written here.
    Zeroed,
    /// The frame would go on past the bytes there are.
    Short,
    /// No kind of frame has this number.
    UnknownKind(u8),
    /// The reserved field or an unknown flag is set.
    UnknownFlags(u8),
    /// The checksum of the bytes is another one.
    Checksum { expected: u32, found: u32 },
}

/// Bytes a frame takes in the file: header, payload, padding to eight.
#[inline]
pub(crate) const fn frame_bytes(payload_bytes: u64) -> u64 {
    FRAME_HEADER_BYTES.saturating_add(payload_bytes).saturating_add(7) & !7
}

impl Kind {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Kind::Record => 1,
            Kind::Commit => 2,
            Kind::Padding => 3,
            Kind::Opening => 4,
            Kind::Seal => 5,
            Kind::Skippable(code) => code,
        }
    }

    const fn from_code(code: u8) -> Option<Kind> {
        match code {
            1 => Some(Kind::Record),
            2 => Some(Kind::Commit),
            3 => Some(Kind::Padding),
            4 => Some(Kind::Opening),
            5 => Some(Kind::Seal),
            128.. => Some(Kind::Skippable(code)),
            _ => None,
        }
    }
}

impl FrameHeader {
    /// The header's bytes with the checksum field zero; [`seal_frame`](FrameHeader::seal) fills it.
    #[inline]
    pub(crate) fn encode(&self) -> [u8; FRAME_HEADER_BYTES as usize] {
        let mut bytes = [0; FRAME_HEADER_BYTES as usize];
        le::put(&mut bytes, LEN, &self.payload_bytes.to_le_bytes());
        le::put(&mut bytes, KIND, &[self.kind.code(), self.flags]);
        le::put(&mut bytes, LSN_DELTA, &self.lsn_delta.to_le_bytes());
        bytes
    }

    /// Reads a header without believing it: lengths are bounded by the caller, the checksum is not
    /// looked at.
    #[inline]
    pub(crate) fn peek(bytes: &[u8]) -> Result<FrameHeader, Fault> {
        let header: [u8; FRAME_HEADER_BYTES as usize] =
            le::array_at(bytes, 0).ok_or(Fault::Short)?;
        // As one number: compilers make poor work of comparing the array.
        if u128::from_le_bytes(header) == 0 {
            return Err(Fault::Zeroed);
        }
        let [_, _, _, _, l0, l1, l2, l3, code, flags, r0, r1, d0, d1, d2, d3] = header;
        let kind = Kind::from_code(code).ok_or(Fault::UnknownKind(code))?;
        if flags & !FLAG_BATCH_CONTINUES != 0 || r0 != 0 || r1 != 0 {
            return Err(Fault::UnknownFlags(flags));
        }
        Ok(FrameHeader {
            payload_bytes: u32::from_le_bytes([l0, l1, l2, l3]),
            kind,
            flags,
            lsn_delta: u32::from_le_bytes([d0, d1, d2, d3]),
        })
    }

    /// Bytes the frame takes in the file.
    #[inline]
    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(u64::from(self.payload_bytes))
    }
}

impl<'a> RecordFrame<'a> {
    /// The frame at the start of `bytes`, which lie at `offset` of their file, if it is that of the
    /// record `lsn_delta`, verified. Says nothing of what else it might be: [`Frame::decode`] does.
    ///
    /// This is what a replay does for each record, so the header's fields but the length are held
    /// against what they must be as one number.
    #[inline]
    pub(crate) fn verified(
        bytes: &'a [u8],
        offset: u64,
        seed: Seed,
        lsn_delta: u32,
    ) -> Option<RecordFrame<'a>> {
        let header = bytes.first_chunk::<{ FRAME_HEADER_BYTES as usize }>()?;
        let fields = u128::from_le_bytes(*header);
        let (found, payload_bytes) = (fields as u32, (fields >> 32) as u32);
        let identity = (fields >> 64) as u64;
        let expected = u64::from(lsn_delta) << 32 | u64::from(Kind::Record.code());
        let flags = (identity ^ expected) >> 8;
        if flags & !u64::from(FLAG_BATCH_CONTINUES) != 0 || identity as u8 != expected as u8 {
            return None;
        }
        let covered_end = (FRAME_HEADER_BYTES as usize).saturating_add(payload_bytes as usize);
        let covered = bytes.get(LEN..covered_end)?;
        if crc32(seed.at(offset), covered) != found {
            return None;
        }
        let payload = bytes.get(FRAME_HEADER_BYTES as usize..covered_end)?;
        Some(RecordFrame { payload, flags: flags as u8 })
    }

    /// Bytes the frame takes in the file.
    #[inline]
    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(self.payload.len() as u64)
    }
}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes`, which lie at `offset` of their file, if it is one.
    #[inline]
    pub(crate) fn decode(bytes: &'a [u8], offset: u64, seed: Seed) -> Result<Frame<'a>, Fault> {
        let header = FrameHeader::peek(bytes)?;
        let covered_end =
            (FRAME_HEADER_BYTES as usize).saturating_add(header.payload_bytes as usize);
        let covered = bytes.get(LEN..covered_end).ok_or(Fault::Short)?;
        let found = le::u32_at(bytes, CRC).ok_or(Fault::Short)?;
        let expected = crc32(seed.at(offset), covered);
        if expected != found {
            return Err(Fault::Checksum { expected, found });
        }
        let payload = bytes.get(FRAME_HEADER_BYTES as usize..covered_end).ok_or(Fault::Short)?;
        Ok(Frame { header, payload })
    }

    /// A whole frame in memory of its own, padded and checksummed, as it stands at `offset`.
    pub(crate) fn build(
        kind: Kind,
        lsn_delta: u32,
        payload: &[u8],
        offset: u64,
        seed: Seed,
    ) -> Vec<u8> {
        let payload_bytes = payload.len() as u32;
        let header = FrameHeader { payload_bytes, kind, flags: 0, lsn_delta };
        let mut bytes = Vec::with_capacity(header.frame_bytes() as usize);
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(payload);
        let crc = crc32(seed.at(offset), bytes.get(LEN..).unwrap_or_default());
        le::put(&mut bytes, CRC, &crc.to_le_bytes());
        bytes.resize(header.frame_bytes() as usize, 0);
        bytes
    }
}

/// Where the checksum stands in the header; it covers everything after it, padding excepted.
pub(crate) const CRC: usize = 0;
pub(crate) const LEN: usize = 4;
const KIND: usize = 8;
#[cfg(test)]
const FLAGS: usize = 9;
const LSN_DELTA: usize = 12;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::lsn::SegmentId;

    fn seed() -> Seed {
        Seed::new(&[7; 16], SegmentId(3), 1, 99)
    }

    #[test]
    fn zeroed_space_is_no_frame() {
        assert_eq!(Frame::decode(&[0; 64], 8192, seed()).unwrap_err(), Fault::Zeroed);
    }

    #[test]
    fn a_flip_of_any_covered_bit_is_refused() {
        let good = Frame::build(Kind::Record, 5, b"payload!", 8192, seed());
        assert!(Frame::decode(&good, 8192, seed()).is_ok());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&bad, 8192, seed()).is_err(), "bit {bit} went unseen");
        }
    }

    #[test]
    fn a_frame_is_refused_at_every_other_offset_and_under_every_other_seed() {
        let good = Frame::build(Kind::Record, 0, &[1; 100], 8192, seed());
        for offset in (0..1 << 20).step_by(8).filter(|&offset| offset != 8192) {
            assert!(Frame::decode(&good, offset, seed()).is_err(), "accepted at {offset}");
        }
        for other in [
            Seed::new(&[8; 16], SegmentId(3), 1, 99),
            Seed::new(&[7; 16], SegmentId(4), 1, 99),
            Seed::new(&[7; 16], SegmentId(3), 2, 99),
            Seed::new(&[7; 16], SegmentId(3), 1, 98),
        ] {
            assert!(Frame::decode(&good, 8192, other).is_err());
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_short() {
        let good = Frame::build(Kind::Record, 0, &[1; 21], 8192, seed());
        for len in 0..FRAME_HEADER_BYTES as usize + 21 {
            assert_eq!(Frame::decode(&good[..len], 8192, seed()).unwrap_err(), Fault::Short);
        }
    }

    #[test]
    fn a_reserved_byte_or_an_unknown_flag_is_refused_under_a_right_checksum() {
        let good = Frame::build(Kind::Record, 5, b"payload!", 8192, seed());
        for (at, value) in [(FLAGS, 2), (FLAGS, 0x80), (FLAGS + 1, 1), (FLAGS + 2, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            let crc = crc32(seed().at(8192), &bad[LEN..]);
            bad[..LEN].copy_from_slice(&crc.to_le_bytes());
            let fault = Frame::decode(&bad, 8192, seed()).unwrap_err();
            assert_eq!(fault, Fault::UnknownFlags(bad[FLAGS]), "byte {at} went unseen");
        }
    }

    #[test]
    fn the_short_way_takes_the_record_it_asks_for_and_nothing_else() {
        let record = |flags, kind, payload: &[u8]| {
            let mut bytes = Frame::build(kind, 5, payload, 8192, seed());
            bytes[FLAGS] = flags;
            let crc = crc32(seed().at(8192), &bytes[LEN..16 + payload.len()]);
            bytes[..4].copy_from_slice(&crc.to_le_bytes());
            bytes
        };
        fn short_way(bytes: &[u8]) -> Option<RecordFrame<'_>> {
            RecordFrame::verified(bytes, 8192, seed(), 5)
        }
        for payload in [&b""[..], b"x", &[7; 300]] {
            for flags in [0, FLAG_BATCH_CONTINUES] {
                let good = record(flags, Kind::Record, payload);
                assert_eq!(short_way(&good), Some(RecordFrame { payload, flags }));
                for delta in [4, 6, 5 + 256, 5 | 1 << 31] {
                    assert_eq!(RecordFrame::verified(&good, 8192, seed(), delta), None);
                }
                assert_eq!(RecordFrame::verified(&good, 8200, seed(), 5), None);
                for len in 0..16 + payload.len() {
                    assert_eq!(short_way(&good[..len]), None);
                }
            }
            for flags in 2..=u8::MAX {
                assert_eq!(short_way(&record(flags, Kind::Record, payload)), None);
            }
            for kind in [Kind::Commit, Kind::Padding, Kind::Opening, Kind::Skippable(129)] {
                assert_eq!(short_way(&record(0, kind, payload)), None);
            }
        }
        assert_eq!(short_way(&[0; 64]), None);
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_and_the_long_one_agree(
            payload in proptest::collection::vec(0u8.., 0..40),
            flip in 0usize..600,
        ) {
            let mut bytes = Frame::build(Kind::Record, 5, &payload, 8192, seed());
            if let Some(byte) = bytes.get_mut(flip / 8) {
                *byte ^= 1 << (flip % 8);
            }
            let long = Frame::decode(&bytes, 8192, seed()).ok();
            let long = long.filter(|frame| frame.header.lsn_delta == 5).map(|frame| RecordFrame {
                payload: frame.payload,
                flags: frame.header.flags,
            });
            assert_eq!(RecordFrame::verified(&bytes, 8192, seed(), 5), long);
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(0u8.., 0..80)) {
            let _ = Frame::decode(&bytes, 8192, seed());
            let _ = FrameHeader::peek(&bytes);
            let _ = RecordFrame::verified(&bytes, 8192, seed(), 5);
        }
    }
}
