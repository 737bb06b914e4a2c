//! A repair leaves a log that opens and verifies, keeps what it touches, and loses what it says.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wal_core::check::{RepairReport, repair_with, verify_with};
use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{ErrorKind, Log, Lsn, Options, Position};

#[test]
fn a_log_that_somebody_writes_is_locked() {
    let (vfs, _) = build();
    let (_log, _) = open(&vfs);
    let error = repair_with(Arc::new(vfs.clone()), "/log", true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
}

#[test]
fn what_is_no_log_is_not_found() {
    let vfs = MemVfs::new();
    let error = repair_with(Arc::new(vfs.clone()), "/log", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn without_headers_and_state_nothing_is_guessed() {
    let (vfs, _) = build();
    for id in 1..=3 {
        spoil(&vfs, &segment(id), 0, 8192);
    }
    lose_state(&vfs);
    let before = contents(&vfs);
    let error = repair_with(Arc::new(vfs.clone()), "/log", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(contents(&vfs), before);
}

#[test]
fn a_whole_log_is_left_alone() {
    let (vfs, records) = build();
    let before = vfs.op_count();
    let report = repair(&vfs);
    assert!(!report.changed && report.actions.is_empty() && report.backup.is_none());
    assert_eq!(vfs.op_count(), before, "nothing is written");
    assert_eq!(read(&vfs), records);
}

/// What is broken and which records are left; `None` for each that is lost.
struct Case {
    name: &'static str,
    spoil: fn(&MemVfs),
    /// The LSNs that are left, and those that are announced as lost.
    left: std::ops::RangeInclusive<u64>,
    lost: &'static [(u64, u64)],
    keeps_values: bool,
}

const ALL: std::ops::RangeInclusive<u64> = 1..=10;

/// Segment 1 holds LSN 1 to 4, segment 2 LSN 5 to 6, segment 3 LSN 7 to 10.
const CASES: &[Case] = &[
    Case {
        name: "one header copy",
        spoil: |vfs| spoil(vfs, &segment(2), 0, 4096),
        left: ALL,
        lost: &[],
        keeps_values: true,
    },
    Case {
        name: "the other header copy of the newest segment",
        spoil: |vfs| spoil(vfs, &segment(3), 5000, 9),
        left: ALL,
        lost: &[],
        keeps_values: true,
    },
    Case {
        name: "the first state slot",
        spoil: |vfs| spoil(vfs, Path::new("/log/STATE"), 0, 100),
        left: ALL,
        lost: &[],
        keeps_values: true,
    },
    Case {
        name: "the second state slot",
        spoil: |vfs| spoil(vfs, Path::new("/log/STATE"), 128 * 1024, 100),
        left: ALL,
        lost: &[],
        keeps_values: true,
    },
    Case {
        name: "a footer",
        spoil: |vfs| spoil(vfs, &segment(1), FIRST_FOOTER + 30, 1),
        left: ALL,
        lost: &[],
        keeps_values: true,
    },
    Case { name: "both state slots", spoil: lose_state, left: ALL, lost: &[], keeps_values: false },
    Case {
        name: "the state file",
        spoil: |vfs| remove(vfs, Path::new("/log/STATE")),
        left: ALL,
        lost: &[],
        keeps_values: false,
    },
    Case {
        name: "a commit in the first segment",
        spoil: |vfs| spoil(vfs, &segment(1), 8192 + COMMIT * 2 + 20, 1),
        left: 1..=2,
        lost: &[(3, 10)],
        keeps_values: true,
    },
    Case {
        name: "the first commit",
        spoil: |vfs| spoil(vfs, &segment(1), 8192 + 20, 1),
        left: 2..=10,
        lost: &[(1, 1)],
        keeps_values: true,
    },
    Case {
        name: "a commit in a segment in the middle",
        spoil: |vfs| spoil(vfs, &segment(2), 8192 + 20, 1),
        left: 1..=4,
        lost: &[(5, 10)],
        keeps_values: true,
    },
    Case {
        name: "a hole in the newest segment",
        spoil: |vfs| spoil(vfs, &segment(3), 8192 + LONG_COMMIT + COMMIT + 20, 1),
        left: 1..=8,
        lost: &[(9, 10)],
        keeps_values: true,
    },
    Case {
        name: "the last commit of a closed log",
        spoil: |vfs| spoil(vfs, &segment(3), 8192 + LONG_COMMIT + 2 * COMMIT + 20, 1),
        left: 1..=9,
        lost: &[(10, 10)],
        keeps_values: true,
    },
    Case {
        name: "a segment in the middle",
        spoil: |vfs| remove(vfs, &segment(2)),
        left: 1..=4,
        lost: &[(5, 10)],
        keeps_values: true,
    },
    Case {
        name: "both header copies in the middle",
        spoil: |vfs| spoil(vfs, &segment(2), 0, 8192),
        left: 1..=4,
        lost: &[(5, 10)],
        keeps_values: true,
    },
    Case {
        name: "the newest segment",
        spoil: |vfs| remove(vfs, &segment(3)),
        left: 1..=6,
        lost: &[(7, 10)],
        keeps_values: true,
    },
    Case {
        name: "the oldest segment",
        spoil: |vfs| remove(vfs, &segment(1)),
        left: 5..=10,
        lost: &[(1, 4)],
        keeps_values: true,
    },
    Case {
        name: "the oldest and the newest segment and a footer",
        spoil: |vfs| {
            remove(vfs, &segment(1));
            remove(vfs, &segment(3));
            spoil(vfs, &segment(2), 8192 + LONG_COMMIT + COMMIT, 30);
        },
        left: 5..=6,
        lost: &[(1, 4), (7, 10)],
        keeps_values: true,
    },
    Case {
        name: "the state and a commit",
        spoil: |vfs| {
            lose_state(vfs);
            spoil(vfs, &segment(2), 8192 + 20, 1);
        },
        left: 1..=4,
        lost: &[(5, 10)],
        keeps_values: false,
    },
    Case {
        name: "every segment",
        spoil: |vfs| (1..=3).for_each(|id| remove(vfs, &segment(id))),
        left: RangeNone::NONE,
        lost: &[(1, 10)],
        keeps_values: true,
    },
];

#[test]
fn a_repaired_log_opens_verifies_and_has_lost_what_was_announced() {
    for case in CASES {
        let (vfs, records) = build();
        (case.spoil)(&vfs);
        let damaged = contents(&vfs);
        let announced = repair_with(Arc::new(vfs.clone()), "/log", true).unwrap();
        assert!(!announced.changed && !announced.actions.is_empty(), "{}", case.name);
        assert_eq!(contents(&vfs), damaged, "{}: a dry run changes nothing", case.name);
        let report = repair(&vfs);
        assert!(report.changed, "{}", case.name);
        assert_eq!(report.actions.len(), announced.actions.len(), "{}", case.name);
        assert_eq!(report.lost, announced.lost, "{}", case.name);
        let lost: Vec<_> =
            report.lost.iter().map(|range| (range.first.get(), range.final_.get())).collect();
        assert_eq!(lost, case.lost, "{}: {:?}", case.name, report.actions);
        keeps_the_evidence(&vfs, &damaged, &report, case.name);
        is_sound(&vfs, &records, case);
    }
}

#[test]
fn a_repair_that_crashes_anywhere_can_be_done_again() {
    for case in CASES {
        let (vfs, records) = build();
        (case.spoil)(&vfs);
        let before = vfs.op_count();
        repair(&vfs);
        for op in before..=vfs.op_count() {
            for pick in 0..3 {
                let crashed = match pick {
                    0 => vfs.kill_at(op),
                    1 => vfs.crash_at(op, &mut |_| 0),
                    _ => {
                        let mut turn = op;
                        vfs.crash_at(op, &mut |choices| {
                            turn = turn.wrapping_mul(7) + 3;
                            turn % 11 % choices
                        })
                    }
                };
                repair(&crashed);
                is_sound(&crashed, &records, case);
            }
        }
    }
}

#[test]
fn a_stale_state_is_renewed_from_the_older_slot() {
    let (vfs, records) = build();
    let (log, _) = open(&vfs);
    let old = vfs.file_bytes(Path::new("/log/STATE")).unwrap();
    log.values().set(b"key", b"newer").unwrap();
    log.append(b"knows of it").unwrap();
    log.close().unwrap();
    vfs.set_file_bytes(Path::new("/log/STATE"), &old).unwrap();
    let refused = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default());
    assert_eq!(refused.err().unwrap().kind(), ErrorKind::Corrupt);
    let report = repair(&vfs);
    assert!(report.lost.is_empty(), "{:?}", report.lost);
    assert!(report.actions[0].contains("lost"), "{:?}", report.actions);
    assert!(verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap().findings.is_empty());
    let left = read(&vfs);
    assert_eq!(left.len(), records.len() + 1);
    let (log, _) = open(&vfs);
    assert_eq!(log.values().get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
}

#[test]
fn a_segment_that_is_lost_beside_an_older_state_is_called_lost() {
    let (vfs, records) = build();
    let (log, _) = open(&vfs);
    let old = vfs.file_bytes(Path::new("/log/STATE")).unwrap();
    log.trim(Lsn::new(2).unwrap()).unwrap();
    log.append(b"knows of it").unwrap();
    log.close().unwrap();
    vfs.set_file_bytes(Path::new("/log/STATE"), &old).unwrap();
    spoil(&vfs, &segment(1), 0, 8192);
    let report = repair(&vfs);
    let lost: Vec<_> =
        report.lost.iter().map(|range| (range.first.get(), range.final_.get())).collect();
    // LSN 1 was trimmed, which only the newer slot knew.
    assert_eq!(lost, [(1, 4)]);
    assert!(verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap().findings.is_empty());
    let left = read(&vfs);
    assert_eq!(left[..6], records[4..]);
    assert_eq!(left.len(), 7);
}

#[test]
fn the_head_of_a_log_of_one_segment_can_be_lost_alone() {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs);
    for number in 1..=5u8 {
        log.append(&[number; 32]).unwrap();
    }
    log.close().unwrap();
    spoil(&vfs, &segment(1), 8192 + 20, 1);
    let report = repair(&vfs);
    let lost: Vec<_> =
        report.lost.iter().map(|range| (range.first.get(), range.final_.get())).collect();
    assert_eq!(lost, [(1, 1)]);
    let left: Vec<_> = read(&vfs).into_iter().map(|(lsn, bytes)| (lsn, bytes[0])).collect();
    assert_eq!(left, [(2, 2), (3, 3), (4, 4), (5, 5)]);
    assert!(verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap().findings.is_empty());
    assert!(!repair(&vfs).changed);
}

#[test]
fn the_torn_tail_of_a_crash_is_left_to_the_next_opening() {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs);
    log.append(b"acknowledged").unwrap();
    let end = vfs.op_count();
    drop(log);
    let crashed = vfs.kill_at(end);
    let path = segment(1);
    spoil(&crashed, &path, 8192 + 16 + 16 + 64, 40);
    assert!(!repair(&crashed).changed);
    assert_eq!(read(&crashed).len(), 1);
}

#[test]
fn each_repair_keeps_its_copies_in_a_directory_of_its_own() {
    let (vfs, _) = build();
    for number in 1..=3 {
        spoil(&vfs, &segment(1), 17, 1);
        let report = repair(&vfs);
        assert_eq!(report.backup, Some(PathBuf::from(format!("/log.repair-{number}"))));
    }
}

/// The log is what the case says, and nothing is left to do.
fn is_sound(vfs: &MemVfs, records: &[(u64, Vec<u8>)], case: &Case) {
    let name = case.name;
    let report = verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap();
    assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
    let before = vfs.op_count();
    let again = repair(vfs);
    assert!(!again.changed, "{name}: {:?}", again.actions);
    assert_eq!(vfs.op_count(), before, "{name}: nothing is left to do");
    let expected: Vec<_> =
        records.iter().filter(|(lsn, _)| case.left.contains(lsn)).cloned().collect();
    assert_eq!(read(vfs), expected, "{name}");
    let (log, _) = open(vfs);
    let value = log.values().get(b"key").unwrap();
    assert_eq!(value.is_some(), case.keeps_values, "{name}");
    let lsn = log.append(b"goes on").unwrap();
    assert!(expected.last().is_none_or(|(last, _)| lsn.get() == last + 1), "{name}");
    log.close().unwrap();
    assert_eq!(read(vfs).len(), expected.len() + 1, "{name}");
    let report = verify_with(Arc::new(vfs.clone()), "/log", |_, _| {}).unwrap();
    assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
}

fn keeps_the_evidence(
    vfs: &MemVfs,
    damaged: &[(PathBuf, Vec<u8>)],
    report: &RepairReport,
    name: &str,
) {
    for (path, bytes) in damaged {
        if vfs.file_bytes(path).is_ok_and(|now| now == *bytes) {
            continue;
        }
        let copy = report.backup.as_ref().unwrap().join(path.file_name().unwrap());
        assert!(vfs.file_bytes(&copy).unwrap() == *bytes, "{name}: {} is kept", path.display());
    }
}

/// A closed log with a value: three segments, ten records, each a commit.
fn build() -> (MemVfs, Vec<(u64, Vec<u8>)>) {
    let vfs = MemVfs::new();
    let (log, _) = open(&vfs);
    log.values().set(b"key", b"value").unwrap();
    let mut records = Vec::new();
    for length in [32, 32, 32, 32, LONG, 32, LONG, 32, 32, 32] {
        let record = vec![records.len() as u8 + 1; length];
        let lsn = log.append(&record).unwrap();
        records.push((lsn.get(), record));
    }
    log.close().unwrap();
    vfs.forget_ops();
    (vfs, records)
}

fn open(vfs: &MemVfs) -> (Log, wal_core::RecoveryReport) {
    let options = Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() };
    Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap()
}

fn repair(vfs: &MemVfs) -> RepairReport {
    repair_with(Arc::new(vfs.clone()), "/log", false).unwrap()
}

fn read(vfs: &MemVfs) -> Vec<(u64, Vec<u8>)> {
    let options = Options::default();
    let (log, _) = Log::open_read_only_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    let records = log.cursor(Position::First).unwrap().map(|record| record.unwrap());
    let records: Vec<_> = records.map(|record| (record.lsn().get(), record.to_vec())).collect();
    assert_eq!(log.first_lsn(), records.first().and_then(|(lsn, _)| Lsn::new(*lsn)));
    records
}

/// Flips bits in `count` bytes from `at` on.
fn spoil(vfs: &MemVfs, path: &Path, at: u64, count: u64) {
    for at in at..at + count {
        vfs.corrupt(path, at, 0x5a).unwrap();
    }
}

/// Removes a file for good: no crash brings it back.
fn remove(vfs: &MemVfs, path: &Path) {
    vfs.remove(path).unwrap();
    vfs.sync_dir(Path::new("/log")).unwrap();
}

fn lose_state(vfs: &MemVfs) {
    spoil(vfs, Path::new("/log/STATE"), 0, 100);
    spoil(vfs, Path::new("/log/STATE"), 128 * 1024, 100);
}

fn contents(vfs: &MemVfs) -> Vec<(PathBuf, Vec<u8>)> {
    let names = vfs.list(Path::new("/log")).unwrap();
    let paths = names.into_iter().map(|name| Path::new("/log").join(name));
    paths.map(|path| (path.clone(), vfs.file_bytes(&path).unwrap())).collect()
}

fn segment(id: u64) -> PathBuf {
    Path::new("/log").join(format!("{id:020}.wal"))
}

struct RangeNone;

impl RangeNone {
    #[expect(clippy::reversed_empty_ranges, reason = "no LSN at all")]
    const NONE: std::ops::RangeInclusive<u64> = 1..=0;
}

/// A record that does not fit behind others.
const LONG: usize = 57_000;
const COMMIT: u64 = 16 + 32 + 64;
const LONG_COMMIT: u64 = 16 + 57_000 + 64;
const FIRST_FOOTER: u64 = 8192 + 4 * COMMIT;

/// A repair that made files anew gave them the permissions of whoever repaired.
#[test]
fn a_repair_keeps_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, Options::default()).unwrap();
    log.append(b"kept").unwrap();
    log.close().unwrap();
    let segment = path.join("00000000000000000001.wal");
    let state = path.join("STATE");
    for file in [&segment, &state] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o640)).unwrap();
    }
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let report = wal_core::check::repair(&path, false).unwrap();
    assert!(report.changed, "one copy of the header was mended");
    for file in [&segment, &state] {
        let mode = std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640, "{}", file.display());
    }
    assert_eq!(
        &Log::open(&path, Options::default()).unwrap().0.read(Lsn::FIRST).unwrap()[..],
        b"kept"
    );
}
