//! Hearing of the durable LSN without waiting for it.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{ErrorKind, Level, Log, Lsn, Notifier, Options, Position};

fn memory(level: Level) -> (FaultVfs, Log) {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let options =
        Options { level, segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (vfs, log)
}

/// Whether the descriptor is or becomes readable in time.
fn is_readable(notifier: &Notifier, timeout_ms: i32) -> bool {
    let mut poll = libc::pollfd { fd: notifier.fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry.
    let ready = unsafe { libc::poll(&mut poll, 1, timeout_ms) };
    assert!(ready >= 0);
    ready == 1 && poll.revents & libc::POLLIN != 0
}

#[test]
fn a_notifier_becomes_readable_with_each_advance_and_not_without() {
    let (_, log) = memory(Level::Disk);
    let notifier = log.notifier().unwrap();
    assert!(!is_readable(&notifier, 0));
    assert_eq!(notifier.acknowledge().unwrap(), None);
    for round in 1..=5 {
        log.append(b"x").unwrap();
        assert!(is_readable(&notifier, 10_000));
        assert!(is_readable(&notifier, 0), "until it is acknowledged");
        assert_eq!(notifier.acknowledge().unwrap(), Lsn::new(round));
        assert!(!is_readable(&notifier, 0));
    }
}

#[test]
fn notifiers_do_not_steal_each_others_news() {
    let (_, log) = memory(Level::Disk);
    let notifiers: Vec<_> = (0..5).map(|_| log.notifier().unwrap()).collect();
    let dropped = log.notifier().unwrap();
    log.append(b"x").unwrap();
    drop(dropped);
    for notifier in &notifiers {
        assert!(is_readable(notifier, 10_000));
        assert_eq!(notifier.acknowledge().unwrap(), Some(Lsn::FIRST));
    }
    log.append(b"x").unwrap();
    assert!(notifiers.iter().all(|notifier| is_readable(notifier, 10_000)));
}

#[test]
fn one_event_loop_serves_a_thousand_promises() {
    let (vfs, log) = memory(Level::Disk);
    vfs.delay(Operation::Sync, Duration::from_millis(1));
    let notifier = log.notifier().unwrap();
    let mut tickets: Vec<_> = (0..1000).map(|_| log.submit(b"x").unwrap()).collect();
    let mut wake_ups = 0;
    while !tickets.is_empty() {
        assert!(is_readable(&notifier, 20_000), "{} are left", tickets.len());
        let durable = notifier.acknowledge().unwrap();
        wake_ups += 1;
        tickets.retain(|ticket| durable < Some(ticket.lsns().final_));
    }
    assert!(wake_ups < 500, "{wake_ups} wake-ups");
}

#[test]
fn a_rotation_that_makes_records_durable_is_told() {
    let (_, log) = memory(Level::Os);
    let notifier = log.notifier().unwrap();
    log.append(&[0; 40_000]).unwrap();
    assert!(!is_readable(&notifier, 0));
    log.append(&[0; 40_000]).unwrap();
    assert_eq!(log.durable_lsn(), Some(Lsn::FIRST));
    assert!(is_readable(&notifier, 0));
}

#[test]
fn poison_and_close_are_told() {
    let (vfs, log) = memory(Level::Disk);
    let notifier = log.notifier().unwrap();
    let (heard, news) = mpsc::channel();
    let subscription = log
        .on_durable(move |outcome| {
            let _ = heard.send(outcome.map_err(|error| error.kind()));
        })
        .unwrap();
    log.append(b"x").unwrap();
    assert_eq!(news.recv().unwrap(), Ok(Lsn::FIRST));
    notifier.acknowledge().unwrap();
    vfs.fail_from(Operation::Sync, 1, Fault::Fail(libc::EIO));
    assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Io);
    assert!(is_readable(&notifier, 0));
    assert_eq!(notifier.acknowledge().unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(news.recv().unwrap(), Err(ErrorKind::Io));
    drop(subscription);
    drop(log);

    let (_, log) = memory(Level::Disk);
    let notifier = log.notifier().unwrap();
    log.close().unwrap();
    assert!(is_readable(&notifier, 0));
    assert_eq!(notifier.acknowledge().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(log.notifier().err().unwrap().kind(), ErrorKind::Closed);
    assert_eq!(log.on_durable(|_| {}).err().unwrap().kind(), ErrorKind::Closed);
}

#[test]
fn a_callback_hears_every_lsn_in_order() {
    let (_, log) = memory(Level::Disk);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let subscription = {
        let heard = Arc::clone(&heard);
        log.on_durable(move |lsn| heard.lock().unwrap().push(lsn.unwrap().get())).unwrap()
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let lsn = log.append(b"x").unwrap();
                    log.wait_durable(lsn, None).unwrap();
                }
            });
        }
    });
    log.close().unwrap();
    let started = Instant::now();
    while heard.lock().unwrap().last() != Some(&800) {
        assert!(started.elapsed() < Duration::from_secs(20), "the last record was never told");
        thread::yield_now();
    }
    drop(subscription);
    let heard = heard.lock().unwrap();
    assert!(heard.is_sorted(), "{heard:?}");
}

/// A caller behind the C interface frees what its callback uses right after unsubscribing.
#[test]
fn a_callback_is_neither_running_nor_called_once_its_subscription_is_gone() {
    let (_, log) = memory(Level::Disk);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                log.append(b"x").unwrap();
            }
        });
        for _ in 0..100 {
            let is_freed = Arc::new(AtomicBool::new(false));
            let calls = Arc::new(AtomicU64::new(0));
            let subscription = {
                let (is_freed, calls) = (Arc::clone(&is_freed), Arc::clone(&calls));
                log.on_durable(move |_| {
                    assert!(!is_freed.load(Ordering::SeqCst));
                    thread::sleep(Duration::from_micros(200));
                    assert!(!is_freed.load(Ordering::SeqCst), "called after it was freed");
                    calls.fetch_add(1, Ordering::SeqCst);
                })
                .unwrap()
            };
            let started = Instant::now();
            while calls.load(Ordering::SeqCst) == 0 {
                assert!(started.elapsed() < Duration::from_secs(20), "never called");
                thread::yield_now();
            }
            drop(subscription);
            is_freed.store(true, Ordering::SeqCst);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(log.stats().unwrap().poisoned.is_none());
}

#[test]
fn a_callback_may_end_its_own_subscription() {
    let (_, log) = memory(Level::Disk);
    let slot = Arc::new(Mutex::new(None));
    let calls = Arc::new(AtomicU64::new(0));
    let subscription = {
        let (slot, calls) = (Arc::clone(&slot), Arc::clone(&calls));
        log.on_durable(move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            drop(slot.lock().unwrap().take());
        })
        .unwrap()
    };
    *slot.lock().unwrap() = Some(subscription);
    let started = Instant::now();
    while calls.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "never called");
        log.append(b"x").unwrap();
    }
    for _ in 0..5 {
        log.append(b"x").unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_follower_is_woken_by_every_record_and_by_the_close() {
    let (_, log) = memory(Level::Disk);
    let begun = std::sync::Barrier::new(4);
    thread::scope(|scope| {
        let followers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut follower = log.follow(Position::First).unwrap();
                    begun.wait();
                    let mut count = 0;
                    loop {
                        match follower.next() {
                            Ok(record) => {
                                count += 1;
                                assert_eq!(record.lsn().get(), count);
                            }
                            Err(error) => return (count, error.kind()),
                        }
                    }
                })
            })
            .collect();
        begun.wait();
        for _ in 0..300 {
            log.append(&[0; 500]).unwrap();
        }
        log.close().unwrap();
        for follower in followers {
            assert_eq!(follower.join().unwrap(), (300, ErrorKind::Closed));
        }
    });
}

#[test]
fn a_log_that_starts_elsewhere_is_told_of_no_record_it_never_had() {
    let options = Options { first_lsn: Lsn::new(100).unwrap(), ..Options::default() };
    let (log, _) = Log::open_with(Arc::new(MemVfs::new()), "/log", options).unwrap();
    let notifier = log.notifier().unwrap();
    assert_eq!(log.sync().unwrap(), None);
    assert_eq!(log.durable_lsn(), None);
    assert_eq!(notifier.acknowledge().unwrap(), None);
    let heard = Arc::new(AtomicU64::new(0));
    let subscription = {
        let heard = Arc::clone(&heard);
        log.on_durable(move |lsn| heard.store(lsn.unwrap().get(), Ordering::SeqCst)).unwrap()
    };
    log.close().unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 0);
    drop(subscription);
}
