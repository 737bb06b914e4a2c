//! What the writing log does besides appending: syncs, waits, timers, closing, and what readers ask
//! of it.

use crate::sync::atomic::Ordering;
use crate::sync::time::Instant;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::commit::Committer;
use super::engine::{Engine, Marks};
use super::submit::Timer;
use super::tail::Tail as End;
use super::waiters::Bound;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::CLEAN_SCAN_BYTES_MAX;
use crate::live::Live;
use crate::lsn::{FileOffset, Lsn, Place, SegmentId};
use crate::options::Level;
use crate::segment::DATA_START;
use crate::state::ValueMap;
use crate::tail::{Queued, Tail};
use crate::views::Views;

impl Engine {
    /// Makes everything submitted before the call durable.
    ///
    /// When this returns, all of it survives power loss.
    pub(crate) fn sync(self: &Arc<Engine>) -> Result<Option<Lsn>> {
        self.check_writable()?;
        let (end, incarnation) = self.want_sync(u64::MAX);
        self.wait(Bound { end, durable: true }, Some(incarnation), None)?;
        Ok(self.durable_lsn())
    }

    /// Waits until `lsn` is durable, also for one that is yet to be appended.
    pub(crate) fn wait_durable(
        self: &Arc<Engine>,
        lsn: Lsn,
        deadline: Option<Instant>,
    ) -> Result<Lsn> {
        self.check_open()?;
        let bound = Bound { end: lsn.get() + 1, durable: true };
        let (known_end, incarnation) = self.want_sync(bound.end);
        if known_end == bound.end {
            // The record is on its way; it may yet be refused for want of room.
            self.wait(bound, Some(incarnation), deadline)?;
        } else if let Some(refusal) = self.refusal_of(lsn.get()) {
            return Err(refusal);
        }
        // It was not appended yet, or a truncation has come in between: the next record with this
        // LSN is waited for.
        self.wait(bound, None, deadline)?;
        Ok(Marks::last(&self.marks.durable).unwrap_or(lsn))
    }

    /// Asks for everything submitted before `end` to be synced; returns how far that is.
    pub(super) fn want_sync(&self, end: u64) -> (u64, u64) {
        let mut claims = self.claims();
        let end = end.min(claims.next_lsn());
        claims.sync_wanted = claims.sync_wanted.max(end);
        (end, claims.incarnation)
    }

    pub(super) fn on_timer(self: &Arc<Engine>, timer: Timer) {
        if self.check_writable().is_err() {
            return;
        }
        match timer {
            Timer::Flush => {
                self.claims().want_open();
                self.kick();
            }
            Timer::Sync => {
                self.want_sync(u64::MAX);
                self.kick();
            }
            Timer::Watermark => self.chore(Engine::keep_watermark),
            Timer::Retention => {
                self.chore(|engine| {
                    if let Err(error) = engine.retain() {
                        engine.poison(error);
                    }
                    engine.watch_age();
                });
            }
        }
    }

    /// Looks after the age of records from time to time, where the options limit it.
    pub(crate) fn watch_age(self: &Arc<Engine>) {
        if let Some(age) = self.options.retention.age {
            self.arm(Timer::Retention, (age / 4).clamp(AGE_CHECK_MIN, AGE_CHECK_MAX));
        }
    }

    /// Writes the watermark of a log that has gone quiet to the state file: it closes the window in
    /// which damage to the very last commit would pass for a torn tail, gives both slots the same
    /// contents, and bounds what the next opening has to scan.
    fn keep_watermark(self: &Arc<Engine>) {
        let commits = self.meters.commits.count();
        let is_quiet = self.commits_seen.swap(commits, Ordering::Relaxed) == commits;
        // Not taken before that is known: an appender that finds the committer taken goes to sleep
        // and relies on whoever has it to go on.
        let committer = if is_quiet { self.committer.try_lock().ok() } else { None };
        let Some(committer) = committer else {
            self.arm(Timer::Watermark, WATERMARK_DELAY);
            return;
        };
        let tail = committer.tail.clone();
        self.release_ring();
        drop(committer);
        self.go_on();
        self.write_watermark(&tail);
    }

    /// Writes how far the log is durable to the state file, unless it says so already.
    pub(super) fn write_watermark(&self, tail: &End) {
        let result = self.keeper.slot().and_then(|slot| {
            let is_news = slot.tail < tail.durable_through || !slot.is_mirrored;
            if !is_news || slot.is_clean {
                return Ok(());
            }
            self.keeper.update(|slot| {
                slot.tail = slot.tail.max(tail.durable_through);
                slot.next_lsn = self.marks.durable.load(Ordering::Acquire);
                slot.time_ns = self.now_ns();
                Ok(())
            })
        });
        match result {
            // The numbers of slots are used up, which takes made-up ones: nothing was written, and
            // nobody was promised it. The next opening scans further.
            Err(error) if error.kind() == ErrorKind::Full && error.os_errno().is_none() => {}
            Err(error) => self.poison(error),
            Ok(()) => {}
        }
    }

    /// Gives the ring's memory back while nothing is in it. The caller has the committer.
    fn release_ring(&self) {
        let claims = self.claims();
        if claims.is_ring_empty() {
            // SAFETY: nothing is claimed or waits to be written, nothing can be claimed while the
            // lock is held, and only the committer reads the ring.
            #[allow(unsafe_code)]
            // A system that does not take the advice keeps the memory where it is.
            let _ = unsafe { self.ring.release() };
        }
    }

    /// Changes the key-value state.
    ///
    /// When this returns, all the changes survive power loss; a crash before leaves all or none.
    pub(crate) fn update_values(
        self: &Arc<Engine>,
        changes: &[(&[u8], Option<&[u8]>)],
    ) -> Result<()> {
        self.check_writable()?;
        let mut is_refused = false;
        let result = self.keeper.update(|slot| {
            let changed = slot.values.apply(changes);
            is_refused = changed.is_err();
            slot.values = changed?;
            slot.time_ns = self.now_ns();
            Ok(())
        });
        if let Err(error) = &result
            && !is_refused
            && !matches!(error.kind(), ErrorKind::Closed | ErrorKind::Full)
        {
            self.poison(error.clone());
        }
        // The other slot is to hold the same before long.
        self.arm(Timer::Watermark, WATERMARK_DELAY);
        result
    }

    pub(crate) fn values(&self) -> Result<ValueMap> {
        self.check_open()?;
        self.keeper.values()
    }

    pub(crate) fn next_segment_id(&self) -> u64 {
        self.next_segment.load(Ordering::Relaxed)
    }

    pub(crate) fn waiters_wake_all(&self) {
        self.waiters.wake_all();
    }

    pub(crate) fn ring_bytes_used(&self) -> u64 {
        self.claims().ring_bytes_used()
    }

    /// Closes the log: refuses new appends, makes everything durable, marks the log as closed in
    /// order and lets go of it. Idempotent.
    ///
    /// When this returns `Ok`, everything that was ever appended survives power loss, at whatever
    /// level.
    pub(crate) fn close(self: &Arc<Engine>) -> Result<()> {
        self.check_process()?;
        let is_first = self.mark_closed();
        let mut committer = self.committer();
        if !is_first {
            // The first one is through, and speaks for all.
            return self.poisoned().map_or(Ok(()), |cause| Err(Error::poisoned(cause)));
        }
        let result = self.close_down(&mut committer);
        self.mark_down();
        // Whatever works on the files in the background ends before the lock is let go.
        self.wait_for_chores();
        self.keeper.release();
        drop(committer);
        self.waiters.wake_all();
        self.tell_room();
        self.listeners.tell(|| Ok(self.durable_lsn()));
        crate::event::event!(info, "closed", path = %self.path.display());
        result
    }

    fn close_down(self: &Arc<Engine>, committer: &mut Committer) -> Result<()> {
        if let Some(cause) = self.poisoned() {
            return Err(Error::poisoned(cause));
        }
        self.flush_all(committer)?;
        // No chore begins once the log is marked closed; those at work must be done before the
        // state is written, because they write to the same files.
        self.wait_for_chores();
        let used = committer.tail.end.saturating_sub(DATA_START);
        if used > CLEAN_SCAN_BYTES_MAX {
            self.seal_for_good(committer)?;
        }
        let tail = &committer.tail;
        let continues = committer.active.is_some();
        let end = match tail.footer {
            Some(_) => tail.durable_through.offset.0,
            None => tail.end,
        };
        let result = self.keeper.update(|slot| {
            slot.tail =
                Place { segment: tail.segment.unwrap_or(SegmentId(0)), offset: FileOffset(end) };
            slot.next_lsn = tail.next_lsn;
            slot.tail_chain = tail.chain;
            slot.is_clean = true;
            slot.continues = continues;
            slot.time_ns = self.now_ns();
            Ok(())
        });
        result.inspect_err(|error| self.poison(error.clone()))
    }

    /// Seals a segment that will not be gone on with, and gives the disk back what it does not use.
    fn seal_for_good(&self, committer: &mut Committer) -> Result<()> {
        let Some(active) = &committer.active else { return Ok(()) };
        let file = Arc::clone(active.writer.file());
        let path = active.segment.path().to_owned();
        self.seal(committer)?;
        let end = committer.tail.durable_through.offset.0;
        // Mappings of it may reach further, but nobody looks there: no record ends behind its
        // footer.
        // A crash here leaves a longer file.
        let end = end.next_multiple_of(crate::limits::BLOCK_BYTES);
        file.set_len(end).map_err(|error| Error::io("cutting a sealed segment", &path, error))
    }
}

impl Engine {
    /// What a reader at the end waits for.
    fn bound_of_visible(&self, next: u64) -> Bound {
        Bound { end: next + 1, durable: self.options.level == Level::Disk }
    }

    fn is_worth_a_look(&self, next: u64) -> bool {
        Engine::visible_end(self) > next
            || self.poisoned().is_some()
            || Tail::check_open(self).is_err()
    }

    /// Whether the record `next` is visible or may yet be.
    fn check_to_come(&self, next: u64) -> Result<()> {
        if Engine::visible_end(self) > next {
            return Ok(());
        }
        Tail::check_open(self)?;
        self.poisoned().map_or(Ok(()), |cause| Err(Error::poisoned(cause)))
    }
}

impl Tail for Engine {
    fn live(&self) -> Arc<Live> {
        Engine::live(self)
    }

    fn visible_end(&self) -> u64 {
        Engine::visible_end(self)
    }

    fn wait_visible(&self, next: u64, deadline: Option<Instant>) -> Result<bool> {
        let is_over = || self.is_worth_a_look(next);
        if !is_over() {
            let bound = self.bound_of_visible(next);
            let Some(place) = self.waiters.queue_thread(bound, is_over) else { return Ok(true) };
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            match left {
                None => crate::sync::thread::park(),
                Some(left) => crate::sync::thread::park_timeout(left),
            }
            self.waiters.leave(place);
        }
        self.check_to_come(next)?;
        Ok(Engine::visible_end(self) > next || deadline.is_none_or(|at| Instant::now() < at))
    }

    fn queue_task(&self, next: u64, waker: &Waker) -> Result<Option<Queued>> {
        let is_over = || self.is_worth_a_look(next);
        let place = self.waiters.queue_task(self.bound_of_visible(next), waker, is_over);
        if place.is_none() {
            self.check_to_come(next)?;
        }
        Ok(place.map(Queued::At))
    }

    fn leave_queue(&self, queued: Queued) {
        // The locks of a handle inherited through fork may be taken for good.
        if let (Queued::At(place), Ok(())) = (queued, self.check_process()) {
            self.waiters.leave(place);
        }
    }

    fn check_open(&self) -> Result<()> {
        self.check_process()?;
        // While the log is closing, more may still become visible.
        if self.is_down() { Engine::check_open(self) } else { Ok(()) }
    }

    fn views(&self) -> Option<&Views> {
        Some(&self.views)
    }

    fn count_reads(&self, count: u64) {
        self.meters.reads.add(count);
    }

    fn live_address(&self) -> usize {
        self.live_address.load(Ordering::Acquire)
    }
}

/// How long a log has to be quiet before its watermark goes to the state file.
pub(super) const WATERMARK_DELAY: Duration = Duration::from_secs(1);
const AGE_CHECK_MIN: Duration = Duration::from_millis(100);
const AGE_CHECK_MAX: Duration = Duration::from_secs(60);
