//! The workloads P1 to P11, and what of each is compared.

/// What is measured under one name.
#[derive(Debug)]
pub struct Workload {
    /// As the command line names it, unlike any other's.
    pub name: &'static str,
    /// The goal it belongs to. Rows of one goal have their best peer in common.
    pub id: &'static str,
    /// As the report names it.
    pub title: &'static str,
    /// What is done.
    pub work: Work,
    /// Which figure is compared.
    pub figure: Figure,
    /// Threads, tasks or logs.
    pub parallel: usize,
    /// Payload bytes of the log, where that matters, in a full and in a quick run.
    pub bytes: [u64; 2],
    /// Whether the file system matters enough to measure on each.
    pub everywhere: bool,
    /// Rounds when they are not those of the run: what is counted, not timed, needs no more.
    pub rounds: Option<usize>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Threads that append one record each and wait until it is durable.
    Waiting,
    /// Asynchronous tasks that do the same.
    Tasks,
    /// One thread appends records without waiting, and waits for the last.
    Pipelined,
    /// One thread appends 1 MiB of records with one durability point, again and again.
    Batches,
    /// One thread appends records that are acknowledged from memory.
    Buffered,
    /// One thread appends records that are acknowledged from the page cache.
    ToSystem,
    /// Every record is read in order, from the page cache.
    ReplayWarm,
    /// The same from the disk.
    ReplayCold,
    /// Single records are read, anywhere.
    RandomRead,
    /// A log that was closed is opened.
    OpenClosed,
    /// A log whose writer was killed is opened.
    OpenKilled,
    /// The memory of the process while it writes.
    Memory,
    /// What a closed log takes on disk.
    Disk,
    /// Many logs are open and idle.
    Idle,
}

/// The figure of a row that is compared with the floor and the peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Operations per second; more is better.
    Rate,
    /// The median latency; less is better.
    Latency,
    /// Resident memory; less is better.
    Memory,
    /// Bytes on disk for a record; less is better.
    Disk,
}

/// Every workload of `make bench`.
pub const WORKLOADS: &[Workload] = &[
    of("P1", "P1", "1 waiting appender, durable", Work::Waiting, Figure::Latency),
    Workload {
        parallel: 32,
        ..of("P2", "P2", "32 waiting threads, durable", Work::Waiting, Figure::Rate)
    },
    Workload {
        parallel: 32,
        ..of("P3-32", "P3", "32 asynchronous tasks, durable", Work::Tasks, Figure::Rate)
    },
    Workload {
        parallel: 256,
        ..of("P3-256", "P3", "256 asynchronous tasks, durable", Work::Tasks, Figure::Rate)
    },
    of("P4", "P4", "1 pipelined producer, durable", Work::Pipelined, Figure::Rate),
    of("P4-batches", "P4", "1 producer, durable batches of 1 MiB", Work::Batches, Figure::Rate),
    of("P5", "P5", "1 thread, from memory", Work::Buffered, Figure::Rate),
    of("P5-os", "P5", "1 thread, page cache", Work::ToSystem, Figure::Rate),
    Workload {
        everywhere: false,
        ..of("P6-warm", "P6", "replay, warm", Work::ReplayWarm, Figure::Rate)
    },
    of("P6-cold", "P6", "replay, cold", Work::ReplayCold, Figure::Rate),
    Workload {
        everywhere: false,
        ..of("P7", "P7", "random read by position, warm", Work::RandomRead, Figure::Rate)
    },
    Workload {
        bytes: [100 << 20, 32 << 20],
        everywhere: false,
        ..of("P8-closed", "P8", "open, small log, closed", Work::OpenClosed, Figure::Latency)
    },
    Workload {
        bytes: [1 << 30, 256 << 20],
        everywhere: false,
        ..of("P8-closed-large", "P8", "open, large log, closed", Work::OpenClosed, Figure::Latency)
    },
    Workload {
        bytes: [100 << 20, 32 << 20],
        everywhere: false,
        ..of("P8-killed", "P8", "open, small log, killed", Work::OpenKilled, Figure::Latency)
    },
    Workload {
        bytes: [1 << 30, 256 << 20],
        everywhere: false,
        ..of("P8-killed-large", "P8", "open, large log, killed", Work::OpenKilled, Figure::Latency)
    },
    Workload {
        bytes: [1 << 30, 256 << 20],
        everywhere: false,
        rounds: Some(1),
        ..of("P9", "P9", "memory while writing", Work::Memory, Figure::Memory)
    },
    Workload {
        bytes: [1 << 30, 256 << 20],
        rounds: Some(1),
        ..of("P10", "P10", "disk per record, groups of 1 MiB", Work::Disk, Figure::Disk)
    },
    Workload {
        parallel: 1000,
        everywhere: false,
        rounds: Some(1),
        ..of("P11", "P11", "1,000 open idle logs", Work::Idle, Figure::Memory)
    },
];

impl Workload {
    /// What the rows whose best peer is looked for together have in common. A pipeline and batches
    /// are two ways to the same end, and so are memory and page cache.
    pub fn rivals(&self) -> &'static str {
        match self.id {
            "P4" | "P5" => self.id,
            _ => self.name,
        }
    }

    /// Whether the number of syncs decides who is compared.
    pub fn is_told_by_syncs(&self) -> bool {
        self.work == Work::Pipelined || self.work == Work::Waiting && self.parallel == 1
    }

    /// Whether it reads or opens logs that were filled before.
    pub fn reads_prepared(&self) -> bool {
        use Work::{OpenClosed, OpenKilled, RandomRead, ReplayCold, ReplayWarm};
        matches!(self.work, ReplayWarm | ReplayCold | RandomRead | OpenClosed | OpenKilled)
    }

    /// Whether a peer that does not reach the disk has no place in the comparison.
    pub fn is_durable(&self) -> bool {
        matches!(self.work, Work::Waiting | Work::Tasks | Work::Pipelined | Work::Batches)
    }
}

/// The workload of this name.
pub fn by_name(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

const fn of(
    name: &'static str,
    id: &'static str,
    title: &'static str,
    work: Work,
    figure: Figure,
) -> Workload {
    Workload {
        name,
        id,
        title,
        work,
        figure,
        parallel: 1,
        bytes: [256 << 20, 64 << 20],
        everywhere: true,
        rounds: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_has_a_workload_and_every_workload_a_name_of_its_own() {
        for goal in 1..=11 {
            let id = format!("P{goal}");
            assert!(WORKLOADS.iter().any(|workload| workload.id == id), "{id}");
        }
        let mut names: Vec<_> = WORKLOADS.iter().map(|workload| workload.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WORKLOADS.len());
    }
}
