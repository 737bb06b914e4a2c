//! Threads for what would hold up an event loop: a few that are shared, for work that is short or
//! bound by the disk, and one of its own for whatever may wait long.
//!
//! libuv's pool is left alone: its four threads serve the files and names of the whole process.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Work for another thread. It catches its own panics.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// How long a job may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// As long as a disk takes.
    Short,
    /// As long as it likes: it gets a thread of its own.
    Long,
}

/// Has another thread do the job.
///
/// # Errors
/// The system has no thread to give.
pub(crate) fn start(stay: Stay, job: Job) -> io::Result<()> {
    match stay {
        Stay::Long => spawn(job),
        Stay::Short => queue(job),
    }
}

struct Pool {
    /// Bounded by the promises that JavaScript has in flight.
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

fn queue(job: Job) -> io::Result<()> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let needs_thread = pool.idle <= pool.jobs.len() && pool.threads < THREADS_MAX;
    pool.jobs.push_back(job);
    if !needs_thread {
        CALL.notify_one();
        return Ok(());
    }
    match spawn(Box::new(work)) {
        Ok(()) => pool.threads += 1,
        // The others will come to it.
        Err(_) if pool.threads > 0 => {}
        Err(error) => {
            pool.jobs.pop_back();
            return Err(error);
        }
    }
    Ok(())
}

fn work() {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = pool.jobs.pop_front() {
            drop(pool);
            job();
            pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        pool.idle += 1;
        let (woken, waited) =
            CALL.wait_timeout(pool, IDLE_MAX).unwrap_or_else(PoisonError::into_inner);
        pool = woken;
        pool.idle -= 1;
        if waited.timed_out() && pool.jobs.is_empty() {
            pool.threads -= 1;
            return;
        }
    }
}

fn spawn(job: Job) -> io::Result<()> {
    thread::Builder::new().name("wal-node".to_owned()).spawn(job).map(drop)
}

/// Enough to keep a disk busy.
const THREADS_MAX: usize = 4;
/// After this a thread without work goes.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Shared by all environments of the process.
static POOL: Mutex<Pool> = Mutex::new(Pool { jobs: VecDeque::new(), threads: 0, idle: 0 });
static CALL: Condvar = Condvar::new();
