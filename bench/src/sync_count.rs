//! How many data syncs a system makes, counted by the system-call tracer in a run of its own.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::child;
use crate::sample::{Outcome, Sample};
use crate::task::Task;

/// What a traced run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncCount {
    /// Operations of the traced run.
    pub ops: u64,
    /// Data syncs inside its measured time.
    pub syncs: u64,
}

/// What was counted so far. How many syncs a system makes for a record hardly depends on the file
/// system, so each is traced on the first one only.
#[derive(Default)]
pub struct SyncCounts {
    found: HashMap<(String, String), Option<SyncCount>>,
}

impl SyncCounts {
    /// The count of this system under this workload, traced now if it was not before.
    pub fn of(&mut self, task: &Task) -> Option<SyncCount> {
        let key = (task.workload.clone(), task.system.clone());
        *self.found.entry(key).or_insert_with(|| count(task))
    }
}

/// Counts in a short traced run of the task. Nothing is known without a tracer, when the run fails,
/// and of a system that hands its calls to the kernel in a way the tracer does not see.
fn count(task: &Task) -> Option<SyncCount> {
    let trace = task.output.with_extension("trace");
    let _ = fs::remove_file(&trace);
    let flags = ["strace", "-f", "-ttt", "-qq", "--seccomp-bpf", "-e", CALLS, "-o"];
    let path = trace.to_string_lossy().into_owned();
    let wrapper: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).chain([path]).collect();
    let outcome = child::measure(task, LIMIT, &wrapper);
    let calls = fs::read_to_string(&trace).unwrap_or_default();
    let _ = fs::remove_file(&trace);
    match outcome {
        Outcome::Measured(sample) if !calls.contains("io_uring_enter(") => {
            Some(SyncCount { ops: sample.ops, syncs: syncs_within(&calls, &sample) })
        }
        _ => None,
    }
}

/// Calls that began inside the measured time. A call that another thread's call interrupted stands
/// in two lines, of which the second says `resumed`.
fn syncs_within(calls: &str, sample: &Sample) -> u64 {
    let times = calls.lines().filter_map(|line| {
        let (at, call) = line.split_once(' ')?.1.trim_start().split_once(' ')?;
        let is_sync = SYNCS.iter().any(|name| call.starts_with(name));
        is_sync.then(|| at.parse::<f64>().ok())?
    });
    times.filter(|at| (sample.began..=sample.ended).contains(at)).count() as u64
}

const SYNCS: &[&str] = &["fsync(", "fdatasync(", "msync(", "syncfs(", "sync("];
const CALLS: &str = "trace=fsync,fdatasync,msync,syncfs,sync,io_uring_enter";
const LIMIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_inside_the_measured_time_are_counted_once() {
        let calls = "\
101 1000.100000 fdatasync(5)            = 0
101 1001.200000 fdatasync(5)            = 0
102 1001.300000 fsync(6 <unfinished ...>
101 1001.400000 fdatasync(5 <unfinished ...>
102 1001.500000 <... fsync resumed>)    = 0
101 1001.600000 <... fdatasync resumed>) = 0
101 1001.700000 +++ exited with 0 +++
101 1003.000000 fdatasync(5)            = 0
";
        let sample = Sample { began: 1001.0, ended: 1002.0, ..Sample::default() };
        assert_eq!(syncs_within(calls, &sample), 3);
    }
}
