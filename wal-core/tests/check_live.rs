//! Verification beside a live writer takes nothing on its way for damage.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wal_core::check::{info, verify};
use wal_core::{Level, Log, Lsn, Options};

#[test]
fn verifying_beside_a_writer_finds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let options = Options { segment_bytes: 256 * 1024, level: Level::Os, ..Options::default() };
    let (log, _) = Log::open(&path, options).unwrap();
    log.append(b"first").unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut count: u64 = 0;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                log.append(&vec![count as u8; (count % 1500) as usize]).unwrap();
                match count % 900 {
                    300 => drop(log.sync().unwrap()),
                    600 => {
                        let last = log.last_lsn().unwrap().get();
                        log.truncate(Lsn::new(last - 3).unwrap()).unwrap();
                    }
                    899 => {
                        let last = log.last_lsn().unwrap().get();
                        log.trim(Lsn::new(last.saturating_sub(2000).max(1)).unwrap()).unwrap();
                        log.values().set(b"count", &count.to_le_bytes()).unwrap();
                    }
                    _ => {}
                }
            }
        });
        let _stop = Stop(&is_over);
        let mut records = 0;
        for round in 0..50 {
            let report = verify(&path, |_, _| {});
            let info = info(&path);
            let report = report.unwrap();
            assert!(report.findings.is_empty(), "round {round}: {:?}", report.findings);
            records += report.records;
            assert!(info.unwrap().writer_alive);
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(records > 0);
    });
    log.close().unwrap();
    assert!(verify(&path, |_, _| {}).unwrap().findings.is_empty());
}

/// Ends the writer, also when an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
