//! Appends in flight whose outcomes are told in bulk.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{AppendOptions, Completions, ErrorKind, Level, Log, LsnRange, Options, Wait};

const PATIENCE: Duration = Duration::from_secs(20);

fn small() -> Options {
    Options { segment_bytes: 1 << 20, ring_bytes: 64 << 10, ..Options::default() }
}

fn at(level: Level) -> AppendOptions {
    AppendOptions { level: Some(level), ..AppendOptions::default() }
}

/// Completions and what hears their bell.
fn with_bell(log: &Log) -> (Completions<u64>, mpsc::Receiver<()>) {
    let (bell, heard) = mpsc::channel();
    (
        Completions::new(log, move || {
            let _ = bell.send(());
        }),
        heard,
    )
}

type Ended = Vec<(u64, wal_core::Result<LsnRange>)>;

/// Takes until so many have ended.
fn take(completions: &Completions<u64>, heard: &mpsc::Receiver<()>, count: usize) -> Ended {
    let mut ended = Vec::new();
    while ended.len() < count {
        heard.recv_timeout(PATIENCE).expect("told that something has ended");
        completions.take(&mut ended).expect("this process");
    }
    ended
}

#[test]
fn every_token_comes_back_once_with_its_own_lsns_from_any_number_of_threads() {
    let vfs = MemVfs::new();
    let (log, _) = Log::open_with(Arc::new(vfs), "/log", small()).unwrap();
    let (completions, heard) = with_bell(&log);
    let submitted = AtomicU64::new(0);
    let mut found = BTreeMap::new();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (completions, submitted) = (&completions, &submitted);
            scope.spawn(move || {
                for n in 0..500 {
                    let token = thread * 1000 + n;
                    let options = at([Level::Disk, Level::Os, Level::Buffered][n as usize % 3]);
                    let record = token.to_le_bytes();
                    match n % 5 {
                        0 => completions.submit_batch(&[&record[..], b"2"], &options, token),
                        _ => completions.submit(&record, &options, token),
                    }
                    .unwrap();
                    submitted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for (token, lsns) in take(&completions, &heard, 2000) {
            assert!(found.insert(token, lsns.unwrap()).is_none(), "{token} came twice");
        }
    });
    assert_eq!((found.len(), completions.in_flight()), (2000, 0));
    log.sync().unwrap();
    for (token, lsns) in found {
        assert_eq!(&log.read(lsns.first).unwrap()[..], token.to_le_bytes());
        let is_batch = (token % 1000).is_multiple_of(5);
        assert_eq!(lsns.final_.get() - lsns.first.get(), u64::from(is_batch));
    }
}

#[test]
fn nothing_that_was_promised_the_disk_comes_back_before_it_is_there() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(3));
    let (completions, heard) = with_bell(&log);
    for token in 0..50 {
        completions.submit(b"record", &AppendOptions::default(), token).unwrap();
        let mut ended = Vec::new();
        completions.take(&mut ended).expect("this process");
        for (_, lsns) in ended {
            assert!(log.durable_lsn() >= Some(lsns.unwrap().final_));
        }
    }
    while completions.in_flight() > 0 {
        heard.recv_timeout(PATIENCE).unwrap();
        let mut ended = Vec::new();
        completions.take(&mut ended).expect("this process");
        let durable = log.durable_lsn();
        assert!(ended.into_iter().all(|(_, lsns)| durable >= Some(lsns.unwrap().final_)));
    }
}

#[test]
fn lower_levels_do_not_wait_for_the_disk() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    log.append(b"first").unwrap();
    let (completions, heard) = with_bell(&log);
    completions.submit(b"1", &at(Level::Os), 1).unwrap();
    completions.submit(b"2", &at(Level::Buffered), 2).unwrap();
    let mut tokens: Vec<u64> =
        take(&completions, &heard, 2).into_iter().map(|(token, _)| token).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [1, 2]);
    assert_eq!(log.durable_lsn().map(|lsn| lsn.get()), Some(1));
}

/// One call across the border of a language for each commit, not for each append.
#[test]
fn the_bell_rings_once_for_all_that_ends_before_it_is_taken() {
    let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", small()).unwrap();
    let rings = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rings);
    let completions = Completions::new(&log, move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    for token in 0..200_u64 {
        completions.submit(b"record", &AppendOptions::default(), token).unwrap();
    }
    log.sync().unwrap();
    // The wake-up comes after the mark that `sync` waited for.
    while rings.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(rings.load(Ordering::SeqCst), 1);
    let mut ended = Vec::new();
    completions.take(&mut ended).expect("this process");
    assert_eq!(ended.len(), 200);
    assert!(ended.iter().map(|(token, _)| *token).eq(0..200));
    assert_eq!(rings.load(Ordering::SeqCst), 1);
    completions.submit(b"later", &AppendOptions::default(), 200).unwrap();
    log.sync().unwrap();
    while rings.load(Ordering::SeqCst) < 2 {
        thread::yield_now();
    }
    completions.take(&mut ended).expect("this process");
    assert_eq!((ended.len(), rings.load(Ordering::SeqCst)), (201, 2));
}

#[test]
fn a_failed_sync_is_told_to_everybody_in_flight() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    log.append(b"first").unwrap();
    vfs.fail_from(Operation::Sync, 0, Fault::LoseUnsynced(libc::EIO));
    let (completions, heard) = with_bell(&log);
    let mut accepted = 0;
    for token in 0..100 {
        accepted += usize::from(completions.submit(b"lost", &at(Level::Disk), token).is_ok());
    }
    assert!(accepted > 0);
    for (_, outcome) in take(&completions, &heard, accepted) {
        let kind = outcome.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Io | ErrorKind::Poisoned), "{kind}");
    }
    let refused = completions.submit(b"late", &at(Level::Disk), 7).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Io | ErrorKind::Poisoned));
    assert_eq!(completions.in_flight(), 0);
}

/// Who completes by comparing LSNs with the watermark takes a record that was refused for another
/// one that got its LSN later.
#[test]
fn a_record_that_a_full_disk_refused_is_told_full_although_its_lsn_was_issued_again() {
    let vfs = MemVfs::new();
    let options = Options { segment_bytes: 64 << 10, ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    log.append(&[1; 100]).unwrap();
    vfs.set_capacity(Some(0));
    let (completions, heard) = with_bell(&log);
    let lsns = completions.submit_batch(&vec![[5; 3000]; 30], &at(Level::Disk), 5).unwrap();
    let batch = completions.submit_batch(&vec![[6; 3000]; 30], &at(Level::Disk), 6);
    let count = 1 + usize::from(batch.is_ok());
    for (_, outcome) in take(&completions, &heard, count) {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Full);
    }
    vfs.set_capacity(None);
    let again = completions.submit(b"the same LSN", &at(Level::Disk), 8).unwrap();
    assert_eq!(again.first, lsns.first);
    let ended = take(&completions, &heard, 1);
    assert!(matches!(&ended[..], [(8, Ok(_))]), "{ended:?}");
}

#[test]
fn a_refused_submission_drops_its_token_and_leaves_nothing_in_flight() {
    let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", small()).unwrap();
    let completions = Completions::new(&log, || {});
    let token = Arc::new(());
    let options = AppendOptions { wait: Wait::Try, ..AppendOptions::default() };
    let too_large = vec![0; 2 << 30];
    let refused = completions.submit(&too_large, &options, Arc::clone(&token)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    log.close().unwrap();
    let refused = completions.submit(b"late", &options, Arc::clone(&token)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Closed);
    assert_eq!((completions.in_flight(), Arc::strong_count(&token)), (0, 1));
}

#[test]
fn closing_completes_what_is_in_flight_and_dropping_loses_no_append() {
    let vfs = Arc::new(MemVfs::new());
    let (log, _) = Log::open_with(vfs.clone(), "/log", small()).unwrap();
    let (completions, heard) = with_bell(&log);
    for token in 0..20 {
        completions.submit(b"closing", &at(Level::Disk), token).unwrap();
    }
    log.close().unwrap();
    assert!(take(&completions, &heard, 20).iter().all(|(_, outcome)| outcome.is_ok()));
    drop((completions, log));
    let (log, _) = Log::open_with(vfs.clone(), "/log", small()).unwrap();
    let (completions, _) = with_bell(&log);
    for token in 0..20 {
        completions.submit(b"dropped", &at(Level::Disk), token).unwrap();
    }
    drop(completions);
    log.close().unwrap();
    assert_eq!(log.last_lsn().map(|lsn| lsn.get()), Some(40));
}
