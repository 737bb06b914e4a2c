//! Stand-ins for a simulation in which one thread plays all: whoever waits runs what the others
//! have to do.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

pub(crate) use std::sync::{
    Arc, LockResult, OnceLock, PoisonError, RwLock, TryLockError, Weak, atomic,
};

use super::Job;
use super::virtual_time::{self, Instant};

/// A lock that is never waited for: nobody else could let go of it.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

/// A lock held.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    held: std::sync::MutexGuard<'a, T>,
    mutex: &'a Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match self.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(error)) => Err(error),
            Err(TryLockError::WouldBlock) => {
                panic!("deadlock: the only thread waits for a lock that is held")
            }
        }
    }

    pub(crate) fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        let guard = |held| MutexGuard { held, mutex: self };
        match self.0.try_lock() {
            Ok(held) => Ok(guard(held)),
            Err(TryLockError::Poisoned(error)) => {
                Err(TryLockError::Poisoned(PoisonError::new(guard(error.into_inner()))))
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.held
    }
}

/// A condition that comes true by what others do while this one waits.
#[derive(Debug, Default)]
pub(crate) struct Condvar;

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar
    }

    pub(crate) fn notify_all(&self) {}

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        drop(guard);
        wait(None);
        mutex.lock()
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let mutex = guard.mutex;
        drop(guard);
        wait(Some(timeout));
        match mutex.lock() {
            Ok(guard) => Ok((guard, ())),
            Err(error) => Err(PoisonError::new((error.into_inner(), ()))),
        }
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }
}

/// The one thread, and what it does instead of waiting.
pub(crate) mod thread {
    use std::time::Duration;

    pub(crate) use std::thread::{ThreadId, panicking};

    /// The one thread.
    #[derive(Clone, Debug)]
    pub(crate) struct Thread;

    impl Thread {
        pub(crate) fn id(&self) -> ThreadId {
            std::thread::current().id()
        }

        /// It is awake.
        pub(crate) fn unpark(&self) {}
    }

    pub(crate) fn current() -> Thread {
        Thread
    }

    pub(crate) fn park() {
        super::wait(None);
    }

    pub(crate) fn park_timeout(timeout: Duration) {
        super::wait(Some(timeout));
    }

    pub(crate) fn sleep(duration: Duration) {
        super::pass(duration);
    }

    pub(crate) fn yield_now() {
        super::run_one();
    }
}

/// The time threads wait.
pub(crate) mod time {
    pub(crate) use super::virtual_time::Instant;
}

/// Jobs that wait until somebody waits, or the harness has them run.
pub(crate) mod background {
    use std::time::Duration;

    use super::virtual_time::Instant;
    use super::{Job, WORLD};

    pub(crate) fn run(job: Job) {
        WORLD.with_borrow_mut(|world| world.jobs.push_back(job));
    }

    pub(crate) fn run_after(delay: Duration, job: Job) {
        if let Some(due) = Instant::now().checked_add(delay) {
            WORLD.with_borrow_mut(|world| {
                world.issued += 1;
                world.timers.insert((due, world.issued), job);
            });
        }
    }
}

/// What is left to do.
#[derive(Default)]
struct World {
    jobs: VecDeque<Job>,
    timers: BTreeMap<(Instant, u64), Job>,
    issued: u64,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// How many jobs could run now.
pub fn jobs() -> usize {
    WORLD.with_borrow(|world| world.jobs.len())
}

/// Runs the job at this place of the queue; whether there is one.
pub fn run_job(place: usize) -> bool {
    let job = WORLD.with_borrow_mut(|world| world.jobs.remove(place));
    let Some(job) = job else { return false };
    // As on a worker: a job that unwinds has poisoned its log, and the others go on.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    true
}

/// Lets time pass: everything that becomes due in it is done.
pub fn pass(duration: Duration) {
    let until = Instant::now() + duration;
    loop {
        if run_one() {
            continue;
        }
        let due = WORLD.with_borrow_mut(|world| {
            let due = world.timers.first_entry().filter(|entry| entry.key().0 <= until)?;
            Some(due.remove_entry())
        });
        let Some(((at, _), job)) = due else { break };
        virtual_time::skip_to(at);
        background::run(job);
    }
    virtual_time::skip_to(until);
}

/// The process dies: nothing of what was left to do is done. Time starts anew.
pub fn forget() {
    // Dropping a job may leave another one behind.
    while let Some(world) = WORLD.with_borrow_mut(|world| {
        let is_empty = world.jobs.is_empty() && world.timers.is_empty();
        (!is_empty).then(|| std::mem::take(world))
    }) {
        drop(world);
    }
    virtual_time::restart();
}

fn run_one() -> bool {
    run_job(0)
}

/// Does something that may be what is waited for, or lets the time pass.
fn wait(timeout: Option<Duration>) {
    if run_one() {
        return;
    }
    let until = timeout.map(|timeout| Instant::now() + timeout);
    let due = WORLD.with_borrow_mut(|world| {
        let entry = world.timers.first_entry()?;
        let is_in_time = until.is_none_or(|until| entry.key().0 <= until);
        is_in_time.then(|| entry.remove_entry())
    });
    match (due, until) {
        (Some(((at, _), job)), _) => {
            virtual_time::skip_to(at);
            background::run(job);
            run_one();
        }
        (None, Some(until)) => virtual_time::skip_to(until),
        (None, None) => panic!("deadlock: the only thread waits, and nothing is left to do"),
    }
}
