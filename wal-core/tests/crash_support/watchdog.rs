//! A hang is a failure like any other: it must end and say where it was.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Runs `work`; ends the whole test program, saying so, when it takes longer than `limit`.
#[allow(clippy::print_stderr)]
pub fn within<T: Send>(limit: Duration, what: &str, work: impl FnOnce() -> T + Send) -> T {
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what}: still not done after {limit:?}, something hangs");
                std::process::abort();
            }
        });
        // Dropped at the end, also when `work` panics: the watch ends.
        let _done = done;
        work()
    })
}
