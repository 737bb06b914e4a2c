//! Logs made by hand for the tests of the readers: a slow and obvious writer that puts frames into
//! files and keeps a model of what is in them.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::checksum::crc32;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{
    Commit, FLAG_BATCH_CONTINUES, Frame, FrameHeader, Kind, Opening, Seed, frame_bytes,
};
use crate::live::{Cuts, Live};
use crate::lsn::{FileOffset, Place, SegmentId};
use crate::options::ReadMode;
use crate::segment::{DATA_START, Extent, Footer, OpeningAt, Segment, SegmentHeader, file_name};
use crate::tail::{Queued, Tail};
use crate::vfs::{Access, File, MemVfs, RealVfs, Vfs};
use crate::views::Views;

/// Where segments are stored: real files where mappings are wanted, memory otherwise.
pub(crate) struct Store {
    pub(crate) vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    /// Removed with its files at the end of the test.
    _temporary: Option<tempfile::TempDir>,
}

impl Store {
    pub(crate) fn new(mode: ReadMode) -> Store {
        if mode == ReadMode::Map {
            let temporary = tempfile::tempdir().unwrap();
            let directory = temporary.path().to_owned();
            return Store { vfs: Arc::new(RealVfs), directory, _temporary: Some(temporary) };
        }
        let directory = PathBuf::from("/log");
        let vfs = MemVfs::new();
        vfs.create_dir_all(&directory).unwrap();
        Store { vfs: Arc::new(vfs), directory, _temporary: None }
    }

    pub(crate) fn path(&self, header: &SegmentHeader) -> PathBuf {
        self.directory.join(file_name(header.id))
    }

    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) {
        let file = self.vfs.open(path, Access::Write);
        let file = file.or_else(|_| self.vfs.open(path, Access::Create)).unwrap();
        file.set_len(0).unwrap();
        write_all(&*file, bytes, 0);
    }

    /// Stores the bytes as a sealed segment.
    pub(crate) fn sealed(
        &self,
        bytes: &SegmentBytes,
        mode: ReadMode,
        extent: Extent,
    ) -> Arc<Segment> {
        let path = self.path(&bytes.header);
        self.write(&path, &bytes.bytes);
        Segment::new(Arc::clone(&self.vfs), path, bytes.header, mode, None, Some(extent))
    }

    /// Stores the bytes as an active segment, whose index is empty yet.
    pub(crate) fn active(
        &self,
        bytes: &SegmentBytes,
        mode: ReadMode,
    ) -> (Arc<dyn File>, Arc<Segment>) {
        let path = self.path(&bytes.header);
        self.write(&path, &bytes.bytes);
        let file = self.vfs.open(&path, Access::Write).unwrap();
        let own = Some(Arc::clone(&file));
        let vfs = Arc::clone(&self.vfs);
        (file, Segment::new(vfs, path, bytes.header, mode, own, None))
    }
}

/// The bytes of one segment.
pub(crate) struct SegmentBytes {
    pub(crate) header: SegmentHeader,
    pub(crate) bytes: Vec<u8>,
    pub(crate) index: Vec<u32>,
    pub(crate) openings: Vec<OpeningAt>,
    seed: Seed,
    /// Records up to here are in a commit.
    committed: u32,
    commits: u32,
    first_ns: u64,
    final_ns: u64,
}

impl SegmentBytes {
    pub(crate) fn new(id: u64, first_lsn: u64, created_ns: u64) -> SegmentBytes {
        let header = SegmentHeader {
            uuid: [7; 16],
            id: SegmentId(id),
            first_lsn,
            epoch: id,
            salt: id.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            created_ns,
            predecessor: None,
            durable_through: Place { segment: SegmentId(0), offset: FileOffset(0) },
            state_seq: 0,
        };
        SegmentBytes {
            header,
            bytes: header.encode(),
            index: Vec::new(),
            openings: Vec::new(),
            seed: header.seed(),
            committed: 0,
            commits: 0,
            first_ns: 0,
            final_ns: 0,
        }
    }

    pub(crate) fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn next_lsn(&self) -> u64 {
        self.header.first_lsn + self.index.len() as u64
    }

    /// Adds a record frame and returns where it stands.
    pub(crate) fn record(&mut self, payload: &[u8], batch_continues: bool) -> u64 {
        let offset = self.end();
        let header = FrameHeader {
            payload_bytes: payload.len() as u32,
            kind: Kind::Record,
            flags: if batch_continues { FLAG_BATCH_CONTINUES } else { 0 },
            lsn_delta: self.index.len() as u32,
        };
        let mut frame = header.encode().to_vec();
        frame.extend_from_slice(payload);
        let crc = crc32(self.seed.at(offset), &frame[4..]);
        frame[..4].copy_from_slice(&crc.to_le_bytes());
        frame.resize(frame_bytes(payload.len() as u64) as usize, 0);
        self.bytes.extend_from_slice(&frame);
        self.index.push((offset / 8) as u32);
        offset
    }

    pub(crate) fn commit(&mut self, time_ns: u64) {
        let count = self.index.len() as u32 - self.committed;
        let commit = Commit {
            first_lsn: self.header.first_lsn + u64::from(self.committed),
            count,
            chain: 0,
            time_ns,
            durable_through: Place { segment: self.header.id, offset: FileOffset(DATA_START) },
            state_seq: 0,
        };
        self.bytes.extend(commit.encode(self.header.first_lsn, self.end(), self.seed));
        self.committed += count;
        self.commits += 1;
        self.first_ns = if self.commits == 1 { time_ns } else { self.first_ns };
        self.final_ns = time_ns;
    }

    pub(crate) fn padding(&mut self, payload_bytes: usize) {
        let payload = vec![0; payload_bytes];
        let delta = self.index.len() as u32;
        self.bytes.extend(Frame::build(Kind::Padding, delta, &payload, self.end(), self.seed));
    }

    pub(crate) fn opening(&mut self, epoch: u64, salt: u64) -> OpeningAt {
        let offset = self.end();
        let delta = self.index.len() as u32;
        self.bytes.extend(Opening { epoch, salt }.encode(delta, offset, self.seed));
        self.seed = Seed::new(&self.header.uuid, self.header.id, epoch, salt);
        self.openings.push(OpeningAt { offset, epoch, salt });
        OpeningAt { offset, epoch, salt }
    }

    /// Where a truncation before record `next_lsn` makes the segment end.
    pub(crate) fn cut_extent(&self, next_lsn: u64) -> Extent {
        let delta = (next_lsn - self.header.first_lsn) as usize;
        let end = self.index.get(delta).map_or(self.end(), |&entry| u64::from(entry) * 8);
        Extent { end, next_lsn, chain: 0, footer: None }
    }

    /// Adds the footer and returns where the segment ends.
    pub(crate) fn seal(&mut self) -> Extent {
        let end = self.end();
        let footer = Footer {
            first_lsn: self.header.first_lsn,
            count: self.index.len() as u32,
            commits: self.commits,
            first_ns: self.first_ns,
            final_ns: self.final_ns,
            end,
            chain: 0,
            openings: self.openings.clone(),
            index_at: 0,
        };
        self.bytes.extend(footer.encode(self.index.iter().copied(), self.header.seed()));
        Extent { end, next_lsn: self.next_lsn(), chain: 0, footer: Some(end) }
    }
}

/// A record as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modelled {
    pub(crate) payload: Vec<u8>,
    pub(crate) batch_continues: bool,
    pub(crate) time_ns: u64,
}

/// An open log: the writer's side under one lock, the readers' as [`Tail`] asks.
pub(crate) struct TestLog {
    pub(crate) store: Store,
    mode: ReadMode,
    writer: Mutex<Writer>,
    live: Mutex<Arc<Live>>,
    pub(crate) views: Views,
    end: AtomicU64,
    closed: AtomicBool,
    pub(crate) reads: AtomicU64,
    wait: Mutex<()>,
    changed: Condvar,
}

struct Writer {
    active: SegmentBytes,
    file: Arc<dyn File>,
    segment: Arc<Segment>,
    /// Record `first + n` is the n-th.
    first: u64,
    model: Vec<Modelled>,
}

impl TestLog {
    pub(crate) fn new(mode: ReadMode, first_lsn: u64) -> Arc<TestLog> {
        let store = Store::new(mode);
        let active = SegmentBytes::new(1, first_lsn, 0);
        let (file, segment) = store.active(&active, mode);
        let segments = vec![Arc::clone(&segment)];
        let live = Arc::new(Live { segments, first_lsn, cuts: Cuts::new() });
        let writer = Writer { active, file, segment, first: first_lsn, model: Vec::new() };
        Arc::new(TestLog {
            store,
            mode,
            writer: Mutex::new(writer),
            live: Mutex::new(live),
            views: Views::default(),
            end: AtomicU64::new(first_lsn),
            closed: AtomicBool::new(false),
            reads: AtomicU64::new(0),
            wait: Mutex::new(()),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn tail(self: &Arc<TestLog>) -> Arc<dyn Tail> {
        Arc::clone(self) as Arc<dyn Tail>
    }

    /// One commit of these records, as one batch.
    pub(crate) fn append(&self, payloads: &[&[u8]], time_ns: u64) {
        let mut writer = self.writer.lock().unwrap();
        let from = writer.active.end();
        for (at, payload) in payloads.iter().enumerate() {
            let batch_continues = at + 1 < payloads.len();
            let delta = writer.active.index.len() as u32;
            let offset = writer.active.record(payload, batch_continues);
            writer.segment.push(delta, offset);
            let payload = payload.to_vec();
            writer.model.push(Modelled { payload, batch_continues, time_ns });
        }
        writer.active.commit(time_ns);
        let bytes = &writer.active.bytes[from as usize..];
        write_all(&*writer.file, bytes, from);
        self.end.store(writer.active.next_lsn(), Ordering::Release);
        self.wake();
    }

    /// The active segment.
    pub(crate) fn active(&self) -> Arc<Segment> {
        Arc::clone(&self.writer.lock().unwrap().segment)
    }

    /// A clean reopening in the same segment.
    pub(crate) fn reopen(&self, epoch: u64) {
        let mut writer = self.writer.lock().unwrap();
        let from = writer.active.end();
        let opening = writer.active.opening(epoch, epoch ^ 0x5555);
        write_all(&*writer.file, &writer.active.bytes[from as usize..], from);
        writer.segment.push_opening(opening);
    }

    pub(crate) fn rotate(&self) {
        let mut writer = self.writer.lock().unwrap();
        let from = writer.active.end();
        let extent = writer.active.seal();
        write_all(&*writer.file, &writer.active.bytes[from as usize..], from);
        self.replace_active(&mut writer, extent, |live| live.cuts.clone());
    }

    /// Drops every record from `next_lsn` on.
    pub(crate) fn truncate(&self, next_lsn: u64) {
        let mut writer = self.writer.lock().unwrap();
        self.end.store(next_lsn, Ordering::Release);
        let kept = next_lsn.saturating_sub(writer.first) as usize;
        writer.model.truncate(kept);
        if let Some(last) = writer.model.last_mut() {
            // What is left of a batch ends where the log does.
            last.batch_continues = false;
        }
        let live = Arc::clone(&self.live.lock().unwrap());
        let position = live.segments.iter().rposition(|s| s.header().first_lsn <= next_lsn);
        let cut = Arc::clone(&live.segments[position.unwrap()]);
        if cut.extent().is_none() {
            let extent = writer.active.cut_extent(next_lsn);
            self.replace_active(&mut writer, extent, |live| live.cuts.with(next_lsn));
            return;
        }
        // A sealed segment: the end is where its index says.
        let whole = cut.extent().unwrap();
        let end =
            if next_lsn < whole.next_lsn { cut.offset_of(next_lsn).unwrap() } else { whole.end };
        let extent = Extent { end, next_lsn, ..whole };
        let sealed = Self::sealed(&cut, extent);
        let id = writer.active.header.id.0 + 1;
        let active = SegmentBytes::new(id, next_lsn, cut.header().created_ns);
        let (file, segment) = self.store.active(&active, self.mode);
        let mut segments = live.segments[..position.unwrap()].to_vec();
        segments.extend([sealed, Arc::clone(&segment)]);
        (writer.active, writer.file, writer.segment) = (active, file, segment);
        let cuts = live.cuts.with(next_lsn);
        self.publish(Live { segments, first_lsn: live.first_lsn, cuts });
    }

    /// Empties the log; the next record gets `next_lsn`.
    pub(crate) fn reset(&self, next_lsn: u64) {
        let mut writer = self.writer.lock().unwrap();
        let id = writer.active.header.id.0 + 1;
        let active = SegmentBytes::new(id, next_lsn, writer.active.final_ns);
        let (file, segment) = self.store.active(&active, self.mode);
        (writer.active, writer.file, writer.segment) = (active, file, Arc::clone(&segment));
        (writer.first, writer.model) = (next_lsn, Vec::new());
        self.end.store(next_lsn, Ordering::Release);
        let cuts = self.live().cuts.with(0);
        self.publish(Live { segments: vec![segment], first_lsn: next_lsn, cuts });
    }

    /// Drops every record before `first_lsn`, and the files that held nothing else.
    pub(crate) fn trim(&self, first_lsn: u64) {
        let mut writer = self.writer.lock().unwrap();
        let dropped = first_lsn - writer.first;
        writer.model.drain(..dropped as usize);
        writer.first = first_lsn;
        let live = Arc::clone(&self.live.lock().unwrap());
        let is_gone = |s: &Segment| s.extent().is_some_and(|extent| extent.next_lsn <= first_lsn);
        let (gone, segments): (Vec<_>, _) =
            live.segments.iter().cloned().partition(|segment| is_gone(segment));
        self.publish(Live { segments, first_lsn, cuts: live.cuts.clone() });
        for segment in gone {
            self.store.vfs.remove(segment.path()).unwrap();
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    /// The first LSN, and the records from there on.
    pub(crate) fn model(&self) -> (u64, Vec<Modelled>) {
        let writer = self.writer.lock().unwrap();
        (writer.first, writer.model.clone())
    }

    fn sealed(segment: &Segment, extent: Extent) -> Arc<Segment> {
        segment.ended(*segment.header(), extent)
    }

    fn replace_active(&self, writer: &mut Writer, extent: Extent, cuts: impl Fn(&Live) -> Cuts) {
        let live = Arc::clone(&self.live.lock().unwrap());
        let mut segments = live.segments.clone();
        *segments.last_mut().unwrap() = Self::sealed(&writer.segment, extent);
        let id = writer.active.header.id.0 + 1;
        let active = SegmentBytes::new(id, extent.next_lsn, writer.active.final_ns);
        let (file, segment) = self.store.active(&active, self.mode);
        segments.push(Arc::clone(&segment));
        (writer.active, writer.file, writer.segment) = (active, file, segment);
        self.publish(Live { segments, first_lsn: live.first_lsn, cuts: cuts(&live) });
    }

    fn publish(&self, live: Live) {
        *self.live.lock().unwrap() = Arc::new(live);
        self.views.forget();
        self.wake();
    }

    fn wake(&self) {
        drop(self.wait.lock().unwrap());
        self.changed.notify_all();
    }
}

impl Tail for TestLog {
    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.lock().unwrap())
    }

    fn visible_end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    fn wait_visible(&self, next: u64, deadline: Option<Instant>) -> Result<bool> {
        let mut wait = self.wait.lock().unwrap();
        loop {
            if self.visible_end() != next {
                return Ok(true);
            }
            self.check_open()?;
            wait = match deadline.map(|deadline| deadline.checked_duration_since(Instant::now())) {
                None => self.changed.wait(wait).unwrap(),
                Some(None) => return Ok(false),
                Some(Some(left)) => self.changed.wait_timeout(wait, left).unwrap().0,
            };
        }
    }

    fn queue_task(&self, next: u64, waker: &Waker) -> Result<Option<Queued>> {
        if self.visible_end() != next {
            return Ok(None);
        }
        self.check_open()?;
        let waker = waker.clone();
        crate::background::run_after(Duration::from_millis(1), Box::new(move || waker.wake()));
        Ok(Some(Queued::Timer))
    }

    fn leave_queue(&self, _queued: Queued) {}

    fn check_open(&self) -> Result<()> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(Error::plain(ErrorKind::Closed, "the log was closed")),
            false => Ok(()),
        }
    }

    fn views(&self) -> Option<&Views> {
        Some(&self.views)
    }

    fn count_reads(&self, n: u64) {
        self.reads.fetch_add(n, Ordering::Relaxed);
    }
}

/// Payload `n` of a test: lengths and bytes differ from one to the next.
pub(crate) fn payload(n: u64) -> Vec<u8> {
    let len = (n.wrapping_mul(2_654_435_761) >> 7) % 300;
    (0..len).map(|at| (n + at) as u8).collect()
}

/// A log of several segments with openings, batches and commits of all sizes up to `records`.
pub(crate) fn varied_log(mode: ReadMode, first_lsn: u64, records: u64) -> Arc<TestLog> {
    let log = TestLog::new(mode, first_lsn);
    let mut next = first_lsn;
    let mut commit = 0;
    while next < first_lsn + records {
        let count = (commit * 7 % 11 + 1).min(first_lsn + records - next);
        let payloads: Vec<_> = (next..next + count).map(payload).collect();
        let payloads: Vec<_> = payloads.iter().map(Vec::as_slice).collect();
        log.append(&payloads, 1_000_000 + commit / 3 * 10);
        next += count;
        commit += 1;
        if commit % 13 == 0 {
            log.reopen(100 + commit);
        }
        if commit % 29 == 0 {
            log.rotate();
        }
    }
    log
}

fn write_all(file: &dyn File, mut bytes: &[u8], mut offset: u64) {
    while !bytes.is_empty() {
        let written = file.write_at(&[IoSlice::new(bytes)], offset).unwrap();
        bytes = &bytes[written..];
        offset += written as u64;
    }
}
