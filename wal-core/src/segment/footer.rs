//! The seal footer: the index of a sealed segment, and what an opening needs to know of it.

use crate::frame::{FRAME_HEADER_BYTES, Frame, Kind, Seed, frame_bytes};
use crate::le;

/// An opening frame's place and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpeningAt {
    pub(crate) offset: u64,
    pub(crate) epoch: u64,
    pub(crate) salt: u64,
}

/// The fields of a seal footer. It stands where the last commit ends and is checksummed with the
/// seed of the segment's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) first_lsn: u64,
    /// Records in the segment.
    pub(crate) count: u32,
    pub(crate) commits: u32,
    /// Times of the first and the final commit.
    pub(crate) first_ns: u64,
    pub(crate) final_ns: u64,
    /// Where the last commit ends, which is where the footer stands.
    pub(crate) end: u64,
    /// Chain value of the last commit.
    pub(crate) chain: u32,
    pub(crate) openings: Vec<OpeningAt>,
    /// Where in the payload the index starts: a `u32` each, the record's offset in units of eight.
    pub(crate) index_at: usize,
}

/// Bytes a footer takes in the file for this many records and openings.
pub(crate) const fn footer_bytes(records: u64, openings: u64) -> u64 {
    frame_bytes(
        (FIXED_BYTES as u64)
            .saturating_add(openings.saturating_mul(OPENING_BYTES as u64))
            .saturating_add(records.saturating_mul(INDEX_ENTRY_BYTES as u64)),
    )
}

impl Footer {
    /// The footer's frame with its index, as it stands at `self.end`.
    pub(crate) fn encode(&self, index: impl Iterator<Item = u32>, seed: Seed) -> Vec<u8> {
        let mut payload = vec![0; FIXED_BYTES];
        le::put(&mut payload, COUNT, &self.count.to_le_bytes());
        le::put(&mut payload, OPENINGS, &(self.openings.len() as u32).to_le_bytes());
        le::put(&mut payload, FIRST_LSN, &self.first_lsn.to_le_bytes());
        le::put(&mut payload, FIRST_TIME, &self.first_ns.to_le_bytes());
        le::put(&mut payload, FINAL_TIME, &self.final_ns.to_le_bytes());
        le::put(&mut payload, END, &self.end.to_le_bytes());
        le::put(&mut payload, CHAIN, &self.chain.to_le_bytes());
        le::put(&mut payload, COMMITS, &self.commits.to_le_bytes());
        for opening in &self.openings {
            payload.extend_from_slice(&opening.offset.to_le_bytes());
            payload.extend_from_slice(&opening.epoch.to_le_bytes());
            payload.extend_from_slice(&opening.salt.to_le_bytes());
        }
        payload.extend(index.flat_map(u32::to_le_bytes));
        payload.resize(payload.len().next_multiple_of(8), 0);
        Frame::build(Kind::Seal, self.count, &payload, self.end, seed)
    }

    /// The fields of a verified seal frame standing at `offset`; `None` when they contradict each
    /// other.
    pub(crate) fn decode(payload: &[u8], offset: u64) -> Option<Footer> {
        let count = le::u32_at(payload, COUNT)?;
        let openings_count = le::u32_at(payload, OPENINGS)? as usize;
        let index_at = openings_count.checked_mul(OPENING_BYTES)?.checked_add(FIXED_BYTES)?;
        let index_bytes = (count as usize).checked_mul(INDEX_ENTRY_BYTES)?;
        if index_at.checked_add(index_bytes)?.checked_next_multiple_of(8)? != payload.len() {
            return None;
        }
        let openings = payload.get(FIXED_BYTES..index_at)?.chunks_exact(OPENING_BYTES);
        let openings = openings.map(|bytes| {
            Some(OpeningAt {
                offset: le::u64_at(bytes, 0)?,
                epoch: le::u64_at(bytes, 8)?,
                salt: le::u64_at(bytes, 16)?,
            })
        });
        let footer = Footer {
            first_lsn: le::u64_at(payload, FIRST_LSN)?,
            count,
            commits: le::u32_at(payload, COMMITS)?,
            first_ns: le::u64_at(payload, FIRST_TIME)?,
            final_ns: le::u64_at(payload, FINAL_TIME)?,
            end: le::u64_at(payload, END)?,
            chain: le::u32_at(payload, CHAIN)?,
            openings: openings.collect::<Option<_>>()?,
            index_at,
        };
        (footer.end == offset).then_some(footer)
    }

    /// Where in the file the index entry of the record `delta` after the first one stands.
    pub(crate) fn entry_offset(&self, delta: u32) -> u64 {
        let entry = u64::from(delta).saturating_mul(INDEX_ENTRY_BYTES as u64);
        self.end
            .saturating_add(FRAME_HEADER_BYTES)
            .saturating_add(self.index_at as u64)
            .saturating_add(entry)
    }
}

const COUNT: usize = 0;
const OPENINGS: usize = 4;
const FIRST_LSN: usize = 8;
const FIRST_TIME: usize = 16;
const FINAL_TIME: usize = 24;
const END: usize = 32;
const CHAIN: usize = 40;
const COMMITS: usize = 44;
const FIXED_BYTES: usize = 48;
const OPENING_BYTES: usize = 24;
const INDEX_ENTRY_BYTES: usize = 4;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::lsn::SegmentId;

    #[test]
    fn a_footer_gives_back_fields_openings_and_index() {
        let seed = Seed::new(&[1; 16], SegmentId(1), 1, 1);
        for count in [0u32, 1, 2, 501] {
            let footer = Footer {
                first_lsn: 10,
                count,
                commits: 3,
                first_ns: 1,
                final_ns: 2,
                end: 16384,
                chain: 77,
                openings: vec![OpeningAt { offset: 9000, epoch: 2, salt: 3 }],
                index_at: FIXED_BYTES + OPENING_BYTES,
            };
            let bytes = footer.encode((0..count).map(|delta| 1024 + delta), seed);
            assert_eq!(bytes.len() as u64, footer_bytes(u64::from(count), 1));
            let frame = Frame::decode(&bytes, 16384, seed).unwrap();
            assert_eq!(Footer::decode(frame.payload, 16384).unwrap(), footer);
            assert_eq!(Footer::decode(frame.payload, 16392), None);
            for delta in 0..count {
                let at = (footer.entry_offset(delta) - footer.end) as usize;
                assert_eq!(le::u32_at(&bytes, at), Some(1024 + delta));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_payload_makes_decoding_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let _ = Footer::decode(&bytes, 0);
        }
    }
}
