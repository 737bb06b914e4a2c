//! One slot of the state file: values in, bytes out, and back. No I/O.
//!
//! All numbers are little-endian. Places and meaning of the magic, the version, the checksum, the
//! used bytes and the feature bits are the same in every version.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic, `WALSTATE` |
//! | 8 | 2 | version, 1 |
//! | 10 | 2 | reserved, 0 |
//! | 12 | 4 | CRC-32 of the used bytes, this field taken as 0 |
//! | 16 | 4 | compatible features: unknown bits are ignored |
//! | 20 | 4 | incompatible features: unknown bits are refused |
//! | 24 | 4 | used bytes, this header and everything behind it, a multiple of 8 |
//! | 28 | 4 | flags: bit 0 closed cleanly, bit 1 the next opening may go on in the tail segment |
//! | 32 | 16 | log uuid |
//! | 48 | 8 | sequence number of the slot |
//! | 56 | 8 | epoch |
//! | 64 | 8 | first LSN |
//! | 72 | 8 | first segment |
//! | 80 | 8 | tail segment |
//! | 88 | 8 | tail offset |
//! | 96 | 8 | next LSN |
//! | 104 | 4 | chain value at the tail |
//! | 108 | 4 | mirrored: 1 when the other slot held the same first LSN and values |
//! | 112 | 8 | time in nanoseconds since 1970 |
//! | 120 | 4 | count of the values |
//! | 124 | 4 | reserved, 0 |
//! | 128 | 8 | sequence number of the slot that last changed the first LSN or the values |
//! | 136 | | for each value: key length (2), value length (2), key, value, padded to 8 |
//!
//! Keys are strictly ascending. What later versions add without an incompatible feature follows
//! the values.

use std::fmt;

use crate::checksum::crc32;
use crate::le;
use crate::limits::{KEY_BYTES_MAX, STATE_SLOT_BYTES, VALUE_BYTES_MAX};
use crate::lsn::{FileOffset, Place, SegmentId};
use crate::state::values::ValueMap;

/// What a slot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The log's identity, the same in both slots and in every segment.
    pub(crate) uuid: [u8; 16],
    /// Of two slots the one with the higher number counts. Given by [`super::StateFile`].
    pub(crate) seq: u64,
    /// The epoch being written.
    pub(crate) epoch: u64,
    /// The first LSN that is not trimmed; equal to `next_lsn` when all are. At most `2^63`.
    pub(crate) first_lsn: u64,
    /// The segment in which the first LSN lies.
    pub(crate) first_segment: SegmentId,
    /// Everything before this place is durable.
    pub(crate) tail: Place,
    /// The LSN of the first record after the tail. At most `2^63`, when no LSN is left.
    pub(crate) next_lsn: u64,
    /// The chain value of the commit that ends at the tail.
    pub(crate) tail_chain: u32,
    /// Whether the log was closed and nothing was written since.
    pub(crate) is_clean: bool,
    /// Whether the next opening may go on in the tail segment.
    pub(crate) continues: bool,
    /// Whether the other slot held the same first LSN and values when this one was written, so
    /// that nothing of them is lost with either. Set by [`super::StateFile`].
    pub(crate) is_mirrored: bool,
    /// The `seq` of the slot that last changed the first LSN or the values. Segments remember it:
    /// a slot older than what they remember cannot stand in for the newest. Set by
    /// [`super::StateFile`].
    pub(crate) contents_seq: u64,
    /// When the slot was written, in nanoseconds since 1970.
    pub(crate) time_ns: u64,
    /// The key-value state.
    pub(crate) values: ValueMap,
}

/// Why bytes are not a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotFault {
    /// Nothing was ever written here, or it was zeroed.
    Empty,
    /// The bytes are not those that were written: a crash during the write, or rot.
    Torn {
        /// What should stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The bytes are as they were written, but break the rules of the layout.
    Malformed {
        /// Where in the slot.
        offset: usize,
        /// Which rule.
        expected: &'static str,
    },
    /// The slot was written by a later version.
    Newer {
        /// Which.
        version: u16,
    },
    /// The slot uses incompatible features this version does not know.
    UnknownFeature {
        /// Their bits.
        bits: u32,
    },
    /// Something else stands here, starting with these bytes.
    Foreign([u8; 8]),
}

impl Slot {
    /// A slot that says nothing.
    pub(crate) fn unknown() -> Slot {
        Slot {
            uuid: [0; 16],
            seq: 0,
            epoch: 0,
            first_lsn: 1,
            first_segment: SegmentId(0),
            tail: Place { segment: SegmentId(0), offset: FileOffset(0) },
            next_lsn: 1,
            tail_chain: 0,
            is_clean: false,
            continues: false,
            is_mirrored: true,
            contents_seq: 0,
            time_ns: 0,
            values: ValueMap::default(),
        }
    }

    /// The slot's used bytes. They fit a slot if the values passed [`ValueMap::apply`].
    pub(crate) fn encode(&self) -> Vec<u8> {
        let clean = if self.is_clean { FLAG_CLEAN } else { 0 };
        let continues = if self.continues { FLAG_CONTINUES } else { 0 };
        let mut out = Vec::with_capacity(self.values.slot_bytes());
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 2]);
        out.extend([0; 4]);
        out.extend(0_u32.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out.extend((self.values.slot_bytes() as u32).to_le_bytes());
        out.extend((clean | continues).to_le_bytes());
        out.extend(self.uuid);
        out.extend(self.seq.to_le_bytes());
        out.extend(self.epoch.to_le_bytes());
        out.extend(self.first_lsn.to_le_bytes());
        out.extend(self.first_segment.0.to_le_bytes());
        out.extend(self.tail.segment.0.to_le_bytes());
        out.extend(self.tail.offset.0.to_le_bytes());
        out.extend(self.next_lsn.to_le_bytes());
        out.extend(self.tail_chain.to_le_bytes());
        out.extend(u32::from(self.is_mirrored).to_le_bytes());
        out.extend(self.time_ns.to_le_bytes());
        out.extend((self.values.iter().len() as u32).to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.contents_seq.to_le_bytes());
        assert_eq!(out.len(), ENTRIES, "the header has the length of its table");
        for (key, value) in self.values.iter() {
            out.extend((key.len() as u16).to_le_bytes());
            out.extend((value.len() as u16).to_le_bytes());
            out.extend(key);
            out.extend(value);
            out.resize(out.len().next_multiple_of(ENTRY_ALIGNMENT), 0);
        }
        seal(&mut out);
        out
    }

    /// The slot in `bytes`, which may go on behind it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Slot, SlotFault> {
        let used = checked(bytes)?;
        let layout = Layout(used);
        let version = layout.u16(VERSION_AT)?;
        if version > VERSION {
            return Err(SlotFault::Newer { version });
        }
        if version != VERSION {
            return Err(SlotFault::Malformed { offset: VERSION_AT, expected: "version 1" });
        }
        let unknown = layout.u32(INCOMPATIBLE)?;
        if unknown != 0 {
            return Err(SlotFault::UnknownFeature { bits: unknown });
        }
        let (values, end) = decode_values(layout)?;
        if layout.u32(COMPATIBLE)? == 0 && end != used.len() {
            return Err(SlotFault::Malformed { offset: end, expected: "nothing after the values" });
        }
        let flags = layout.u32(FLAGS)?;
        let (seq, contents_seq) = (layout.u64(SEQ)?, layout.u64(CONTENTS_SEQ)?);
        // Segments started under such a slot would declare it outlived.
        if contents_seq > seq {
            let expected = "contents no newer than itself";
            return Err(SlotFault::Malformed { offset: CONTENTS_SEQ, expected });
        }
        Ok(Slot {
            uuid: layout.array(UUID)?,
            seq,
            epoch: layout.u64(EPOCH)?,
            first_lsn: layout.u64(FIRST_LSN)?,
            first_segment: SegmentId(layout.u64(FIRST_SEGMENT)?),
            tail: Place {
                segment: SegmentId(layout.u64(TAIL_SEGMENT)?),
                offset: FileOffset(layout.u64(TAIL_OFFSET)?),
            },
            next_lsn: layout.u64(NEXT_LSN)?,
            tail_chain: layout.u32(TAIL_CHAIN)?,
            is_clean: flags & FLAG_CLEAN != 0,
            continues: flags & FLAG_CONTINUES != 0,
            is_mirrored: layout.u32(MIRRORED)? == 1,
            contents_seq,
            time_ns: layout.u64(TIME_NS)?,
            values,
        })
    }
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotFault::Empty => write!(f, "zeros"),
            SlotFault::Torn { found, .. } => write!(f, "{found}"),
            SlotFault::Malformed { offset, expected } => {
                write!(f, "a slot without {expected} at offset {offset}")
            }
            SlotFault::Newer { version } => write!(f, "version {version}"),
            SlotFault::UnknownFeature { bits } => write!(f, "unknown features {bits:#x}"),
            SlotFault::Foreign(magic) => write!(f, "`{}`", magic.escape_ascii()),
        }
    }
}

/// How many bytes a slot that starts like this takes, as far as that can be believed.
pub(super) fn used_bytes(bytes: &[u8]) -> usize {
    let used = Layout(bytes).u32(USED).map_or(0, |used| used as usize);
    used.clamp(ENTRIES, STATE_SLOT_BYTES as usize)
}

/// What one value takes.
pub(super) fn entry_bytes(key_len: usize, value_len: usize) -> usize {
    let bytes = ENTRY_HEADER_BYTES.saturating_add(key_len).saturating_add(value_len);
    bytes.checked_next_multiple_of(ENTRY_ALIGNMENT).unwrap_or(usize::MAX)
}

/// Whether these bytes start as a slot of a later version, even if the checksum is not the one
/// this version expects.
pub(super) fn claims_newer_version(bytes: &[u8]) -> Option<u16> {
    let version = Layout(bytes).u16(VERSION_AT).ok()?;
    (bytes.starts_with(&MAGIC) && version > VERSION).then_some(version)
}

/// The used bytes, once magic and checksum are right.
fn checked(bytes: &[u8]) -> Result<&[u8], SlotFault> {
    if bytes.iter().all(|&byte| byte == 0) {
        return Err(SlotFault::Empty);
    }
    let layout = Layout(bytes);
    let magic: [u8; 8] = layout.array(0)?;
    if magic != MAGIC {
        // A first write that tore inside the magic leaves its beginning, or nothing of it.
        let written = magic.iter().zip(MAGIC).take_while(|(found, byte)| *found == byte).count();
        let is_begun = magic.iter().skip(written).all(|&byte| byte == 0);
        return Err(if is_begun {
            torn("the magic `WALSTATE`", format!("`{}`", magic.escape_ascii()))
        } else {
            SlotFault::Foreign(magic)
        });
    }
    let used = layout.u32(USED)? as usize;
    let is_possible = (ENTRIES..=STATE_SLOT_BYTES as usize).contains(&used);
    if !is_possible || !used.is_multiple_of(ENTRY_ALIGNMENT) {
        return Err(torn("a possible length", format!("a slot of {used} bytes")));
    }
    let Some(used) = bytes.get(..used) else {
        return Err(torn(format!("{used} bytes"), format!("{} bytes", bytes.len())));
    };
    let (expected, found) = (layout.u32(CRC)?, checksum(used));
    if expected != found {
        return Err(torn(format!("checksum {expected:#010x}"), format!("{found:#010x}")));
    }
    Ok(used)
}

/// The values and where they end.
fn decode_values(layout: Layout<'_>) -> Result<(ValueMap, usize), SlotFault> {
    let mut values = ValueMap::default();
    let mut at = ENTRIES;
    for _ in 0..layout.u32(VALUES_COUNT)? {
        let malformed = |expected| SlotFault::Malformed { offset: at, expected };
        let fits = || malformed("the whole of a value");
        let rest = layout.0.get(at..).ok_or_else(fits)?;
        let key_len = usize::from(Layout(rest).u16(0).map_err(|_| fits())?);
        let value_len = usize::from(Layout(rest).u16(2).map_err(|_| fits())?);
        if key_len == 0 || key_len > KEY_BYTES_MAX || value_len > VALUE_BYTES_MAX {
            return Err(malformed("a key and a value of possible length"));
        }
        let entry = rest.get(..entry_bytes(key_len, value_len)).ok_or_else(fits)?;
        let (_, body) = entry.split_at_checked(ENTRY_HEADER_BYTES).ok_or_else(fits)?;
        let (key, body) = body.split_at_checked(key_len).ok_or_else(fits)?;
        let (value, padding) = body.split_at_checked(value_len).ok_or_else(fits)?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(malformed("zeros after a value"));
        }
        if !values.push(key, value) {
            return Err(malformed("strictly ascending keys"));
        }
        at = at.saturating_add(entry.len());
    }
    Ok((values, at))
}

/// Writes the checksum into its place.
fn seal(used: &mut [u8]) {
    let crc = checksum(used);
    le::put(used, CRC, &crc.to_le_bytes());
}

/// The checksum of a slot whatever stands in its checksum field.
fn checksum(used: &[u8]) -> u32 {
    let before = used.get(..CRC).unwrap_or_default();
    let after = used.get(COMPATIBLE..).unwrap_or_default();
    crc32(crc32(crc32(0, before), &[0; 4]), after)
}

/// Bytes from the disk with fields at fixed places; one that is not there is a torn slot.
#[derive(Clone, Copy)]
struct Layout<'b>(&'b [u8]);

impl Layout<'_> {
    fn array<const N: usize>(self, at: usize) -> Result<[u8; N], SlotFault> {
        le::array_at(self.0, at).ok_or_else(|| self.cut())
    }

    fn u16(self, at: usize) -> Result<u16, SlotFault> {
        le::u16_at(self.0, at).ok_or_else(|| self.cut())
    }

    fn u32(self, at: usize) -> Result<u32, SlotFault> {
        le::u32_at(self.0, at).ok_or_else(|| self.cut())
    }

    fn u64(self, at: usize) -> Result<u64, SlotFault> {
        le::u64_at(self.0, at).ok_or_else(|| self.cut())
    }

    fn cut(self) -> SlotFault {
        torn(format!("{ENTRIES} bytes or more"), format!("{} bytes", self.0.len()))
    }
}

fn torn(expected: impl Into<String>, found: impl Into<String>) -> SlotFault {
    SlotFault::Torn { expected: expected.into(), found: found.into() }
}

pub(super) const MAGIC: [u8; 8] = *b"WALSTATE";
pub(super) const VERSION: u16 = 1;

const VERSION_AT: usize = 8;
const CRC: usize = 12;
const COMPATIBLE: usize = 16;
const INCOMPATIBLE: usize = 20;
const USED: usize = 24;
const FLAGS: usize = 28;
const UUID: usize = 32;
const SEQ: usize = 48;
const EPOCH: usize = 56;
const FIRST_LSN: usize = 64;
const FIRST_SEGMENT: usize = 72;
const TAIL_SEGMENT: usize = 80;
const TAIL_OFFSET: usize = 88;
const NEXT_LSN: usize = 96;
const TAIL_CHAIN: usize = 104;
const MIRRORED: usize = 108;
const TIME_NS: usize = 112;
const VALUES_COUNT: usize = 120;
/// Where the values start, and the least a slot takes.
const CONTENTS_SEQ: usize = 128;
pub(super) const ENTRIES: usize = 136;
const ENTRY_HEADER_BYTES: usize = 4;
const ENTRY_ALIGNMENT: usize = 8;

const FLAG_CLEAN: u32 = 1;
const FLAG_CONTINUES: u32 = 2;

const _: () = assert!(ENTRIES.is_multiple_of(ENTRY_ALIGNMENT));
const _: () = assert!(KEY_BYTES_MAX < 1 << 16);
const _: () = assert!(VALUE_BYTES_MAX < 1 << 16);
const _: () = assert!(STATE_SLOT_BYTES <= u32::MAX as u64);

#[cfg(test)]
#[path = "slot_tests.rs"]
pub(super) mod tests;
