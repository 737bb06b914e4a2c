//! What a log may hold after a crash, by what it was told and what it acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};

use super::effect::{Effect, Numbered};
use super::event::Event;
use crate::record;

/// What an opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The LSN of the first record, or where it would be.
    pub first: u64,
    /// The records, each as the hash of its bytes.
    pub records: Vec<u64>,
    /// The values, likewise.
    pub values: BTreeMap<u8, u64>,
}

/// How a log broke its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// Something acknowledged is not there.
    Lost,
    /// Something is there that was not appended, or not like this.
    Wrong,
}

/// What was done to a log, in the order of a recording.
#[derive(Debug)]
pub struct Ledger {
    start: Vec<Model>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    begun: usize,
    end: usize,
    outcome: Outcome,
    effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Acknowledged,
    Failed,
    Open,
}

impl Ledger {
    /// Reads the marks of a recording that began without a log, whose first record will have this
    /// LSN.
    ///
    /// # Errors
    ///
    /// If there is one that no workload writes.
    pub fn of(events: &[Event], first: u64) -> Result<Ledger, String> {
        Ledger::after(vec![Model::new(first)], events)
    }

    /// Reads the marks of a recording that began with a log in one of these states.
    ///
    /// # Errors
    ///
    /// If there is one that no workload writes.
    pub fn after(start: Vec<Model>, events: &[Event]) -> Result<Ledger, String> {
        let mut entries: Vec<Entry> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let Event::Mark(line) = event else { continue };
            match (line.split_once(' '), line.as_str(), entries.last_mut()) {
                (Some(("begin", effect)), ..) => entries.push(Entry {
                    begun: at,
                    end: usize::MAX,
                    outcome: Outcome::Open,
                    effect: effect.parse()?,
                }),
                (Some(("data", _)), ..) => {}
                (_, "done", Some(entry)) => {
                    (entry.end, entry.outcome) = (at, Outcome::Acknowledged)
                }
                (_, "failed", Some(entry)) => (entry.end, entry.outcome) = (at, Outcome::Failed),
                _ => return Err(line.clone()),
            }
        }
        Ok(Ledger { start, entries })
    }

    /// The states the log may be in when everything stopped before the event at `cut`.
    pub fn candidates(&self, cut: usize) -> Vec<Model> {
        let mut models = self.start.clone();
        for entry in &self.entries {
            if entry.begun >= cut {
                break;
            }
            if entry.end < cut && entry.outcome == Outcome::Acknowledged {
                models.iter_mut().for_each(|model| model.apply(&entry.effect, true));
                continue;
            }
            let mut after = models.clone();
            after.iter_mut().for_each(|model| model.apply(&entry.effect, false));
            models.extend(after);
        }
        models
    }

    /// The operations before the event at `cut`, the last few of them, for a story.
    pub fn last_operations(&self, cut: usize) -> String {
        let begun: Vec<_> = self.entries.iter().filter(|entry| entry.begun < cut).collect();
        let last = &begun[begun.len().saturating_sub(OPERATIONS_TOLD)..];
        let lines = last.iter().map(|entry| {
            let outcome = if entry.end < cut { entry.outcome } else { Outcome::Open };
            format!("    {} ({outcome:?})\n", entry.effect)
        });
        lines.collect()
    }
}

/// Holds what was found against what may be there.
///
/// # Errors
///
/// Why none of the states that may be there is the one that was found.
pub fn judge(found: &Found, candidates: &[Model]) -> Result<(), (Broken, String)> {
    let mut last = (Broken::Wrong, String::new());
    for model in candidates {
        match model.holds(found) {
            Ok(()) => return Ok(()),
            Err(objection) => last = objection,
        }
    }
    Err(last)
}

/// Holds what was found against what may be there; what may be there from then on, because an
/// opening that serves something has made it durable.
///
/// # Errors
///
/// Why none of the states that may be there is the one that was found.
pub fn served(found: &Found, candidates: &[Model]) -> Result<Vec<Model>, (Broken, String)> {
    judge(found, candidates)?;
    let next = found.first + found.records.len() as u64;
    let values = found.values.iter().map(|(key, hash)| (*key, *hash)).collect();
    let effect = Effect::Opened(found.first, next, values);
    let mut models: Vec<_> =
        candidates.iter().filter(|model| model.holds(found).is_ok()).cloned().collect();
    models.iter_mut().for_each(|model| model.apply(&effect, true));
    Ok(models)
}

/// A log after a number of operations.
#[derive(Clone, Debug)]
pub struct Model {
    first: u64,
    /// LSN of `records[0]`; trimmed records stay, because a trim in flight may not have happened.
    base: u64,
    records: Vec<u64>,
    /// Every next LSN the log may have: the ends of appends and the places it was cut at.
    ends: BTreeSet<u64>,
    /// The next LSN is at least this.
    least: u64,
    values: BTreeMap<u8, u64>,
}

impl Model {
    fn new(first: u64) -> Model {
        Model {
            first,
            base: first,
            records: Vec::new(),
            ends: BTreeSet::from([first]),
            least: first,
            values: BTreeMap::new(),
        }
    }

    fn next(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    fn apply(&mut self, effect: &Effect, acknowledged: bool) {
        match effect {
            Effect::Append(durable, records) => {
                self.records.extend(records.iter().map(|record| hash_of(*record)));
                self.ends.insert(self.next());
                if acknowledged && *durable {
                    self.least = self.next();
                }
            }
            Effect::Trim(before) => {
                self.first = self.first.max(*before);
                self.least = self.least.max(self.first);
            }
            Effect::Truncate(after) => self.cut_at(after + 1),
            Effect::Opened(first, next, values) => {
                self.first = *first;
                self.cut_at(*next);
                self.values = values.iter().copied().collect();
            }
            Effect::Reset(next) => {
                *self = Model { values: std::mem::take(&mut self.values), ..Model::new(*next) };
            }
            Effect::Values(changes) => {
                for (key, value) in changes {
                    match value {
                        Some(value) => self.values.insert(*key, hash_of(*value)),
                        None => self.values.remove(key),
                    };
                }
            }
            Effect::Sync if acknowledged => self.least = self.least.max(self.next()),
            Effect::Sync | Effect::Open => {}
        }
    }

    fn cut_at(&mut self, next: u64) {
        self.records.truncate(next.saturating_sub(self.base) as usize);
        self.ends.retain(|end| *end <= next);
        self.ends.insert(next);
        self.least = next;
    }

    fn holds(&self, found: &Found) -> Result<(), (Broken, String)> {
        let next = found.first + found.records.len() as u64;
        let (lost, wrong) = (|text| Err((Broken::Lost, text)), |text| Err((Broken::Wrong, text)));
        if next < self.least {
            return lost(format!("{} is the next LSN, {} was durable", next, self.least));
        }
        if found.first != self.first {
            return wrong(format!("it begins at {} and not at {}", found.first, self.first));
        }
        if !self.ends.contains(&next) {
            return wrong(format!("it ends before {next}: inside a batch, or where it never did"));
        }
        for (lsn, hash) in (found.first..).zip(&found.records) {
            let place = lsn.checked_sub(self.base).map(|place| place as usize);
            if place.and_then(|place| self.records.get(place)) != Some(hash) {
                return wrong(format!("record {lsn} is not what was appended"));
            }
        }
        if found.values != self.values {
            return wrong(format!("the values are {:?}, not {:?}", found.values, self.values));
        }
        Ok(())
    }
}

/// The hash of bytes that were found.
pub fn hash_of_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn hash_of((number, len): Numbered) -> u64 {
    hash_of_bytes(&record(number, len))
}

const OPERATIONS_TOLD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lines: &[&str]) -> Ledger {
        let events: Vec<_> = lines.iter().map(|line| Event::Mark((*line).to_owned())).collect();
        Ledger::of(&events, 1).expect("the lines are marks")
    }

    fn judged(ledger: &Ledger, found: &Found, cut: usize) -> Result<(), (Broken, String)> {
        judge(found, &ledger.candidates(cut))
    }

    fn found(first: u64, records: &[Numbered]) -> Found {
        let records = records.iter().map(|record| hash_of(*record)).collect();
        Found { first, records, values: BTreeMap::new() }
    }

    #[test]
    fn an_acknowledged_record_must_be_there_and_one_begun_may() {
        let lines = ["begin append durable 0:9", "done", "begin append durable 1:9"];
        let ledger = ledger(&lines);
        assert_eq!(judged(&ledger, &found(1, &[(0, 9)]), 3), Ok(()));
        assert_eq!(judged(&ledger, &found(1, &[(0, 9), (1, 9)]), 3), Ok(()));
        let lost = judged(&ledger, &found(1, &[]), 3);
        assert!(lost.is_err_and(|(broken, _)| broken == Broken::Lost));
        assert_eq!(judged(&ledger, &found(1, &[]), 1), Ok(()));
        let early = judged(&ledger, &found(1, &[(0, 9), (1, 9)]), 2);
        assert!(early.is_err_and(|(broken, _)| broken == Broken::Wrong));
    }

    #[test]
    fn a_batch_is_whole_and_what_an_opening_served_stays() {
        let lines = ["begin append pending 0:9 1:9", "failed", "begin opened 1 3", "done"];
        let ledger = ledger(&lines);
        assert!(judged(&ledger, &found(1, &[(0, 9)]), 2).is_err());
        assert_eq!(judged(&ledger, &found(1, &[]), 2), Ok(()));
        assert_eq!(judged(&ledger, &found(1, &[(0, 9), (1, 9)]), 4), Ok(()));
        assert!(
            judged(&ledger, &found(1, &[]), 4).is_err_and(|(broken, _)| broken == Broken::Lost)
        );
    }

    #[test]
    fn a_trim_or_truncation_in_flight_is_done_or_not() {
        let lines =
            ["begin append durable 0:9 1:9 2:9", "done", "begin trim 2", "begin truncate 2"];
        let mut trimmed = ledger(&lines[..3]);
        assert_eq!(judged(&trimmed, &found(1, &[(0, 9), (1, 9), (2, 9)]), 3), Ok(()));
        assert_eq!(judged(&trimmed, &found(2, &[(1, 9), (2, 9)]), 3), Ok(()));
        assert!(judged(&trimmed, &found(3, &[(2, 9)]), 3).is_err());
        trimmed.entries[0].outcome = Outcome::Failed;
        assert_eq!(judged(&trimmed, &found(1, &[]), 3), Ok(()));
    }
}
