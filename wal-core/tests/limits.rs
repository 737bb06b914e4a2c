//! The bounds of a log, from both sides.

#![allow(missing_docs, clippy::unwrap_used)]

use std::io::IoSlice;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::{Access, MemVfs, Vfs};
use wal_core::{
    Error, ErrorKind, Level, Log, Lsn, Options, Position, RecoveryCase, ReplayOptions, limits,
};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn open(vfs: &MemVfs, options: Options) -> Log {
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap().0
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

#[test]
fn what_is_over_a_limit_is_refused_before_anything_happens() {
    let vfs = MemVfs::new();
    let options = Options { record_bytes_max: 1000, batch_bytes_max: 2500, ..small() };
    let log = open(&vfs, options);
    let before = vfs.op_count();
    for refused in [
        log.append(&[0; 1001]).map(drop),
        log.append_vectored(&[IoSlice::new(&[0; 600]), IoSlice::new(&[0; 401])]).map(drop),
        log.append_batch(&[&[0; 10][..], &[0; 1001]]).map(drop),
        log.append_batch(&[[0; 900]; 3]).map(drop),
        log.append_batch::<&[u8]>(&[]).map(drop),
        log.submit(&[0; 1001]).map(drop),
        log.submit_batch(&[[0; 900]; 3]).map(drop),
        log.append_at(Lsn::FIRST, &[0; 1001]).map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!((vfs.op_count(), log.next_lsn()), (before, Lsn::FIRST));
    assert_eq!(log.append(&[1; 1000]).unwrap(), Lsn::FIRST);
    assert_eq!(log.append_batch(&[[2; 500]; 5]).unwrap().count(), 5);
    assert_eq!(log.read(Lsn::FIRST).unwrap()[..], [1; 1000]);
}

/// A limit lowered later is one for new records: what is in the log stays readable.
#[test]
fn a_lowered_limit_does_not_take_old_records_away() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    log.append(&[7; 200_000]).unwrap();
    log.append_batch(&[[8; 40_000]; 5]).unwrap();
    log.close().unwrap();
    let tight = Options { record_bytes_max: 10, batch_bytes_max: 10, ..small() };
    let log = open(&vfs, tight);
    assert_eq!(log.append(&[0; 11]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(log.append(&[0; 10]).unwrap(), lsn(7));
    assert_eq!(log.read(Lsn::FIRST).unwrap().len(), 200_000);
    assert_eq!(
        log.cursor(Position::First).unwrap().map(|record| record.unwrap().len()).sum::<usize>(),
        400_010
    );
}

/// Every size around what is left of the segment, byte by byte, and a clean reopening behind it.
#[test]
fn a_record_of_any_size_around_the_end_of_a_segment_is_kept() {
    // Find how much fits into the first segment beside a record of a fixed size.
    let rotates = |size: usize| {
        let vfs = MemVfs::new();
        let log = open(&vfs, small());
        log.append(&[1; 30_000]).unwrap();
        log.append(&vec![2; size]).unwrap();
        log.stats().unwrap().segments.len() > 1
    };
    let (mut fits, mut not) = (1000, 64 << 10);
    while fits + 1 < not {
        let middle = (fits + not) / 2;
        if rotates(middle) { not = middle } else { fits = middle }
    }
    assert!(fits > 20_000, "{fits} bytes fit");
    for size in fits - 20..fits + 20 {
        for direct in [false, true] {
            let vfs = MemVfs::new();
            let io = if direct { wal_core::Io::Direct } else { wal_core::Io::Buffered };
            let options = Options { io, ..small() };
            let log = open(&vfs, options.clone());
            log.append(&[1; 30_000]).unwrap();
            log.append(&vec![2; size]).unwrap();
            log.append(&[3; 40_000]).unwrap();
            assert_eq!(log.read(lsn(2)).unwrap().len(), size);
            for ending in ["kill", "close"] {
                let found = vfs.kill_at(vfs.op_count());
                if ending == "close" {
                    log.close().unwrap();
                }
                let found = if ending == "close" { vfs.clone() } else { found };
                let log = open(&found, options.clone());
                let lengths: Vec<_> =
                    log.cursor(Lsn::FIRST).unwrap().map(|record| record.unwrap().len()).collect();
                assert_eq!(lengths, [30_000, size, 40_000]);
                assert_eq!(log.append(b"on").unwrap(), lsn(4));
            }
        }
    }
}

#[test]
fn records_and_batches_larger_than_ring_and_segment_are_appended_whole() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    let sizes = [0, 1, 20_000, 32_700, 32_768, 40_000, 65_535, 65_536, 70_000, 1 << 20, 3 << 20, 5];
    for (at, &size) in sizes.iter().enumerate() {
        let record: Vec<u8> = (0..size).map(|byte| (byte / 7 + at) as u8).collect();
        assert_eq!(log.append(&record).unwrap().get(), at as u64 * 4 + 1);
        assert_eq!(log.append_batch(&[&record[..], b"", &record]).unwrap().count(), 3);
        assert!(log.read(lsn(at as u64 * 4 + 1)).unwrap()[..] == record[..]);
    }
    let log = open(&vfs.kill_at(vfs.op_count()), small());
    let lengths: Vec<_> =
        log.cursor(Lsn::FIRST).unwrap().map(|record| record.unwrap().len()).collect();
    let expected: Vec<_> = sizes.iter().flat_map(|&size| [size, size, 0, size]).collect();
    assert_eq!(lengths, expected);
}

#[test]
fn a_batch_of_many_records_is_one_batch() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    let records: Vec<_> = (0..100_000u32).map(u32::to_le_bytes).collect();
    assert_eq!(log.append_batch(&records).unwrap().count(), 100_000);
    assert_eq!(log.append(b"after").unwrap().get(), 100_001);
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    let log = open(&found, small());
    for (record, expected) in log.cursor(Lsn::FIRST).unwrap().zip(&records) {
        let record = record.unwrap();
        assert_eq!(record[..], expected[..]);
        assert_eq!(record.batch_continues(), record.lsn().get() < 100_000);
    }
}

#[test]
fn the_last_lsns_are_usable_and_then_the_log_is_full() {
    let max = Lsn::MAX.get();
    let vfs = MemVfs::new();
    let options = Options { first_lsn: lsn(max - 2), ..small() };
    let log = open(&vfs, options.clone());
    assert_eq!(log.append(b"a").unwrap(), lsn(max - 2));
    assert_eq!(log.append_batch(&["b"; 3]).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(log.append_batch(&["b", "c"]).unwrap().final_, Lsn::MAX);
    assert_eq!(log.append(b"d").unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(log.last_lsn(), Some(Lsn::MAX));
    assert_eq!(log.durable_lsn(), Some(Lsn::MAX));
    assert_eq!(log.sync().unwrap(), Some(Lsn::MAX));
    assert_eq!(log.wait_durable(Lsn::MAX, None).unwrap(), Lsn::MAX);
    assert_eq!(&log.read(Lsn::MAX).unwrap()[..], b"c");
    let mut cursor = log.cursor(Position::First).unwrap();
    assert_eq!((&mut cursor).map(Result::unwrap).count(), 3);
    assert_eq!(&cursor.prev().unwrap().unwrap()[..], b"c");
    for in_order in [true, false] {
        let options = ReplayOptions { threads: 2, in_order };
        let count = log
            .replay_parallel::<Error>(Position::First, options, |_| Ok(ControlFlow::Continue(())))
            .unwrap();
        assert_eq!(count, 3);
    }
    log.stats().unwrap();
    log.trim(Lsn::MAX).unwrap();
    log.close().unwrap();
    for round in 0..2 {
        let (log, report) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        assert_eq!(report.last_lsn, Some(Lsn::MAX), "{round}");
        assert_eq!(log.append(b"d").unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(log.first_lsn(), Some(Lsn::MAX));
        drop(log);
    }
    let log = open(&vfs, options);
    log.truncate(lsn(max - 1)).unwrap();
    assert_eq!(log.append(b"again").unwrap(), Lsn::MAX);
    log.reset_to(Lsn::FIRST).unwrap();
    assert_eq!(log.append(b"from the start").unwrap(), Lsn::FIRST);
}

#[test]
fn a_small_segment_is_refused_with_a_reason() {
    let refused = Log::open_with(
        Arc::new(MemVfs::new()),
        "/log",
        Options { segment_bytes: limits::SEGMENT_BYTES_MIN - 4096, ..Options::default() },
    );
    let error = refused.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for word in ["segment_bytes", "61440", "65536", "headers"] {
        assert!(error.message().contains(word), "{word} in: {error}");
    }
}

#[test]
fn a_million_empty_records_are_a_million_records() {
    let vfs = MemVfs::new();
    let options = Options { level: Level::Os, segment_bytes: 8 << 20, ..Options::default() };
    let log = open(&vfs, options.clone());
    const COUNT: u64 = 1_000_000;
    let batch = vec![b""; 10_000];
    for _ in 0..COUNT / 20_000 {
        log.append_batch(&batch).unwrap();
        (0..9_999).for_each(|_| drop(log.submit(b"").unwrap()));
        log.append(b"").unwrap();
    }
    assert_eq!(log.last_lsn().unwrap().get(), COUNT);
    assert_eq!(
        log.cursor(Lsn::FIRST).unwrap().inspect(|record| assert!(record.is_ok())).count() as u64,
        COUNT
    );
    let log = open(&vfs.kill_at(vfs.op_count()), options);
    assert_eq!(log.last_lsn().unwrap().get(), COUNT);
    for number in [1, 2, 9_999, 10_000, 10_001, 123_456, COUNT] {
        assert!(log.read(lsn(number)).unwrap().is_empty());
    }
    let bytes: u64 = log.stats().unwrap().segments.iter().map(|segment| segment.end.0).sum();
    assert!(bytes < COUNT * 24, "{bytes} bytes");
}

#[test]
fn files_that_are_no_part_of_the_log_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let foreign = ["notes.txt", ".hidden", "1.wal", "00000000000000000001.wal.tmp", "STATE.bak"];
    {
        let (log, _) = Log::open(&path, small()).unwrap();
        for name in foreign {
            std::fs::write(path.join(name), name).unwrap();
        }
        std::fs::create_dir(path.join("00000000000000000099.wal.d")).unwrap();
        for _ in 0..100 {
            log.append(&[1; 5000]).unwrap();
        }
        log.trim(lsn(90)).unwrap();
        log.close().unwrap();
    }
    let (log, report) = Log::open(&path, small()).unwrap();
    assert_eq!(report.case, RecoveryCase::Clean);
    assert_eq!(log.last_lsn(), Some(lsn(100)));
    drop(log);
    Log::destroy(&path).unwrap();
    for name in foreign {
        assert_eq!(std::fs::read_to_string(path.join(name)).unwrap(), name);
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), foreign.len() + 1);
    assert_eq!(Log::destroy(&path).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn content_that_looks_like_the_log_itself_is_only_content() {
    let vfs = MemVfs::new();
    let log = open(&vfs, small());
    log.append(&[0; 30_000]).unwrap();
    log.append(b"x").unwrap();
    let file = vfs.open(Path::new("/log/00000000000000000001.wal"), Access::Read).unwrap();
    let mut bytes = vec![0; 60_000];
    let read = file.read_at(&mut bytes, 0).unwrap();
    // A whole copy of the log, at every alignment, and long runs of zeros.
    for shift in 0..9 {
        log.append(&[&vec![0; shift][..], &bytes[..read]].concat()).unwrap();
    }
    log.append(&[0; 20_000]).unwrap();
    for found in [vfs.kill_at(vfs.op_count()), vfs.crash_at(vfs.op_count(), &mut |_| 0)] {
        let log = open(&found, small());
        assert_eq!(log.last_lsn(), Some(lsn(12)));
        let lengths: Vec<_> =
            log.cursor(lsn(3)).unwrap().map(|record| record.unwrap().len()).collect();
        assert_eq!(lengths[..2], [read, read + 1]);
    }
}
