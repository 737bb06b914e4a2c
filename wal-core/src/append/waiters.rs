//! Who waits for a watermark, in the order of what they wait for.

use crate::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::sync::thread::Thread;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::task::Waker;

/// What a waiter waits for: every record before `end` at the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The LSN after the last record waited for.
    pub(crate) end: u64,
    /// Durable, or else written.
    pub(crate) durable: bool,
}

/// Everyone who waits, woken exactly when a watermark passes what they wait for.
#[derive(Default)]
pub(crate) struct Waiters {
    /// How many are queued or about to be. Written under the lock; see `is_empty`.
    queued: AtomicUsize,
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Queues {
    written: Queue,
    durable: Queue,
    issued: u64,
}

/// In the order of the LSN waited for and a number that keeps equal ones apart. Bounded by the
/// threads that wait and the futures that were polled.
#[derive(Default)]
struct Queue(VecDeque<((u64, u64), Wake)>);

enum Wake {
    Thread(Thread),
    Task(Waker),
}

/// A place in the queue, to leave it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    key: (u64, u64),
    durable: bool,
}

impl Waiters {
    /// Queues the calling thread unless `is_over` holds, which is asked under the queue's lock so
    /// that no wake-up falls between asking and queueing.
    pub(crate) fn queue_thread(&self, bound: Bound, is_over: impl Fn() -> bool) -> Option<Place> {
        self.queue(bound, is_over, || Wake::Thread(crate::sync::thread::current()))
    }

    /// The same for a task.
    pub(crate) fn queue_task(
        &self,
        bound: Bound,
        waker: &Waker,
        is_over: impl Fn() -> bool,
    ) -> Option<Place> {
        self.queue(bound, is_over, || Wake::Task(waker.clone()))
    }

    fn queue(
        &self,
        bound: Bound,
        is_over: impl Fn() -> bool,
        wake: impl FnOnce() -> Wake,
    ) -> Option<Place> {
        let mut queues = self.lock();
        self.queued.store(queues.len() + 1, Ordering::Relaxed);
        // Pairs with the fence of `is_empty`: either the mark is seen here to be raised, or whoever
        // raises it sees that somebody is queued and waits for the lock.
        fence(Ordering::SeqCst);
        if is_over() {
            self.note_queued(&queues);
            return None;
        }
        queues.issued += 1;
        let key = (bound.end, queues.issued);
        queues.of(bound.durable).insert(key, wake());
        Some(Place { key, durable: bound.durable })
    }

    /// Leaves the queue; nothing happens when the wake-up came first.
    pub(crate) fn leave(&self, place: Place) {
        let mut queues = self.lock();
        queues.of(place.durable).remove(place.key);
        self.note_queued(&queues);
    }

    /// Whether nobody is queued who could have missed a mark raised before the call: then there is
    /// nobody to wake. The lock is not taken.
    pub(crate) fn is_empty(&self) -> bool {
        fence(Ordering::SeqCst);
        self.queued.load(Ordering::Relaxed) == 0
    }

    /// Whether a sync of what is written before `written` would end somebody's wait.
    pub(crate) fn awaits_sync(&self, durable: u64, written: u64) -> bool {
        durable < written && self.lock().durable.first_end().is_some_and(|end| end <= written)
    }

    /// Wakes everyone whose bound the watermarks (the LSNs after the last written and the last
    /// durable record) have reached.
    pub(crate) fn wake(&self, written: u64, durable: u64) {
        let mut queues = self.lock();
        let mut due = queues.written.take_until(written);
        due.append(&mut queues.durable.take_until(durable));
        self.note_queued(&queues);
        drop(queues);
        for wake in due {
            match wake {
                Wake::Thread(thread) => thread.unpark(),
                Wake::Task(waker) => waker.wake(),
            }
        }
    }

    /// Wakes everyone, to find out what has changed.
    pub(crate) fn wake_all(&self) {
        self.wake(u64::MAX, u64::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_queued(&self, queues: &MutexGuard<'_, Queues>) {
        self.queued.store(queues.len(), Ordering::Relaxed);
    }
}

impl Queues {
    fn len(&self) -> usize {
        self.written.0.len() + self.durable.0.len()
    }

    fn of(&mut self, durable: bool) -> &mut Queue {
        if durable { &mut self.durable } else { &mut self.written }
    }
}

impl Queue {
    fn insert(&mut self, key: (u64, u64), wake: Wake) {
        // Nearly always at the end: later LSNs are waited for later.
        let at = match self.0.back() {
            Some((last, _)) if *last > key => self.0.partition_point(|(other, _)| *other < key),
            _ => self.0.len(),
        };
        self.0.insert(at, (key, wake));
    }

    fn remove(&mut self, key: (u64, u64)) {
        if let Ok(at) = self.0.binary_search_by_key(&key, |(key, _)| *key) {
            self.0.remove(at);
        }
    }

    fn first_end(&self) -> Option<u64> {
        self.0.front().map(|&((end, _), _)| end)
    }

    fn take_until(&mut self, mark: u64) -> Vec<Wake> {
        if self.first_end().is_none_or(|end| end > mark) {
            return Vec::new();
        }
        let due = self.0.partition_point(|&((end, _), _)| end <= mark);
        self.0.drain(..due).map(|(_, wake)| wake).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::task::{Wake as TaskWake, Waker};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl TaskWake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn queue(waiters: &Waiters, end: u64, durable: bool) -> (Arc<Count>, Option<Place>) {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let place = waiters.queue_task(Bound { end, durable }, &waker, || false);
        (count, place)
    }

    #[test]
    fn only_those_whose_bound_is_reached_are_woken() {
        let waiters = Waiters::default();
        let (early, _) = queue(&waiters, 5, true);
        let (late, _) = queue(&waiters, 6, true);
        let (written, _) = queue(&waiters, 9, false);
        waiters.wake(8, 5);
        assert_eq!([&early, &late, &written].map(|c| c.0.load(Ordering::Relaxed)), [1, 0, 0]);
        waiters.wake(9, 5);
        waiters.wake_all();
        assert_eq!([&early, &late, &written].map(|c| c.0.load(Ordering::Relaxed)), [1, 1, 1]);
    }

    #[test]
    fn whoever_waits_for_less_is_woken_first_whenever_it_came() {
        let waiters = Waiters::default();
        let queued: Vec<_> = [30, 10, 20, 10, 40].map(|end| queue(&waiters, end, true)).into();
        waiters.leave(queued[2].1.expect("queued"));
        let woken = || queued.iter().map(|(count, _)| count.0.load(Ordering::Relaxed));
        waiters.wake(0, 10);
        assert!(woken().eq([0, 1, 0, 1, 0]));
        waiters.wake(0, 39);
        assert!(woken().eq([1, 1, 0, 1, 0]));
        assert!(!waiters.is_empty());
        waiters.wake(0, 40);
        assert!(woken().eq([1, 1, 0, 1, 1]));
        assert!(waiters.is_empty());
    }

    #[test]
    fn whoever_is_already_covered_is_not_queued_and_who_leaves_is_not_woken() {
        let waiters = Waiters::default();
        let waker = Waker::from(Arc::new(Count::default()));
        let bound = Bound { end: 1, durable: true };
        assert!(waiters.queue_task(bound, &waker, || true).is_none());
        let (count, place) = queue(&waiters, 1, true);
        waiters.leave(place.expect("queued"));
        waiters.wake_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn it_is_empty_exactly_when_nobody_is_queued() {
        let waiters = Waiters::default();
        assert!(waiters.is_empty());
        let waker = Waker::from(Arc::new(Count::default()));
        let bound = Bound { end: 3, durable: true };
        let seen = waiters.queue_task(bound, &waker, || {
            assert!(!waiters.is_empty(), "who is about to be queued counts already");
            true
        });
        assert!(seen.is_none() && waiters.is_empty());
        let (_, one) = queue(&waiters, 3, true);
        let (_, _two) = queue(&waiters, 4, false);
        waiters.leave(one.expect("queued"));
        assert!(!waiters.is_empty());
        waiters.wake(3, 9);
        assert!(!waiters.is_empty());
        waiters.wake(4, 0);
        assert!(waiters.is_empty());
    }

    /// A mark raised beside somebody who queues is never missed by both: the sleeper would never
    /// wake.
    #[test]
    fn whoever_raises_a_mark_and_skips_the_queue_was_seen_by_who_queues() {
        for round in 1..=20_000u64 {
            let (waiters, mark) = (Waiters::default(), AtomicU64::new(0));
            let waker = Waker::from(Arc::new(Count::default()));
            let bound = Bound { end: round, durable: false };
            let (place, is_skipped) = std::thread::scope(|scope| {
                let raiser = scope.spawn(|| {
                    mark.store(round, Ordering::Release);
                    waiters.is_empty()
                });
                let is_over = || mark.load(Ordering::Acquire) >= round;
                let place = waiters.queue_task(bound, &waker, is_over);
                (place, raiser.join().expect("it ends"))
            });
            assert!(place.is_none() || !is_skipped, "asleep for ever in round {round}");
        }
    }
}
