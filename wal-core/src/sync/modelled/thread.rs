//! Threads whose steps are explored.

use std::time::Duration;

pub(crate) use std::thread::panicking;

pub(crate) use loom::thread::{ThreadId, yield_now};

use super::{Arc, Mutex, PoisonError};

/// A handle to a thread.
#[derive(Clone)]
pub(crate) struct Thread {
    id: ThreadId,
    token: Arc<Token>,
}

/// What wakes a thread that parks, now or later. Loom's own token is lost when a thread waits for a
/// lock before it parks.
#[derive(Default)]
struct Token {
    is_there: Mutex<bool>,
    came: loom::sync::Condvar,
}

impl Thread {
    pub(crate) fn id(&self) -> ThreadId {
        self.id
    }

    pub(crate) fn unpark(&self) {
        *self.token.is_there.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.token.came.notify_one();
    }
}

pub(crate) fn current() -> Thread {
    Thread { id: loom::thread::current().id(), token: TOKEN.with(Arc::clone) }
}

pub(crate) fn park() {
    let token = TOKEN.with(Arc::clone);
    let mut is_there = token.is_there.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_there {
        is_there = token.came.wait(is_there).unwrap_or_else(PoisonError::into_inner);
    }
    *is_there = false;
}

/// No time passes here: who may give up waits on.
pub(crate) fn park_timeout(_timeout: Duration) {
    park();
}

/// Starts a thread of a model. Loom's own stacks of 32 KiB are too small for appends and openings
/// once bugs are planted in them.
pub(crate) fn spawn<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> loom::thread::JoinHandle<T> {
    let builder = loom::thread::Builder::new().stack_size(STACK_WORDS);
    builder.spawn(body).expect("loom starts every thread")
}

pub(crate) fn sleep(_time: Duration) {
    yield_now();
}

loom::thread_local! {
    static TOKEN: Arc<Token> = Arc::default();
}

/// 256 KiB: what loom calls bytes are words.
const STACK_WORDS: usize = 32 * 1024;
