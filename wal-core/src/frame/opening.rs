//! The opening frame: a clean reopening goes on in the same segment, under a new epoch and salt.

use super::{FRAME_HEADER_BYTES, Frame, Kind, Seed};
use crate::le;

/// Bytes an opening frame takes in the file.
pub(crate) const OPENING_FRAME_BYTES: u64 = FRAME_HEADER_BYTES + PAYLOAD_BYTES as u64;

/// The fields of an opening frame. It is checksummed with the seed before it; the frames after it,
/// up to the next opening, with the seed of its own epoch and salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) epoch: u64,
    pub(crate) salt: u64,
}

impl Opening {
    /// The frame as it stands at `offset`.
    pub(crate) fn encode(&self, lsn_delta: u32, offset: u64, seed: Seed) -> Vec<u8> {
        let mut payload = [0; PAYLOAD_BYTES];
        le::put(&mut payload, EPOCH, &self.epoch.to_le_bytes());
        le::put(&mut payload, SALT, &self.salt.to_le_bytes());
        Frame::build(Kind::Opening, lsn_delta, &payload, offset, seed)
    }

    /// The fields of a verified opening frame; `None` when its payload is not one.
    pub(crate) fn decode(payload: &[u8]) -> Option<Opening> {
        if payload.len() != PAYLOAD_BYTES {
            return None;
        }
        Some(Opening { epoch: le::u64_at(payload, EPOCH)?, salt: le::u64_at(payload, SALT)? })
    }
}

const PAYLOAD_BYTES: usize = 16;
const EPOCH: usize = 0;
const SALT: usize = 8;
