//! Those who want to hear of the durable watermark without waiting for it: file descriptors for
//! event loops, and callbacks.

use crate::sync::thread::{self, ThreadId};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::append::Engine;
use crate::background;
use crate::error::{Error, Result};
use crate::lsn::Lsn;
use crate::vfs::{clear_event, new_event, raise_event};

/// A file descriptor that is readable when the durable LSN has advanced, or the log was poisoned or
/// closed, since it was last acknowledged. Each notifier has its own, so several listeners do not
/// steal each other's news.
pub struct Notifier {
    engine: Arc<Engine>,
    bell: Arc<OwnedFd>,
}

/// Ends its callback when dropped: a call that is running then is waited for (unless it is the one
/// that drops), and no other comes.
#[must_use = "the callback ends with its subscription"]
pub struct Subscription {
    callback: Arc<Callback>,
}

/// What is called with each advance.
struct Callback {
    call: Box<dyn Fn(Result<Lsn>) + Send + Sync>,
    state: Mutex<CallState>,
    returned: Condvar,
}

#[derive(Default)]
struct CallState {
    /// Who is in the call; one at a time.
    caller: Option<ThreadId>,
    is_over: bool,
}

/// All listeners of one log. Bounded by the notifiers and subscriptions that live.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    bells: Vec<Weak<OwnedFd>>,
    callbacks: Vec<Weak<Callback>>,
    /// What the callbacks have yet to hear; later news stands for earlier.
    news: Option<Result<Option<Lsn>>>,
    /// Whether a background thread is telling them.
    is_telling: bool,
}

impl Notifier {
    pub(crate) fn new(engine: &Arc<Engine>) -> Result<Notifier> {
        engine.check_open()?;
        let bell =
            new_event().map_err(|error| Error::io("making a notifier", &engine.path, error))?;
        let bell = Arc::new(bell);
        engine.listeners.add_bell(&bell);
        Ok(Notifier { engine: Arc::clone(engine), bell })
    }

    /// The descriptor to poll for reading. Do not read from it, close it or change its flags.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Makes the descriptor unreadable until the next news, and returns the durable LSN.
    ///
    /// When this returns, every record up to the returned LSN survives power loss.
    ///
    /// # Errors
    /// The first cause when the log is poisoned, `Closed`, `Forked`.
    pub fn acknowledge(&self) -> Result<Option<Lsn>> {
        self.engine.check_process()?;
        clear_event(&self.bell)
            .map_err(|error| Error::io("reading a notifier", &self.engine.path, error))?;
        if let Some(cause) = self.engine.poisoned() {
            return Err(cause.clone());
        }
        self.engine.check_open()?;
        Ok(self.engine.durable_lsn())
    }
}

impl Subscription {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        callback: impl Fn(Result<Lsn>) + Send + Sync + 'static,
    ) -> Result<Subscription> {
        engine.check_open()?;
        let callback = Arc::new(Callback {
            call: Box::new(callback),
            state: Mutex::default(),
            returned: Condvar::new(),
        });
        engine.listeners.add_callback(&callback);
        Ok(Subscription { callback })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.callback.wait_for_others();
        state.is_over = true;
    }
}

impl Callback {
    fn call(&self, news: Result<Lsn>) {
        let mut state = self.wait_for_others();
        if state.is_over {
            return;
        }
        let outer = state.caller.replace(thread::current().id());
        drop(state);
        let calling = Calling { callback: self, outer };
        (self.call)(news);
        drop(calling);
    }

    /// The state, once no other thread is in the call.
    fn wait_for_others(&self) -> MutexGuard<'_, CallState> {
        let this = thread::current().id();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_elsewhere =
            |state: &mut CallState| state.caller.is_some_and(|caller| caller != this);
        self.returned.wait_while(state, is_elsewhere).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the end of a call, also when it unwinds.
struct Calling<'a> {
    callback: &'a Callback,
    outer: Option<ThreadId>,
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let mut state = self.callback.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.caller = self.outer;
        drop(state);
        self.callback.returned.notify_all();
    }
}

impl Listeners {
    /// Tells every listener of the last durable record, or that nothing will be durable any more.
    /// `news` is asked for only if there is a callback.
    ///
    /// Callbacks hear of it from a background thread, one piece of news at a time: they may take
    /// their time, append, and close the log.
    pub(crate) fn tell(self: &Arc<Listeners>, news: impl FnOnce() -> Result<Option<Lsn>>) {
        let mut lists = self.lock();
        // A counter that cannot take another increment is readable already.
        lists.bells.retain(|bell| bell.upgrade().map(|bell| raise_event(&bell)).is_some());
        lists.callbacks.retain(|callback| callback.strong_count() > 0);
        if lists.callbacks.is_empty() {
            return;
        }
        // A failure is the last news there is.
        if !matches!(lists.news, Some(Err(_))) {
            lists.news = Some(news());
        }
        if std::mem::replace(&mut lists.is_telling, true) {
            return;
        }
        drop(lists);
        let listeners = Arc::clone(self);
        background::run(Box::new(move || listeners.tell_callbacks()));
    }

    fn tell_callbacks(&self) {
        loop {
            let mut lists = self.lock();
            let Some(news) = lists.news.take() else {
                lists.is_telling = false;
                return;
            };
            let callbacks: Vec<_> = lists.callbacks.iter().filter_map(Weak::upgrade).collect();
            drop(lists);
            for callback in callbacks {
                // One that panics must not keep the others from hearing.
                let call = AssertUnwindSafe(|| match &news {
                    Ok(Some(lsn)) => callback.call(Ok(*lsn)),
                    Ok(None) => {}
                    Err(error) => callback.call(Err(error.clone())),
                });
                let _ = catch_unwind(call);
            }
        }
    }

    fn add_bell(&self, bell: &Arc<OwnedFd>) {
        self.lock().bells.push(Arc::downgrade(bell));
    }

    fn add_callback(&self, callback: &Arc<Callback>) {
        self.lock().callbacks.push(Arc::downgrade(callback));
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
