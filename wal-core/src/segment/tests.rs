//! What readers of one segment are promised.

use std::sync::Arc;

use super::{DATA_START, Extent, Segment, Window};
use crate::error::{Error, ErrorKind};
use crate::fixture::{SegmentBytes, Store, payload};
use crate::frame::{COMMIT_FRAME_BYTES, FRAME_HEADER_BYTES};
use crate::lsn::FileOffset;
use crate::options::ReadMode;
use crate::record::Record;

const MODES: [ReadMode; 2] = [ReadMode::Map, ReadMode::Pread];
const FIRST: u64 = 100;

/// Commits of three records from 100 on, the n-th at 10 n; an opening and padding after each
/// fourth.
fn bytes(records: u64) -> SegmentBytes {
    let mut bytes = SegmentBytes::new(3, FIRST, 5);
    for n in 0..records {
        bytes.record(&payload(n), n % 3 != 2);
        if n % 3 == 2 {
            bytes.commit(10 * (n / 3 + 1));
            if n % 12 == 11 {
                bytes.padding(100);
                bytes.opening(50 + n, n);
            }
        }
    }
    if !records.is_multiple_of(3) {
        bytes.commit(10 * (records / 3 + 1));
    }
    bytes
}

fn assert_all_readable(segment: &Arc<Segment>, records: u64) {
    for n in (0..records).rev().chain(0..records) {
        let record = segment.record(FIRST + n).unwrap();
        assert_eq!(*record, payload(n), "record {n}");
        assert_eq!(record.lsn().get(), FIRST + n);
        // A batch that was cut short ends where the segment does.
        let is_final = segment.extent().is_some() && n + 1 == records;
        assert_eq!(record.batch_continues(), n % 3 != 2 && !is_final);
    }
    let mut window = Window::new(Arc::clone(segment), FIRST + records, 64 << 10);
    let mut record = Record::empty();
    for n in 0..records {
        window.read(FIRST + n, &mut record).unwrap();
        assert_eq!((&*record, record.lsn().get()), (&*payload(n), FIRST + n));
    }
    for n in (0..records).rev() {
        window.read_back(FIRST + n, &mut record).unwrap();
        assert_eq!((&*record, record.lsn().get()), (&*payload(n), FIRST + n));
    }
}

fn assert_corrupt(error: &Error, segment: &Segment, offset: u64, lsn: u64) {
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(error.offset(), Some(FileOffset(offset)), "{error}");
    assert_eq!(error.lsn().map(|lsn| lsn.get()), Some(lsn), "{error}");
    assert_eq!(error.path(), Some(segment.path()));
    assert_eq!(error.segment(), Some(segment.id()));
}

#[test]
fn every_flipped_byte_of_a_record_is_corrupt_at_its_offset_and_lsn() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut good = SegmentBytes::new(3, FIRST, 5);
        good.record(b"before", false);
        let offset = good.record(b"a record of some length", true);
        good.record(b"after", false);
        good.commit(7);
        let extent = good.seal();
        let covered = FRAME_HEADER_BYTES as usize + b"a record of some length".len();
        for at in offset as usize..offset as usize + covered {
            good.bytes[at] ^= 0x10;
            let segment = store.sealed(&good, mode, extent);
            assert_corrupt(&segment.record(101).unwrap_err(), &segment, offset, 101);
            let mut window = Window::new(Arc::clone(&segment), 103, 1 << 20);
            let mut record = Record::empty();
            window.read(100, &mut record).unwrap();
            assert_corrupt(&window.read(101, &mut record).unwrap_err(), &segment, offset, 101);
            assert_eq!(&*record, b"before", "a failed read changes nothing");
            window.read(102, &mut record).unwrap();
            assert_eq!(&*record, b"after", "damage costs the record it lies in and no other");
            window.read_back(102, &mut record).unwrap();
            assert_corrupt(&window.read_back(101, &mut record).unwrap_err(), &segment, offset, 101);
            good.bytes[at] ^= 0x10;
        }
    }
}

#[test]
fn an_index_entry_that_leads_to_another_frame_is_corrupt() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut lying = bytes(9);
        let (third, trailer) = (lying.index[2], lying.index[3] - COMMIT_FRAME_BYTES as u32 / 8);
        lying.index[1] = third;
        lying.index[4] = trailer;
        lying.index[5] = u32::MAX;
        lying.index[6] = 0;
        let extent = lying.seal();
        let segment = store.sealed(&lying, mode, extent);
        assert_corrupt(&segment.record(101).unwrap_err(), &segment, u64::from(third) * 8, 101);
        assert_corrupt(&segment.record(104).unwrap_err(), &segment, u64::from(trailer) * 8, 104);
        assert_corrupt(&segment.record(105).unwrap_err(), &segment, u64::from(u32::MAX) * 8, 105);
        assert_corrupt(&segment.record(106).unwrap_err(), &segment, extent.end, 106);
        assert!(segment.record(102).is_ok());
    }
}

#[test]
fn every_record_is_read_back_through_footer_openings_and_padding() {
    for mode in MODES {
        let store = Store::new(mode);
        for records in [0, 1, 3, 12, 13, 400] {
            let mut bytes = bytes(records);
            let extent = bytes.seal();
            let segment = store.sealed(&bytes, mode, extent);
            assert_all_readable(&segment, records);
            if records > 0 {
                assert_eq!(segment.openings(), bytes.openings);
            }
        }
    }
}

#[test]
fn records_stay_readable_without_a_footer_and_with_a_rotten_one() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut good = bytes(100);
        let extent = good.seal();
        let without = Extent { footer: None, ..extent };
        assert_all_readable(&store.sealed(&good, mode, without), 100);
        let gone = Extent { footer: Some(good.end() + 4096), ..extent };
        assert_all_readable(&store.sealed(&good, mode, gone), 100);
        for at in (extent.end as usize..good.bytes.len()).step_by(7) {
            good.bytes[at] ^= 0x80;
            let segment = store.sealed(&good, mode, extent);
            assert_all_readable(&segment, 100);
            assert_eq!(segment.openings(), good.openings);
            good.bytes[at] ^= 0x80;
        }
    }
}

#[test]
fn a_valid_footer_that_covers_too_little_is_not_believed() {
    let store = Store::new(ReadMode::Map);
    let mut short = bytes(60);
    let whole = short.index.clone();
    short.index.truncate(30);
    let extent = short.seal();
    short.index = whole;
    let extent = Extent { next_lsn: FIRST + 60, ..extent };
    assert_all_readable(&store.sealed(&short, ReadMode::Map, extent), 60);
}

#[test]
fn damage_in_a_segment_without_a_footer_costs_only_the_records_it_lies_in() {
    for mode in MODES {
        let store = Store::new(mode);
        let good = bytes(60);
        let extent = good.cut_extent(FIRST + 60);
        for n in [0u64, 1, 5, 30, 59] {
            let offset = u64::from(good.index[n as usize]) * 8;
            // The length field, so that the walk is led astray.
            for at in [offset as usize + 5, offset as usize + 4, offset as usize + 13] {
                let mut bad = bytes(60);
                bad.bytes[at] ^= 0x11;
                let segment = store.sealed(&bad, mode, extent);
                let error = segment.record(FIRST + n).unwrap_err();
                assert_corrupt(&error, &segment, offset, FIRST + n);
                for other in (0..60).filter(|&other| other != n) {
                    assert_eq!(*segment.record(FIRST + other).unwrap(), payload(other));
                }
            }
        }
    }
}

#[test]
fn a_segment_cut_by_a_truncation_gives_what_was_kept_and_nothing_more() {
    for mode in MODES {
        let store = Store::new(mode);
        for cut in [0u64, 1, 12, 13, 14, 37] {
            let mut bytes = bytes(60);
            let footer = bytes.seal().footer;
            for footer in [footer, None] {
                let extent = Extent { footer, ..bytes.cut_extent(FIRST + cut) };
                let segment = store.sealed(&bytes, mode, extent);
                assert_all_readable(&segment, cut);
                let beyond = segment.record(FIRST + cut).unwrap_err();
                assert_eq!(beyond.kind(), ErrorKind::Internal, "the caller checks visibility");
            }
        }
    }
}

#[test]
fn a_missing_file_is_an_error_of_the_system_and_not_kept() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut bytes = bytes(3);
        let extent = bytes.seal();
        let segment = store.sealed(&bytes, mode, extent);
        store.vfs.remove(segment.path()).unwrap();
        assert_eq!(segment.record(FIRST).unwrap_err().kind(), ErrorKind::Io);
        store.write(segment.path(), &bytes.bytes);
        assert_all_readable(&segment, 3);
    }
}

#[test]
fn a_file_cut_below_its_extent_is_corrupt_where_it_ends_and_readable_before() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut good = bytes(30);
        let extent = good.seal();
        let offset = u64::from(good.index[20]) * 8;
        good.bytes.truncate(offset as usize + 20);
        let segment = store.sealed(&good, mode, extent);
        for n in 0..20 {
            assert_eq!(*segment.record(FIRST + n).unwrap(), payload(n));
        }
        assert_corrupt(&segment.record(FIRST + 20).unwrap_err(), &segment, offset, FIRST + 20);
        assert_eq!(segment.record(FIRST + 29).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_record_longer_than_every_read_ahead_is_read_whole() {
    for mode in MODES {
        let store = Store::new(mode);
        let long: Vec<u8> = (0..3 << 20).map(|n: u32| (n >> 3) as u8).collect();
        let mut bytes = SegmentBytes::new(3, FIRST, 5);
        for payload in [&b"short"[..], &long, b"short"] {
            bytes.record(payload, false);
        }
        bytes.commit(9);
        let extent = bytes.seal();
        for extent in [extent, Extent { footer: None, ..extent }] {
            let segment = store.sealed(&bytes, mode, extent);
            assert_eq!(*segment.record(101).unwrap(), long);
            let mut window = Window::new(Arc::clone(&segment), 103, 16 << 10);
            let mut record = Record::empty();
            for (lsn, payload) in [(102, &b"short"[..]), (101, &long), (100, b"short")] {
                window.read_back(lsn, &mut record).unwrap();
                assert_eq!(&*record, payload);
            }
            for (lsn, payload) in [(100, &b"short"[..]), (101, &long), (102, b"short")] {
                window.read(lsn, &mut record).unwrap();
                assert_eq!(&*record, payload);
            }
            assert_eq!(segment.commit_after(101).unwrap().time_ns, 9);
        }
    }
}

#[test]
fn a_length_that_rotted_to_gigabytes_takes_no_memory_and_is_corrupt() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut bad = bytes(9);
        let extent = bad.seal();
        let offset = u64::from(bad.index[4]) * 8;
        bad.bytes[offset as usize + 4..offset as usize + 8].copy_from_slice(&[0xff; 4]);
        let segment = store.sealed(&bad, mode, extent);
        assert_corrupt(&segment.record(104).unwrap_err(), &segment, offset, 104);
        assert_corrupt(&segment.commit_after(104).unwrap_err(), &segment, offset, 104);
    }
}

#[test]
fn commits_are_found_with_their_records_and_times() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut bytes = bytes(40);
        let extent = bytes.seal();
        let segment = store.sealed(&bytes, mode, extent);
        for n in 0..40 {
            let commit = segment.commit_after(FIRST + n).unwrap();
            assert_eq!(commit.first_lsn, FIRST + n / 3 * 3);
            assert_eq!(commit.next_lsn, FIRST + (n / 3 * 3 + 3).min(40));
            assert_eq!(commit.time_ns, 10 * (n / 3 + 1));
        }
    }
}

#[test]
fn a_commit_cut_in_its_middle_keeps_its_time_and_one_without_a_trailer_the_time_before() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut whole = bytes(30);
        let extent = whole.cut_extent(FIRST + 10);
        let segment = store.sealed(&whole, mode, extent);
        let commit = segment.commit_after(FIRST + 9).unwrap();
        assert_eq!((commit.first_lsn, commit.next_lsn, commit.time_ns), (109, 110, 40));

        whole.bytes.truncate(extent.end as usize);
        let segment = store.sealed(&whole, mode, extent);
        let commit = segment.commit_after(FIRST + 9).unwrap();
        assert_eq!((commit.first_lsn, commit.next_lsn, commit.time_ns), (109, 110, 30));
        let extent = whole.cut_extent(FIRST + 2);
        whole.bytes.truncate(extent.end as usize);
        let segment = store.sealed(&whole, mode, extent);
        let commit = segment.commit_after(FIRST).unwrap();
        assert_eq!((commit.first_lsn, commit.next_lsn, commit.time_ns), (100, 102, 5));
    }
}

#[test]
fn a_damaged_trailer_is_corrupt_at_its_offset() {
    for mode in MODES {
        let store = Store::new(mode);
        let mut bad = bytes(9);
        let extent = bad.seal();
        let trailer = u64::from(bad.index[3]) * 8 - COMMIT_FRAME_BYTES;
        for at in trailer..trailer + COMMIT_FRAME_BYTES {
            bad.bytes[at as usize] ^= 1;
            let segment = store.sealed(&bad, mode, extent);
            let error = segment.commit_after(FIRST + 1).unwrap_err();
            assert_corrupt(&error, &segment, trailer, FIRST + 1);
            assert!(segment.commit_after(FIRST + 3).is_ok());
            bad.bytes[at as usize] ^= 1;
        }
    }
}

#[test]
fn an_active_segment_is_read_as_it_grows_and_a_rewound_push_is_forgotten() {
    let store = Store::new(ReadMode::Pread);
    let mut bytes = SegmentBytes::new(3, FIRST, 5);
    let (_file, segment) = store.active(&bytes, ReadMode::Map);
    // A failed write left entries and bytes behind.
    segment.push(0, 4096);
    segment.push(1, 8000);
    for n in 0..40 {
        let offset = bytes.record(&payload(n), n % 3 != 2);
        if n == 20 {
            segment.push_opening(bytes.opening(9, 9));
        }
        segment.push(n as u32, offset);
    }
    // Record 20 was written before the opening, the others after it: only the seeds tell.
    bytes.commit(1);
    store.write(segment.path(), &bytes.bytes);
    assert_all_readable(&segment, 40);
    assert_eq!(segment.index_entries(40).collect::<Vec<_>>(), bytes.index);
    assert_eq!(segment.openings(), bytes.openings);
    assert_eq!(segment.extent(), None);
    assert_eq!(segment.file_bytes().unwrap(), bytes.end());
    assert_eq!(segment.commit_after(FIRST).unwrap().next_lsn, FIRST + 40);
}

#[test]
fn records_keep_the_mapping_they_lie_in() {
    let store = Store::new(ReadMode::Map);
    let mut bytes = bytes(9);
    let extent = bytes.seal();
    let segment = store.sealed(&bytes, ReadMode::Map, extent);
    assert!(!segment.is_pinned());
    let record = segment.record(104).unwrap();
    assert!(segment.is_pinned());
    let copy = record.clone();
    drop(record);
    assert!(segment.is_pinned());
    store.vfs.remove(segment.path()).unwrap();
    drop(segment);
    assert_eq!(*copy, payload(4));
}

#[test]
fn a_file_cut_behind_its_footer_stays_readable_through_its_mapping() {
    let store = Store::new(ReadMode::Map);
    let mut bytes = bytes(200);
    let extent = bytes.seal();
    let end = bytes.end();
    bytes.bytes.resize(1 << 20, 0);
    let segment = store.sealed(&bytes, ReadMode::Map, extent);
    assert_eq!(*segment.record(FIRST).unwrap(), payload(0));
    let file = store.vfs.open(segment.path(), crate::vfs::Access::Write).unwrap();
    file.set_len(end).unwrap();
    assert_all_readable(&segment, 200);
    for n in 0..200 {
        assert!(segment.commit_after(FIRST + n).is_ok());
    }
    assert_eq!(segment.file_bytes().unwrap(), end);
}

#[test]
fn many_segments_read_without_mappings_keep_few_descriptors() {
    let store = Store::new(ReadMode::Map);
    let segments: Vec<_> = (1..200)
        .map(|id| {
            let mut bytes = SegmentBytes::new(id, FIRST, 5);
            bytes.record(&id.to_le_bytes(), false);
            bytes.commit(1);
            let extent = bytes.seal();
            store.sealed(&bytes, ReadMode::Pread, extent)
        })
        .collect();
    for _ in 0..2 {
        for segment in &segments {
            assert_eq!(*segment.record(FIRST).unwrap(), segment.id().0.to_le_bytes());
        }
    }
    let directory = segments[0].path().parent().unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let open = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let open = open.filter(|target| target.starts_with(directory)).count();
    assert!(open <= 64, "{open} descriptors are open");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn no_damage_makes_reading_panic_or_give_other_bytes(
        flips in proptest::collection::vec((0usize..20_000, 1u8..), 1..40),
        has_footer: bool,
    ) {
        let store = Store::new(ReadMode::Pread);
        let mut bad = bytes(60);
        let sealed = bad.seal();
        let extent = Extent { footer: sealed.footer.filter(|_| has_footer), ..sealed };
        let start = DATA_START as usize;
        let room = bad.bytes.len() - start;
        for (at, mask) in flips {
            bad.bytes[start + at % room] ^= mask;
        }
        let segment = store.sealed(&bad, ReadMode::Pread, extent);
        for n in 0..60 {
            if let Ok(record) = segment.record(FIRST + n) {
                assert_eq!(*record, payload(n));
            }
            if let Ok(commit) = segment.commit_after(FIRST + n) {
                assert_eq!(commit.time_ns, 10 * (n / 3 + 1));
            }
        }
    }
}
