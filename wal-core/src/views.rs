//! What reads of single records go through: views of the log that threads do not share, so that
//! reading writes to no memory another thread reads.
//!
//! A read needs the present [`Live`] and something that keeps the bytes it returns. Taking both by
//! reference counts that all threads share costs more than the read itself. So there are a few
//! seats; a thread always goes to the same one and finds there a `Live` and counts of its own. Who
//! finds the seat taken reads without one.
#![allow(unsafe_code)]

use crate::sync::Watched;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::gauge::{AtomicU64, AtomicUsize};
use std::cell::{Cell, UnsafeCell};
use std::sync::Arc;

use crate::live::Live;
use crate::lsn::Lsn;
use crate::record::Record;
use crate::segment::{Mapped, Segment};
use crate::tail::Tail;

/// The views of one open log.
#[derive(Default)]
pub(crate) struct Views {
    seats: [Seat; SEATS],
}

/// A view and who may touch it. On cache lines of its own, also where they are fetched in pairs.
#[repr(align(128))]
struct Seat {
    /// `FREE`, `TAKEN`, or `STALE`: taken, and what the view holds is to be dropped with it.
    state: AtomicU8,
    /// Records read through the view. Written by who has taken the seat, read by anyone.
    reads: AtomicU64,
    view: UnsafeCell<Option<View>>,
    /// Told of every access to `view`.
    watched: Watched,
}

// SAFETY: `view` is touched only between a successful change of `state` from `FREE` to `TAKEN` and
// the change back to `FREE`, which are an acquire and a release operation: by one thread at a time,
// which sees what the one before did. `View` is `Send`.
unsafe impl Sync for Seat {}

/// One snapshot of the log, in the form that finds a record fastest.
struct View {
    live: Arc<Live>,
    /// The first LSN of each segment: a search does not go through the segments themselves.
    first_lsns: Vec<u64>,
    /// Segments per record, as a fraction of 2^64, were all segments alike.
    density: u64,
    /// What was read from so far of the segments.
    mapped: Vec<Option<Mapped>>,
}

impl Views {
    /// The record `lsn` if it is visible, in memory, and all is well with it. `None` says nothing:
    /// the caller has to look for it the long way.
    #[inline(always)]
    pub(crate) fn read(&self, tail: &(impl Tail + ?Sized), lsn: Lsn) -> Option<Record> {
        let seat = self.seats.get(seat_of_this_thread())?;
        let mut taken = seat.take()?;
        if lsn.get() >= tail.visible_end() {
            return None;
        }
        let record = taken.view(tail).read(lsn)?;
        // A truncation meanwhile may have given the LSN to a record that is not visible yet.
        if lsn.get() >= tail.visible_end() {
            return None;
        }
        seat.reads.store(seat.reads.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        Some(record)
    }

    /// The seat of this thread, for many reads at once; `None` while somebody else has it.
    pub(crate) fn take(&self) -> Option<Taken<'_>> {
        self.seats.get(seat_of_this_thread())?.take()
    }

    /// Drops what the views hold, when the log has a new [`Live`] already: an old one would keep
    /// segments from being used again as long as nobody reads. Waits for no reader; those that are
    /// reading drop theirs when they are done.
    pub(crate) fn forget(&self) {
        for seat in &self.seats {
            while seat.take().map(|mut taken| taken.clear()).is_none() {
                let stale =
                    seat.state.compare_exchange(TAKEN, STALE, Ordering::AcqRel, Ordering::Acquire);
                // Otherwise it was stale already, or has become free.
                if matches!(stale, Ok(_) | Err(STALE)) {
                    break;
                }
            }
        }
    }

    /// Records read through the views so far.
    pub(crate) fn reads(&self) -> u64 {
        self.seats.iter().map(|seat| seat.reads.load(Ordering::Relaxed)).sum()
    }
}

impl Default for Seat {
    fn default() -> Seat {
        let (state, reads) = (AtomicU8::new(FREE), AtomicU64::new(0));
        Seat { state, reads, view: UnsafeCell::new(None), watched: Watched::new(1) }
    }
}

impl Seat {
    #[inline]
    fn take(&self) -> Option<Taken<'_>> {
        let taken = self.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
        // Not made before it is known to be ours: dropping it gives the seat away.
        if taken.is_ok() { Some(Taken(self)) } else { None }
    }
}

/// A seat that this thread has to itself.
pub(crate) struct Taken<'a>(&'a Seat);

impl Taken<'_> {
    /// Has the processor fetch the first of many records.
    pub(crate) fn prepare(&mut self, tail: &(impl Tail + ?Sized), lsns: &[Lsn]) {
        let view = self.view(tail);
        for &lsn in lsns.iter().take(ENTRIES_AHEAD + 1) {
            view.prefetch(lsn, |mapped, _| mapped.prefetch_entry(lsn));
        }
        for &lsn in lsns.iter().take(FRAMES_AHEAD + 1) {
            view.prefetch(lsn, |mapped, segment| mapped.prefetch_frame(segment, lsn));
        }
    }

    /// As [`Views::read`]; the record is lent until the next call. Has the processor fetch some of
    /// those that come `next`.
    #[inline(always)]
    pub(crate) fn lend(
        &mut self,
        tail: &(impl Tail + ?Sized),
        lsn: Lsn,
        next: &[Lsn],
    ) -> Option<&Record> {
        if lsn.get() >= tail.visible_end() {
            return None;
        }
        let reads = &self.0.reads;
        let record = self.view(tail).lend(lsn, next)?;
        // A truncation meanwhile may have given the LSN to a record that is not visible yet.
        if lsn.get() >= tail.visible_end() {
            return None;
        }
        reads.store(reads.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        Some(record)
    }

    /// The view of the present snapshot.
    #[inline]
    fn view(&mut self, tail: &(impl Tail + ?Sized)) -> &mut View {
        self.0.watched.written(0..1);
        // SAFETY: this thread has taken the seat, and `self` is borrowed for as long as the view.
        let view = unsafe { &mut *self.0.view.get() };
        let is_present = |view: &View| Arc::as_ptr(&view.live).addr() == tail.live_address();
        if !view.as_ref().is_some_and(is_present) {
            *view = None;
        }
        view.get_or_insert_with(|| View::new(tail.live()))
    }

    fn clear(&mut self) {
        self.0.watched.written(0..1);
        // SAFETY: this thread has taken the seat.
        unsafe { *self.0.view.get() = None };
    }
}

impl Drop for Taken<'_> {
    #[inline]
    fn drop(&mut self) {
        let freed =
            self.0.state.compare_exchange(TAKEN, FREE, Ordering::Release, Ordering::Relaxed);
        if freed.is_err() {
            self.clear();
            self.0.state.store(FREE, Ordering::Release);
        }
    }
}

impl View {
    #[cold]
    fn new(live: Arc<Live>) -> View {
        let first_lsns: Vec<u64> =
            live.segments.iter().map(|segment| segment.header().first_lsn).collect();
        let mapped = live.segments.iter().map(|_| None).collect();
        View { density: density(&first_lsns), live, first_lsns, mapped }
    }

    #[inline(always)]
    fn read(&mut self, lsn: Lsn) -> Option<Record> {
        if lsn.get() < self.live.first_lsn {
            return None;
        }
        let position = self.position_for(lsn.get())?;
        let segment = self.live.segments.get(position)?;
        let mapped = self.mapped.get_mut(position)?;
        let record = mapped.as_mut().and_then(|mapped| mapped.record(segment, lsn));
        if record.is_none() {
            // Not mapped before, or an active segment that has grown since.
            *mapped = Mapped::of(segment);
        }
        record
    }

    #[inline(always)]
    fn lend(&mut self, lsn: Lsn, next: &[Lsn]) -> Option<&Record> {
        if let Some(&ahead) = next.get(ENTRIES_AHEAD) {
            self.prefetch(ahead, |mapped, _| mapped.prefetch_entry(ahead));
        }
        if let Some(&ahead) = next.get(FRAMES_AHEAD) {
            self.prefetch(ahead, |mapped, segment| mapped.prefetch_frame(segment, ahead));
        }
        if lsn.get() < self.live.first_lsn {
            return None;
        }
        let position = self.position_for(lsn.get())?;
        let segment = self.live.segments.get(position)?;
        let mapped = self.mapped.get_mut(position)?;
        if !mapped.as_mut().is_some_and(|mapped| mapped.point(segment, lsn)) {
            // As in `read`.
            *mapped = Mapped::of(segment);
            return None;
        }
        mapped.as_ref().map(Mapped::lent)
    }

    #[inline(always)]
    fn prefetch(&self, lsn: Lsn, fetch: impl Fn(&Mapped, &Segment)) {
        if let Some(position) = self.position_for(lsn.get())
            && let Some(Some(mapped)) = self.mapped.get(position)
            && let Some(segment) = self.live.segments.get(position)
        {
            fetch(mapped, segment);
        }
    }

    /// Where the segment is that holds the record if any does. Of several that start at the same
    /// LSN only the last can.
    #[inline(always)]
    fn position_for(&self, lsn: u64) -> Option<usize> {
        let distance = lsn.checked_sub(*self.first_lsns.first()?)?;
        let guess = ((u128::from(distance) * u128::from(self.density)) >> 64) as usize;
        if let Some(&[first_lsn, next_lsn]) = self.first_lsns.get(guess..guess + 2)
            && (first_lsn..next_lsn).contains(&lsn)
        {
            return Some(guess);
        }
        self.search(lsn)
    }

    #[inline(never)]
    fn search(&self, lsn: u64) -> Option<usize> {
        self.first_lsns.partition_point(|&first_lsn| first_lsn <= lsn).checked_sub(1)
    }
}

/// See [`View::density`]. The final segment may have any number of records, so it does not count.
fn density(first_lsns: &[u64]) -> u64 {
    let (Some(first), Some(last)) = (first_lsns.first(), first_lsns.last()) else { return 0 };
    let segments = first_lsns.len() as u128 - 1;
    let records = u128::from(last.saturating_sub(*first)).max(1);
    // Rounded up, so that the first record of each segment is taken for its own.
    u64::try_from((segments << 64).div_ceil(records)).unwrap_or(u64::MAX)
}

/// Threads go to the seats in turn, as they come.
#[inline]
fn seat_of_this_thread() -> usize {
    thread_local! {
        static SEAT: Cell<usize> = const { Cell::new(SEATS) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    SEAT.with(|seat| {
        if seat.get() == SEATS {
            seat.set(NEXT.fetch_add(1, Ordering::Relaxed) % SEATS);
        }
        seat.get()
    })
}

/// How many records before its turn a frame is fetched: memory answers about as many requests at
/// a time as these frames have cache lines.
const FRAMES_AHEAD: usize = 4;
/// The entry that says where a frame stands has to be there before that.
const ENTRIES_AHEAD: usize = 12;
const FREE: u8 = 0;
const TAKEN: u8 = 1;
const STALE: u8 = 2;
/// Threads beyond as many may find their seat taken; 2 KiB of every open log.
const SEATS: usize = 16;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fixture::{payload, varied_log};
    use crate::lookup;
    use crate::options::ReadMode;

    fn lsn(number: u64) -> Lsn {
        Lsn::new(number).unwrap()
    }

    #[test]
    fn idle_views_hold_no_segment_that_was_trimmed() {
        let log = varied_log(ReadMode::Map, 1, 1000);
        // The first read maps the segment, the second tells the view, the third goes through it.
        for _ in 0..3 {
            drop(lookup::read(&*log, lsn(5)).unwrap());
        }
        assert!(log.views.reads() > 0);
        let first = Arc::downgrade(log.live().segments.first().unwrap());
        log.trim(900);
        assert!(first.upgrade().is_none());
    }

    #[test]
    fn a_view_in_use_is_dropped_by_its_user_and_nobody_waits() {
        let log = varied_log(ReadMode::Map, 1, 1000);
        let views = Views::default();
        let seat = views.seats.first().unwrap();
        let mut taken = seat.take().unwrap();
        let old = Arc::downgrade(&taken.view(&*log).live);
        assert!(seat.take().is_none());
        log.rotate();
        views.forget();
        views.forget();
        assert!(old.upgrade().is_some(), "it is in use");
        drop(taken);
        assert!(old.upgrade().is_none());
        assert_eq!(seat.state.load(Ordering::Relaxed), FREE);
    }

    #[test]
    fn a_view_never_shows_what_is_not_visible() {
        let log = varied_log(ReadMode::Map, 10, 1000);
        log.trim(100);
        for _ in 0..3 {
            for number in [1, 9, 10, 99, 1010, 1011, u64::from(u32::MAX) + 101] {
                assert!(log.views.read(&*log, lsn(number)).is_none(), "{number}");
                assert!(lookup::read(&*log, lsn(number)).is_err());
            }
            for number in 100..1010 {
                assert_eq!(*lookup::read(&*log, lsn(number)).unwrap(), payload(number));
            }
        }
        log.truncate(500);
        for number in 500..1010 {
            assert!(log.views.read(&*log, lsn(number)).is_none(), "{number}");
        }
    }

    #[test]
    fn reads_beside_all_that_changes_a_log_return_the_record_or_say_why_not() {
        let log = varied_log(ReadMode::Map, 1, 2000);
        let is_over = AtomicBool::new(false);
        crate::sync::thread::scope(|scope| {
            for thread in 0..3 {
                let (log, is_over) = (&log, &is_over);
                scope.spawn(move || {
                    let mut number: u64 = thread;
                    while !is_over.load(Ordering::Relaxed) {
                        number = number * 7919 % 4001;
                        match lookup::read(&**log, lsn(number + 1)) {
                            Ok(record) => assert_eq!(*record, payload(number + 1)),
                            Err(error) => assert!(
                                matches!(error.kind(), ErrorKind::Trimmed | ErrorKind::NotFound),
                                "{error}"
                            ),
                        }
                        number += 1;
                    }
                });
            }
            let mut next = 2001;
            for round in 0..60 {
                let payloads: Vec<_> = (next..next + 40).map(payload).collect();
                log.append(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>(), 2_000_000);
                next += 40;
                match round % 4 {
                    0 => log.rotate(),
                    1 => {
                        next -= 10;
                        log.truncate(next);
                    }
                    2 => log.trim(1 + round * 30),
                    _ => log.reopen(10_000 + round),
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
