//! Whose turn it is to flush: a waiting appender does it itself when nobody else does, and a shared
//! background thread goes on while there is more.

use crate::sync::atomic::Ordering;
use crate::sync::time::Instant;
use crate::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::path::Path;
use std::task::Waker;

use super::claims::{Claims, GENERATIONS};
use super::commit::Committer;
use super::engine::{Engine, TakenBack};
use super::group::Group;
use super::serve::WATERMARK_DELAY;
use super::submit::Timer;
use super::waiters::{self, Bound};
use crate::background;
use crate::error::{Error, ErrorKind, Result};
use crate::growth::{self, Growth};
use crate::limits::SEGMENT_BYTES_INITIAL;
use crate::lsn::SegmentId;

impl Engine {
    /// Waits until `bound` is reached, flushing in person when nobody else does.
    ///
    /// `incarnation` is that of the claim waited for; none for an LSN as such.
    pub(crate) fn wait(
        self: &Arc<Engine>,
        bound: Bound,
        incarnation: Option<u64>,
        deadline: Option<Instant>,
    ) -> Result<()> {
        loop {
            if let Some(outcome) = self.outcome(bound, incarnation) {
                return outcome;
            }
            // Who may wait for a limited time does not start what may take any time.
            if deadline.is_none() && self.try_flush() {
                continue;
            }
            let is_over = || self.outcome(bound, incarnation).is_some();
            if deadline.is_none() && self.yield_until(&is_over) {
                continue;
            }
            let Some(place) = self.waiters.queue_thread(bound, is_over) else { continue };
            // Whoever has the committer looks into the queue after letting go of it, and both have
            // a fence in between: either that sees this place, or this sees the committer free.
            if deadline.is_none() && self.take_turn() {
                self.waiters.leave(place);
                continue;
            }
            if incarnation.is_none() {
                // The record may have come, at a level that asks for no sync, just before the wait
                // was queued: whoever wrote it did not know that it is waited for.
                self.want_sync(bound.end);
                self.go_on();
            } else if deadline.is_some() {
                self.go_on();
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            match left {
                None => crate::sync::thread::park(),
                Some(left) if !left.is_zero() => crate::sync::thread::park_timeout(left),
                Some(_) => {
                    self.waiters.leave(place);
                    return Err(Error::plain(
                        ErrorKind::Timeout,
                        format!(
                            "LSN {} is not there yet; it can be waited for again",
                            bound.end - 1
                        ),
                    ));
                }
            }
            self.waiters.leave(place);
        }
    }

    /// Lets others run until the wait is over or the flush has become the caller's; returns whether
    /// either has come before it is better to sleep.
    fn yield_until(self: &Arc<Engine>, is_over: &impl Fn() -> bool) -> bool {
        if self.gather.yield_time().is_zero() {
            return false;
        }
        let start = Instant::now();
        let mut before = start;
        loop {
            crate::sync::thread::yield_now();
            let now = Instant::now();
            self.gather.yielded(now - before);
            if is_over() || self.try_flush() {
                return true;
            }
            if now - start >= self.gather.yield_time() {
                return false;
            }
            before = now;
        }
    }

    /// How waiting for `bound` ended; none while it goes on.
    pub(crate) fn outcome(&self, bound: Bound, incarnation: Option<u64>) -> Option<Result<()>> {
        let mark = if bound.durable { &self.marks.durable } else { &self.marks.written };
        // The mark is read before the incarnation: a mark raised by LSNs issued again is raised
        // after the incarnation was.
        let is_reached = mark.load(Ordering::Acquire) >= bound.end;
        if let Some(incarnation) = incarnation
            && incarnation != self.marks.incarnation.load(Ordering::Acquire)
            && let Some(outcome) = self.outcome_of_old(bound, incarnation)
        {
            return Some(outcome);
        }
        if is_reached {
            return Some(Ok(()));
        }
        if let Some(cause) = self.poisoned() {
            // The mark may have been raised since it was read, and the cause may be one that says
            // of a record that it was not written.
            if mark.load(Ordering::Acquire) >= bound.end {
                return self.outcome(bound, incarnation);
            }
            return Some(Err(cause.clone()));
        }
        if let Err(error) = self.check_process() {
            return Some(Err(error));
        }
        // Closing flushes what was submitted: only when it has ended is there nothing to wait for.
        if self.is_down() && mark.load(Ordering::Acquire) < bound.end {
            return self.check_open().err().map(Err);
        }
        None
    }

    /// The outcome of a claim made before LSNs were last taken back or truncated.
    fn outcome_of_old(&self, bound: Bound, incarnation: u64) -> Option<Result<()>> {
        let taken_back = self.taken_back.lock().unwrap_or_else(PoisonError::into_inner);
        let later = || taken_back.iter().filter(|taken| taken.incarnation > incarnation);
        if let Some(taken) = later().find(|taken| bound.end > taken.first_lsn) {
            return Some(Err(taken.error.clone()));
        }
        let forgotten = taken_back.first().is_some_and(|oldest| {
            taken_back.len() == TAKEN_BACK_MAX && incarnation + 1 < oldest.incarnation
        });
        if forgotten {
            let message = "too long ago to tell: the log was full many times since; read the LSN";
            return Some(Err(Error::plain(ErrorKind::Full, message)));
        }
        drop(taken_back);
        // Whatever came before a truncation was flushed and synced by it.
        (self.claims().completed_incarnation() > incarnation).then_some(Ok(()))
    }

    /// Why the record that had this LSN was taken back, where the LSN was not issued again since.
    pub(super) fn refusal_of(&self, lsn: u64) -> Option<Error> {
        let taken_back = self.taken_back.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest_first = taken_back.iter().rev();
        let taken = latest_first.find(|taken| (taken.first_lsn..taken.end_lsn).contains(&lsn))?;
        Some(taken.error.clone())
    }

    /// Flushes one commit if it is time to and nobody else is flushing; returns whether it did.
    pub(crate) fn try_flush(self: &Arc<Engine>) -> bool {
        !self.is_gathering() && self.may_have_work() && self.flush_if_free()
    }

    /// Sees to it that what there is gets flushed, for somebody who is about to sleep; returns
    /// whether the caller flushed.
    fn take_turn(self: &Arc<Engine>) -> bool {
        if !self.has_work() {
            return false;
        }
        if self.is_gathering() {
            self.kick();
            return false;
        }
        self.flush_if_free()
    }

    /// Flushes one commit if one is due and nobody else is flushing; returns whether it did.
    fn flush_if_free(self: &Arc<Engine>) -> bool {
        let mut committer = match self.committer.try_lock() {
            Ok(committer) => committer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        self.delay_for_more();
        // An error is in the log's state by now, where every waiter finds it.
        let has_flushed = self.flush(&mut committer, true).unwrap_or(true);
        self.meters.flushes_inline.add_alone(u64::from(has_flushed));
        let mut claims = self.claims();
        let is_awaited = committer.free_ring(&mut claims);
        // Whoever came meanwhile found the committer taken. It is let go under the lock of the
        // claims, so that what was claimed before is seen here, and who claims later finds it free.
        drop(committer);
        let has_more = self.is_due(&claims);
        drop(claims);
        if is_awaited {
            self.room.notify_all();
        }
        // Those who yield ask again; for those who sleep somebody has to go on.
        if has_more && !self.waiters.is_empty() {
            self.kick();
        }
        has_flushed
    }

    /// Has a background thread flush what there is.
    pub(crate) fn kick(self: &Arc<Engine>) {
        if self.flushing.load(Ordering::SeqCst) || self.flushing.swap(true, Ordering::SeqCst) {
            return;
        }
        let engine = Arc::clone(self);
        background::run(Box::new(move || engine.flush_in_background()));
    }

    /// The committer, once whoever has it is done.
    pub(crate) fn committer(&self) -> MutexGuard<'_, Committer> {
        self.committer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a background thread flush if somebody found the committer taken.
    pub(super) fn go_on(self: &Arc<Engine>) {
        if self.has_work() {
            self.kick();
        }
    }

    /// Flushes and syncs everything that was submitted.
    pub(crate) fn flush_all(self: &Arc<Engine>, committer: &mut Committer) -> Result<()> {
        // Whoever had the committer before may have lost bytes, as in `flush`.
        if let Some(cause) = self.poisoned() {
            return Err(Error::poisoned(cause));
        }
        while !self.claims().is_idle() {
            self.flush(committer, false)?;
        }
        self.sync_tail(committer, Instant::now())
            .inspect_err(|error| self.poison(error.clone()))?;
        let written = self.marks.written.load(Ordering::Relaxed);
        self.waiters.wake(written, self.marks.durable.load(Ordering::Relaxed));
        Ok(())
    }

    fn flush_in_background(self: Arc<Engine>) {
        loop {
            let mut committer = self.committer();
            while self.has_work() {
                while self.is_gathering() {
                    self.gather.pause();
                }
                self.delay_for_more();
                self.meters.flushes_background.add_alone(1);
                let _ = self.flush(&mut committer, false);
            }
            drop(committer);
            self.flushing.store(false, Ordering::SeqCst);
            // Whoever claimed after the last look saw the flag still set and did not kick.
            if !self.has_work() || self.flushing.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Whether it is worth while to look with the committer held.
    fn may_have_work(&self) -> bool {
        let written = self.marks.written.load(Ordering::Acquire);
        let is_unwritten = self.marks.submitted.load(Ordering::Acquire) > written;
        let is_delayed = !self.options.max_batch_delay.is_zero();
        is_unwritten && !is_delayed || self.has_work()
    }

    /// Whether somebody has to flush: a commit is due, or a sync is owed.
    fn has_work(&self) -> bool {
        self.is_due(&self.claims())
    }

    /// The same of these claims.
    pub(super) fn is_due(&self, claims: &Claims) -> bool {
        self.poisoned().is_none()
            && (claims.is_flush_due()
                || claims.sync_wanted > self.marks.durable.load(Ordering::Acquire))
    }

    /// Waits for more records for as long as a user asks for who trades latency for fewer syncs.
    fn delay_for_more(&self) {
        let delay = self.options.max_batch_delay;
        if delay.is_zero() {
            return;
        }
        let claims = self.claims();
        if claims.open_bytes() < self.options.max_batch_bytes && !claims.has_closed() {
            drop(claims);
            crate::sync::thread::sleep(delay);
        }
    }

    /// Whether the next commit waits for those whom the last one has served.
    fn is_gathering(&self) -> bool {
        self.gather.is_waiting(self.marks.submitted.load(Ordering::Acquire))
    }

    /// Queues a task for `bound` unless `is_over`; returns whether it was queued.
    pub(super) fn queue_task(
        &self,
        bound: Bound,
        waker: &Waker,
        is_over: impl Fn() -> bool,
    ) -> Option<waiters::Place> {
        self.waiters.queue_task(bound, waker, is_over)
    }

    pub(super) fn leave_queue(&self, place: waiters::Place) {
        self.waiters.leave(place);
    }

    /// Whether as many bytes are unsynced as the options allow at the most.
    pub(super) fn is_sync_due(&self, committer: &Committer) -> bool {
        let Some(sync_bytes) = self.options.sync_bytes else { return false };
        let tail = &committer.tail;
        let durable = tail.durable_through;
        let synced = if Some(durable.segment) == tail.segment { durable.offset.0 } else { 0 };
        tail.end.saturating_sub(synced) >= sync_bytes
    }

    /// Work that a flush has shown to be coming, none of it on the commit path.
    pub(super) fn after_flush(self: &Arc<Engine>, committer: &mut Committer, has_unsynced: bool) {
        self.arm(Timer::Watermark, WATERMARK_DELAY);
        if has_unsynced && let Some(delay) = self.options.sync_every {
            self.arm(Timer::Sync, delay);
        }
        if committer.is_news && !has_unsynced {
            // As soon as a segment holds something acknowledged, the state file says so: from then
            // on the loss of the segment, its header or its newest opening cannot pass for a crash.
            committer.is_news = false;
            let tail = committer.tail.clone();
            self.chore(move |engine| engine.write_watermark(&tail));
        }
        let end = committer.tail.end;
        let is_stream = committer.pace.is_stream();
        let Some(active) = &mut committer.active else { return };
        if active.writer.is_direct() && is_stream && !self.ring.has_large_pages() {
            self.chore(|engine| engine.ring.prefer_large_pages());
        }
        let zeroed_to = active.zeroed_to.max(active.growing_to);
        if !is_stream && let Some(target) = active.growth.wanted(end, zeroed_to) {
            active.growing_to = target;
            let growth = Arc::clone(&active.growth);
            let path = active.segment.path().to_owned();
            self.chore(move |engine| engine.grow(&growth, target, &path));
        }
        if !has_unsynced {
            active.written_back_to = end;
        } else if end >= active.written_back_to + WRITE_BACK_BYTES {
            // Else all of a segment is written back when it is full, and appends wait for it.
            let from = std::mem::replace(&mut active.written_back_to, end);
            let file = Arc::clone(active.writer.file());
            self.chore(move |_| file.write_back(from, end - from));
        }
        if !active.has_asked_for_spare && end > self.options.segment_bytes / 2 {
            active.has_asked_for_spare = true;
            let bytes = if is_stream { SEGMENT_BYTES_INITIAL } else { growth::AHEAD_BYTES };
            self.chore(move |engine| {
                let next = engine.next_segment.load(Ordering::Relaxed);
                let is_over = || engine.is_closed();
                let _ = engine.spares.prepare(SegmentId(next), bytes, &is_over);
            });
        }
    }

    /// Zeroes the active segment's file up to `target`, a step at a time.
    fn grow(&self, growth: &Growth, target: u64, path: &Path) {
        while !self.is_closed() {
            let start = Instant::now();
            // A write that fails is met again, and reported, when a commit needs the room.
            let Ok(has_more) = growth.grow(target) else { return };
            if let Err(error) = growth.sync() {
                let error = Error::io("syncing a segment", path, error);
                return self.poison(error.with_kind(ErrorKind::Io));
            }
            if !has_more {
                return;
            }
            growth::pause_since(start);
        }
    }

    /// Takes back the group's claims and all later ones; returns false, and takes back nothing,
    /// when any was acknowledged. Then the log is to be poisoned: until it is, whoever asks for a
    /// sync must find that what was acknowledged is owed.
    pub(super) fn take_back(&self, group: &Group, error: &Error) -> bool {
        let mut claims = self.claims();
        if claims.is_acknowledged_from(group) {
            return false;
        }
        for (generation, count) in claims.untaken() {
            let published = &self.published[generation as usize % GENERATIONS].0;
            while published.load(Ordering::Acquire) != count && self.poisoned().is_none() {
                crate::sync::thread::yield_now();
            }
            published.store(0, Ordering::Relaxed);
        }
        let end_lsn = claims.next_lsn();
        claims.take_back(group);
        self.marks.incarnation.store(claims.incarnation, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.marks.submitted.store(claims.next_lsn(), Ordering::Release);
        let mut taken_back = self.taken_back.lock().unwrap_or_else(PoisonError::into_inner);
        if taken_back.len() == TAKEN_BACK_MAX {
            taken_back.remove(0);
        }
        taken_back.push(TakenBack {
            incarnation: claims.incarnation,
            first_lsn: claims.next_lsn(),
            end_lsn,
            error: error.clone(),
        });
        self.recount_segment_bytes();
        true
    }
}

/// How often LSNs can be taken back before tickets not asked until then are told so.
const TAKEN_BACK_MAX: usize = 1024;
/// How much stays in the page cache before it is written back, where nobody asks for a sync.
const WRITE_BACK_BYTES: u64 = 4 << 20;
