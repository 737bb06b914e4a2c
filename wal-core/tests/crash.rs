//! Power is lost, or the process dies, after every operation on the file system; the log is opened,
//! written to and opened again.
//!
//! A workload runs once on a file system in memory that remembers what was done. Then every prefix
//! of its operations is a crash: with nothing of what was not synced, with all of it, with any part
//! of it. What an opening finds is held against a vector of records: everything that was
//! acknowledged is there, nothing that was dropped comes back, and a batch is there as a whole.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod crash_support;

use std::sync::{Arc, Mutex};

use crash_support::model::Payload;
use crash_support::workloads::*;
use crash_support::{Effort, Found, Rng, Workload, exhaust, explore, payload, run};
use wal_core::vfs::MemVfs;
use wal_core::{Level, Log};

const EFFORT: Effort = Effort { random_states: 3, double_every: 13 };

fn survives(workload: Workload) {
    let trace = run(&workload);
    let states = exhaust(&trace, EFFORT, 1);
    println!("{}: {} operations, {states} states", trace.name, trace.vfs.op_count());
    assert!(states > trace.vfs.op_count() * 5, "every operation was a crash");
}

#[test]
fn appends_across_segments_survive_every_crash() {
    survives(appends());
}

#[test]
fn batches_are_all_or_nothing_after_every_crash() {
    survives(batches());
}

#[test]
fn batches_larger_than_the_ring_survive_every_crash() {
    survives(large_in_segment());
}

#[test]
fn trimmed_records_stay_trimmed_after_every_crash() {
    survives(trims());
}

#[test]
fn recycled_segments_survive_every_crash() {
    let trace = run(&recyclings());
    assert!(trace.recycled > 2, "{} recycled", trace.recycled);
    exhaust(&trace, EFFORT, 2);
}

#[test]
fn truncated_records_stay_truncated_after_every_crash() {
    survives(truncations());
}

#[test]
fn a_reset_is_all_or_nothing_after_every_crash() {
    survives(resets());
}

#[test]
fn values_are_those_before_or_after_every_crash() {
    survives(values());
}

#[test]
fn reopenings_survive_every_crash() {
    survives(reopenings());
}

#[test]
fn a_segment_sealed_at_close_survives_every_crash() {
    let trace = run(&sealed_at_close());
    exhaust(&trace, Effort { random_states: 1, double_every: 50 }, 3);
}

#[test]
fn what_the_kernel_has_survives_the_death_of_the_process() {
    survives(levels(Level::Os));
}

#[test]
fn buffered_records_survive_as_a_prefix() {
    survives(levels(Level::Buffered));
}

#[test]
fn a_disk_that_is_full_now_and_then_survives_every_crash() {
    survives(full_disks());
}

#[test]
fn records_in_flight_survive_as_a_prefix() {
    survives(submissions());
}

#[test]
fn padded_commits_survive_every_crash() {
    survives(padded());
}

#[test]
fn direct_writes_survive_every_crash() {
    survives(direct(false));
    survives(direct(true));
}

#[test]
fn a_stream_that_leaves_the_page_cache_and_comes_back_survives_every_crash() {
    let trace = run(&stream());
    assert!(trace.was_direct, "the page cache was never left");
    exhaust(&trace, EFFORT, 3);
}

/// Making a spare failed, and so did removing what there was of it; then the log was closed in
/// order. The next opening used the file, acknowledged what it wrote there, and the name went with
/// the power.
#[test]
fn a_spare_whose_name_was_never_synced_takes_no_record_with_it() {
    use wal_core::vfs::{Access, Vfs};
    let vfs = MemVfs::new();
    let open = || Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap().0;
    let log = open();
    log.append(b"one").unwrap();
    log.close().unwrap();
    let spare = std::path::Path::new("/log/00000000000000000002.wal");
    let file = vfs.open(spare, Access::Create).unwrap();
    file.write_at(&[std::io::IoSlice::new(&[0; 16 * 1024])], 0).unwrap();
    drop(file);
    let log = open();
    // Into the spare, but not so far that the one behind it is made and syncs the directory.
    for len in [30_000, 20_000, 10_000] {
        log.append(&payload(7, len)).unwrap();
    }
    let crashed = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    drop(log);
    assert!(vfs.file_bytes(spare).unwrap().starts_with(b"WALSEG"), "the log went on in the spare");
    let (_, _, found) = Found::open(&crashed, &small()).unwrap();
    assert_eq!((found.first, found.records.len()), (1, 4));
}

#[test]
fn random_workloads_survive_random_crashes() {
    let mut rng = Rng::new(7);
    for seed in 0..60 {
        let trace = run(&random(seed));
        explore(&trace, 25, &mut rng);
    }
}

/// Appenders on several threads share commits while the log is trimmed behind them and its segments
/// are recycled. Whatever was acknowledged to any of them before the crash is there, under its LSN.
#[test]
fn concurrent_appends_and_trims_survive_every_crash() {
    for (round, level) in [Level::Disk, Level::Os, Level::Disk].into_iter().enumerate() {
        let options = wal_core::Options { level, ..small() };
        let crowd = Crowd::run(&options, 90 + 60 * round as u64);
        let mut rng = Rng::new(11);
        for op in 0..=crowd.vfs.op_count() {
            let crashed = match level {
                Level::Disk => crowd.vfs.crash_at(op, &mut |choices| rng.below(choices)),
                _ => crowd.vfs.kill_at(op),
            };
            let opened = Found::open(&crashed, &options);
            let (_, _, found) = opened.unwrap_or_else(|error| panic!("operation {op}: {error:?}"));
            crowd.check(op, &found);
        }
    }
}

/// What several threads did to one log.
struct Crowd {
    vfs: MemVfs,
    /// LSN, when it was acknowledged, and the record, in the order of the LSNs.
    appended: Vec<(u64, usize, Payload)>,
    /// When it began, when it was acknowledged, and to which LSN, in the order of the trims.
    trimmed: Vec<(usize, usize, u64)>,
}

impl Crowd {
    fn run(options: &wal_core::Options, count: u64) -> Crowd {
        let vfs = MemVfs::new();
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
        let appended = Mutex::new(Vec::new());
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let trimmed = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4_u64)
                .map(|thread| {
                    let (log, vfs, appended) = (&log, &vfs, &appended);
                    scope.spawn(move || {
                        for number in 0..count {
                            let len = (number * 67 % 5000) as usize;
                            let record = payload(thread << 32 | number, len);
                            let lsn = log.append(&record).unwrap();
                            appended.lock().unwrap().push((lsn.get(), vfs.op_count(), record));
                        }
                    })
                })
                .collect();
            let trimmer = scope.spawn(|| {
                let mut trimmed = Vec::new();
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    let last = log.last_lsn().map_or(1, |lsn| lsn.get());
                    let begun = vfs.op_count();
                    log.trim(wal_core::Lsn::new(last.saturating_sub(10).max(1)).unwrap()).unwrap();
                    trimmed.push((begun, vfs.op_count(), last.saturating_sub(10).max(1)));
                    std::thread::sleep(std::time::Duration::from_micros(300));
                }
                trimmed
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            trimmer.join().unwrap()
        });
        let mut appended = appended.into_inner().unwrap();
        appended.sort_by_key(|(lsn, ..)| *lsn);
        Crowd { vfs, appended, trimmed }
    }

    fn check(&self, op: usize, found: &Found) {
        let next = found.first + found.records.len() as u64;
        for (lsn, record) in (found.first..).zip(&found.records) {
            let (expected_lsn, _, expected) = &self.appended[lsn as usize - 1];
            assert_eq!(*expected_lsn, lsn);
            assert!(record == expected, "record {lsn} after operation {op}");
        }
        let acknowledged = self.appended.iter().filter(|(_, at, _)| *at <= op);
        let last = acknowledged.map(|(lsn, ..)| *lsn).max().unwrap_or(0);
        assert!(next > last, "LSN {last} after operation {op}: {}", found.summary());
        let least = self.trimmed.iter().filter(|(_, at, _)| *at <= op).map(|(.., lsn)| *lsn).max();
        let most =
            self.trimmed.iter().filter(|(begun, ..)| *begun <= op).map(|(.., lsn)| *lsn).max();
        assert!(found.first >= least.unwrap_or(1), "operation {op}: {}", found.summary());
        assert!(found.first <= most.unwrap_or(1), "operation {op}: {}", found.summary());
    }
}
