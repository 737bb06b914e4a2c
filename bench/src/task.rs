//! One measurement: which system, which work, how much of it, and where.

use std::path::PathBuf;
use std::time::Duration;

/// What a child process is asked to measure.
#[derive(clap::Args, Clone, Debug)]
pub struct Task {
    /// The system, as `wal-bench list` names it.
    #[arg(long)]
    pub system: String,
    /// The workload, as `wal-bench list` names it.
    #[arg(long)]
    pub workload: String,
    /// An empty directory.
    #[arg(long)]
    pub directory: PathBuf,
    /// Where filled logs are kept from one round to the next.
    #[arg(long)]
    pub prepared: PathBuf,
    /// Where the line of JSON goes: standard output belongs to the system under test.
    #[arg(long)]
    pub output: PathBuf,
    /// Bytes of a record.
    #[arg(long, default_value_t = 256)]
    pub record_bytes: usize,
    /// Threads, tasks or logs, where the workload has many.
    #[arg(long, default_value_t = 1)]
    pub parallel: usize,
    /// Payload bytes of the log, where the workload has a size.
    #[arg(long, default_value_t = 64 << 20)]
    pub bytes: u64,
    /// Payload bytes that are in the log before its appends are measured.
    #[arg(long, default_value_t = 0)]
    pub filled: u64,
    /// Followers that read beside the appends.
    #[arg(long, default_value_t = 0)]
    pub followers: usize,
    /// How long to measure, where the workload has no end of its own.
    #[arg(long, default_value_t = 0.5)]
    pub seconds: f64,
    /// How long to work before that.
    #[arg(long, default_value_t = 0.1)]
    pub warm_up: f64,
}

impl Task {
    /// The time to measure.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The time before that.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }

    /// How many records the log of a workload with a size holds.
    pub fn records(&self) -> u64 {
        (self.bytes / self.record_bytes as u64).max(1)
    }

    /// The arguments that make a child do this task.
    pub fn arguments(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let pairs = [
            ("--system", self.system.clone()),
            ("--workload", self.workload.clone()),
            ("--directory", path(&self.directory)),
            ("--prepared", path(&self.prepared)),
            ("--output", path(&self.output)),
            ("--record-bytes", self.record_bytes.to_string()),
            ("--parallel", self.parallel.to_string()),
            ("--bytes", self.bytes.to_string()),
            ("--filled", self.filled.to_string()),
            ("--followers", self.followers.to_string()),
            ("--seconds", self.seconds.to_string()),
            ("--warm-up", self.warm_up.to_string()),
        ];
        let flags = pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        std::iter::once("measure".to_owned()).chain(flags).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    #[test]
    fn a_child_is_asked_for_exactly_the_task() {
        let task = Task {
            system: "libwal (direct)".into(),
            workload: "P4".into(),
            directory: "a b".into(),
            prepared: "c".into(),
            output: "d".into(),
            record_bytes: 4096,
            parallel: 7,
            bytes: 1 << 30,
            filled: 5,
            followers: 3,
            seconds: 0.25,
            warm_up: 0.0,
        };
        let line = std::iter::once("wal-bench".to_owned()).chain(task.arguments());
        let Command::Measure(parsed) = Args::parse_from(line).command else { panic!() };
        assert_eq!(format!("{parsed:?}"), format!("{task:?}"));
    }
}
