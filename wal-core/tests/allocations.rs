//! How often the calling thread asks for memory once a log has settled: a fixed number of times,
//! which for what a program does with every record is zero.
//!
//! What background threads allocate is not counted: they work for many records at once.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::io::IoSlice;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use wal_core::vfs::{Fault, FaultVfs, Operation, RealVfs};
use wal_core::{AppendOptions, Io, Level, Log, Lsn, Options, Position, ReadMode, Record};

/// The system's allocator, with a count for each thread.
struct Counting;

thread_local! {
    // Without a destructor and with a constant to start from, it needs no memory itself.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn note() {
    // A thread that is ending allocates unseen.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates in `times` calls of `work`.
fn allocations(times: u64, mut work: impl FnMut(u64)) -> u64 {
    let before = ALLOCATIONS.get();
    for time in 0..times {
        work(time);
    }
    ALLOCATIONS.get() - before
}

const RECORD: [u8; 256] = [7; 256];
const TIMES: u64 = 500;

fn options() -> Options {
    Options { segment_bytes: 8 << 20, io: Io::Buffered, ..Options::default() }
}

/// Fills a log until its file is zeroed to the end and nothing is left to do in the background.
fn settle(log: &Log) {
    for _ in 0..9 {
        log.append_batch(&vec![RECORD; 900]).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    // What was allocated for the first of many is used again.
    for _ in 0..10 {
        log.append(&RECORD).unwrap();
    }
}

fn settled(options: Options) -> (tempfile::TempDir, Log) {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("log"), options).unwrap();
    settle(&log);
    (directory, log)
}

#[test]
fn the_count_is_that_of_the_calling_thread() {
    let vector = || drop(black_box(vec![1u8; 10]));
    assert_eq!(allocations(3, |_| vector()), 3);
    let elsewhere = thread::spawn(move || allocations(5, |_| vector()));
    assert_eq!(allocations(1, |_| {}), 0);
    assert_eq!(elsewhere.join().unwrap(), 5);
}

/// Has the flusher stand still in a write, so that no submission has to start one.
#[test]
fn a_submission_allocates_nothing_while_the_flusher_is_at_work() {
    let directory = tempfile::tempdir().unwrap();
    let vfs = FaultVfs::new(Arc::new(RealVfs));
    let door = Arc::new(Mutex::new(()));
    let (arrive, arrived) = mpsc::channel();
    let (log, _) =
        Log::open_with(Arc::new(vfs.clone()), directory.path().join("log"), options()).unwrap();
    settle(&log);
    let behind = Arc::clone(&door);
    let waits_and_passes = move |_: &Path| {
        let _ = arrive.send(());
        drop(behind.lock().unwrap());
        false
    };
    vfs.fail(Operation::Write, waits_and_passes, 1, true, Fault::Short(0));
    let closed = door.lock().unwrap();
    let held = log.submit(b"stands at the door").unwrap();
    arrived.recv_timeout(Duration::from_secs(30)).unwrap();
    // At `Buffered` last: only while little waits does such a submission set a timer, once in a
    // millisecond, and the others leave more than that.
    for level in [Level::Disk, Level::Os, Level::Buffered] {
        let appender = log.with(AppendOptions { level: Some(level), ..AppendOptions::default() });
        drop(appender.submit(&RECORD).unwrap());
        let count = allocations(TIMES, |_| drop(appender.submit(&RECORD).unwrap()));
        assert_eq!(count, 0, "{level:?}");
    }
    let ticket = log.submit(&RECORD).unwrap();
    assert_eq!(allocations(TIMES, |_| assert!(ticket.poll_now().is_none())), 0);
    drop(closed);
    held.wait().unwrap();
    log.close().unwrap();
}

/// The appender that finds nobody flushing commits itself.
#[test]
fn an_append_that_commits_allocates_nothing_and_the_list_of_several_records_at_the_most() {
    for io in [Io::Buffered, Io::Direct] {
        let (_directory, log) = settled(Options { io, ..options() });
        if io == Io::Direct && !log.stats().unwrap().direct_io {
            println!("not run: no O_DIRECT in the directory for temporary files");
            continue;
        }
        // Now and then a commit sets something off in the background.
        let per_call = |count: u64, times: u64| (count + times / 2) / times;
        for level in [Level::Disk, Level::Os] {
            let appender =
                log.with(AppendOptions { level: Some(level), ..AppendOptions::default() });
            let count = allocations(TIMES, |_| assert!(appender.append(&RECORD).is_ok()));
            assert_eq!(per_call(count, TIMES), 0, "{io:?} {level:?}");
        }
        let count = allocations(TIMES, |_| {
            assert!(log.append_at(log.next_lsn(), &RECORD).is_ok());
        });
        assert_eq!(per_call(count, TIMES), 0, "{io:?}, with the LSN expected");
        // The list of what is appended is the one thing more, however long it is.
        let pieces = [IoSlice::new(&RECORD[..100]), IoSlice::new(&RECORD[100..])];
        let count = allocations(TIMES, |_| assert!(log.append_vectored(&pieces).is_ok()));
        assert_eq!(per_call(count, TIMES), 1, "{io:?}, from pieces");
        let records = [&RECORD[..]; 100];
        let count = allocations(20, |_| assert!(log.append_batch(&records).is_ok()));
        assert_eq!(per_call(count, 20), 1, "{io:?}, a batch");
        log.close().unwrap();
    }
}

/// What is allocated goes with the segments and with the chunks read from them, never with the
/// records.
#[test]
fn going_through_a_log_allocates_nothing_for_a_record() {
    for read_mode in [ReadMode::Map, ReadMode::Pread] {
        let (_directory, log) = settled(Options { read_mode, segment_bytes: 1 << 20, ..options() });
        let records = log.last_lsn().unwrap().get();
        let few = |count: u64, what: &str| {
            assert!(count <= records / 50, "{what}, {read_mode:?}: {count} for {records} records");
        };
        let replay = |_| {
            let mut count = 0;
            let each = |record: &Record| {
                black_box(&record[..]);
                count += 1;
                Ok::<_, wal_core::Error>(ControlFlow::Continue(()))
            };
            log.replay(Position::First, each).unwrap();
            assert_eq!(count, records);
        };
        allocations(1, replay);
        few(allocations(1, replay), "replay");
        let mut cursor = log.cursor(Position::First).unwrap();
        few(allocations(records, |_| assert!(cursor.next().unwrap().is_some())), "cursor");
        few(allocations(records - 1, |_| assert!(cursor.prev().unwrap().is_some())), "backwards");
        let mut follower = log.follow(Position::First).unwrap();
        few(allocations(records, |_| assert!(follower.try_next().unwrap().is_some())), "follower");
        log.close().unwrap();
    }
}

#[test]
fn a_read_allocates_nothing_where_the_record_is_mapped_and_only_its_own_memory_elsewhere() {
    for (read_mode, most) in [(ReadMode::Map, 0), (ReadMode::Pread, 4)] {
        let (_directory, log) = settled(Options { read_mode, segment_bytes: 1 << 20, ..options() });
        // The first segment is sealed: only such are mapped to their end.
        let sealed = log.stats().unwrap().segments[0].last_lsn.unwrap().get();
        let read = |step: u64| {
            let lsn = Lsn::new(1 + step * 7_919 % sealed).unwrap();
            assert_eq!(log.read(lsn).unwrap().len(), RECORD.len());
        };
        allocations(TIMES, read);
        let count = allocations(TIMES, read);
        assert!(count <= TIMES * most, "{read_mode:?}: {count} for {TIMES} reads");
        log.close().unwrap();
    }
}
