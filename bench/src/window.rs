//! The measured time: what came before it and what comes after is not counted.

use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use crate::kernel;
use crate::log::{Failure, Log, Result};
use crate::mount::Mount;
use crate::task::Task;

/// Reads what is measured as a difference.
pub struct Meter<'a> {
    mount: &'a Mount,
    log: Option<&'a dyn Log>,
}

/// One reading of a meter.
pub struct Reading {
    at: Instant,
    unix: f64,
    cpu: Duration,
    syncs: Option<u64>,
    journal_commits: Option<u64>,
}

/// What lies between two readings.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// How long it was.
    pub seconds: f64,
    /// When it began, in seconds since 1970.
    pub began: f64,
    /// When it ended.
    pub ended: f64,
    /// Processor time of the process, in microseconds.
    pub cpu_us: f64,
    /// Data syncs, where the log counts them.
    pub syncs: Option<u64>,
    /// Journal commits, where the file system has a journal.
    pub journal_commits: Option<u64>,
}

impl<'a> Meter<'a> {
    /// A meter for the file system and the log of a measurement.
    pub fn new(mount: &'a Mount, log: Option<&'a dyn Log>) -> Meter<'a> {
        Meter { mount, log }
    }

    /// Reads the meter.
    pub fn read(&self) -> Reading {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Reading {
            unix: unix.as_secs_f64(),
            cpu: kernel::processor_time(),
            syncs: self.log.and_then(Log::syncs),
            journal_commits: self.mount.journal_commits(),
            at: Instant::now(),
        }
    }

    /// The span since an earlier reading.
    pub fn since(&self, first: &Reading) -> Span {
        let at = Instant::now();
        let last = self.read();
        let between = |first: Option<u64>, last: Option<u64>| Some(last?.saturating_sub(first?));
        Span {
            seconds: (at - first.at).as_secs_f64(),
            began: first.unix,
            ended: last.unix,
            cpu_us: last.cpu.saturating_sub(first.cpu).as_secs_f64() * 1e6,
            syncs: between(first.syncs, last.syncs),
            journal_commits: between(first.journal_commits, last.journal_commits),
        }
    }
}

/// Tells many workers when to count and when to end.
pub struct Window {
    phase: AtomicU8,
}

/// What one worker counted inside the window.
pub struct Tally {
    /// Operations that ended inside.
    pub ops: u64,
    /// Their latencies in nanoseconds.
    pub latencies: Histogram<u64>,
}

impl Window {
    /// A window that has not opened.
    pub fn new() -> Window {
        Window { phase: AtomicU8::new(WARM_UP) }
    }

    /// Warms up, opens the window, and closes it when its time is over or a worker failed.
    pub fn pass(&self, task: &Task, meter: &Meter<'_>) -> Span {
        self.sleep(task.warm_up());
        let first = meter.read();
        // A worker that failed before has ended the window for good.
        let _ = self.phase.compare_exchange(WARM_UP, OPEN, Ordering::AcqRel, Ordering::Acquire);
        self.sleep(task.duration());
        self.end();
        meter.since(&first)
    }

    /// Ends the window, also early.
    pub fn end(&self) {
        self.phase.store(ENDED, Ordering::Release);
    }

    /// Whether to count what has just ended.
    pub fn is_open(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OPEN
    }

    /// Whether to end.
    pub fn has_ended(&self) -> bool {
        self.phase.load(Ordering::Acquire) == ENDED
    }

    /// Calls again and again until the window ends, counting `ops` for each call.
    pub fn work(&self, ops: u64, mut call: impl FnMut() -> Result<()>) -> Result<Tally> {
        let mut tally = Tally::new()?;
        while !self.has_ended() {
            let started = Instant::now();
            call().inspect_err(|_| self.end())?;
            if self.is_open() {
                tally.ops += ops;
                tally.record(started.elapsed());
            }
        }
        Ok(tally)
    }

    fn sleep(&self, duration: Duration) {
        let until = Instant::now() + duration;
        while !self.has_ended() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(SLICE));
        }
    }
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Result<Tally> {
        Ok(Tally { ops: 0, latencies: Histogram::new(3).map_err(Failure::of)? })
    }

    /// Counts one latency.
    pub fn record(&mut self, latency: Duration) {
        // The histogram grows with its values.
        let _ = self.latencies.record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds what another worker counted.
    pub fn add(&mut self, other: &Tally) -> Result<()> {
        self.ops += other.ops;
        self.latencies.add(&other.latencies).map_err(Failure::of)
    }
}

const WARM_UP: u8 = 0;
const OPEN: u8 = 1;
const ENDED: u8 = 2;
/// How soon a failure of a worker ends the window.
const SLICE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ends_inside_the_window_is_counted() {
        let window = Window::new();
        let mut calls = 0;
        let tally = window.work(1, || {
            calls += 1;
            match calls {
                3 => window.phase.store(OPEN, Ordering::Release),
                6 => window.end(),
                _ => {}
            }
            Ok(())
        });
        // The third to the fifth call ended while it was open.
        assert_eq!(tally.unwrap().ops, 3);
    }

    #[test]
    fn a_worker_that_fails_ends_the_window() {
        let window = Window::new();
        let failed = window.work(1, || Err(Failure::Failed("gone".into())));
        assert!(failed.is_err() && window.has_ended());
    }
}
