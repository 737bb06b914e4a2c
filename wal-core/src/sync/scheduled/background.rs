//! What is done beside and later, each piece of it on a thread of its own.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::Job;
use super::virtual_time::{self, Instant};

pub(crate) fn run(job: Job) {
    let running = Running::new();
    shuttle::thread::spawn(move || {
        let _running = running;
        job();
    });
}

/// A delay is any number of turns of the others.
pub(crate) fn run_after(delay: Duration, job: Job) {
    alarm(delay, job);
}

/// Does something when the time has come.
pub(super) fn alarm(delay: Duration, ring: impl FnOnce() + Send + 'static) {
    let due = Instant::now().checked_add(delay);
    run(Box::new(move || {
        shuttle::thread::yield_now();
        due.into_iter().for_each(virtual_time::skip_to);
        ring();
    }));
}

/// Waits until nothing is done in the background any more.
pub fn settle() {
    while RUNNING.get() > 0 {
        WAITING.set(Some(shuttle::thread::current()));
        shuttle::thread::park();
    }
}

/// What a failed execution has left undone is not waited for.
pub(super) fn forget() {
    RUNNING.set(0);
    WAITING.set(None);
}

/// Counts a job until it is done.
struct Running;

impl Running {
    fn new() -> Running {
        RUNNING.set(RUNNING.get() + 1);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get().saturating_sub(1));
        if RUNNING.get() == 0
            && !super::thread::panicking()
            && let Some(waiting) = WAITING.take()
        {
            waiting.unpark();
        }
    }
}

thread_local! {
    // All threads of an execution are one to the system.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
    static WAITING: RefCell<Option<shuttle::thread::Thread>> = const { RefCell::new(None) };
}
