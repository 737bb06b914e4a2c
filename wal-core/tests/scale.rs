//! What stays small or constant while logs grow, and what does not wait for what.

#![allow(missing_docs, clippy::unwrap_used)]

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use wal_core::vfs::{Access, FaultVfs, File, Lock, Mapping, MemVfs, Operation, Vfs};
use wal_core::{Level, Log, Lsn, Options, Position, RecoveryCase};

fn small() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, ring_bytes: 64 * 1024, ..Options::default() }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

/// Runs `work` on a thread of its own and fails when it has no end.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let worker = thread::spawn(move || {
        let value = work();
        let _ = done.send(());
        value
    });
    match is_done.recv_timeout(limit) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end after {limit:?}"),
        _ => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A log of this many full segments, closed in order or left as a dead process leaves it.
fn log_of(segments: u64, is_closed: bool) -> MemVfs {
    let vfs = MemVfs::new();
    let options = Options { level: Level::Os, ..small() };
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).unwrap();
    for number in 0..segments * 2 - 1 {
        log.append(&[number as u8; 27_000]).unwrap();
        vfs.forget_ops();
    }
    assert_eq!(log.stats().unwrap().segments.len() as u64, segments);
    if is_closed {
        log.close().unwrap();
        return vfs;
    }
    vfs.kill_at(vfs.op_count())
}

/// The bytes opening reads of segments, of the newest one and of all others.
fn bytes_read_at_open(vfs: MemVfs, segments: u64, is_closed: bool) -> (u64, u64) {
    let vfs = FaultVfs::over_memory(vfs);
    let (log, report) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    assert_eq!(report.last_lsn, Lsn::new(segments * 2 - 1));
    assert_eq!(report.case == RecoveryCase::Clean, is_closed);
    let newest = PathBuf::from(format!("/log/{segments:020}.wal"));
    let calls = vfs.calls();
    let reads = calls.iter().filter(|call| {
        call.operation == Operation::Read && call.path.extension() == Some("wal".as_ref())
    });
    let sum = |of_newest: bool| {
        let chosen = reads.clone().filter(|call| (call.path == newest) == of_newest);
        chosen.map(|call| call.len).sum()
    };
    drop(log);
    (sum(true), sum(false))
}

#[test]
fn opening_reads_one_segment_however_long_the_log() {
    for is_closed in [true, false] {
        let (short, long) = (10, 300);
        let (newest_of_short, rest_of_short) =
            bytes_read_at_open(log_of(short, is_closed), short, is_closed);
        let (newest_of_long, rest_of_long) =
            bytes_read_at_open(log_of(long, is_closed), long, is_closed);
        assert_eq!(newest_of_long, newest_of_short);
        assert!(newest_of_long <= 3 * SEGMENT_BYTES, "{newest_of_long} bytes of the newest one");
        let more = rest_of_long - rest_of_short;
        // A spare that is ready has a header to be read as well.
        assert!(more <= (long - short + 1) * HEADER_BYTES, "{more} bytes more");
    }
}

#[test]
fn a_small_log_stays_small() {
    let capacity = 1 << 20;
    let vfs = MemVfs::new();
    vfs.set_capacity(Some(capacity));
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default()).unwrap();
    for _ in 0..16 {
        log.append(&[b'x'; 64]).unwrap();
    }
    // On a machine of its own, so that filling it disturbs nobody.
    let taken = || {
        let vfs = vfs.kill_at(vfs.op_count());
        vfs.set_capacity(Some(capacity));
        let filler = vfs.open(Path::new("/filler"), Access::Create).unwrap();
        let mut filled = 0;
        while filler.write_at(&[IoSlice::new(&[1; 4096])], filled).is_ok() {
            filled += 4096;
        }
        capacity - filled
    };
    // Nothing in the background takes more, even with time.
    thread::sleep(Duration::from_millis(100));
    let while_open = taken();
    assert!(while_open <= 256 << 10, "{while_open} bytes");
    log.close().unwrap();
    let when_closed = taken();
    assert!(when_closed <= 256 << 10, "{when_closed} bytes");
}

/// Once the first spare is there, the thread that commits neither makes files nor zeroes them.
#[test]
fn a_prepared_spare_keeps_zeroing_off_the_commit_path() {
    let stage = Stage::new();
    let (log, _) = Log::open_with(Arc::new(stage.clone()), "/log", small()).unwrap();
    let rotations = || log.stats().unwrap().counters.rotations;
    while rotations() < 20 {
        log.append(&[7; 4000]).unwrap();
        if log.stats().unwrap().segments.last().unwrap().end.0 > SEGMENT_BYTES / 2 {
            eventually("a spare is prepared", || log.stats().unwrap().spares > 0);
        }
        if rotations() == 2 {
            stage.state().preparations.clear();
        }
    }
    let counters = log.stats().unwrap().counters;
    assert!(counters.spare_misses <= 1, "{counters:?}");
    assert!(counters.flushes_inline > 0, "{counters:?}");
    let here = thread::current().id();
    let preparations = std::mem::take(&mut stage.state().preparations);
    assert!(!preparations.is_empty());
    let on_the_path: Vec<_> = preparations.iter().filter(|(thread, _)| *thread == here).collect();
    assert!(on_the_path.is_empty(), "{on_the_path:?}");
}

#[test]
fn a_stalled_sync_holds_up_no_other_log_and_no_reader() {
    within(Duration::from_secs(60), || {
        let stage = Stage::new();
        let open = |path| Log::open_with(Arc::new(stage.clone()), path, small()).unwrap().0;
        let (stalled, other) = (open("/stalled"), open("/other"));
        stalled.append(b"safe").unwrap();
        other.append(b"safe").unwrap();
        stage.state().held = Some("/stalled".into());
        let appending = thread::spawn({
            let log = stalled.clone();
            move || log.append(b"waits")
        });
        eventually("the sync is held", || stage.state().waiting > 0);
        // What is held may as well be a sync of the state file.
        eventually("the record has its LSN", || stalled.submitted_lsn() == Some(lsn(2)));
        let submitted = stalled.submit(b"waits too").unwrap();

        assert_eq!(other.append(b"goes on").unwrap(), lsn(2));
        other.submit(b"in the background").unwrap().wait().unwrap();
        assert_eq!(&other.read(lsn(2)).unwrap()[..], b"goes on");
        other.trim(lsn(2)).unwrap();
        assert_eq!(other.cursor(Position::First).unwrap().count(), 2);
        other.close().unwrap();
        open("/other").close().unwrap();

        assert_eq!(&stalled.read(lsn(1)).unwrap()[..], b"safe");
        assert_eq!(stalled.cursor(Position::First).unwrap().count(), 1);
        assert_eq!(stalled.follow(Position::End).unwrap().try_next().unwrap().map(drop), None);
        assert_eq!(stalled.durable_lsn(), Some(lsn(1)));
        let vfs = Arc::new(stage.clone());
        let (beside, _) = Log::open_read_only_with(vfs, "/stalled", small()).unwrap();
        assert_eq!(&beside.read(lsn(1)).unwrap()[..], b"safe");

        assert!(!appending.is_finished());
        assert!(submitted.poll_now().is_none());
        stage.release();
        assert_eq!(appending.join().unwrap().unwrap(), lsn(2));
        submitted.wait().unwrap();
    });
}

/// A file system in memory that holds syncs back and notes who prepares files.
#[derive(Clone)]
struct Stage {
    inner: MemVfs,
    state: Arc<(Mutex<StageState>, Condvar)>,
}

#[derive(Default)]
struct StageState {
    /// Syncs of segments below this path wait.
    held: Option<PathBuf>,
    /// Syncs that wait now.
    waiting: usize,
    /// Segments created and blocks zeroed, and by whom.
    preparations: Vec<(ThreadId, String)>,
}

impl Stage {
    fn new() -> Stage {
        Stage { inner: MemVfs::new(), state: Arc::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, StageState> {
        self.state.0.lock().unwrap()
    }

    fn release(&self) {
        self.state().held = None;
        self.state.1.notify_all();
    }

    fn note(&self, what: String) {
        self.state().preparations.push((thread::current().id(), what));
    }
}

impl Vfs for Stage {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.inner.list(path)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        if access == Access::Create {
            self.note(format!("create {}", path.display()));
        }
        let inner = self.inner.open(path, access)?;
        Ok(Arc::new(StageFile { inner, path: path.to_owned(), stage: self.clone() }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.sync_dir(path)
    }

    fn now(&self) -> SystemTime {
        self.inner.now()
    }

    fn is_copy_on_write(&self, path: &Path) -> bool {
        self.inner.is_copy_on_write(path)
    }
}

struct StageFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    stage: Stage,
}

impl File for StageFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buf, offset)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        if len >= 4096 && bufs.iter().all(|buf| buf.iter().all(|&byte| byte == 0)) {
            self.stage.note(format!("zero {len} bytes of {} at {offset}", self.path.display()));
        }
        self.inner.write_at(bufs, offset)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.stage.state();
        let is_held = |state: &StageState| {
            state.held.as_ref().is_some_and(|held| self.path.starts_with(held))
        };
        while is_held(&state) {
            state.waiting += 1;
            state = self.stage.state.1.wait(state).unwrap();
            state.waiting -= 1;
        }
        drop(state);
        self.inner.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.inner.try_lock(lock)
    }

    fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
        self.inner.map(len)
    }

    fn alignment(&self) -> usize {
        self.inner.alignment()
    }
}

const SEGMENT_BYTES: u64 = 64 * 1024;
const HEADER_BYTES: u64 = 2 * 4096;
