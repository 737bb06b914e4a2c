//! What Java's one dispatcher thread of a log waits for: appends that have ended, followers worth
//! another look, news of durability.

use std::ptr::null_mut;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::time::Duration;

use jni::sys::jlong;
use wal_core::{Completions, Error, Lsn, LsnRange, Subscription};

use crate::appending::number;
use crate::boundary::{Failure, Outcome, Reference, natives, new_exception};
use crate::env::Env;
use crate::handle;

/// All that a log tells Java of its own accord.
pub(crate) struct Hub {
    completions: Completions<jlong>,
    bell: Arc<Bell>,
}

/// Wakes the dispatcher.
#[derive(Default)]
pub(crate) struct Bell {
    news: Mutex<News>,
    rung: Condvar,
}

#[derive(Default)]
struct News {
    /// Whether there are completions to take.
    has_ended: bool,
    /// Tokens of followers to be polled. Bounded by their number: each is told once, then polled.
    ready: Vec<jlong>,
    /// Tokens of listeners and the last news for each. Bounded by their number.
    durable: Vec<(jlong, Result<Lsn, Error>)>,
    /// Whether the log was closed.
    is_over: bool,
}

natives! {
    /// The hub of a log, for its dispatcher.
    fn Java_io_libwal_Native_hub(_env, log: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let hub = log.hub.get_or_init(|| {
            let bell = Arc::new(Bell::default());
            let rung = Arc::clone(&bell);
            let completions = Completions::new(&log.log, move || rung.ring(|news| {
                news.has_ended = true;
            }));
            Arc::new(Hub { completions, bell })
        });
        Ok(handle::give(Arc::clone(hub)))
    }

    /// Waits for news: an array of numbers (three for each append that has ended, the token, the
    /// first and the last LSN), the exceptions of those that failed (LSNs of 0), the tokens of
    /// ready followers, and two numbers for each listener. Null when the log was closed and nothing
    /// more is to be told for now.
    fn Java_io_libwal_Native_hubTake(env, hub: jlong) -> Reference {
        // SAFETY: the macro's promise.
        unsafe { handle::at::<Arc<Hub>>(hub) }?.take(env)
    }

    /// Frees the dispatcher's hub.
    fn Java_io_libwal_Native_hubFree(_env, hub: jlong) {
        // SAFETY: the dispatcher has ended.
        drop(unsafe { handle::take_back::<Arc<Hub>>(hub) });
        Ok(())
    }

    /// Has the dispatcher told under a token when the durable LSN has advanced.
    fn Java_io_libwal_Native_listen(_env, log: jlong, token: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let hub = log.hub.get().ok_or_else(|| Failure::internal("no hub to listen at"))?;
        let bell = Arc::clone(&hub.bell);
        let subscription = log.log.on_durable(move |news| {
            bell.ring(|told| {
                told.durable.retain(|(other, _)| *other != token);
                told.durable.push((token, news));
            });
        })?;
        Ok(handle::give(subscription))
    }

    /// Ends a listener.
    fn Java_io_libwal_Native_listenEnd(_env, subscription: jlong) {
        // SAFETY: Java ends it once.
        drop(unsafe { handle::take_back::<Subscription>(subscription) });
        Ok(())
    }
}

impl Hub {
    pub(crate) fn completions(&self) -> &Completions<jlong> {
        &self.completions
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// The log was closed: whoever waits looks once more, and no longer than he has to.
    pub(crate) fn end(&self) {
        self.bell.ring(|news| news.is_over = true);
    }

    fn take(&self, env: Env) -> Outcome<Reference> {
        let Some(news) = self.bell.wait() else { return Ok(Reference::default()) };
        let mut ended: Vec<(jlong, Result<LsnRange, Error>)> = Vec::new();
        if news.has_ended {
            self.completions.take(&mut ended)?;
        }
        let mut numbers = Vec::with_capacity(ended.len() * 3);
        let mut errors = Vec::new();
        for (token, outcome) in &ended {
            match outcome {
                Ok(lsns) => numbers.extend([*token, number(lsns.first), number(lsns.final_)]),
                Err(error) => {
                    numbers.extend([*token, 0, 0]);
                    errors.push(error);
                }
            }
        }
        let mut durable = Vec::with_capacity(news.durable.len() * 2);
        for (token, outcome) in &news.durable {
            durable.extend([*token, outcome.as_ref().map_or(0, |lsn| number(*lsn))]);
            errors.extend(outcome.as_ref().err());
        }
        let parts = [
            env.new_longs(&numbers)?,
            env.new_made(errors.len(), |index| match errors.get(index) {
                Some(error) => new_exception(env, error),
                None => Ok(null_mut()),
            })?,
            env.new_longs(&news.ready)?,
            env.new_longs(&durable)?,
        ];
        env.new_objects(&parts).map(Reference)
    }
}

impl Bell {
    fn ring(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.lock());
        self.rung.notify_one();
    }

    /// The news, once there are some; none when the log was closed and there are none for a while.
    fn wait(&self) -> Option<News> {
        let mut news = self.lock();
        loop {
            if news.has_ended || !news.ready.is_empty() || !news.durable.is_empty() {
                let is_over = news.is_over;
                return Some(std::mem::replace(&mut *news, News { is_over, ..News::default() }));
            }
            if news.is_over {
                let waited = self.rung.wait_timeout(news, LAST_WAIT);
                let (after, wait) = waited.unwrap_or_else(PoisonError::into_inner);
                if wait.timed_out() {
                    return None;
                }
                news = after;
            } else {
                news = self.rung.wait(news).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the dispatcher for one follower.
pub(crate) struct Ready {
    pub(crate) bell: Arc<Bell>,
    pub(crate) token: jlong,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring(|news| {
            if !news.ready.contains(&self.token) {
                news.ready.push(self.token);
            }
        });
    }
}

/// How long a dispatcher of a closed log waits before it looks whether anybody still waits for it.
const LAST_WAIT: Duration = Duration::from_millis(5);
