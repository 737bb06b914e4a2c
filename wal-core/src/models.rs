//! Small situations of the engine's threads for loom, for the crash campaign alone: every order of
//! their steps up to a number of switches, and every value that weak memory orderings let a thread
//! see. A situation that hangs, races or breaks an assertion panics with the steps that led there.

mod appending;
mod reading;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A situation.
pub struct Model {
    /// As reports name it.
    pub name: &'static str,
    /// What meets what.
    pub about: &'static str,
    run: fn(),
}

/// How far an exploration goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Switches away from a thread that could go on, at the most, in one execution.
    pub preemptions: usize,
    /// For how long at the most.
    pub time: Duration,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub struct Explored {
    /// Different executions.
    pub executions: u64,
    /// Whether that was all there are within the number of switches.
    pub is_complete: bool,
}

/// All situations.
pub const MODELS: &[Model] = &[
    Model { name: "mark", about: "a mark raised beside who queues for it", run: waiting::mark },
    Model { name: "marks", about: "two marks raised beside two who queue", run: waiting::marks },
    Model {
        name: "leaving",
        about: "one leaves the queue beside one who stays",
        run: waiting::leaving,
    },
    Model {
        name: "publish",
        about: "two claims, published beside a sync",
        run: appending::publish,
    },
    Model { name: "group", about: "two appends that share commits", run: appending::group },
    Model { name: "close", about: "an append beside closing", run: appending::close },
    Model { name: "poison", about: "appends beside a sync that fails", run: appending::poison },
    Model { name: "views", about: "a view used while it is replaced", run: reading::views },
];

impl Model {
    /// Explores the situation.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn explore(&self, bounds: Bounds) -> Explored {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(bounds.preemptions);
        builder.max_duration = Some(bounds.time);
        builder.checkpoint_interval = CHECK_EVERY;
        builder.max_branches = BRANCHES_MAX;
        builder.expect_explicit_explore = true;
        let (count, run) = (Arc::new(AtomicU64::new(0)), self.run);
        let counted = Arc::clone(&count);
        let started = Instant::now();
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            crate::sync::modelled::begin();
            // The first thread's stack cannot be chosen.
            let first = crate::sync::thread::spawn(run);
            first.join().expect("it ends, or the whole execution is over");
        });
        let executions = count.load(Ordering::Relaxed);
        Explored { executions, is_complete: started.elapsed() < bounds.time }
    }
}

/// The time is looked at after so many executions.
const CHECK_EVERY: usize = 200;
/// More than any situation takes.
const BRANCHES_MAX: usize = 200_000;
