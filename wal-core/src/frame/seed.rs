//! What every frame's checksum starts from, so that bytes from elsewhere never pass as a frame.

use crate::checksum::crc32;
use crate::lsn::SegmentId;

/// The identity of one run of writing in one segment, folded into 32 bits.
///
/// A frame's CRC starts from the seed XOR its file offset in units of eight. CRC-32 is linear and
/// invertible in its start value, so a frame moved to another offset of the same run *always*
/// fails, and one from another log, segment or run fails but for one chance in 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn new(uuid: &[u8; 16], segment: SegmentId, epoch: u64, salt: u64) -> Seed {
        let mut crc = crc32(0, uuid);
        for number in [segment.0, epoch, salt] {
            crc = crc32(crc, &number.to_le_bytes());
        }
        Seed(crc)
    }

    /// Where the CRC of a frame at this file offset starts.
    #[inline]
    pub(crate) fn at(self, offset: u64) -> u32 {
        self.0 ^ (offset >> 3) as u32
    }
}
