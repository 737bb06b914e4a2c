//! How other threads reach the JavaScript thread of an environment.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::{Env, sys};

use crate::desk::Desk;

/// What another thread has for the JavaScript thread to do.
pub(crate) type Letter = Box<dyn FnOnce(&Desk, &Env) + Send>;

/// The letters for one environment. Posting never waits, so that the engine's committing threads
/// may do it; however many letters there are, they cross in one call.
#[derive(Default)]
pub(crate) struct Mailbox {
    /// Emptied by the JavaScript thread.
    letters: Mutex<Vec<Letter>>,
    /// Rings once for everything posted since the letters were last taken.
    is_rung: AtomicBool,
    /// Gone once the environment begins to end. Whoever rings holds the lock, so that the function
    /// cannot go under it.
    bell: Mutex<Option<Bell>>,
}

struct Bell(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function is made to be called from any thread while it lives, and `Mailbox`
// lets go of it before it ends.
unsafe impl Send for Bell {}

impl Mailbox {
    /// Leaves a letter; it is dropped unread when the environment has ended.
    pub(crate) fn post(&self, letter: Letter) {
        {
            let mut letters = lock(&self.letters);
            letters.push(letter);
        }
        if self.is_rung.swap(true, Ordering::SeqCst) {
            return;
        }
        let bell = lock(&self.bell);
        match &*bell {
            // SAFETY: the function lives as long as it is in `bell`.
            Some(Bell(function)) => unsafe {
                sys::napi_call_threadsafe_function(
                    *function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            },
            None => {
                drop(bell);
                self.is_rung.store(false, Ordering::SeqCst);
                // Not under the lock: a letter may hold the last handle of something.
                let unread = std::mem::take(&mut *lock(&self.letters));
                drop(unread);
            }
        }
    }

    /// All letters there are.
    pub(crate) fn take(&self) -> Vec<Letter> {
        // Before looking: what is posted from here on rings again.
        self.is_rung.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.letters))
    }

    /// Has letters announced through this function.
    pub(crate) fn open(&self, function: sys::napi_threadsafe_function) {
        *lock(&self.bell) = Some(Bell(function));
    }

    /// From here on letters are dropped. When this returns, nobody uses the function any more.
    pub(crate) fn close(&self) {
        lock(&self.bell).take();
        drop(self.take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
