//! Waiting for a watermark.

use crate::append::{Bound, Waiters};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread;

/// A queue and the mark it is about.
#[derive(Default)]
struct Waited {
    waiters: Waiters,
    mark: AtomicU64,
}

impl Waited {
    /// As who waits for an append does.
    fn wait(&self, end: u64) {
        let is_over = || self.mark.load(Ordering::Acquire) >= end;
        while !is_over() {
            let bound = Bound { end, durable: true };
            let Some(place) = self.waiters.queue_thread(bound, is_over) else { continue };
            thread::park();
            self.waiters.leave(place);
        }
    }

    /// As who has flushed does.
    fn raise(&self, mark: u64) {
        self.mark.store(mark, Ordering::Release);
        if !self.waiters.is_empty() {
            self.waiters.wake(mark, mark);
        }
    }
}

/// Whoever queues beside a mark that is raised is woken, or sees it.
pub(super) fn mark() {
    let waited = Arc::new(Waited::default());
    loom::explore();
    let raiser = Arc::clone(&waited);
    let raiser = crate::sync::thread::spawn(move || raiser.raise(1));
    waited.wait(1);
    raiser.join().expect("it raises");
}

/// The same of two of each.
pub(super) fn marks() {
    let waited = Arc::new(Waited::default());
    loom::explore();
    let waiters = [1, 2].map(|end| {
        let waited = Arc::clone(&waited);
        crate::sync::thread::spawn(move || waited.wait(end))
    });
    waited.raise(1);
    waited.raise(2);
    for waiter in waiters {
        waiter.join().expect("it is woken");
    }
}

/// Whoever leaves does not take the wake-up of who stays.
pub(super) fn leaving() {
    let waited = Arc::new(Waited::default());
    loom::explore();
    let staying = Arc::clone(&waited);
    let staying = crate::sync::thread::spawn(move || staying.wait(1));
    let leaving = Arc::clone(&waited);
    let leaving = crate::sync::thread::spawn(move || {
        let bound = Bound { end: 2, durable: false };
        if let Some(place) = leaving.waiters.queue_thread(bound, || false) {
            leaving.waiters.leave(place);
        }
    });
    waited.raise(1);
    staying.join().expect("it is woken");
    leaving.join().expect("it leaves");
}
