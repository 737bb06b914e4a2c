//! Who waits for a watermark, in the order of what they wait for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::Thread;

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
pub(crate) struct Waiters(Mutex<Queues>);

#[derive(Default)]
struct Queues {
    /// By the LSN waited for and a number that keeps equal ones apart. Bounded by the threads that
    /// wait and the futures that were polled.
    written: BTreeMap<(u64, u64), Wake>,
    durable: BTreeMap<(u64, u64), Wake>,
    issued: u64,
}

enum Wake {
    Thread(Thread),
    Task(Waker),
}

/// How many were woken at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    pub(crate) threads: u32,
    pub(crate) tasks: u32,
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
        self.queue(bound, is_over, || Wake::Thread(std::thread::current()))
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
        if is_over() {
            return None;
        }
        queues.issued += 1;
        let key = (bound.end, queues.issued);
        queues.of(bound.durable).insert(key, wake());
        Some(Place { key, durable: bound.durable })
    }

    /// Leaves the queue; nothing happens when the wake-up came first.
    pub(crate) fn leave(&self, place: Place) {
        self.lock().of(place.durable).remove(&place.key);
    }

    /// Whether a sync of what is written before `written` would end somebody's wait.
    pub(crate) fn awaits_sync(&self, durable: u64, written: u64) -> bool {
        durable < written
            && self.lock().durable.first_key_value().is_some_and(|(&(end, _), _)| end <= written)
    }

    /// Wakes everyone whose bound the watermarks (the LSNs after the last written and the last
    /// durable record) have reached; returns how many threads and how many tasks.
    pub(crate) fn wake(&self, written: u64, durable: u64) -> Woken {
        let mut queues = self.lock();
        let mut due = queues.take_until(false, written);
        due.append(&mut queues.take_until(true, durable));
        drop(queues);
        let mut woken = Woken::default();
        for wake in due {
            match wake {
                Wake::Thread(thread) => {
                    woken.threads += 1;
                    thread.unpark();
                }
                Wake::Task(waker) => {
                    woken.tasks += 1;
                    waker.wake();
                }
            }
        }
        woken
    }

    /// Wakes everyone, to find out what has changed.
    pub(crate) fn wake_all(&self) {
        self.wake(u64::MAX, u64::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn of(&mut self, durable: bool) -> &mut BTreeMap<(u64, u64), Wake> {
        if durable { &mut self.durable } else { &mut self.written }
    }

    fn take_until(&mut self, durable: bool, mark: u64) -> Vec<Wake> {
        let queue = self.of(durable);
        if queue.first_key_value().is_none_or(|(&(end, _), _)| end > mark) {
            return Vec::new();
        }
        let later = queue.split_off(&(mark.saturating_add(1), 0));
        std::mem::replace(queue, later).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
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
}
