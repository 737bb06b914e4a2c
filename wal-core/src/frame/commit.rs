//! The commit trailer: what makes the frames before it one unit of recovery.

use super::header::{CRC, LEN};
use super::{FRAME_HEADER_BYTES, FrameHeader, Kind, Seed};
use crate::checksum::crc32;
use crate::le;
use crate::lsn::{FileOffset, Place, SegmentId};

/// Bytes a commit trailer takes in the file.
pub(crate) const COMMIT_FRAME_BYTES: u64 = FRAME_HEADER_BYTES + PAYLOAD_BYTES as u64;

/// The fields of a commit trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// LSN of the commit's first record, or of the next record when it has none.
    pub(crate) first_lsn: u64,
    /// Records in the commit.
    pub(crate) count: u32,
    /// CRC over the commit's bytes before the trailer, continued from the chain value before.
    pub(crate) chain: u32,
    /// Nanoseconds since 1970, never less than the commit before.
    pub(crate) time_ns: u64,
    /// Everything before this place was on stable storage when the trailer was made.
    pub(crate) durable_through: Place,
    /// The number of the newest durable state slot at that time: an older one found later has lost
    /// something.
    pub(crate) state_seq: u64,
}

impl Commit {
    /// The trailer's frame as it stands at `offset`.
    pub(crate) fn encode(
        &self,
        segment_first_lsn: u64,
        offset: u64,
        seed: Seed,
    ) -> [u8; COMMIT_FRAME_BYTES as usize] {
        let mut payload = [0; PAYLOAD_BYTES];
        le::put(&mut payload, FIRST_LSN, &self.first_lsn.to_le_bytes());
        le::put(&mut payload, COUNT, &self.count.to_le_bytes());
        le::put(&mut payload, CHAIN, &self.chain.to_le_bytes());
        le::put(&mut payload, TIME, &self.time_ns.to_le_bytes());
        le::put(&mut payload, DURABLE_SEGMENT, &self.durable_through.segment.0.to_le_bytes());
        le::put(&mut payload, DURABLE_OFFSET, &self.durable_through.offset.0.to_le_bytes());
        le::put(&mut payload, STATE_SEQ, &self.state_seq.to_le_bytes());
        let next = self.first_lsn.saturating_add(u64::from(self.count));
        let lsn_delta = next.saturating_sub(segment_first_lsn) as u32;
        let payload_bytes = PAYLOAD_BYTES as u32;
        let header = FrameHeader { payload_bytes, kind: Kind::Commit, flags: 0, lsn_delta };
        let mut bytes = [0; COMMIT_FRAME_BYTES as usize];
        le::put(&mut bytes, 0, &header.encode());
        le::put(&mut bytes, FRAME_HEADER_BYTES as usize, &payload);
        let crc = crc32(seed.at(offset), bytes.get(LEN..).unwrap_or_default());
        le::put(&mut bytes, CRC, &crc.to_le_bytes());
        bytes
    }

    /// The fields of a verified trailer frame; `None` when its payload is not one.
    pub(crate) fn decode(payload: &[u8]) -> Option<Commit> {
        if payload.len() != PAYLOAD_BYTES {
            return None;
        }
        Some(Commit {
            first_lsn: le::u64_at(payload, FIRST_LSN)?,
            count: le::u32_at(payload, COUNT)?,
            chain: le::u32_at(payload, CHAIN)?,
            time_ns: le::u64_at(payload, TIME)?,
            durable_through: Place {
                segment: SegmentId(le::u64_at(payload, DURABLE_SEGMENT)?),
                offset: FileOffset(le::u64_at(payload, DURABLE_OFFSET)?),
            },
            state_seq: le::u64_at(payload, STATE_SEQ)?,
        })
    }
}

const PAYLOAD_BYTES: usize = 48;
const FIRST_LSN: usize = 0;
const COUNT: usize = 8;
const CHAIN: usize = 12;
const TIME: usize = 16;
const DURABLE_SEGMENT: usize = 24;
const DURABLE_OFFSET: usize = 32;
const STATE_SEQ: usize = 40;
