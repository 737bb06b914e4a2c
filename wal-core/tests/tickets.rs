//! Appends in flight: tickets, futures, back-pressure.

#![allow(missing_docs, clippy::unwrap_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{AppendOptions, ErrorKind, Level, Log, Lsn, Options, Ticket, Wait};

fn memory(options: Options) -> (FaultVfs, Log) {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    (vfs, log)
}

fn small() -> Options {
    Options { segment_bytes: 1 << 20, ring_bytes: 64 << 10, ..Options::default() }
}

struct Unpark(Thread, AtomicUsize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

/// The smallest executor: polls when woken.
fn block_on<F: Future>(future: F) -> (F::Output, usize) {
    let mut future = pin!(future);
    let wake = Arc::new(Unpark(thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wake));
    let mut polls = 0;
    loop {
        polls += 1;
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (output, polls);
        }
        let seen = wake.1.load(Ordering::SeqCst);
        let started = Instant::now();
        while wake.1.load(Ordering::SeqCst) == seen && polls == seen + 1 {
            thread::park_timeout(Duration::from_secs(1));
            assert!(started.elapsed() < Duration::from_secs(20), "never woken");
        }
    }
}

#[test]
fn a_failed_sync_reaches_every_ticket() {
    let (vfs, log) = memory(small());
    log.append(b"safe").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(30));
    vfs.fail_from(Operation::Sync, 1, Fault::Fail(libc::EIO));
    let tickets: Vec<_> = (0..20).filter_map(|_| log.submit(b"x").ok()).collect();
    assert!(!tickets.is_empty());
    for ticket in &tickets {
        assert_eq!(ticket.wait().unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(ticket.poll_now().unwrap().unwrap_err().kind(), ErrorKind::Io);
    }
    for ticket in tickets {
        assert_eq!(block_on(ticket).0.unwrap_err().kind(), ErrorKind::Io);
    }
    assert_eq!(log.submit(b"x").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(&log.read(Lsn::FIRST).unwrap()[..], b"safe");
}

#[test]
fn tickets_in_flight_complete_in_order() {
    let (vfs, log) = memory(small());
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(1));
    let tickets: Vec<_> =
        (0..500u32).map(|number| log.submit(&number.to_le_bytes()).unwrap()).collect();
    let mut done = 0;
    while done < tickets.len() {
        // Whatever is done is done up to there: no later one is done before an earlier one. The
        // scan goes from the back, so that what completes meanwhile cannot look like a hole.
        let states: Vec<_> =
            tickets.iter().rev().map(|ticket| ticket.poll_now().is_some()).collect();
        let first_done = states.iter().position(|&is_done| is_done).unwrap_or(states.len());
        assert!(states[first_done..].iter().all(|&is_done| is_done));
        done = states.len() - first_done;
    }
    for (number, ticket) in tickets.iter().enumerate() {
        let lsns = ticket.wait().unwrap();
        assert_eq!((lsns.first.get(), lsns.count()), (number as u64 + 2, 1));
        assert_eq!(ticket.poll_now().unwrap().unwrap(), lsns);
    }
}

#[test]
fn a_ticket_can_be_awaited() {
    let (vfs, log) = memory(small());
    vfs.delay(Operation::Sync, Duration::from_millis(20));
    let (lsns, polls) = block_on(log.submit_batch(&["a", "b"]).unwrap());
    assert_eq!(lsns.unwrap().count(), 2);
    assert!(polls <= 3, "{polls} polls");
    // A thousand on one thread, in any order.
    let mut tickets: Vec<Ticket> = (0..1000).map(|_| log.submit(b"x").unwrap()).collect();
    tickets.rotate_left(500);
    for ticket in tickets {
        let lsns = ticket.lsns();
        assert_eq!(block_on(ticket).0.unwrap(), lsns);
    }
    assert_eq!(log.durable_lsn(), Lsn::new(1002));
}

#[test]
fn a_ticket_awaited_with_another_waker_wakes_that_one() {
    let (vfs, log) = memory(small());
    log.append(b"x").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(100));
    let mut ticket = Box::pin(log.submit(b"x").unwrap());
    let old = Arc::new(Unpark(thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&old));
    assert!(ticket.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(block_on(ticket).0.is_ok());
    assert_eq!(old.1.load(Ordering::SeqCst), 0);
}

#[test]
fn dropping_a_ticket_cancels_nothing() {
    let (vfs, log) = memory(small());
    vfs.delay(Operation::Sync, Duration::from_millis(5));
    for _ in 0..100 {
        let mut ticket = Box::pin(log.submit(b"x").unwrap());
        let waker = Waker::noop();
        let _ = ticket.as_mut().poll(&mut Context::from_waker(waker));
    }
    log.wait_durable(Lsn::new(100).unwrap(), Some(Duration::from_secs(20))).unwrap();
    assert_eq!(log.last_lsn(), Lsn::new(100));
}

#[test]
fn a_ticket_outlives_its_log() {
    let (_, log) = memory(small());
    let tickets: Vec<_> = (0..50).map(|_| log.submit(b"x").unwrap()).collect();
    drop(log);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn a_time_out_says_nothing_of_the_append_and_it_can_be_waited_for_again() {
    let (vfs, log) = memory(small());
    log.append(b"x").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(200));
    let ticket = log.submit(b"x").unwrap();
    assert_eq!(ticket.wait_timeout(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(ticket.poll_now().is_none());
    assert_eq!(ticket.wait_timeout(Duration::MAX).unwrap(), ticket.lsns());
    assert_eq!(ticket.wait_timeout(Duration::ZERO).unwrap(), ticket.lsns());
    let error = log.wait_durable(Lsn::new(99).unwrap(), Some(Duration::from_millis(5)));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(log.wait_durable(Lsn::FIRST, Some(Duration::ZERO)).unwrap().get(), 2);
}

/// Fills the ring behind a slow disk with 1000-byte records; returns how many went in.
fn fill(log: &Log) -> u64 {
    let options = AppendOptions { wait: Wait::Try, ..AppendOptions::default() };
    let mut count = 0;
    loop {
        match log.with(options).submit(&[1; 1000]) {
            Ok(_) => count += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return count;
            }
        }
    }
}

#[test]
fn an_append_refused_for_want_of_room_changes_nothing() {
    let (vfs, log) = memory(small());
    log.append(b"first").unwrap();
    vfs.delay(Operation::Sync, Duration::from_millis(300));
    let first = log.submit(b"slow").unwrap();
    thread::sleep(Duration::from_millis(50));
    let count = fill(&log);
    assert!((10..=64).contains(&count), "{count} fit into the ring");
    let next = log.next_lsn();
    assert_eq!(next.get(), 3 + count);
    let try_now = AppendOptions { wait: Wait::Try, ..AppendOptions::default() };
    let a_moment =
        AppendOptions { wait: Wait::AtMost(Duration::from_millis(20)), ..AppendOptions::default() };
    for _ in 0..3 {
        let refused = log.with(try_now).append(&[2; 1000]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        let refused = log.with(try_now).append_batch(&[[2; 500], [2; 500]]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        let refused = log.with(a_moment).append(&[2; 1000]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Timeout);
    }
    assert_eq!(log.next_lsn(), next);
    let as_long_as_it_takes =
        AppendOptions { wait: Wait::AtMost(Duration::MAX), ..AppendOptions::default() };
    assert_eq!(log.with(as_long_as_it_takes).append(&[3; 1000]).unwrap(), next);
    first.wait().unwrap();
    vfs.heal();
    log.append(b"last").unwrap();
    let lengths: Vec<_> =
        log.cursor(Lsn::new(3).unwrap()).unwrap().map(|record| record.unwrap().len()).collect();
    assert_eq!(lengths.len() as u64, count + 2);
    assert!(lengths[..lengths.len() - 1].iter().all(|&len| len == 1000));
    assert!(log.stats().unwrap().counters.waits_for_room > 0);
}

#[test]
fn a_producer_faster_than_the_disk_waits_and_loses_nothing() {
    let (vfs, log) = memory(Options { level: Level::Os, ..small() });
    vfs.delay(Operation::Write, Duration::from_millis(2));
    let tickets: Vec<_> = (0..1000u32).map(|n| log.submit(&[n as u8; 700]).unwrap()).collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    let count = log.cursor(Lsn::FIRST).unwrap().map(|record| record.unwrap().len()).sum::<usize>();
    assert_eq!(count, 700_000);
    assert!(log.stats().unwrap().ring_bytes_used <= 64 << 10);
}
