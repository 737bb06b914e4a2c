//! The packed layout: many records in one piece of memory, the same for appends and batch reads.
//! One call moves a whole batch across the border of a language.
//!
//! Little-endian. Per record: `u32` payload length, `u32` flags, `u64` LSN, the payload, zeros up
//! to the next multiple of eight. Pure: bytes in, values out; a length is compared with what is
//! there before it is used.
//!
//! ```
//! use std::mem::MaybeUninit;
//! use wal_core::packed::{Packer, unpack};
//! let mut memory = [MaybeUninit::uninit(); 64];
//! let mut packer = Packer::new(&mut memory);
//! assert!(packer.push(0, false, b"first") && packer.push(0, false, b"second"));
//! assert_eq!(unpack(packer.filled())?, [&b"first"[..], b"second"]);
//! # Ok::<(), wal_core::Error>(())
//! ```

use std::mem::MaybeUninit;

use crate::error::{Error, Result};
use crate::limits::BATCH_RECORDS_MAX;

/// What a packed read has put into the caller's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// How many records.
    pub count: usize,
    /// How many bytes they take.
    pub bytes: usize,
    /// How many bytes the next record needs, where not even that one had room; else 0.
    pub bytes_needed: usize,
}

/// What every record begins at a multiple of, counted from the first.
pub const RECORD_ALIGN: usize = 8;
/// Bytes before a record's payload: `u32` length, `u32` flags, `u64` LSN.
pub const RECORD_HEADER_BYTES: usize = 16;
/// Flag: the batch goes on with the next record. Set by reads; appends take any batch as one.
pub const BATCH_CONTINUES: u32 = 1;

/// The packed size of a record, `None` when no memory could hold it.
pub fn packed_bytes(payload_len: usize) -> Option<usize> {
    payload_len.checked_add(RECORD_HEADER_BYTES)?.checked_next_multiple_of(RECORD_ALIGN)
}

/// The payloads of a packed batch for appending.
///
/// # Errors
/// `Invalid`, naming the byte where the record begins that is wrong, and what is wrong with it.
pub fn unpack(bytes: &[u8]) -> Result<Vec<&[u8]>> {
    payloads(bytes, BATCH_RECORDS_MAX)
        .map_err(|fault| Error::invalid(format!("packed batch, byte {}: {}", fault.at, fault.what)))
}

fn payloads(mut rest: &[u8], records_max: u64) -> std::result::Result<Vec<&[u8]>, Fault> {
    let whole = rest.len();
    // A batch of empty records is the most there can be; the bound keeps the first guess small.
    let mut payloads = Vec::with_capacity((whole / (RECORD_HEADER_BYTES * 4)).min(4096));
    while !rest.is_empty() {
        let at = whole - rest.len();
        let fault = |what| Fault { at, what };
        if payloads.len() as u64 >= records_max {
            return Err(fault("a batch cannot have that many records"));
        }
        let (header, behind) = rest
            .split_first_chunk::<RECORD_HEADER_BYTES>()
            .ok_or(fault("a record's header is cut"))?;
        let (len, flags, lsn) = fields(header);
        if flags & !BATCH_CONTINUES != 0 {
            return Err(fault("a record has flags that are not known"));
        }
        if lsn != 0 {
            return Err(fault("a record to be appended has an LSN: it must be 0"));
        }
        let len = usize::try_from(len).map_err(|_| fault("a record is too long"))?;
        let (payload, _) =
            behind.split_at_checked(len).ok_or(fault("a record's payload is cut"))?;
        let padded =
            len.checked_next_multiple_of(RECORD_ALIGN).ok_or(fault("a record is too long"))?;
        rest = behind.get(padded..).ok_or(fault("a record's padding is cut"))?;
        payloads.push(payload);
    }
    Ok(payloads)
}

/// Why bytes are not a packed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    /// Where the record begins that is wrong.
    at: usize,
    /// What is wrong with it.
    what: &'static str,
}

/// Packs records into memory of the caller.
pub struct Packer<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    /// The bytes before are initialised.
    used: usize,
    count: usize,
}

impl<'a> Packer<'a> {
    /// Starts at the beginning of `memory`, which need not be initialised.
    pub fn new(memory: &'a mut [MaybeUninit<u8>]) -> Packer<'a> {
        Packer { memory, used: 0, count: 0 }
    }

    /// Adds a record; returns whether there was room for it.
    pub fn push(&mut self, lsn: u64, batch_continues: bool, payload: &[u8]) -> bool {
        let (Ok(len), Some(size)) = (u32::try_from(payload.len()), packed_bytes(payload.len()))
        else {
            return false;
        };
        let free = self.memory.get_mut(self.used..).unwrap_or_default();
        let Some(place) = free.get_mut(..size) else { return false };
        let flags = if batch_continues { BATCH_CONTINUES } else { 0 };
        // The three fields in their order are one little-endian number of 16 bytes.
        let header = u128::from(lsn) << 64 | u128::from(flags) << 32 | u128::from(len);
        let padding = fill(fill(place, &header.to_le_bytes()), payload);
        padding.fill(MaybeUninit::new(0));
        self.used += size;
        self.count += 1;
        true
    }

    /// The bytes filled so far.
    #[allow(unsafe_code)]
    pub fn filled(&self) -> &[u8] {
        let filled = self.memory.get(..self.used).unwrap_or_default();
        // SAFETY: `push` initialises every byte of a record's place before `used` covers it.
        unsafe { &*(std::ptr::from_ref(filled) as *const [u8]) }
    }

    /// What was filled so far, where everything had room.
    pub fn packed(&self) -> Packed {
        Packed { count: self.count, bytes: self.used, bytes_needed: 0 }
    }
}

/// Copies `bytes` to the beginning of `memory` as far as they fit; returns the rest of it.
fn fill<'a>(memory: &'a mut [MaybeUninit<u8>], bytes: &[u8]) -> &'a mut [MaybeUninit<u8>] {
    let len = bytes.len().min(memory.len());
    let (target, rest) = memory.split_at_mut(len);
    for (slot, byte) in target.iter_mut().zip(bytes) {
        slot.write(*byte);
    }
    rest
}

fn fields(header: &[u8; RECORD_HEADER_BYTES]) -> (u32, u32, u64) {
    let [l0, l1, l2, l3, f0, f1, f2, f3, n @ ..] = *header;
    (
        u32::from_le_bytes([l0, l1, l2, l3]),
        u32::from_le_bytes([f0, f1, f2, f3]),
        u64::from_le_bytes(n),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MAX: u64 = 1000;

    /// An obvious packing of its own, as the manual describes it.
    fn packed(records: &[(u64, u32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (lsn, flags, payload) in records {
            bytes.extend_from_slice(&u32::try_from(payload.len()).expect("small").to_le_bytes());
            bytes.extend_from_slice(&flags.to_le_bytes());
            bytes.extend_from_slice(&lsn.to_le_bytes());
            bytes.extend_from_slice(payload);
            while bytes.len() % 8 != 0 {
                bytes.push(0);
            }
        }
        bytes
    }

    fn room(len: usize) -> Vec<MaybeUninit<u8>> {
        vec![MaybeUninit::new(0xee); len]
    }

    #[allow(unsafe_code)]
    fn initialised(memory: &[MaybeUninit<u8>]) -> Vec<u8> {
        // SAFETY: `room` initialised every byte.
        memory.iter().map(|byte| unsafe { byte.assume_init() }).collect()
    }

    /// A small generator with a full period, so that a failing case can be run again.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(self.0 >> 33).expect("31 bits") % bound
        }
    }

    #[test]
    fn a_cut_header_is_refused_at_every_length() {
        let bytes = packed(&[(0, 0, b"abc")]);
        for len in 1..bytes.len() {
            assert!(payloads(&bytes[..len], MAX).is_err(), "{len}");
        }
    }

    #[test]
    fn a_length_beyond_the_buffer_is_refused() {
        let mut bytes = packed(&[(0, 0, b"abc")]);
        for len in [9, 16, 1 << 20, u32::MAX] {
            bytes[..4].copy_from_slice(&u32::to_le_bytes(len));
            assert!(payloads(&bytes, MAX).is_err(), "{len}");
        }
    }

    #[test]
    fn unknown_flags_and_a_set_lsn_are_refused_with_the_place() {
        let bytes = packed(&[(0, 0, b"first"), (0, 2, b"second")]);
        assert_eq!(payloads(&bytes, MAX).expect_err("flag 2").at, 24);
        let bytes = packed(&[(0, 1, b"first"), (9, 0, b"second")]);
        assert_eq!(payloads(&bytes, MAX).expect_err("an LSN").at, 24);
    }

    #[test]
    fn more_records_than_a_batch_may_have_are_refused() {
        let bytes = packed(&[(0, 0, b""), (0, 0, b""), (0, 0, b"")]);
        assert_eq!(payloads(&bytes, 3).expect("three").len(), 3);
        assert_eq!(payloads(&bytes, 2).expect_err("three").at, 32);
    }

    #[test]
    fn what_is_packed_is_what_the_layout_says() {
        let mut memory = room(64);
        let mut packer = Packer::new(&mut memory);
        assert!(packer.push(7, true, b"abc"));
        assert!(packer.push(8, false, b"12345678"));
        assert!(!packer.push(9, false, b"no room left"), "16 bytes are free, 32 are needed");
        assert_eq!(packer.packed(), Packed { count: 2, bytes: 48, bytes_needed: 0 });
        let expected = packed(&[(7, 1, b"abc"), (8, 0, b"12345678")]);
        assert_eq!(packer.filled(), expected);
        assert_eq!(&initialised(&memory)[48..], [0xee; 16], "nothing behind is touched");
    }

    #[test]
    fn random_records_survive_the_way_there_and_back() {
        let mut random = Random(1);
        for _ in 0..500 {
            let records: Vec<Vec<u8>> = (0..random.below(9))
                .map(|_| (0..random.below(40)).map(|_| random.below(256) as u8).collect())
                .collect();
            let size = records.iter().map(|r| packed_bytes(r.len()).expect("small")).sum();
            let mut memory = room(size);
            let mut packer = Packer::new(&mut memory);
            assert!(records.iter().all(|record| packer.push(0, false, record)));
            assert_eq!(packer.packed().bytes, size);
            assert_eq!(payloads(packer.filled(), MAX).expect("just packed"), records);
        }
    }

    #[test]
    fn random_bytes_are_refused_or_stay_inside_the_buffer() {
        let mut random = Random(2);
        let mut accepted = 0;
        for _ in 0..20_000 {
            let len = random.below(80);
            // Mostly zeros, so that lengths and flags are often plausible.
            let bytes: Vec<u8> = (0..len)
                .map(|_| if random.below(12) == 0 { random.below(256) as u8 } else { 0 })
                .collect();
            if let Ok(payloads) = payloads(&bytes, MAX) {
                accepted += 1;
                let size: usize =
                    payloads.iter().map(|p| packed_bytes(p.len()).expect("small")).sum();
                assert_eq!(size, bytes.len());
            }
        }
        assert!(accepted > 100, "the generator must reach both outcomes: {accepted}");
    }
}
