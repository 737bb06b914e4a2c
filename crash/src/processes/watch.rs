//! Ends processes that hang.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::tracer::kill;

/// Knows which processes run and since when, and kills what runs too long.
pub struct Watch {
    watched: Arc<Watched>,
}

#[derive(Default)]
struct Watched {
    processes: Mutex<HashMap<i32, Watchee>>,
    over: Condvar,
    ended: Mutex<bool>,
}

struct Watchee {
    deadline: Instant,
    doing: Option<String>,
}

/// A process that is watched.
pub struct Guard<'a> {
    pid: i32,
    watch: &'a Watch,
}

impl Watch {
    /// A watch that gives every process this long.
    pub fn new() -> Watch {
        let watched = Arc::new(Watched::default());
        let shared = Arc::clone(&watched);
        std::thread::spawn(move || {
            let mut ended = shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
            while !*ended {
                shared.look();
                let waited = shared.over.wait_timeout(ended, LOOK_EVERY);
                ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        Watch { watched }
    }

    /// Watches a process.
    pub fn begin(&self, pid: i32) -> Guard<'_> {
        let watchee = Watchee { deadline: Instant::now() + LIMIT, doing: None };
        self.processes().insert(pid, watchee);
        Guard { pid, watch: self }
    }

    fn processes(&self) -> std::sync::MutexGuard<'_, HashMap<i32, Watchee>> {
        self.watched.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.watched.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.watched.over.notify_all();
    }
}

impl Guard<'_> {
    /// Ends watching. What the process was doing when it was killed, if it hung.
    pub fn end(self) -> Option<String> {
        self.watch.processes().remove(&self.pid)?.doing
    }
}

impl Watched {
    fn look(&self) {
        let now = Instant::now();
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        for (pid, watchee) in processes.iter_mut() {
            if watchee.doing.is_none() && now > watchee.deadline {
                watchee.doing = Some(doing(*pid));
                kill(*pid);
            }
        }
    }
}

/// What the threads of a process wait for, as far as the kernel says it.
fn doing(pid: i32) -> String {
    let mut text = String::new();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        let line = |file: &str| {
            let content = std::fs::read_to_string(thread.path().join(file)).unwrap_or_default();
            content.lines().take(4).collect::<Vec<_>>().join(" < ")
        };
        let (name, call, stack) = (line("comm"), line("syscall"), line("stack"));
        let tid = thread.file_name();
        let _ = writeln!(text, "  thread {tid:?} {name}: system call {call}; kernel {stack}");
    }
    text
}

/// How long a run may take on a machine that does other things too. A run is 50 ms.
const LIMIT: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_secs(1);
