//! After a close in order an opening reads the end of the log and not what stands before it, and
//! still misses nothing that would be lost by that.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{ErrorKind, Log, Lsn, Options, Position, RecoveryCase, RecoveryReport, Result};

fn open(vfs: &MemVfs) -> Result<(Log, RecoveryReport)> {
    Log::open_with(Arc::new(vfs.clone()), "/log", Options::default())
}

/// A log of this many records of 1000 bytes, closed in order.
fn closed(records: u8) -> MemVfs {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs).unwrap();
    for part in (0..records).collect::<Vec<_>>().chunks(40) {
        let payloads: Vec<_> = part.iter().map(|&number| [number; RECORD_BYTES]).collect();
        log.append_batch(&payloads.iter().map(|payload| &payload[..]).collect::<Vec<_>>()).unwrap();
    }
    log.close().unwrap();
    vfs
}

/// A log whose only segment was sealed by the close.
fn sealed() -> MemVfs {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs).unwrap();
    for number in 0..SEALED_RECORDS {
        log.append(&vec![number as u8; 100_000]).unwrap();
    }
    log.close().unwrap();
    vfs
}

fn assert_refused(vfs: &MemVfs, what: &str) {
    let error = match open(vfs) {
        Ok((_, report)) => panic!("{what}: {report:?}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error:?}");
}

#[test]
fn damage_to_the_end_of_a_sealed_segment_is_refused_byte_by_byte() {
    let vfs = sealed();
    let bytes = vfs.file_bytes(Path::new(SEGMENT)).unwrap();
    let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    let end = (bytes.len() - zeros).next_multiple_of(8) as u64;
    // The last trailer, and the footer with its header, its fields and its index.
    let start = end - (64 + 16 + 48 + 4 * SEALED_RECORDS);
    for at in start..end {
        let vfs = vfs.kill_at(vfs.op_count());
        vfs.corrupt(Path::new(SEGMENT), at, 0x10).unwrap();
        assert_refused(&vfs, &format!("offset {at}"));
    }
}

#[test]
fn damage_before_the_end_of_a_sealed_segment_is_met_by_the_read_of_it() {
    let vfs = sealed();
    vfs.corrupt(Path::new(SEGMENT), 8192 + 5000, 0x10).unwrap();
    let (log, report) = open(&vfs).unwrap();
    assert_eq!(report.case, RecoveryCase::Clean);
    let error = log.read(Lsn::FIRST).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!((error.lsn(), error.offset().unwrap().0), (Some(Lsn::FIRST), 8192));
    assert_eq!(*log.read(Lsn::new(2).unwrap()).unwrap(), vec![1; 100_000]);
    assert!(log.cursor(Position::First).unwrap().next().is_err());
}

/// Of two slots the newer one rots after the log was opened again and written to. The older one
/// says that the log was closed in order, which was true of its time.
#[test]
fn an_old_mark_does_not_hide_what_was_written_after_it() {
    let vfs = closed(5);
    let (log, _) = open(&vfs).unwrap();
    log.append(&[9; 6000]).unwrap();
    log.append(&[9; 6000]).unwrap();
    let vfs = vfs.kill_at(vfs.op_count());
    let state = Path::new("/log/STATE");
    let newer = newer_slot(&vfs.file_bytes(state).unwrap());
    vfs.corrupt(state, newer + 40, 0xFF).unwrap();
    let (log, report) = open(&vfs).unwrap();
    assert_eq!(report.case, RecoveryCase::Whole);
    assert_eq!(log.last_lsn(), Lsn::new(7));
}

#[test]
fn an_opening_of_a_sealed_log_reads_its_trailer_and_footer() {
    let vfs = sealed();
    for _ in 0..2 {
        let (log, report) = open(&vfs).unwrap();
        assert_eq!(report.case, RecoveryCase::Clean);
        assert!(report.bytes_scanned < 1000, "{report:?}");
        assert_eq!(report.last_lsn, Lsn::new(SEALED_RECORDS));
        for number in 0..SEALED_RECORDS {
            let record = log.read(Lsn::new(number + 1).unwrap()).unwrap();
            assert_eq!(*record, vec![number as u8; 100_000]);
        }
        log.close().unwrap();
    }
    let (log, _) = open(&vfs).unwrap();
    assert_eq!(log.append(b"more").unwrap().get(), SEALED_RECORDS + 1);
    drop(log);
    let vfs = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    let (log, _) = open(&vfs).unwrap();
    assert_eq!(*log.read(Lsn::new(SEALED_RECORDS + 1).unwrap()).unwrap(), *b"more");
}

#[test]
fn an_opening_of_an_open_segment_reads_as_far_as_it_was_written() {
    let vfs = closed(100);
    let file = vfs.open(Path::new(SEGMENT), wal_core::vfs::Access::Write).unwrap();
    file.set_len(16 << 20).unwrap();
    let (log, report) = open(&vfs).unwrap();
    assert_eq!(report.case, RecoveryCase::Clean);
    assert!(report.bytes_scanned < 200_000, "{report:?}");
    assert_eq!(log.append(b"more").unwrap().get(), 101);
    assert_eq!(log.stats().unwrap().segments.len(), 1, "it goes on in the same segment");
    drop(log);
    let (log, _) = open(&vfs).unwrap();
    for number in 0..100 {
        let record = log.read(Lsn::new(number + 1).unwrap()).unwrap();
        assert_eq!(*record, [number as u8; RECORD_BYTES]);
    }
}

/// Where the slot with the higher sequence number stands.
fn newer_slot(state: &[u8]) -> u64 {
    let seq = |at: usize| u64::from_le_bytes(state[at + SLOT_SEQ..][..8].try_into().unwrap());
    if seq(0) > seq(128 * 1024) { 0 } else { 128 * 1024 }
}

const SEGMENT: &str = "/log/00000000000000000001.wal";
const RECORD_BYTES: usize = 1000;
/// More than a close leaves open.
const SEALED_RECORDS: u64 = 12;
const SLOT_SEQ: usize = 48;
