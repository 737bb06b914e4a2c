//! Work on a log's files that nobody waits for, one piece after the other on a shared thread.

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::collections::VecDeque;

use super::engine::Engine;
use crate::background;

/// Something to be done to the log's files in the background.
type Chore = Box<dyn FnOnce(&Arc<Engine>) + Send>;

/// The chores of one log. They take one shared thread at the most: a log whose disk has stalled
/// must not take them all from the others.
#[derive(Default)]
pub(super) struct Chores {
    /// Held while a chore is at work; closing waits for it.
    at_work: Mutex<()>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Bounded by what asks for chores: timers, each once, and segments that come and go.
    chores: VecDeque<Chore>,
    /// Whether a thread is on its way or at work.
    is_served: bool,
}

impl Engine {
    /// Has a background thread do something to the log's files, unless the log is closed by then.
    /// Closing waits for the chore at work, so none of them meets the next writer.
    pub(crate) fn chore(self: &Arc<Engine>, chore: impl FnOnce(&Arc<Engine>) + Send + 'static) {
        let mut queue = self.chores.queue();
        queue.chores.push_back(Box::new(chore));
        if !std::mem::replace(&mut queue.is_served, true) {
            drop(queue);
            let engine = Arc::downgrade(self);
            background::run(Box::new(move || serve(&engine)));
        }
    }

    /// Does something to the log's files now, while no chore is at work. A chore must not call
    /// this.
    pub(crate) fn beside_chores(self: &Arc<Engine>, work: impl FnOnce(&Arc<Engine>)) {
        let _at_work = self.chores.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_closed() && self.poisoned().is_none() {
            work(self);
        }
    }

    /// Waits until no chore is at work.
    pub(super) fn wait_for_chores(&self) {
        drop(self.chores.at_work.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Chores {
    /// The next chore; with none left, the queue is no longer served.
    fn take(&self) -> Option<Chore> {
        let mut queue = self.queue();
        let chore = queue.chores.pop_front();
        queue.is_served = chore.is_some();
        chore
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(engine: &Weak<Engine>) {
    // The log may go between two chores; what it still wanted done is gone with it.
    while let Some(engine) = engine.upgrade() {
        let Some(chore) = engine.chores.take() else { return };
        let serving = Serving(&engine);
        engine.beside_chores(chore);
        std::mem::drop(serving);
    }
}

/// Lets somebody else serve the queue when a chore unwinds.
struct Serving<'a>(&'a Arc<Engine>);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        if crate::sync::thread::panicking() {
            self.0.chores.queue().is_served = false;
        }
    }
}
