//! Calls out to C, and what must wait until they are over.
//!
//! A callback runs in the middle of the engine's work, often on one of its threads. Closing a log
//! there would wait for the thread to finish the very callback that is closing; so closes and drops
//! asked for inside a callback are kept and done after it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// Work kept until the callback is over.
type Action = Box<dyn FnOnce() + Send>;

/// On whose thread a callback runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// On the thread of the call that was given the callback: kept work is done by that thread, as
    /// soon as the engine is left.
    Caller,
    /// On a thread of the engine, which must not be held up: kept work is done by a thread of its
    /// own.
    Engine,
}

/// Runs `body`, inside of which callbacks may ask for what has to wait.
pub(crate) fn scope<R>(home: Home, body: impl FnOnce() -> R) -> R {
    let _leaving = Leaving::enter(home);
    body()
}

/// Whether this thread is inside a callback.
pub(crate) fn is_inside() -> bool {
    DEPTH.with(Cell::get) > 0
}

/// Does `action` after the callback this thread is inside of; at once when there is none.
pub(crate) fn outside(action: impl FnOnce() + Send + 'static) {
    if is_inside() {
        KEPT.with(|kept| kept.borrow_mut().push(Box::new(action)));
    } else {
        action();
    }
}

/// Drops `object` after the callback this thread is inside of; at once when there is none.
pub(crate) fn drop_outside<T: Send + 'static>(object: T) {
    outside(move || drop(object));
}

/// The caller's pointer that every callback gets back. What it points at is the caller's affair:
/// the header asks that it may be used on the threads the callback is called on.
#[derive(Clone, Copy)]
pub(crate) struct Payload(pub(crate) *mut c_void);

// SAFETY: the pointer is only handed back to C, never followed here, and the header says on which
// threads that happens.
unsafe impl Send for Payload {}
// SAFETY: as above.
unsafe impl Sync for Payload {}

impl Payload {
    /// The pointer; a method, so that closures capture the whole payload and stay `Send`.
    pub(crate) fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// Ends the scope, also when a callback unwinds.
struct Leaving(Home);

impl Leaving {
    fn enter(home: Home) -> Leaving {
        DEPTH.with(|depth| depth.set(depth.get().saturating_add(1)));
        Leaving(home)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let depth = DEPTH.with(|depth| {
            depth.set(depth.get().saturating_sub(1));
            depth.get()
        });
        if depth > 0 {
            return;
        }
        let kept = KEPT.with(RefCell::take);
        match self.0 {
            _ if kept.is_empty() => {}
            Home::Caller => perform(kept),
            Home::Engine => perform_elsewhere(kept),
        }
    }
}

fn perform(kept: Vec<Action>) {
    for action in kept {
        // One close that panics must not keep the others from being done.
        let _ = crate::panic::contain(action);
    }
}

/// Does the kept work on a new thread. Should the system refuse one, the work stays undone and its
/// objects alive: dropping them here could wait for this very thread.
fn perform_elsewhere(kept: Vec<Action>) {
    let shared = Arc::new(Mutex::new(kept));
    let theirs = Arc::clone(&shared);
    let spawned = std::thread::Builder::new()
        .name("wal-deferred".into())
        .spawn(move || perform(std::mem::take(&mut *locked(&theirs))));
    if spawned.is_err() {
        locked(&UNDONE).append(&mut *locked(&shared));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work no thread could be had for; bounded by the handles the host leaks by it.
static UNDONE: Mutex<Vec<Action>> = Mutex::new(Vec::new());

thread_local! {
    /// How many callbacks deep this thread is.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What waits for the outermost one to end.
    static KEPT: RefCell<Vec<Action>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn outside_a_callback_nothing_waits() {
        let (sender, receiver) = mpsc::channel();
        outside(move || sender.send(1).expect("the receiver lives"));
        assert_eq!(receiver.try_recv(), Ok(1));
    }

    #[test]
    fn work_waits_for_the_outermost_callback_to_end() {
        let (sender, receiver) = mpsc::channel();
        scope(Home::Caller, || {
            scope(Home::Engine, || outside(move || sender.send(1).expect("alive")));
            assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
        });
        assert_eq!(receiver.try_recv(), Ok(1));
    }

    #[test]
    fn an_engine_thread_is_not_held_up_by_kept_work() {
        let (sender, receiver) = mpsc::channel();
        scope(Home::Engine, || {
            outside(move || {
                let name = std::thread::current().name().map(str::to_owned);
                sender.send(name).expect("alive");
            });
        });
        assert_eq!(receiver.recv().expect("done"), Some("wal-deferred".to_owned()));
    }

    #[test]
    fn a_panicking_callback_leaves_the_thread_usable() {
        let caught = crate::panic::contain(|| scope(Home::Caller, || panic!("boom")));
        assert!(caught.is_err());
        assert!(!is_inside());
    }
}
