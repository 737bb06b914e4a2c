//! The writing log: everything its handles, its flushes and its maintenance share.

use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::time::Instant;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::path::PathBuf;

use super::chores::Chores;
use super::claims::{Claims, GENERATIONS};
use super::commit::Committer;
use super::gather::Gather;
use super::ring::Ring;
use super::waiters::Waiters;
use crate::error::{Error, ErrorKind, Result};
use crate::keeper::Keeper;
use crate::live::Live;
use crate::lsn::{Lsn, SegmentId};
use crate::meters::Meters;
use crate::notify::Listeners;
use crate::options::{Level, Options};
use crate::segment::{Segment, SegmentHeader};
use crate::spares::Spares;
use crate::time::nanoseconds;
use crate::vfs::{Vfs, fork_generation};
use crate::views::Views;

/// The writing log.
pub(crate) struct Engine {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    pub(crate) uuid: [u8; 16],
    /// Which process opened it; see `fork_generation`.
    process: u32,
    /// Locked for some nanoseconds by appenders, never across I/O.
    pub(super) claims: Mutex<Claims>,
    /// Signalled, with `claims`, when ring or capacity has become free.
    pub(super) room: Condvar,
    pub(super) ring: Ring,
    /// Records published of each commit in flight, by generation.
    pub(super) published: [Published; GENERATIONS],
    pub(crate) marks: Marks,
    pub(super) waiters: Waiters,
    pub(super) gather: Gather,
    /// Held by whoever flushes, across I/O. Appenders only ever try it.
    pub(super) committer: Mutex<Committer>,
    /// Whether a background flush is on its way or at work.
    pub(super) flushing: AtomicBool,
    /// How many commits there were when the log was last looked at to see whether it is quiet.
    pub(super) commits_seen: AtomicU64,
    /// Timers that are armed, a bit each, so that each is armed once.
    pub(crate) timers: AtomicU32,
    /// Replaced as a whole; readers keep the one they took.
    live: RwLock<Arc<Live>>,
    /// Where the present snapshot lies, for readers to tell without a lock that theirs is old.
    pub(super) live_address: AtomicUsize,
    pub(crate) views: Views,
    pub(crate) keeper: Keeper,
    pub(crate) spares: Spares,
    pub(crate) meters: Meters,
    pub(crate) listeners: Arc<Listeners>,
    /// The epoch of segments to come.
    pub(crate) epoch: AtomicU64,
    /// The id of the next segment to start. Changed under `claims`.
    pub(super) next_segment: AtomicU64,
    /// The newest segment whose header is known to be on stable storage; 0 before the first.
    /// Written by the committer.
    pub(crate) durable_segment: AtomicU64,
    /// Bytes of all segment files, as `max_bytes` counts them.
    pub(crate) segment_bytes: AtomicU64,
    /// Serialises trims, truncations and resets. Taken after the committer where both are.
    pub(crate) maintenance: Mutex<()>,
    pub(super) chores: Chores,
    /// The LSNs that were taken back, and why.
    pub(super) taken_back: Mutex<Vec<TakenBack>>,
    poison: OnceLock<Error>,
    /// Closing has begun: nothing new is accepted.
    closed: AtomicBool,
    /// Closing has ended: nothing more becomes durable.
    down: AtomicBool,
}

/// What recovery hands to a new engine.
pub(crate) struct Parts {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    pub(crate) uuid: [u8; 16],
    pub(crate) ring: Ring,
    pub(crate) claims: Claims,
    pub(crate) committer: Committer,
    pub(crate) live: Live,
    pub(crate) keeper: Keeper,
    pub(crate) spares: Spares,
    pub(crate) epoch: u64,
    pub(crate) next_segment: SegmentId,
}

/// The watermarks, each the LSN *after* the last record it covers. They grow, but for truncation
/// and records taken back. Written under the claims lock (`submitted`) or by the committer.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) submitted: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) durable: AtomicU64,
    /// Not marks: where the written bytes of the newest segment end, and whether it is written past
    /// the page cache, for those who must not wait for the committer to tell them.
    pub(crate) tail_end: AtomicU64,
    pub(crate) is_direct: AtomicBool,
    /// Not a mark: the incarnation of the claims, which tells old tickets apart.
    pub(crate) incarnation: AtomicU64,
    /// Not a mark: the time of the latest commit. Written by the committer.
    pub(crate) time_ns: AtomicU64,
}

/// A counter on a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Published(pub(super) AtomicU32);

/// LSNs from `first_lsn` on, and before `end_lsn`, were taken back when incarnation `incarnation`
/// began.
pub(super) struct TakenBack {
    pub(super) incarnation: u64,
    pub(super) first_lsn: u64,
    pub(super) end_lsn: u64,
    pub(super) error: Error,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Arc<Engine> {
        let next_lsn = parts.claims.next_lsn();
        let live = Arc::new(parts.live);
        let newest = live.segments.last().map_or(0, |segment| segment.id().0);
        Arc::new(Engine {
            vfs: parts.vfs,
            path: parts.path,
            options: parts.options,
            uuid: parts.uuid,
            process: fork_generation(),
            claims: Mutex::new(parts.claims),
            room: Condvar::new(),
            ring: parts.ring,
            published: Default::default(),
            marks: Marks {
                submitted: AtomicU64::new(next_lsn),
                written: AtomicU64::new(next_lsn),
                durable: AtomicU64::new(next_lsn),
                tail_end: AtomicU64::new(parts.committer.tail.end),
                is_direct: AtomicBool::new(parts.committer.is_direct()),
                incarnation: AtomicU64::new(0),
                time_ns: AtomicU64::new(parts.committer.tail.time_ns),
            },
            waiters: Waiters::default(),
            gather: Gather::default(),
            committer: Mutex::new(parts.committer),
            flushing: AtomicBool::new(false),
            commits_seen: AtomicU64::new(0),
            timers: AtomicU32::new(0),
            live_address: AtomicUsize::new(Arc::as_ptr(&live).addr()),
            live: RwLock::new(live),
            views: Views::default(),
            keeper: parts.keeper,
            spares: parts.spares,
            meters: Meters::default(),
            listeners: Arc::default(),
            epoch: AtomicU64::new(parts.epoch),
            next_segment: AtomicU64::new(parts.next_segment.0),
            durable_segment: AtomicU64::new(newest),
            segment_bytes: AtomicU64::new(0),
            maintenance: Mutex::new(()),
            chores: Chores::default(),
            taken_back: Mutex::new(Vec::new()),
            poison: OnceLock::new(),
            closed: AtomicBool::new(false),
            down: AtomicBool::new(false),
        })
    }

    /// Refuses what may not be used any more: inherited through `fork`, or closed.
    pub(crate) fn check_open(&self) -> Result<()> {
        self.check_process()?;
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::at_path(ErrorKind::Closed, &self.path, "the log was closed"));
        }
        Ok(())
    }

    /// Refuses a handle that was inherited through `fork`.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.process == fork_generation() { Ok(()) } else { Err(Error::forked(&self.path)) }
    }

    /// Refuses as `check_open`, and when an earlier write or sync failed.
    #[inline]
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.check_open()?;
        match self.poison.get() {
            None => Ok(()),
            Some(cause) => Err(Error::poisoned(cause)),
        }
    }

    /// From now on no append is accepted, because of `cause`, unless an earlier cause stands.
    /// Everyone who waits finds out.
    #[cold]
    pub(crate) fn poison(&self, cause: Error) {
        let mut is_first = false;
        let cause = self.poison.get_or_init(|| {
            is_first = true;
            cause
        });
        if is_first {
            crate::event::event!(error, "poisoned", path = %self.path.display(), cause = %cause);
        }
        self.waiters.wake_all();
        drop(self.claims());
        self.room.notify_all();
        self.listeners.tell(|| Err(cause.clone()));
    }

    pub(crate) fn poisoned(&self) -> Option<&Error> {
        self.poison.get()
    }

    /// Marks the log closed; returns whether it was open.
    pub(crate) fn mark_closed(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn mark_down(&self) {
        self.down.store(true, Ordering::Release);
    }

    /// Whether closing has ended.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the snapshot of segments that readers take from now on.
    pub(crate) fn change_live(&self, change: impl FnOnce(&Live) -> Live) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        *live = Arc::new(change(&live));
        self.live_address.store(Arc::as_ptr(&live).addr(), Ordering::Release);
        self.views.forget();
    }

    pub(crate) fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for ring or capacity.
    pub(crate) fn tell_room(&self) {
        drop(self.claims());
        self.room.notify_all();
    }

    /// The last durable record; none when there is no record before the mark.
    pub(crate) fn durable_lsn(&self) -> Option<Lsn> {
        Marks::last(&self.marks.durable).filter(|last| last.get() >= self.live().first_lsn)
    }

    /// The LSN after the last record readers see.
    pub(crate) fn visible_end(&self) -> u64 {
        match self.options.level {
            Level::Disk => self.marks.durable.load(Ordering::Acquire),
            Level::Os | Level::Buffered => self.marks.written.load(Ordering::Acquire),
        }
    }

    /// The wall clock as the format records it.
    pub(crate) fn now_ns(&self) -> u64 {
        nanoseconds(self.vfs.now())
    }

    /// A new segment for records from `first_lsn` on. Its file comes with its first commit.
    pub(crate) fn new_segment(&self, first_lsn: u64) -> Result<Arc<Segment>> {
        let id = SegmentId(self.next_segment.load(Ordering::Relaxed));
        let header = self.segment_header(id, first_lsn)?;
        let path = self.path.join(crate::segment::file_name(id));
        self.next_segment.store(id.0 + 1, Ordering::Relaxed);
        let mode = self.options.read_mode;
        Ok(Segment::new(Arc::clone(&self.vfs), path, header, mode, None, None))
    }

    /// The header of a new segment; the committer fills in what is known of the one before.
    fn segment_header(&self, id: SegmentId, first_lsn: u64) -> Result<SegmentHeader> {
        let salt = crate::vfs::random_u64()
            .map_err(|error| Error::io("reading random numbers", &self.path, error))?;
        Ok(SegmentHeader {
            uuid: self.uuid,
            id,
            first_lsn,
            epoch: self.epoch.load(Ordering::Relaxed),
            salt,
            // Where a segment has no commit yet, this is all that recovery learns of the time of
            // those before it.
            created_ns: self.now_ns().max(self.marks.time_ns.load(Ordering::Relaxed)),
            predecessor: None,
            durable_through: crate::lsn::Place {
                segment: SegmentId(0),
                offset: crate::lsn::FileOffset(0),
            },
            state_seq: 0,
        })
    }
}

impl Marks {
    pub(crate) fn last(mark: &AtomicU64) -> Option<Lsn> {
        Lsn::new(mark.load(Ordering::Acquire).wrapping_sub(1))
    }
}

/// The moment a wait that may last so long ends.
pub(crate) fn deadline(timeout: Option<std::time::Duration>) -> Option<Instant> {
    // A time-out too long to represent is no time-out.
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}
