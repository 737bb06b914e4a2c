//! One append, from the caller's bytes to a published claim.

use crate::sync::atomic::Ordering;
use crate::sync::time::Instant;
use crate::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::batch::Batch;
use super::claims::{Claim, Claims, FLUSH_BYTES, Fit, GENERATIONS, Terms};
use super::engine::Engine;
use super::ticket::Submitted;
use super::waiters::Bound;
use crate::background;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::BLOCK_BYTES;
use crate::lsn::Lsn;
use crate::options::{AppendOptions, AtCapacity, Level, Wait};
use crate::time::nanoseconds;

impl Engine {
    /// Claims, encodes and publishes `batch`. Blocks only for back-pressure.
    #[inline]
    pub(crate) fn submit(
        self: &Arc<Engine>,
        batch: &Batch<'_>,
        options: &AppendOptions,
        expected: Option<Lsn>,
    ) -> Result<Submitted> {
        let level = options.level.unwrap_or(self.options.level);
        let terms = Terms {
            wants_sync: level == Level::Disk,
            acknowledged: level == Level::Buffered,
            time_ns: options.time.map(nanoseconds),
        };
        let (claim, large) = match self.claim_quickly(batch, terms, expected)? {
            Some(claim) => (claim, Vec::new()),
            None => {
                let large = Engine::reserve_large(batch, self.ring.capacity())?;
                (self.claim(batch, terms, options.wait, expected)?, large)
            }
        };
        let unpublished = Unpublished { engine: self, is_armed: true };
        match &claim.large {
            None => {
                // SAFETY: the claim above is this batch's alone until it is published below.
                #[allow(unsafe_code)]
                unsafe {
                    batch.encode_into(&self.ring, claim.position, claim.destination);
                }
            }
            Some(slot) => {
                let mut bytes = large;
                batch.encode_to_vec(&mut bytes, claim.destination);
                let _ = slot.set(bytes);
            }
        }
        self.published[claim.generation as usize % GENERATIONS]
            .0
            .fetch_add(batch.count, Ordering::Release);
        unpublished.disarm();
        Ok(Submitted {
            first_lsn: claim.first_lsn,
            count: batch.count,
            incarnation: claim.incarnation,
            bound: Bound {
                end: claim.first_lsn + u64::from(batch.count),
                durable: level == Level::Disk,
            },
            level,
            group_bytes: claim.group_bytes,
        })
    }

    /// Has somebody flush what was submitted: at once, or soon where nobody waits for it.
    pub(crate) fn push_along(self: &Arc<Engine>, submitted: &Submitted) {
        if submitted.level != Level::Buffered || submitted.group_bytes >= FLUSH_BYTES {
            self.kick();
        } else {
            self.arm(Timer::Flush, BUFFERED_FLUSH_DELAY);
        }
    }

    /// Arms `timer` unless it is armed.
    pub(crate) fn arm(self: &Arc<Engine>, timer: Timer, delay: Duration) {
        let bit = timer as u32;
        if self.timers.load(Ordering::Relaxed) & bit != 0
            || self.timers.fetch_or(bit, Ordering::AcqRel) & bit != 0
        {
            return;
        }
        let engine = Arc::downgrade(self);
        background::run_after(
            delay,
            Box::new(move || {
                let Some(engine) = engine.upgrade() else { return };
                engine.timers.fetch_and(!bit, Ordering::AcqRel);
                engine.on_timer(timer);
            }),
        );
    }

    /// Claims what fits for certain and waits for nothing: all but one in some thousand claims.
    #[inline(always)]
    fn claim_quickly(
        &self,
        batch: &Batch<'_>,
        terms: Terms,
        expected: Option<Lsn>,
    ) -> Result<Option<Claim>> {
        if expected.is_some() {
            return Ok(None);
        }
        let mut claims = self.claims();
        self.check_writable()?;
        let claim = claims.claim_quickly(batch, terms);
        if claim.is_some() {
            self.marks.submitted.store(claims.next_lsn(), Ordering::Release);
        }
        Ok(claim)
    }

    #[cold]
    fn claim(
        self: &Arc<Engine>,
        batch: &Batch<'_>,
        terms: Terms,
        wait: Wait,
        expected: Option<Lsn>,
    ) -> Result<Claim> {
        let mut deadline = None;
        let mut claims = self.claims();
        loop {
            self.check_writable()?;
            if let Some(expected) = expected
                && expected.get() != claims.next_lsn()
            {
                return Err(conflict(expected, claims.next_lsn()));
            }
            match claims.fit(batch, self.options.segment_bytes) {
                Fit::Here => {
                    let claim = claims.claim(batch, terms, self.options.max_batch_bytes);
                    if claims.has_closed() {
                        self.gather.give_up();
                    }
                    self.marks.submitted.store(claims.next_lsn(), Ordering::Release);
                    return Ok(claim);
                }
                Fit::NeedsSegment(bytes) => {
                    self.check_capacity(bytes)?;
                    if self.is_at_capacity(bytes) && !self.may_pass_capacity(&claims)? {
                        claims = self.wait_for_room(claims, wait, &mut deadline)?;
                        continue;
                    }
                    let segment = self.new_segment(claims.next_lsn())?;
                    let seed = segment.header().seed();
                    claims.enter(segment, bytes, crate::segment::DATA_START, seed);
                    self.segment_bytes.fetch_add(bytes, Ordering::Relaxed);
                }
                Fit::NeedsRoom => claims = self.wait_for_room(claims, wait, &mut deadline)?,
                Fit::OutOfLsns => {
                    return Err(Error::plain(
                        ErrorKind::Full,
                        format!("the LSNs end at {}: start a new log", Lsn::MAX),
                    ));
                }
            }
        }
    }

    /// Refuses what would not even fit beside a single other segment: no trim makes room for it.
    fn check_capacity(&self, bytes: u64) -> Result<()> {
        let Some(max_bytes) = self.options.max_bytes else { return Ok(()) };
        if bytes.saturating_add(self.options.segment_bytes) <= max_bytes {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "a record or batch that needs a segment of {bytes} bytes never fits into max_bytes = \
             {max_bytes} beside another segment: split it, or raise the limit"
        )))
    }

    fn is_at_capacity(&self, bytes: u64) -> bool {
        self.options.max_bytes.is_some_and(|max_bytes| {
            self.segment_bytes.load(Ordering::Relaxed).saturating_add(bytes) > max_bytes
        })
    }

    /// What happens at capacity: go on (the committer trims), refuse, or (`false`) wait for a trim.
    fn may_pass_capacity(&self, claims: &Claims) -> Result<bool> {
        match self.options.at_capacity {
            AtCapacity::TrimOldest => Ok(true),
            AtCapacity::Block => Ok(false),
            AtCapacity::Reject => Err(Error::at_lsn(
                ErrorKind::Full,
                Lsn::new(claims.next_lsn()),
                format!(
                    "the log is at its capacity of {} bytes: trim it, or raise max_bytes",
                    self.options.max_bytes.unwrap_or(0)
                ),
            )),
        }
    }

    /// Waits until the committer or a trim has made room, as far as the caller is willing to.
    fn wait_for_room<'a>(
        self: &'a Arc<Engine>,
        mut claims: MutexGuard<'a, Claims>,
        wait: Wait,
        deadline: &mut Option<Instant>,
    ) -> Result<MutexGuard<'a, Claims>> {
        let timeout = match wait {
            Wait::Try => {
                return Err(Error::plain(
                    ErrorKind::WouldBlock,
                    "no room yet: wait for earlier appends and try again",
                ));
            }
            Wait::Block => Duration::from_secs(60),
            Wait::AtMost(timeout) => {
                let now = Instant::now();
                // A moment beyond the clock's range never comes.
                let far = now + FOREVER;
                let deadline =
                    *deadline.get_or_insert_with(|| now.checked_add(timeout).unwrap_or(far));
                let left = deadline.saturating_duration_since(now);
                if left.is_zero() {
                    return Err(Error::plain(
                        ErrorKind::Timeout,
                        format!("no room within {timeout:?}; nothing was appended"),
                    ));
                }
                left
            }
        };
        self.meters.waits_for_room.add(1);
        // Whoever makes room must be running; it cannot get past the lock held here before the
        // wait below has begun.
        self.gather.give_up();
        self.kick();
        claims.waiting_for_room += 1;
        let waited = self.room.wait_timeout(claims, timeout);
        let (mut claims, _) = waited.unwrap_or_else(PoisonError::into_inner);
        claims.waiting_for_room -= 1;
        Ok(claims)
    }

    /// Memory for a batch that does not fit the ring, taken before anything is claimed.
    fn reserve_large(batch: &Batch<'_>, ring_capacity: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if batch.frame_bytes + 2 * BLOCK_BYTES > ring_capacity / 2 {
            bytes.try_reserve_exact(batch.frame_bytes as usize).map_err(|_| {
                Error::plain(
                    ErrorKind::Full,
                    format!("no memory for a batch of {} bytes: split it", batch.frame_bytes),
                )
            })?;
        }
        Ok(bytes)
    }
}

/// What is done later, once, without being asked again; the values are bits of `Engine::timers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Timer {
    /// Flush what was appended at `Buffered`.
    Flush = 1,
    /// Sync what `sync_every` wants synced.
    Sync = 2,
    /// Write the watermark of a log that has gone quiet to its state file.
    Watermark = 4,
    /// Trim what has become too old.
    Retention = 8,
}

/// Poisons the log when an appender unwinds between its claim and its publication: LSNs are dense,
/// so the claim cannot be left out.
struct Unpublished<'a> {
    engine: &'a Engine,
    is_armed: bool,
}

impl Unpublished<'_> {
    fn disarm(mut self) {
        self.is_armed = false;
    }
}

impl Drop for Unpublished<'_> {
    fn drop(&mut self) {
        if self.is_armed {
            self.engine.poison(Error::plain(
                ErrorKind::Internal,
                "an appender died between its claim and its publication",
            ));
        }
    }
}

fn conflict(expected: Lsn, next: u64) -> Error {
    Error::at_lsn(
        ErrorKind::Conflict,
        Lsn::new(next),
        format!("the next LSN is {next}, not {expected}"),
    )
}

/// `Buffered` records are flushed after so long at the latest.
const BUFFERED_FLUSH_DELAY: Duration = Duration::from_millis(1);
/// What no process lives to see.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
