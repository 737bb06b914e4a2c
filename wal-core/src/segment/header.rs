//! The segment header: one block, written twice. It is what makes a file a segment.

use crate::checksum::crc32;
use crate::frame::{FRAME_HEADER_BYTES, Seed};
use crate::le;
use crate::limits::BLOCK_BYTES;
use crate::lsn::{FileOffset, Lsn, Place, SegmentId};

/// Where the frames start, after the two copies of the header.
pub(crate) const DATA_START: u64 = 2 * BLOCK_BYTES;

/// Where the segment before ends: what a later segment knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub(crate) id: SegmentId,
    /// Its frames are valid up to here and nowhere beyond, whatever stands there.
    pub(crate) end: FileOffset,
    /// LSN of the record that would come next at `end`.
    pub(crate) next_lsn: u64,
    /// Its chain value at `end`; 0, which says nothing, where a truncation put the end.
    pub(crate) chain: u32,
    /// Where its footer stands, if it has one.
    pub(crate) footer: Option<FileOffset>,
}

/// The fields of a segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) uuid: [u8; 16],
    pub(crate) id: SegmentId,
    pub(crate) first_lsn: u64,
    pub(crate) epoch: u64,
    pub(crate) salt: u64,
    pub(crate) created_ns: u64,
    /// None for the first segment of a log and after a reset.
    pub(crate) predecessor: Option<Predecessor>,
    /// Everything before this place was on stable storage when the header was made.
    pub(crate) durable_through: Place,
    pub(crate) state_seq: u64,
}

/// Why a block is not a segment header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// All zero: a spare, or never written.
    Zeroed,
    /// The checksum of the block is another one.
    Checksum { expected: u32, found: u32 },
    /// A valid header of something newer; the text says what.
    Unsupported(String),
}

impl SegmentHeader {
    /// Both copies, as they stand at the start of the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut block = vec![0; BLOCK_BYTES as usize];
        let predecessor = self.predecessor.unwrap_or(NO_PREDECESSOR);
        le::put(&mut block, MAGIC, MAGIC_VALUE);
        le::put(&mut block, VERSION, &VERSION_VALUE.to_le_bytes());
        le::put(&mut block, BLOCK_SIZE, &(BLOCK_BYTES as u32).to_le_bytes());
        le::put(&mut block, UUID, &self.uuid);
        for (field, value) in [
            (SEGMENT_ID, self.id.0),
            (FIRST_LSN, self.first_lsn),
            (EPOCH, self.epoch),
            (SALT, self.salt),
            (CREATED, self.created_ns),
            (PREDECESSOR_ID, predecessor.id.0),
            (PREDECESSOR_END, predecessor.end.0),
            (PREDECESSOR_NEXT_LSN, predecessor.next_lsn),
            (PREDECESSOR_FOOTER, predecessor.footer.map_or(0, |footer| footer.0)),
            (DURABLE_SEGMENT, self.durable_through.segment.0),
            (DURABLE_OFFSET, self.durable_through.offset.0),
            (STATE_SEQ, self.state_seq),
        ] {
            le::put(&mut block, field, &value.to_le_bytes());
        }
        le::put(&mut block, PREDECESSOR_CHAIN, &predecessor.chain.to_le_bytes());
        let crc = crc32(0, block.get(..CRC).unwrap_or_default());
        le::put(&mut block, CRC, &crc.to_le_bytes());
        block.extend_from_within(..);
        block
    }

    /// The header in this block, if it is one.
    pub(crate) fn decode(block: &[u8]) -> Result<SegmentHeader, HeaderFault> {
        if block.iter().all(|&byte| byte == 0) {
            return Err(HeaderFault::Zeroed);
        }
        let found = le::u32_at(block, CRC).unwrap_or(0);
        let expected = crc32(0, block.get(..CRC).unwrap_or_default());
        if expected != found || block.get(..MAGIC_VALUE.len()) != Some(MAGIC_VALUE) {
            return Err(HeaderFault::Checksum { expected, found });
        }
        SegmentHeader::check_version(block)?;
        let short = || HeaderFault::Checksum { expected, found };
        SegmentHeader::fields(block).ok_or_else(short)
    }

    /// What every frame's checksum starts from until the first opening frame.
    pub(crate) fn seed(&self) -> Seed {
        Seed::new(&self.uuid, self.id, self.epoch, self.salt)
    }

    /// The chain value before the first commit: the checksum of the header itself.
    pub(crate) fn chain(&self) -> u32 {
        le::u32_at(&self.encode(), CRC).unwrap_or(0)
    }

    /// Whether the log can have gone on from this segment to the one `later` heads.
    pub(crate) fn goes_on_in(&self, later: &SegmentHeader) -> bool {
        let follows = later.predecessor.is_some_and(|end| {
            // Each record takes a frame: a segment cannot end before more of them than have room.
            let room = end.end.0.saturating_sub(DATA_START) / FRAME_HEADER_BYTES;
            let records = end.next_lsn.checked_sub(self.first_lsn);
            end.next_lsn == later.first_lsn && records.is_some_and(|count| count <= room)
        });
        follows && later.epoch >= self.epoch
    }

    /// Whether its first record has an LSN, or would come right behind the last one there can be.
    pub(crate) fn begins_at_an_lsn(&self) -> bool {
        (1..=Lsn::MAX.get().saturating_add(1)).contains(&self.first_lsn)
    }

    fn check_version(block: &[u8]) -> Result<(), HeaderFault> {
        let version = le::u16_at(block, VERSION).unwrap_or(0);
        if version != VERSION_VALUE {
            return Err(HeaderFault::Unsupported(format!(
                "format version {version}, this library knows version {VERSION_VALUE}"
            )));
        }
        let incompat = le::u32_at(block, INCOMPAT).unwrap_or(0);
        if incompat != 0 {
            return Err(HeaderFault::Unsupported(format!("feature bits {incompat:#x}")));
        }
        let codec = le::u32_at(block, CODEC).unwrap_or(0);
        let key = le::u64_at(block, KEY_ID).unwrap_or(0);
        if codec != 0 || key != 0 {
            return Err(HeaderFault::Unsupported(format!("codec {codec}, key {key}")));
        }
        let block_bytes = le::u32_at(block, BLOCK_SIZE).unwrap_or(0);
        if u64::from(block_bytes) != BLOCK_BYTES {
            return Err(HeaderFault::Unsupported(format!("blocks of {block_bytes} bytes")));
        }
        Ok(())
    }

    fn fields(block: &[u8]) -> Option<SegmentHeader> {
        let number = |field| le::u64_at(block, field);
        let footer = number(PREDECESSOR_FOOTER)?;
        let predecessor = Predecessor {
            id: SegmentId(number(PREDECESSOR_ID)?),
            end: FileOffset(number(PREDECESSOR_END)?),
            next_lsn: number(PREDECESSOR_NEXT_LSN)?,
            chain: le::u32_at(block, PREDECESSOR_CHAIN)?,
            footer: (footer != 0).then_some(FileOffset(footer)),
        };
        Some(SegmentHeader {
            uuid: le::array_at(block, UUID)?,
            id: SegmentId(number(SEGMENT_ID)?),
            first_lsn: number(FIRST_LSN)?,
            epoch: number(EPOCH)?,
            salt: number(SALT)?,
            created_ns: number(CREATED)?,
            predecessor: (predecessor.id.0 != 0).then_some(predecessor),
            durable_through: Place {
                segment: SegmentId(number(DURABLE_SEGMENT)?),
                offset: FileOffset(number(DURABLE_OFFSET)?),
            },
            state_seq: number(STATE_SEQ)?,
        })
    }
}

const NO_PREDECESSOR: Predecessor =
    Predecessor { id: SegmentId(0), end: FileOffset(0), next_lsn: 0, chain: 0, footer: None };

const MAGIC_VALUE: &[u8] = b"WALSEG\r\n";
const VERSION_VALUE: u16 = 1;

const MAGIC: usize = 0;
const VERSION: usize = 8;
// 12: compatible feature bits; unknown ones are ignored.
const INCOMPAT: usize = 16;
const BLOCK_SIZE: usize = 20;
const UUID: usize = 24;
const SEGMENT_ID: usize = 40;
const FIRST_LSN: usize = 48;
const EPOCH: usize = 56;
const SALT: usize = 64;
const CREATED: usize = 72;
const PREDECESSOR_ID: usize = 80;
const PREDECESSOR_END: usize = 88;
const PREDECESSOR_NEXT_LSN: usize = 96;
const PREDECESSOR_FOOTER: usize = 104;
const PREDECESSOR_CHAIN: usize = 112;
const CODEC: usize = 116;
const KEY_ID: usize = 120;
// 128: key-check value, 16 bytes.
const DURABLE_SEGMENT: usize = 144;
const DURABLE_OFFSET: usize = 152;
const STATE_SEQ: usize = 160;
const CRC: usize = 4092;

const _: () = assert!(CRC + 4 == BLOCK_BYTES as usize);

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            uuid: [9; 16],
            id: SegmentId(4),
            first_lsn: 100,
            epoch: 3,
            salt: 0x1234_5678_9abc_def0,
            created_ns: 5,
            predecessor: Some(Predecessor {
                id: SegmentId(2),
                end: FileOffset(9000),
                next_lsn: 100,
                chain: 7,
                footer: Some(FileOffset(9000)),
            }),
            durable_through: Place { segment: SegmentId(2), offset: FileOffset(9000) },
            state_seq: 11,
        }
    }

    #[test]
    fn each_copy_alone_gives_every_field_back() {
        let both = header().encode();
        assert_eq!(both.len() as u64, DATA_START);
        for copy in both.chunks(BLOCK_BYTES as usize) {
            assert_eq!(SegmentHeader::decode(copy).unwrap(), header());
        }
        let first = SegmentHeader { predecessor: None, ..header() };
        assert_eq!(SegmentHeader::decode(&first.encode()[..4096]).unwrap(), first);
    }

    #[test]
    fn a_flip_of_any_byte_is_refused() {
        let good = header().encode();
        for at in 0..4096 {
            let mut bad = good[..4096].to_vec();
            bad[at] ^= 0x20;
            assert!(
                matches!(SegmentHeader::decode(&bad), Err(HeaderFault::Checksum { .. })),
                "byte {at} went unseen"
            );
        }
        assert_eq!(SegmentHeader::decode(&[0; 4096]), Err(HeaderFault::Zeroed));
        assert!(SegmentHeader::decode(&good[..100]).is_err());
    }

    #[test]
    fn a_newer_version_or_feature_is_unsupported_not_corrupt() {
        for (field, bytes) in [
            (VERSION, vec![2, 0]),
            (INCOMPAT, vec![1, 0, 0, 0]),
            (CODEC, vec![1, 0, 0, 0]),
            (KEY_ID, vec![1, 0, 0, 0]),
            (BLOCK_SIZE, vec![0, 32, 0, 0]),
        ] {
            let mut newer = header().encode()[..4096].to_vec();
            le::put(&mut newer, field, &bytes);
            let crc = crc32(0, &newer[..CRC]);
            le::put(&mut newer, CRC, &crc.to_le_bytes());
            assert!(
                matches!(SegmentHeader::decode(&newer), Err(HeaderFault::Unsupported(_))),
                "field {field}"
            );
        }
    }
}
