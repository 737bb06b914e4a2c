//! The threads all logs of a process share: workers that come with the work and go without it, and
//! one that keeps the time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::Job;
use crate::vfs::fork_generation;

/// Runs `job` soon on a worker.
pub(crate) fn run(job: Job) {
    pool().run(job);
}

/// Runs `job` on a worker once `delay` has passed; never when that is beyond the clock's range.
pub(crate) fn run_after(delay: Duration, job: Job) {
    if let Some(due) = Instant::now().checked_add(delay) {
        pool().run_at(due, job);
    }
}

struct Pool {
    /// A child process has none of its parent's threads and gets a pool of its own.
    generation: u32,
    work: Mutex<Work>,
    came: Condvar,
    timers: Mutex<Timers>,
    sooner: Condvar,
}

#[derive(Default)]
struct Work {
    jobs: VecDeque<Job>,
    workers: usize,
    idle: usize,
}

#[derive(Default)]
struct Timers {
    /// By time and a number that keeps equal ones apart; one or two for each log at the most.
    due: BTreeMap<(Instant, u64), Job>,
    issued: u64,
    is_running: bool,
}

/// The pool of this process. Never freed: a fork may have left its locks held.
static POOL: AtomicPtr<Arc<Pool>> = AtomicPtr::new(std::ptr::null_mut());

#[allow(unsafe_code)]
fn pool() -> Arc<Pool> {
    loop {
        let current = POOL.load(Ordering::Acquire);
        // SAFETY: the pointer is null or came from `Box::into_raw` below and is never freed.
        if let Some(pool) = unsafe { current.as_ref() }
            && pool.generation == fork_generation()
        {
            return Arc::clone(pool);
        }
        let fresh = Box::into_raw(Box::new(Arc::new(Pool {
            generation: fork_generation(),
            work: Mutex::default(),
            came: Condvar::new(),
            timers: Mutex::default(),
            sooner: Condvar::new(),
        })));
        let swapped = POOL.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // SAFETY: `fresh` came from `Box::into_raw` above and was not shared.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
}

impl Pool {
    fn run(self: Arc<Self>, job: Job) {
        let mut work = lock(&self.work);
        work.jobs.push_back(job);
        if work.idle >= work.jobs.len() {
            self.came.notify_one();
            return;
        }
        if work.workers == WORKERS_MAX {
            return;
        }
        work.workers += 1;
        let pool = Arc::clone(&self);
        let spawned = thread::Builder::new().name("wal-worker".into()).spawn(move || pool.work());
        if spawned.is_ok() {
            return;
        }
        work.workers -= 1;
        if work.workers > 0 {
            return;
        }
        // No thread at all is to be had: the caller does the work, so that nothing is left undone.
        let jobs = std::mem::take(&mut work.jobs);
        drop(work);
        jobs.into_iter().for_each(|job| job());
    }

    /// A worker's life: jobs until there were none for a while.
    fn work(&self) {
        let mut work = lock(&self.work);
        loop {
            if let Some(job) = work.jobs.pop_front() {
                drop(work);
                // A job that unwinds has poisoned its log already; the worker goes on for the
                // others.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                work = lock(&self.work);
                continue;
            }
            work.idle += 1;
            let waited =
                self.came.wait_timeout_while(work, WORKER_IDLE, |work| work.jobs.is_empty());
            let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
            work = guard;
            work.idle -= 1;
            if result.timed_out() && work.jobs.is_empty() {
                work.workers -= 1;
                return;
            }
        }
    }

    fn run_at(self: Arc<Self>, due: Instant, job: Job) {
        let mut timers = lock(&self.timers);
        timers.issued += 1;
        let key = (due, timers.issued);
        timers.due.insert(key, job);
        if timers.is_running {
            if timers.due.first_key_value().is_some_and(|(first, _)| *first == key) {
                self.sooner.notify_one();
            }
            return;
        }
        timers.is_running = true;
        let pool = Arc::clone(&self);
        let spawned =
            thread::Builder::new().name("wal-timer".into()).spawn(move || pool.keep_time());
        if spawned.is_err() {
            timers.is_running = false;
            let job = timers.due.remove(&key);
            drop(timers);
            job.into_iter().for_each(|job| job());
        }
    }

    /// The timer thread's life: it ends when nothing was due for a while.
    fn keep_time(self: Arc<Self>) {
        let mut timers = lock(&self.timers);
        loop {
            let now = Instant::now();
            let wait = match timers.due.first_entry() {
                Some(entry) if entry.key().0 <= now => {
                    let job = entry.remove();
                    drop(timers);
                    Arc::clone(&self).run(job);
                    timers = lock(&self.timers);
                    continue;
                }
                Some(entry) => entry.key().0 - now,
                None => WORKER_IDLE,
            };
            let waited = self.sooner.wait_timeout(timers, wait);
            let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
            timers = guard;
            if result.timed_out() && timers.due.is_empty() {
                timers.is_running = false;
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One stalled disk must not hold up the logs of another; beyond this many, jobs queue.
const WORKERS_MAX: usize = 64;
/// How long a thread waits for work before it ends.
const WORKER_IDLE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_blocked_job_does_not_hold_up_the_next() {
        let (release, blocked) = mpsc::channel::<()>();
        run(Box::new(move || {
            let _ = blocked.recv();
        }));
        let (done, is_done) = mpsc::channel();
        run(Box::new(move || done.send(()).expect("the test waits")));
        is_done.recv_timeout(Duration::from_secs(10)).expect("the second job ran");
        drop(release);
    }

    #[test]
    fn timers_run_in_the_order_of_their_time_and_a_panic_does_not_stop_them() {
        let (done, is_done) = mpsc::channel();
        for (delay_ms, name) in [(40, "late"), (5, "early")] {
            let done = done.clone();
            let job = Box::new(move || {
                done.send(name).expect("the test waits");
            });
            run_after(Duration::from_millis(delay_ms), job);
        }
        let names: Vec<_> = (0..2)
            .map(|_| is_done.recv_timeout(Duration::from_secs(10)).expect("both ran"))
            .collect();
        assert_eq!(names, ["early", "late"]);
    }
}
