//! Followers: waiting, in a way that another thread can end, and being polled.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use jni::sys::{jint, jlong};
use wal_core::packed::{Packed, Packer, packed_bytes};
use wal_core::{Follower, Record};

use crate::appending::number;
use crate::boundary::{Failure, Outcome, Reference, natives};
use crate::dispatch::Ready;
use crate::handle::{self, alone};
use crate::options::position;
use crate::reading::{count, record, room};

/// A cursor that waits; one thread at a time, and another one to end its wait.
pub(crate) struct FollowerHandle {
    engine: Mutex<Option<Follower>>,
    sleeper: Arc<Sleeper>,
    /// Whom a poll wakes.
    dispatcher: OnceLock<Waker>,
}

/// The thread that waits for a record.
#[derive(Default)]
struct Sleeper {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether another look is worth while.
    is_rung: bool,
    /// Whether the thread was interrupted.
    is_interrupted: bool,
    /// Whether the follower was closed.
    is_closed: bool,
}

natives! {
    /// Opens a follower.
    fn Java_io_libwal_Native_follower(_env, log: jlong, from: jint, at: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let engine = Mutex::new(Some(log.log.follow(position(from, at)?)?));
        Ok(handle::give(FollowerHandle {
            engine,
            sleeper: Arc::default(),
            dispatcher: OnceLock::new(),
        }))
    }

    /// The next record, waited for at most so long (-1: for ever); null when there is none.
    fn Java_io_libwal_Native_followerNext(env, follower: jlong, timeout_ns: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        let next = handle.on(|engine| handle.sleeper.next(engine, timeout_ns))?;
        next.map_or(Ok(Reference::default()), |found| record(env, &found))
    }

    /// Waits as `followerNext` does, then fills the memory of a `PackedRecords` as `cursorRead`.
    fn Java_io_libwal_Native_followerRead(
        _env, follower: jlong, timeout_ns: jlong, address: jlong, capacity: jlong, count_max: jint,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        // SAFETY: the memory is Java's, which keeps it while the call lasts.
        let memory = unsafe { room(address, capacity) }?;
        let count_max = usize::try_from(count_max).unwrap_or(0);
        handle.on(|engine| {
            let Some(first) = handle.sleeper.next(engine, timeout_ns)? else { return Ok(0) };
            let size = packed_bytes(first.len()).unwrap_or(usize::MAX);
            let mut packer = Packer::new(memory);
            if !packer.push(first.lsn().get(), first.batch_continues(), &first) {
                engine.cursor().seek(first.lsn())?;
                return Ok(count(Packed { bytes_needed: size, ..Packed::default() }));
            }
            let rest = memory.get_mut(size..).unwrap_or_default();
            // Trouble behind the first record is told by the next call.
            let behind = engine.cursor().read_packed(rest, count_max.saturating_sub(1));
            Ok(1 + behind.map_or(0, |packed| packed.count as jlong))
        })
    }

    /// Has the log's dispatcher told under a token when `followerPoll` is worth while again.
    fn Java_io_libwal_Native_followerTell(_env, follower: jlong, log: jlong, token: jlong) {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        // SAFETY: as above.
        let log = unsafe { handle::log(log) }?;
        let hub = log.hub.get().ok_or_else(|| Failure::internal("no hub to wake"))?;
        let bell = Arc::clone(hub.bell());
        let _ = handle.dispatcher.set(Waker::from(Arc::new(Ready { bell, token })));
        Ok(())
    }

    /// The next record if there is one now; null has the dispatcher told when there may be.
    fn Java_io_libwal_Native_followerPoll(env, follower: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        let waker = handle.dispatcher.get().ok_or_else(|| Failure::internal("nobody to wake"))?;
        let polled = handle.on(|engine| match engine.poll_next(&mut Context::from_waker(waker)) {
            Poll::Ready(found) => Ok(Some(found?)),
            Poll::Pending => Ok(None),
        })?;
        polled.map_or(Ok(Reference::default()), |found| record(env, &found))
    }

    /// Moves a follower.
    fn Java_io_libwal_Native_followerSeek(_env, follower: jlong, to: jint, at: jlong) {
        let to = position(to, at)?;
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        handle.on(|engine| Ok(engine.cursor().seek(to)?))
    }

    /// The LSN of the record after the position.
    fn Java_io_libwal_Native_followerNextLsn(_env, follower: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        handle.on(|engine| Ok(number(engine.cursor().next_lsn())))
    }

    /// Ends the wait that is going on, or else the next one.
    fn Java_io_libwal_Native_followerInterrupt(_env, follower: jlong) {
        // SAFETY: the macro's promise.
        unsafe { handle::at::<FollowerHandle>(follower) }?
            .sleeper
            .tell(|state| state.is_interrupted = true);
        Ok(())
    }

    /// Ends a wait and lets go of what the follower holds.
    fn Java_io_libwal_Native_followerClose(_env, follower: jlong) {
        // SAFETY: the macro's promise.
        let handle = unsafe { handle::at::<FollowerHandle>(follower) }?;
        handle.sleeper.tell(|state| state.is_closed = true);
        handle::empty(&handle.engine);
        Ok(())
    }

    /// Frees the handle of a follower.
    fn Java_io_libwal_Native_followerFree(_env, follower: jlong) {
        // SAFETY: the Java object is unreachable.
        drop(unsafe { handle::take_back::<FollowerHandle>(follower) });
        Ok(())
    }
}

impl FollowerHandle {
    /// Runs a call on a follower that no other thread is using.
    fn on<R>(&self, call: impl FnOnce(&mut Follower) -> Outcome<R>) -> Outcome<R> {
        match &mut *alone(&self.engine, "follower")? {
            Some(follower) => call(follower),
            None => Err(Failure::closed("follower")),
        }
    }
}

impl Sleeper {
    /// The next record, `None` when the time is up or the thread was interrupted.
    fn next(
        self: &Arc<Sleeper>,
        engine: &mut Follower,
        timeout_ns: jlong,
    ) -> Outcome<Option<Record>> {
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let waker = Waker::from(Arc::clone(self));
        loop {
            self.lock().is_rung = false;
            let polled = if timeout == Some(Duration::ZERO) {
                engine.try_next()?.map_or(Poll::Pending, |found| Poll::Ready(Ok(found)))
            } else {
                engine.poll_next(&mut Context::from_waker(&waker))
            };
            if let Poll::Ready(found) = polled {
                return Ok(Some(found?));
            }
            if !self.sleep(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Sleeps until another look is worth while; false when the wait is over.
    fn sleep(&self, deadline: Option<Instant>) -> Outcome<bool> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Err(Failure::closed("follower"));
            }
            if std::mem::take(&mut state.is_interrupted) {
                return Ok(false);
            }
            if state.is_rung {
                return Ok(true);
            }
            let Some(deadline) = deadline else {
                state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let waited = self.woken.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.woken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.tell(|state| state.is_rung = true);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.tell(|state| state.is_rung = true);
    }
}
