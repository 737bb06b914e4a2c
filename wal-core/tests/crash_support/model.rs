//! The oracle: a vector of records and a map of values, and which of their states a crash may
//! leave.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{Error, Level, Log, Options, Position, RecoveryReport};

pub type Payload = Arc<[u8]>;
pub type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// What an operation of a workload does to the log.
#[derive(Clone, Debug)]
pub enum Effect {
    Append {
        records: Vec<Payload>,
        level: Level,
    },
    /// Records of their own, in flight together.
    Submit {
        records: Vec<Payload>,
        level: Level,
    },
    Trim {
        before: u64,
    },
    Truncate {
        after: u64,
    },
    Reset {
        next: u64,
    },
    Values {
        changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    },
    /// `sync`, `close` and reopening: nothing changes but that everything is durable afterwards.
    Sync,
    /// What was refused because the disk was full.
    Nothing,
}

/// The log after a number of operations.
#[derive(Clone)]
pub struct Model {
    pub first: u64,
    /// LSN of `records[0]`; trimmed records stay, because a trim in flight may not have happened.
    pub base: u64,
    pub records: Vec<Payload>,
    /// Every next LSN the log may have: the ends of batches and the places it was cut at.
    pub ends: BTreeSet<u64>,
    /// The next LSN is at least this after power loss, and after the death of the process.
    pub least_after_power_loss: u64,
    pub least_after_kill: u64,
    pub values: Values,
}

/// A log as an opening found it.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    pub first: u64,
    pub records: Vec<Payload>,
    pub values: Values,
}

impl Model {
    pub fn new(first: u64) -> Model {
        Model {
            first,
            base: first,
            records: Vec::new(),
            ends: BTreeSet::from([first]),
            least_after_power_loss: first,
            least_after_kill: first,
            values: Values::new(),
        }
    }

    pub fn next(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    /// Applies an operation. One that is not acknowledged raises no lower bound.
    pub fn apply(&mut self, effect: &Effect, acknowledged: bool) {
        match effect {
            Effect::Append { records, level } => {
                self.records.extend(records.iter().cloned());
                self.ends.insert(self.next());
                if acknowledged && *level != Level::Buffered {
                    self.least_after_kill = self.next();
                }
                if acknowledged && *level == Level::Disk {
                    self.least_after_power_loss = self.next();
                }
            }
            Effect::Submit { records, level } => {
                for record in records {
                    let records = vec![record.clone()];
                    self.apply(&Effect::Append { records, level: *level }, acknowledged);
                }
            }
            Effect::Trim { before } => {
                self.first = self.first.max(*before);
                self.raise(self.first);
            }
            Effect::Truncate { after } => self.cut_at(after + 1),
            Effect::Reset { next } => {
                self.records.clear();
                self.first = *next;
                self.base = *next;
                self.ends = BTreeSet::from([*next]);
                self.least_after_kill = *next;
                self.least_after_power_loss = *next;
            }
            Effect::Values { changes } => {
                for (key, value) in changes {
                    match value {
                        Some(value) => self.values.insert(key.clone(), value.clone()),
                        None => self.values.remove(key),
                    };
                }
            }
            Effect::Sync if acknowledged => self.raise(self.next()),
            Effect::Sync | Effect::Nothing => {}
        }
    }

    fn cut_at(&mut self, next: u64) {
        self.records.truncate((next - self.base) as usize);
        self.ends.retain(|&end| end <= next);
        self.ends.insert(next);
        self.least_after_kill = next;
        self.least_after_power_loss = next;
    }

    fn raise(&mut self, least: u64) {
        self.least_after_kill = self.least_after_kill.max(least);
        self.least_after_power_loss = self.least_after_power_loss.max(least);
    }

    /// Why the log found is not a state a crash may have left; `None` when it is one.
    pub fn objection(&self, found: &Found, killed: bool) -> Option<String> {
        let least = if killed { self.least_after_kill } else { self.least_after_power_loss };
        let next = found.first + found.records.len() as u64;
        if found.first != self.first {
            return Some(format!("it begins at {} and not at {}", found.first, self.first));
        }
        if next < least {
            return Some(format!("it ends before {next}, {least} was acknowledged"));
        }
        if !self.ends.contains(&next) {
            return Some(format!("it ends before {next}, which is inside a batch or never was"));
        }
        for (lsn, record) in (found.first..).zip(&found.records) {
            if self.records[(lsn - self.base) as usize] != *record {
                return Some(format!("record {lsn} is not what was appended"));
            }
        }
        (found.values != self.values).then(|| "the values are others".to_owned())
    }
}

impl Found {
    /// Opens the log and reads everything.
    pub fn open(vfs: &MemVfs, options: &Options) -> Result<(Log, RecoveryReport, Found), Error> {
        let (log, report) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone())?;
        let found = Found::read(&log)?;
        Ok((log, report, found))
    }

    /// Reads everything there is, and holds it against what the log says of itself.
    pub fn read(log: &Log) -> Result<Found, Error> {
        let next = log.next_lsn().get();
        let mut records = Vec::new();
        let mut lsns = Vec::new();
        log.replay::<Error>(Position::First, |record| {
            lsns.push(record.lsn().get());
            records.push(Payload::from(&record[..]));
            Ok(ControlFlow::Continue(()))
        })?;
        let first = log.first_lsn().map_or(next, |lsn| lsn.get());
        assert_eq!(lsns, (first..next).collect::<Vec<_>>(), "the LSNs are not dense");
        assert_eq!(log.last_lsn().map(|lsn| lsn.get() + 1), (first < next).then_some(next));
        for lsn in [first, first + (next - first) / 2, next - 1] {
            if first <= lsn && lsn < next {
                let record = log.read(wal_core::Lsn::new(lsn).unwrap())?;
                assert_eq!(record[..], records[(lsn - first) as usize][..]);
            }
        }
        Ok(Found { first, records, values: log.values().list()?.into_iter().collect() })
    }

    pub fn summary(&self) -> String {
        let next = self.first + self.records.len() as u64;
        format!("records {}..{next}, {} values", self.first, self.values.len())
    }
}
