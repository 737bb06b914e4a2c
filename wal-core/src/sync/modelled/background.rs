//! What is done beside: by one thread, because loom takes few of them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use super::{Arc, Condvar, Job, Mutex, PoisonError};

/// Work for the one thread there is.
#[derive(Default)]
struct Work {
    queue: Mutex<Queue>,
    came: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_over: bool,
}

/// The thread that does what is to be done in the background, until it is told to end.
pub(crate) struct Worker {
    work: Arc<Work>,
    thread: loom::thread::JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start() -> Worker {
        let work = Arc::<Work>::default();
        WORK.set(Some(Arc::clone(&work)));
        let own = Arc::clone(&work);
        Worker { work, thread: crate::sync::thread::spawn(move || own.run()) }
    }

    /// When this returns, all that was to be done is done.
    pub(crate) fn end(self) {
        WORK.set(None);
        self.work.lock().is_over = true;
        self.work.came.notify_one();
        let _ = self.thread.join();
    }
}

impl Work {
    fn run(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                job();
                queue = self.lock();
            } else if queue.is_over {
                return;
            } else {
                queue = self.came.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> super::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where nobody works, nothing is done.
pub(crate) fn run(job: Job) {
    if let Some(work) = WORK.with_borrow(Clone::clone) {
        work.lock().jobs.push_back(job);
        work.came.notify_one();
    }
}

/// No time passes here.
pub(crate) fn run_after(_delay: Duration, _job: Job) {}

thread_local! {
    // All threads of a model are one to the system.
    static WORK: RefCell<Option<Arc<Work>>> = const { RefCell::new(None) };
}
