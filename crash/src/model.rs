//! The oracle of the simulations: a list of records and a map of values, and which of their states
//! a crash may leave.

mod found;

use std::collections::{BTreeMap, BTreeSet};

pub use found::{Found, Refusal, digest, open, words};
use wal_core::Level;

/// What an operation does to the log. Records and values are known by the digests of their bytes.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Appends of their own, or a batch.
    Append {
        /// The records.
        records: Vec<u64>,
        /// Whether all of them are there or none.
        is_batch: bool,
        /// What the acknowledgement promises.
        level: Level,
    },
    /// The log begins at this LSN.
    Trim(u64),
    /// The next LSN is this one.
    Truncate(u64),
    /// The log is empty and goes on at this LSN.
    Reset(u64),
    /// These keys get these values, or none.
    Values(Vec<(u8, Option<u64>)>),
    /// Nothing changes but that everything is durable afterwards.
    Sync,
    /// Nothing.
    Nothing,
}

/// A log after a number of operations.
#[derive(Clone, Debug, Hash)]
pub struct Model {
    first: u64,
    /// The LSN of `records[0]`; trimmed records stay, because a trim in flight may not happen.
    base: u64,
    records: Vec<u64>,
    /// Every next LSN the log may have: the ends of batches and the places it was cut at.
    ends: BTreeSet<u64>,
    /// The next LSN is at least this after power loss, and after the death of the process.
    least_after_power_loss: u64,
    least_after_death: u64,
    values: BTreeMap<u8, u64>,
}

/// How everything stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Power was lost.
    PowerLoss,
    /// The process died.
    Death,
}

impl Model {
    /// A new log.
    pub fn new(first: u64) -> Model {
        Model {
            first,
            base: first,
            records: Vec::new(),
            ends: BTreeSet::from([first]),
            least_after_power_loss: first,
            least_after_death: first,
            values: BTreeMap::new(),
        }
    }

    /// The first LSN.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The LSN of the next record.
    pub fn next(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    /// Applies an operation. One that is not acknowledged raises no lower bound.
    pub fn apply(&mut self, effect: &Effect, is_acknowledged: bool) {
        match effect {
            Effect::Append { records, is_batch, level } => {
                for record in records {
                    self.records.push(*record);
                    if !is_batch {
                        self.ends.insert(self.next());
                    }
                }
                self.ends.insert(self.next());
                if is_acknowledged && *level != Level::Buffered {
                    self.least_after_death = self.next();
                }
                if is_acknowledged && *level == Level::Disk {
                    self.least_after_power_loss = self.next();
                }
            }
            Effect::Trim(before) => {
                self.first = self.first.max(*before);
                self.raise(self.first);
            }
            Effect::Truncate(next) => {
                self.records.truncate((next - self.base) as usize);
                self.ends.retain(|end| end < next);
                self.end_at(*next);
            }
            Effect::Reset(next) => {
                self.records.clear();
                self.ends.clear();
                (self.first, self.base) = (*next, *next);
                self.end_at(*next);
            }
            Effect::Values(changes) => {
                for (key, value) in changes {
                    match value {
                        Some(value) => self.values.insert(*key, *value),
                        None => self.values.remove(key),
                    };
                }
            }
            Effect::Sync if is_acknowledged => self.raise(self.next()),
            Effect::Sync | Effect::Nothing => {}
        }
    }

    /// The log is what was found, and all of it is durable.
    pub fn settle(&mut self, found: &Found) {
        let next = found.next();
        self.records.truncate(next.saturating_sub(self.base) as usize);
        self.first = found.first;
        self.ends.clear();
        self.end_at(next);
    }

    /// Why the log found is not a state that such an end may have left; `None` when it is one.
    pub fn objection(&self, found: &Found, end: End) -> Option<String> {
        let least = match end {
            End::PowerLoss => self.least_after_power_loss,
            End::Death => self.least_after_death,
        };
        let next = found.next();
        if found.first != self.first {
            return Some(format!("it begins at LSN {}, not at {}", self.first, found.first));
        }
        if next < least {
            return Some(format!("its next LSN is at least {least}, not {next}"));
        }
        if !self.ends.contains(&next) {
            return Some(format!(
                "its next LSN is one of {:?}, not {next}, which is inside a batch or never was",
                self.ends
            ));
        }
        for (lsn, record) in (found.first..).zip(&found.records) {
            if self.records.get((lsn - self.base) as usize) != Some(record) {
                return Some(format!("record {lsn} is not the one found there"));
            }
        }
        (found.values != self.values)
            .then(|| format!("it has the values {:?}, not {:?}", self.values, found.values))
    }

    fn end_at(&mut self, next: u64) {
        self.ends.insert(next);
        self.least_after_death = next;
        self.least_after_power_loss = next;
    }

    fn raise(&mut self, least: u64) {
        self.least_after_death = self.least_after_death.max(least);
        self.least_after_power_loss = self.least_after_power_loss.max(least);
    }
}

/// When an operation began and when it was acknowledged, in operations of the file system.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Operations of the file system before it.
    pub begun: usize,
    /// Operations of the file system until it was acknowledged; never, if it failed and its outcome
    /// is not known.
    pub acknowledged: usize,
    /// What it does.
    pub effect: Effect,
    /// What it may have done until it was acknowledged, where that is something else.
    pub meanwhile: Option<Effect>,
}

/// What a log that was `before` may be when everything stopped after `op` operations of the file
/// system.
pub fn candidates(before: &Model, timeline: &[Timed], op: usize) -> Vec<Model> {
    let mut model = before.clone();
    for timed in timeline {
        if timed.acknowledged <= op {
            model.apply(&timed.effect, true);
            continue;
        }
        if timed.begun > op {
            break;
        }
        let mut after = model.clone();
        after.apply(timed.meanwhile.as_ref().unwrap_or(&timed.effect), false);
        return vec![model, after];
    }
    vec![model]
}
