//! A log opened for reading: beside a live writer, or to look at what a crash left. Writes nothing.

use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::thread;
use crate::sync::time::Instant;
use crate::sync::{Arc, Mutex, PoisonError, RwLock};
use std::path::{Path, PathBuf};
use std::task::Waker;
use std::time::Duration;

use crate::background;
use crate::error::{Error, ErrorKind, Result};
use crate::live::{Cuts, Live};
use crate::lsn::SegmentId;
use crate::options::{Options, ReadMode};
use crate::recovery::{
    Judged, RecoveryCase, RecoveryReport, STATE_FILE, Survey, Verdict, first_lsn, is_writer_alive,
    judged, report_of, sealed_segments, segment_files, state_lost,
};
use crate::segment::{Scanner, Segment, SegmentHeader, Stop};
use crate::state::{Slot, SlotsCase, StateFile, ValueMap};
use crate::tail::{Queued, Tail};
use crate::vfs::{Access, File, Lock, Vfs, fork_generation, read_full};
use crate::views::Views;

/// A log opened for reading.
///
/// It sees every whole commit that the writer has given to the kernel. The last one may not be on
/// stable storage yet.
pub(crate) struct ReadOnly {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    options: Options,
    process: u32,
    live: RwLock<Arc<Live>>,
    /// Where the present snapshot lies, for readers to tell without a lock that theirs is old.
    live_address: AtomicUsize,
    views: Views,
    end: AtomicU64,
    edge: Mutex<Edge>,
    values: Result<ValueMap>,
    pub(crate) uuid: [u8; 16],
    is_closed: AtomicBool,
}

/// Where the log ended when it was last looked at.
struct Edge {
    /// The newest segment, its open file and the scan of it; none in an empty log.
    newest: Option<(Arc<Segment>, Arc<dyn File>, Scanner)>,
}

/// One look at a log on disk.
struct Look {
    live: Live,
    end: u64,
    edge: Edge,
    report: RecoveryReport,
    values: Result<ValueMap>,
    uuid: [u8; 16],
}

impl ReadOnly {
    /// Looks at the log at `path`.
    pub(crate) fn open(
        vfs: Arc<dyn Vfs>,
        path: &Path,
        options: Options,
    ) -> Result<(Arc<ReadOnly>, RecoveryReport)> {
        options.validate()?;
        let look = look_patiently(&vfs, path, &options)?;
        let live = Arc::new(look.live);
        let log = ReadOnly {
            vfs,
            path: path.to_owned(),
            options,
            process: fork_generation(),
            live_address: AtomicUsize::new(Arc::as_ptr(&live).addr()),
            live: RwLock::new(live),
            views: Views::default(),
            end: AtomicU64::new(look.end),
            edge: Mutex::new(look.edge),
            values: look.values,
            uuid: look.uuid,
            is_closed: AtomicBool::new(false),
        };
        Ok((Arc::new(log), look.report))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn values(&self) -> Result<ValueMap> {
        Tail::check_open(self)?;
        self.values.clone()
    }

    /// Refuses a handle that was inherited through `fork`.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.process == fork_generation() { Ok(()) } else { Err(Error::forked(&self.path)) }
    }

    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Looks for commits that came since the last look; returns whether anything changed.
    pub(crate) fn refresh(&self) -> Result<bool> {
        let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        if self.go_on(&mut edge)? {
            return Ok(true);
        }
        let known = edge.newest.as_ref().map_or(SegmentId(0), |(segment, ..)| segment.id());
        let newest = segment_files(&*self.vfs, &self.path)?.into_iter().max();
        if newest.is_none_or(|newest| newest <= known) {
            return Ok(false);
        }
        self.look_at_all(&mut edge, known, false)
    }

    /// Looks at the whole log; `is_due` also when its newest segment is the one known.
    fn look_at_all(&self, edge: &mut Edge, known: SegmentId, is_due: bool) -> Result<bool> {
        let look = look_patiently(&self.vfs, &self.path, &self.options)?;
        let has_moved = look.edge.newest.as_ref().map(|(segment, ..)| segment.id())
            != edge.newest.as_ref().map(|(segment, ..)| segment.id());
        if !has_moved && !is_due {
            return Ok(false);
        }
        let old_end = self.end.load(Ordering::Acquire);
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let cuts = match cut_since(&look.live, known, old_end) {
            Some(cut_at) => live.cuts.with(cut_at),
            None => live.cuts.clone(),
        };
        self.end.store(look.end, Ordering::Release);
        *live = Arc::new(Live { cuts, ..look.live });
        self.live_address.store(Arc::as_ptr(&live).addr(), Ordering::Release);
        self.views.forget();
        *edge = look.edge;
        Ok(true)
    }

    /// Scans on in the newest segment.
    fn go_on(&self, edge: &mut Edge) -> Result<bool> {
        let Some((segment, file, scanner)) = &mut edge.newest else { return Ok(false) };
        let before = scanner.next_lsn;
        let mut bytes = Vec::new();
        let mut want = LOOK_BYTES;
        loop {
            bytes.resize(want, 0);
            let read = read_full(&**file, &mut bytes, scanner.end)
                .map_err(|error| Error::io("reading a segment", segment.path(), error))?;
            let openings = scanner.openings.len();
            let from = scanner.end;
            let found = bytes.get(..read).unwrap_or_default();
            let stop = scanner.run(found, &mut |delta, offset| segment.push(delta, offset));
            for &opening in scanner.openings.get(openings..).unwrap_or_default() {
                segment.push_opening(opening);
            }
            let is_stuck = scanner.end == from && matches!(stop, Stop::Broken(_) | Stop::End);
            let has_more = read == want;
            if has_more && is_stuck {
                // The commit may be longer than what was read of it.
                want *= 2;
            } else if !has_more || scanner.end == from {
                break;
            }
        }
        self.end.fetch_max(scanner.next_lsn, Ordering::AcqRel);
        Ok(scanner.next_lsn > before)
    }
}

impl Tail for ReadOnly {
    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn visible_end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    fn wait_visible(&self, next: u64, deadline: Option<Instant>) -> Result<bool> {
        let mut pause = LOOK_PAUSE_MIN;
        loop {
            Tail::check_open(self)?;
            let has_changed = self.refresh()?;
            if has_changed || self.visible_end() > next {
                return Ok(true);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            thread::sleep(left.map_or(pause, |left| left.min(pause)));
            pause = (pause * 2).min(LOOK_PAUSE_MAX);
        }
    }

    fn queue_task(&self, next: u64, waker: &Waker) -> Result<Option<Queued>> {
        Tail::check_open(self)?;
        if self.refresh()? || self.visible_end() > next {
            return Ok(None);
        }
        let waker = waker.clone();
        background::run_after(LOOK_PAUSE_MAX, Box::new(move || waker.wake()));
        Ok(Some(Queued::Timer))
    }

    fn leave_queue(&self, _queued: Queued) {}

    fn check_open(&self) -> Result<()> {
        self.check_process()?;
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::at_path(ErrorKind::Closed, &self.path, "the log was closed"));
        }
        Ok(())
    }

    fn look_again(&self) -> bool {
        let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        let known = edge.newest.as_ref().map_or(SegmentId(0), |(segment, ..)| segment.id());
        self.look_at_all(&mut edge, known, true).unwrap_or(false)
    }

    fn views(&self) -> Option<&Views> {
        Some(&self.views)
    }

    fn count_reads(&self, _count: u64) {}

    fn live_address(&self) -> usize {
        self.live_address.load(Ordering::Acquire)
    }
}

/// Looks at the log; a few times when what is found does not fit together, because a live writer
/// may have changed it between two glances. Where nobody writes, the second look is the last.
fn look_patiently(vfs: &Arc<dyn Vfs>, path: &Path, options: &Options) -> Result<Look> {
    let mut tries = 0;
    let mut was_alive = true;
    loop {
        match look(vfs, path, options) {
            Err(error) if error.kind() == ErrorKind::Corrupt && tries < LOOKS_MAX => {
                tries += 1;
                let is_alive = is_writer_alive(&**vfs, path).unwrap_or(true);
                if !was_alive && !is_alive {
                    return Err(error);
                }
                if is_alive {
                    thread::sleep(LOOK_PAUSE_MIN * tries);
                }
                was_alive = is_alive;
            }
            result => return result,
        }
    }
}

fn look(vfs: &Arc<dyn Vfs>, path: &Path, options: &Options) -> Result<Look> {
    let started = Instant::now();
    let (slot, mut state) = match read_slots(&**vfs, path) {
        Ok(state) => (state.newest().cloned(), Ok(state)),
        // Without a state the records can still be read; what only the state knows cannot.
        Err(error) if error.kind() == ErrorKind::Corrupt => (None, Err(error)),
        Err(error) => return Err(error),
    };
    let survey = Survey::take(&**vfs, path, slot.as_ref())?;
    let tail = judged(&**vfs, &survey, slot.as_ref(), options)?;
    let slot = match slot {
        Some(slot) => slot,
        None => stand_in(&survey, &tail),
    };
    let end = tail.as_ref().map_or(slot.next_lsn, |tail| tail.scanned.scanner.next_lsn);
    let first_lsn = first_lsn(&survey, &slot);
    let mut segments = sealed_segments(vfs, &survey, &tail, options, true);
    let mut report = report_of(false, state.as_ref().ok(), &survey, &tail, &slot);
    if let Err(error) = &mut state {
        report.notes.push(format!("{}: {error}", RecoveryCase::StateLost));
    }
    let edge = follow_edge(vfs, tail, &mut segments)?;
    report.duration = started.elapsed();
    Ok(Look {
        live: Live { segments, first_lsn, cuts: Cuts::new() },
        end,
        edge,
        report,
        values: state.map(|_| slot.values.clone()),
        uuid: slot.uuid,
    })
}

/// Where the log was cut since segment `known` was its newest and `old_end` its end, zero for a
/// reset. A truncation begins a segment at the LSN it leaves as the next one; how far the log has
/// come since then says nothing.
fn cut_since(live: &Live, known: SegmentId, old_end: u64) -> Option<u64> {
    let news = live.segments.iter().map(|segment| segment.header());
    let news = news.filter(|header| header.id > known);
    let is_reset = |header: &SegmentHeader| known.0 > 0 && header.predecessor.is_none();
    let starts = news.map(|header| if is_reset(header) { 0 } else { header.first_lsn });
    starts.min().filter(|&start| start < old_end)
}

/// Reads the state file without locking it. A missing or unfinished one beside segments was there
/// once: it is lost, and what it said is not guessed.
pub(crate) fn read_slots(vfs: &dyn Vfs, path: &Path) -> Result<StateFile> {
    let state_path = path.join(STATE_FILE);
    let has_segments = || segment_files(vfs, path).is_ok_and(|files| !files.is_empty());
    let state = match vfs.open(&state_path, Access::Read) {
        Ok(file) => StateFile::open(file, &state_path)?,
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound if has_segments() => {
                return Err(state_lost(&state_path, "no such file"));
            }
            std::io::ErrorKind::NotFound => {
                let message = "there is no log here";
                return Err(Error::at_path(ErrorKind::NotFound, path, message));
            }
            std::io::ErrorKind::NotADirectory => {
                let message = "a log is a directory, and this is a file";
                return Err(Error::at_path(ErrorKind::Invalid, path, message));
            }
            _ => return Err(Error::io("opening the state file", &state_path, error)),
        },
    };
    if *state.case() == SlotsCase::Fresh && has_segments() {
        return Err(state_lost(&state_path, "an unfinished state file"));
    }
    Ok(state)
}

/// Takes the newest segment as an active one, so that the scan can go on in it.
fn follow_edge(
    vfs: &Arc<dyn Vfs>,
    tail: Option<Judged>,
    segments: &mut Vec<Arc<Segment>>,
) -> Result<Edge> {
    let Some(tail) = tail else { return Ok(Edge { newest: None }) };
    let path = tail.found.path.clone();
    let file = vfs
        .open(&path, Access::Read)
        .map_err(|error| Error::io("opening a segment", &path, error))?;
    // The writer does not use a file again that somebody reads. When it holds the lock right now,
    // the segment is being trimmed, and the next look finds another newest one; where no lock is to
    // be had, no writer has one either.
    let _ = file.try_lock(Lock::Shared);
    let reading = Some(Arc::clone(&file));
    let header = tail.found.header;
    // Not mapped: what another process does to its newest file is out of our hands.
    let segment = Segment::new(Arc::clone(vfs), path, header, ReadMode::Pread, reading, None);
    for &opening in &tail.scanned.scanner.openings {
        segment.push_opening(opening);
    }
    for &(delta, offset) in &tail.scanned.index {
        segment.push(delta, offset);
    }
    if tail.scanned.stop != Stop::Sealed {
        segments.pop();
        segments.push(Arc::clone(&segment));
    }
    Ok(Edge { newest: Some((segment, file, tail.scanned.scanner)) })
}

/// What the segments alone tell of a lost state.
fn stand_in(survey: &Survey, tail: &Option<Judged>) -> Slot {
    let root = survey.chain.first().map(|found| found.header);
    let next_lsn = tail.as_ref().map_or(1, |tail| tail.scanned.scanner.next_lsn);
    Slot {
        uuid: root.map_or([0; 16], |root| root.uuid),
        first_lsn: root.map_or(1, |root| root.first_lsn),
        first_segment: root.map_or(SegmentId(0), |root| root.id),
        next_lsn,
        is_clean: tail.as_ref().is_some_and(|tail| tail.verdict == Verdict::Clean),
        ..Slot::unknown()
    }
}

/// How much of the tail a look reads at first.
const LOOK_BYTES: usize = 64 * 1024;
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(1);
const LOOK_PAUSE_MAX: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 8;
