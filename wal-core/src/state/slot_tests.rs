//! The promises of a slot's bytes.

use super::*;
use proptest::prelude::*;

pub(crate) fn slot(values: &[(&[u8], &[u8])]) -> Slot {
    let changes: Vec<_> = values.iter().map(|&(key, value)| (key, Some(value))).collect();
    Slot {
        uuid: *b"0123456789abcdef",
        seq: 7,
        epoch: 3,
        first_lsn: 10,
        first_segment: SegmentId(2),
        tail: Place { segment: SegmentId(4), offset: FileOffset(8192) },
        next_lsn: 99,
        tail_chain: 0xdead_beef,
        is_clean: true,
        continues: false,
        is_mirrored: true,
        contents_seq: 6,
        time_ns: 1_735_689_600_000_000_000,
        values: ValueMap::default().apply(&changes).expect("they fit"),
    }
}

fn full() -> Slot {
    slot(&[(b"term", b"12"), (b"vote", b""), (b"x", &[5; 100])])
}

fn resealed(slot: &Slot, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = slot.encode();
    encoded[at..at + bytes.len()].copy_from_slice(bytes);
    seal(&mut encoded);
    encoded
}

fn malformed(result: Result<Slot, SlotFault>) -> bool {
    matches!(result, Err(SlotFault::Malformed { .. }))
}

#[test]
fn every_flipped_bit_is_refused() {
    let encoded = full().encode();
    for bit in 0..encoded.len() * 8 {
        let mut damaged = encoded.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let fault = Slot::decode(&damaged).expect_err("one bit is wrong");
        let is_magic = bit / 8 < MAGIC.len();
        assert_eq!(matches!(fault, SlotFault::Foreign(_)), is_magic, "bit {bit}: {fault:?}");
    }
}

#[test]
fn every_cut_is_refused() {
    let encoded = full().encode();
    assert_eq!(Slot::decode(&[]), Err(SlotFault::Empty));
    for len in 1..encoded.len() {
        let fault = Slot::decode(&encoded[..len]).expect_err("the end is missing");
        assert!(matches!(fault, SlotFault::Torn { .. }), "{len} bytes: {fault:?}");
        let mut zeroed = encoded.clone();
        zeroed[len..].fill(0);
        let is_whole = zeroed == encoded;
        assert_eq!(Slot::decode(&zeroed).is_ok(), is_whole, "{len} bytes, then zeros");
    }
}

#[test]
fn zeros_and_strangers_are_told_apart() {
    assert_eq!(Slot::decode(&[0; 4096]), Err(SlotFault::Empty));
    let mut stranger = full().encode();
    stranger[..8].copy_from_slice(b"ELF-file");
    assert_eq!(Slot::decode(&stranger), Err(SlotFault::Foreign(*b"ELF-file")));
}

#[test]
fn a_later_version_and_an_unknown_feature_are_not_called_torn() {
    let newer = resealed(&full(), VERSION_AT, &2_u16.to_le_bytes());
    assert_eq!(Slot::decode(&newer), Err(SlotFault::Newer { version: 2 }));
    let feature = resealed(&full(), INCOMPATIBLE, &4_u32.to_le_bytes());
    assert_eq!(Slot::decode(&feature), Err(SlotFault::UnknownFeature { bits: 4 }));
    assert!(malformed(Slot::decode(&resealed(&full(), VERSION_AT, &[0, 0]))));
}

#[test]
fn unknown_compatible_features_and_their_sections_are_ignored() {
    let mut extended = resealed(&full(), COMPATIBLE, &8_u32.to_le_bytes());
    assert_eq!(Slot::decode(&extended), Ok(full()));
    extended.extend([9; 16]);
    let used = (extended.len() as u32).to_le_bytes();
    extended[USED..USED + 4].copy_from_slice(&used);
    seal(&mut extended);
    assert_eq!(Slot::decode(&extended), Ok(full()));
    extended[COMPATIBLE] = 0;
    seal(&mut extended);
    assert!(malformed(Slot::decode(&extended)), "a section nobody announced");
}

#[test]
fn contents_newer_than_their_slot_are_malformed() {
    let (own, newer) = (7_u64.to_le_bytes(), 8_u64.to_le_bytes());
    assert!(Slot::decode(&resealed(&full(), CONTENTS_SEQ, &own)).is_ok());
    assert!(malformed(Slot::decode(&resealed(&full(), CONTENTS_SEQ, &newer))));
}

#[test]
fn values_that_break_the_rules_are_malformed() {
    let one = slot(&[(b"aa", b"1"), (b"bb", b"2")]);
    let refused: [(usize, &[u8]); 8] = [
        (VALUES_COUNT, &[3]),
        (VALUES_COUNT, &[1]),
        (VALUES_COUNT, &[255, 255, 255, 255]),
        (ENTRIES, &[0, 0]),
        (ENTRIES, &[0, 1]),
        (ENTRIES + 2, &[1, 16]),
        (ENTRIES + 4, b"bb"),
        (ENTRIES + 7, &[1]),
    ];
    for (at, bytes) in refused {
        assert!(malformed(Slot::decode(&resealed(&one, at, bytes))), "{at}: {bytes:?}");
    }
}

#[test]
fn the_layout_is_the_one_in_the_table() {
    let encoded = full().encode();
    let le = |at: usize, len: usize| {
        encoded[at..at + len].iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))
    };
    assert_eq!(&encoded[..12], b"WALSTATE\x01\0\0\0");
    assert_eq!((le(24, 4), le(28, 4)), (encoded.len() as u64, 1));
    assert_eq!(&encoded[32..48], b"0123456789abcdef");
    assert_eq!([le(48, 8), le(56, 8), le(64, 8), le(72, 8)], [7, 3, 10, 2]);
    assert_eq!([le(80, 8), le(88, 8), le(96, 8)], [4, 8192, 99]);
    assert_eq!([le(104, 4), le(108, 4), le(120, 4)], [0xdead_beef, 1, 3]);
    assert_eq!(le(112, 8), 1_735_689_600_000_000_000);
    assert_eq!(le(128, 8), 6);
    assert_eq!(&encoded[136..152], b"\x04\0\x02\0term12\0\0\0\0\0\0");
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        numbers in any::<[u64; 8]>(),
        chain in any::<u32>(),
        flags in any::<[bool; 3]>(),
        uuid in any::<[u8; 16]>(),
        entries in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 1..=KEY_BYTES_MAX),
            proptest::collection::vec(any::<u8>(), 0..500), 0..20),
        behind in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let entries: Vec<_> = entries.iter().map(|(k, v)| (&k[..], &v[..])).collect();
        let [seq, epoch, first_lsn, first, segment, offset, next_lsn, time_ns] = numbers;
        let [is_clean, continues, is_mirrored] = flags;
        let tail = Place { segment: SegmentId(segment), offset: FileOffset(offset) };
        let slot = Slot {
            uuid, seq, epoch, first_lsn, first_segment: SegmentId(first), tail, next_lsn,
            tail_chain: chain, is_clean, continues, is_mirrored, time_ns, ..slot(&entries)
        };
        let mut encoded = slot.encode();
        prop_assert_eq!(encoded.len(), used_bytes(&encoded));
        encoded.extend(behind);
        prop_assert_eq!(Slot::decode(&encoded), Ok(slot));
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        is_sealed in any::<bool>(),
    ) {
        prop_assert!(Slot::decode(&bytes).is_err());
        let mut bytes = [&MAGIC[..], &[1, 0], &bytes].concat();
        if is_sealed && bytes.len() >= ENTRIES + 8 {
            // Past the checksum, so that the values are looked at.
            bytes.truncate(bytes.len() / 8 * 8);
            let used = (bytes.len() as u32).to_le_bytes();
            bytes[USED..USED + 4].copy_from_slice(&used);
            bytes[INCOMPATIBLE..USED].fill(0);
            bytes[VALUES_COUNT + 1..ENTRIES].fill(0);
            bytes[ENTRIES + 1] = 0;
            seal(&mut bytes);
        }
        let _ = Slot::decode(&bytes);
    }
}
