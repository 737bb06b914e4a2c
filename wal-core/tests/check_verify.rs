//! Verification finds whatever is wrong, names the place, and takes nothing else for damage.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wal_core::check::{self, Finding, VerifyReport, info_with, verify_with};
use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{ErrorKind, Log, Lsn, Options};

#[test]
fn what_is_no_log_is_not_found() {
    let vfs = MemVfs::new();
    let result = verify_with(Arc::new(vfs.clone()), "/log", |_, _| {});
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    vfs.create_dir_all(Path::new("/log")).unwrap();
    let result = verify_with(Arc::new(vfs.clone()), "/log", |_, _| {});
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    let result = info_with(Arc::new(vfs.clone()), "/log");
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_file_in_the_place_of_a_log_is_invalid_to_every_look() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("file");
    std::fs::write(&path, b"no log").unwrap();
    let kinds = [
        check::info(&path).unwrap_err().kind(),
        check::verify(&path, |_, _| {}).unwrap_err().kind(),
        check::repair(&path, true).unwrap_err().kind(),
        check::repair(&path, false).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Invalid; 4]);
    assert_eq!(std::fs::read(&path).unwrap(), b"no log");
}

/// A closed log of three segments, two of them sealed by a rotation; every append is one commit.
struct Fixture {
    vfs: MemVfs,
    /// The files and the places where one part of them ends and the next begins.
    files: Vec<(PathBuf, Vec<u64>)>,
    records: u64,
}

impl Fixture {
    fn new() -> Fixture {
        let vfs = MemVfs::new();
        let (log, _) = open(&vfs);
        let mut files = Vec::new();
        let mut records = 0;
        // The long record does not fit behind the others and opens the next segment.
        for (id, lengths) in [(1, vec![3, 100, 0, 700]), (2, vec![60_000, 5]), (3, vec![60_001])] {
            let mut edges = vec![0, 4096, 8192];
            for &length in &lengths {
                log.append(&vec![id; length]).unwrap();
                records += 1;
                let frame = (16 + length as u64).next_multiple_of(8);
                edges.push(edges.last().unwrap() + frame + 64);
            }
            if id < 3 {
                let footer = 16 + (48 + 4 * lengths.len() as u64).next_multiple_of(8);
                edges.push(edges.last().unwrap() + footer);
            }
            files.push((segment(u64::from(id)), edges));
        }
        log.values().set(b"key", b"value").unwrap();
        log.close().unwrap();
        let fixture = Fixture { vfs, files, records };
        let info = info_with(Arc::new(fixture.vfs.clone()), "/log").unwrap();
        let ends: Vec<u64> = info.segments.iter().map(|segment| segment.end.0).collect();
        let expected = fixture.files.iter().map(|(_, edges)| edges[edges.len() - 1]);
        let footers = [16 + 48 + 16, 16 + 48 + 8, 0];
        let expected: Vec<u64> = expected.zip(footers).map(|(end, footer)| end - footer).collect();
        assert_eq!(ends, expected, "the fixture is laid out as the test believes");
        fixture
    }
}

#[test]
fn a_whole_log_has_no_findings() {
    let fixture = Fixture::new();
    let mut seen = Vec::new();
    let vfs = Arc::new(fixture.vfs.clone());
    let report = verify_with(vfs, "/log", |done, total| seen.push((done, total))).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.segments, report.records), (3, fixture.records));
    assert_eq!(report.commits, fixture.records);
    assert_eq!((report.first_lsn, report.last_lsn), (Some(Lsn::FIRST), Lsn::new(7)));
    assert_eq!(report.torn_tail, None);
    let used: u64 = fixture.files.iter().map(|(_, edges)| edges[edges.len() - 1]).sum();
    assert_eq!(report.bytes, used);
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "progress only grows");
    let (done, total) = seen[seen.len() - 1];
    assert_eq!(done, total);
}

#[test]
fn a_flip_of_any_byte_of_a_segment_is_found_and_named() {
    let fixture = Fixture::new();
    for (path, edges) in &fixture.files {
        let end = edges[edges.len() - 1];
        // Inside a long payload one byte is like another.
        let is_dull = |at: u64| (10_000..60_000).contains(&at) && !at.is_multiple_of(101);
        for at in (0..end).filter(|&at| !is_dull(at)) {
            fixture.vfs.corrupt(path, at, 0x10).unwrap();
            let report = verify(&fixture.vfs);
            let part = edges.iter().rposition(|&edge| edge <= at).unwrap();
            let is_named = |finding: &Finding| {
                let offset = finding.error.offset().map_or(u64::MAX, |offset| offset.0);
                finding.error.kind() == ErrorKind::Corrupt
                    && finding.error.path() == Some(path)
                    && (edges[part]..=at).contains(&offset)
            };
            let found = &report.findings;
            assert!(found.iter().any(is_named), "{path:?} offset {at}: {found:?}");
            let is_commit = at >= 8192 && (part + 2 < edges.len() || path.ends_with(name(3)));
            assert_eq!(
                found.iter().any(|finding| finding.records_at_stake),
                is_commit,
                "{path:?} offset {at}: {found:?}"
            );
            fixture.vfs.corrupt(path, at, 0x10).unwrap();
        }
        fixture.vfs.forget_ops();
    }
    assert!(verify(&fixture.vfs).findings.is_empty());
}

#[test]
fn a_flip_of_any_used_byte_of_the_state_is_found_and_costs_no_record() {
    let fixture = Fixture::new();
    let state = Path::new("/log/STATE");
    for slot in [0, 128 * 1024] {
        for at in slot..slot + 136 {
            fixture.vfs.corrupt(state, at, 0x04).unwrap();
            let found = verify(&fixture.vfs).findings;
            assert_eq!(found.len(), 1, "offset {at}: {found:?}");
            assert_eq!(found[0].error.path(), Some(state));
            assert_eq!(found[0].error.offset().unwrap().0, slot);
            assert!(!found[0].records_at_stake);
            fixture.vfs.corrupt(state, at, 0x04).unwrap();
        }
    }
}

#[test]
fn damage_names_the_records_at_stake_and_what_follows_is_still_read() {
    let fixture = Fixture::new();
    let (path, edges) = &fixture.files[0];
    fixture.vfs.corrupt(path, edges[3] + 20, 0xff).unwrap();
    fixture.vfs.corrupt(&fixture.files[1].0, 30_000, 0xff).unwrap();
    let report = verify(&fixture.vfs);
    assert_eq!(report.findings.len(), 2, "{:?}", report.findings);
    let lsns = report.findings[0].error.lsns().unwrap();
    assert_eq!((lsns.first.get(), lsns.final_.get()), (2, 2));
    let lsns = report.findings[1].error.lsns().unwrap();
    assert_eq!((lsns.first.get(), lsns.final_.get()), (5, 5));
    assert_eq!(report.records, fixture.records - 2);
    assert_eq!(report.last_lsn, Lsn::new(7));
}

#[test]
fn a_missing_segment_is_named_with_its_records() {
    let fixture = Fixture::new();
    fixture.vfs.remove(&fixture.files[1].0).unwrap();
    let report = verify(&fixture.vfs);
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    let error = &report.findings[0].error;
    assert_eq!(error.path(), Some(&*fixture.files[1].0));
    let lsns = error.lsns().unwrap();
    assert_eq!((lsns.first.get(), lsns.final_.get()), (5, 6));
    assert_eq!((report.segments, report.records), (2, 5));
}

#[test]
fn a_missing_newest_segment_is_found() {
    let fixture = Fixture::new();
    fixture.vfs.remove(&fixture.files[2].0).unwrap();
    let report = verify(&fixture.vfs);
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    let lsns = report.findings[0].error.lsns().unwrap();
    assert_eq!((lsns.first.get(), lsns.final_.get()), (7, 7));
}

#[test]
fn a_cut_segment_is_verified_up_to_its_end_and_no_further() {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs);
    log.append_batch(&[[1; 33], [2; 33], [3; 33], [4; 33]]).unwrap();
    log.truncate(Lsn::new(2).unwrap()).unwrap();
    log.append(b"after").unwrap();
    log.close().unwrap();
    assert!(verify(&vfs).findings.is_empty());
    let end = 8192 + 2 * 56;
    for at in 8192..8192 + 4 * 56 + 64 {
        vfs.corrupt(&segment(1), at, 1).unwrap();
        let report = verify(&vfs);
        assert_eq!(report.findings.len(), usize::from(at < end), "{at}: {:?}", report.findings);
        vfs.corrupt(&segment(1), at, 1).unwrap();
    }
}

#[test]
fn the_torn_tail_of_a_crashed_log_is_no_finding() {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs);
    for _ in 0..5 {
        log.append(b"acknowledged").unwrap();
    }
    let before = vfs.op_count();
    log.append(&[7; 3000]).unwrap();
    let mut torn = 0;
    for op in before..=vfs.op_count() {
        for pick in 0..6 {
            let mut turn = 0;
            let crashed = vfs.crash_at(op, &mut |choices| {
                turn += 1;
                (turn * pick + pick) % choices
            });
            let report = verify(&crashed);
            assert!(report.findings.is_empty(), "op {op}: {:?}", report.findings);
            assert!(report.last_lsn >= Lsn::new(5));
            torn += u32::from(report.torn_tail.is_some());
        }
    }
    assert!(torn > 0, "some crash tears the tail");
}

/// Frames behind a clean reopening have the salt of its opening frame: the commit that holds it may
/// be the damaged one.
#[test]
fn damage_to_the_first_commit_of_a_reopening_is_found_and_the_rest_is_read() {
    let vfs = MemVfs::new();
    for _ in 0..2 {
        let (log, _) = open(&vfs);
        for _ in 0..3 {
            log.append(&[7; 32]).unwrap();
        }
        log.close().unwrap();
    }
    let reopened = 8192 + 3 * 112;
    for at in reopened..reopened + 32 + 112 {
        vfs.corrupt(&segment(1), at, 0x20).unwrap();
        let report = verify(&vfs);
        let is_salt = (16..32).contains(&(at - reopened));
        let left = if is_salt { 3 } else { 5 };
        let left = if at >= reopened + 32 + 48 { 4 } else { left };
        assert_eq!(report.findings.len(), 1, "offset {at}: {:?}", report.findings);
        assert_eq!(report.records, left, "offset {at}");
        vfs.corrupt(&segment(1), at, 0x20).unwrap();
    }
}

#[test]
fn trimmed_records_are_not_reported() {
    let fixture = Fixture::new();
    let (log, _) = open(&fixture.vfs);
    log.trim(Lsn::new(3).unwrap()).unwrap();
    log.close().unwrap();
    let (path, edges) = &fixture.files[0];
    fixture.vfs.corrupt(path, edges[2] + 3, 0xff).unwrap();
    let report = verify(&fixture.vfs);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    fixture.vfs.corrupt(path, edges[4] + 3, 0xff).unwrap();
    assert_eq!(verify(&fixture.vfs).findings.len(), 1);
}

#[test]
fn verifying_and_asking_change_nothing() {
    let fixture = Fixture::new();
    fixture.vfs.corrupt(&fixture.files[0].0, 9000, 1).unwrap();
    let before = fixture.vfs.op_count();
    verify(&fixture.vfs);
    info_with(Arc::new(fixture.vfs.clone()), "/log").unwrap();
    assert_eq!(fixture.vfs.op_count(), before);
}

#[test]
fn info_tells_what_was_written() {
    let fixture = Fixture::new();
    let info = info_with(Arc::new(fixture.vfs.clone()), "/log").unwrap();
    assert!(info.clean);
    assert!(!info.writer_alive);
    assert_eq!((info.first_lsn, info.last_lsn), (Some(Lsn::FIRST), Lsn::new(7)));
    assert_eq!((info.next_lsn.get(), info.values), (8, 1));
    assert!(info.segments[0].sealed && info.segments[1].sealed && !info.segments[2].sealed);
    assert_eq!(info.durable_through.segment.0, 3);
    assert!(info.first_time.unwrap() <= info.last_time.unwrap());
    assert!(info.disk_bytes > info.valid_bytes);
    let (log, _) = open(&fixture.vfs);
    let info = info_with(Arc::new(fixture.vfs.clone()), "/log").unwrap();
    assert!(info.writer_alive && !info.clean);
    log.close().unwrap();
}

fn open(vfs: &MemVfs) -> (Log, wal_core::RecoveryReport) {
    let options = Options { segment_bytes: 64 * 1024, ..Options::default() };
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap()
}

fn verify(vfs: &MemVfs) -> VerifyReport {
    verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap()
}

fn segment(id: u64) -> PathBuf {
    Path::new("/log").join(name(id))
}

fn name(id: u64) -> String {
    format!("{id:020}.wal")
}
