//! What a log may hold after what its driver has noted: every state that the promises of
//! `docs/DURABILITY.md` allow, and no other.

use std::collections::BTreeMap;

use super::ledger::{OK, Outcome};
use super::script::{self, Kind, Op, content, digest, id, key, mix};

/// The states a log may be in.
///
/// There is more than one after an operation that was not seen to end, or ended with an error that
/// leaves its outcome open; what the driver saw later rules some of them out again.
#[derive(Clone, Debug)]
pub struct Model {
    states: Vec<State>,
    /// The level of the log as it is open.
    level: u64,
    /// Whether an opening was ever acknowledged: then the log is there for good.
    pub exists: bool,
    /// Whether a failure since the last opening has left something open: the log may be poisoned.
    failed: bool,
    /// Whether an outcome was left open since the last opening.
    is_open_ended: bool,
    /// What a copy may hold, once it was acknowledged.
    pub copies: Vec<State>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The LSN of the first record, or of the next one.
    pub first: u64,
    /// The records from there on.
    pub records: Vec<Expected>,
    /// Everything below survives the death of the process.
    pub survives: u64,
    /// Everything below is durable.
    durable: u64,
    /// The values by key: the number and length of their contents.
    pub values: BTreeMap<u64, (u64, u64)>,
}

/// A record that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its number.
    pub id: u64,
    /// Its length.
    pub len: u64,
    /// The operation that appended it, where that was a batch.
    batch: Option<u64>,
    /// Whether it was acknowledged, if only as buffered.
    acknowledged: bool,
}

/// Where an operation stands: in which phase of the log's life, at which place of the script.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The phase.
    pub phase: u64,
    /// The place.
    pub index: usize,
    /// Whether something was made to fail before or in it.
    pub disturbed: bool,
    /// Whether what fails writes or syncs: then no failure leaves the log as it was.
    pub writes_fail: bool,
    /// Whether what fails says that there is no room: then what was handed over and not yet
    /// acknowledged may be refused later, and nobody but its ticket is told.
    pub may_be_full: bool,
}

impl Default for Model {
    fn default() -> Model {
        let none = State {
            first: 1,
            records: Vec::new(),
            survives: 1,
            durable: 1,
            values: BTreeMap::new(),
        };
        Model {
            states: vec![none],
            level: script::DISK,
            exists: false,
            failed: false,
            is_open_ended: false,
            copies: Vec::new(),
        }
    }
}

impl Model {
    /// The states that are allowed.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// Takes in what came of an operation.
    ///
    /// # Errors
    /// The promise that was broken, in words.
    pub fn take(&mut self, step: Step, op: Op, outcome: &Outcome) -> Result<(), String> {
        if outcome.begun.is_none() {
            return Ok(());
        }
        if step.disturbed && step.may_be_full {
            self.refuse_later();
        }
        if outcome.done.is_none() {
            self.leave_open(step, op, outcome);
            return Ok(());
        }
        if outcome.status == OK {
            self.succeed(step, op, outcome)
        } else {
            self.fail(step, op, outcome)
        }
    }

    /// Records at the end that were not acknowledged may have been refused.
    fn refuse_later(&mut self) {
        for state in self.states.clone() {
            let mut next = state.next();
            let open = state.records.iter().rev().take_while(|record| !record.acknowledged);
            for _ in open {
                next -= 1;
                let refused = state.cut(next);
                if let Some(refused) = refused.filter(|refused| !self.states.contains(refused)) {
                    self.states.push(refused);
                }
            }
        }
    }

    fn succeed(&mut self, step: Step, op: Op, outcome: &Outcome) -> Result<(), String> {
        if self.failed && REFUSED_WHEN_POISONED.contains(&op.kind) {
            return Err("it succeeded although an append, a sync or a change had failed with an \
                        error that poisons"
                .into());
        }
        let before = std::mem::take(&mut self.states);
        let level = if op.kind == Kind::Open { op.a } else { self.level };
        for state in &before {
            let accepted = state.accepts(step, op, outcome, level);
            if let Some(after) = accepted.filter(|after| !self.states.contains(after)) {
                self.states.push(after);
            }
        }
        if self.states.is_empty() {
            let allowed: Vec<_> = before.iter().map(State::describe).collect();
            self.states = before;
            return Err(format!(
                "it returned {:?}, which fits nothing that is allowed: {}",
                outcome.values,
                allowed.join("; or ")
            ));
        }
        // After a failure a log goes on showing what it showed: that says nothing of what the disk
        // has.
        if self.is_open_ended && READS.contains(&op.kind) {
            self.states = before;
            return Ok(());
        }
        match op.kind {
            Kind::Open => {
                self.level = op.a;
                self.exists = true;
                self.failed = false;
                self.is_open_ended = false;
            }
            // A copy holds what the log shows; where some of it was not durable, that may be less.
            Kind::Copy => {
                let copied = |state: &State| State { survives: state.durable, ..state.clone() };
                self.copies = self.states.iter().map(copied).collect();
            }
            _ => {}
        }
        Ok(())
    }

    fn fail(&mut self, step: Step, op: Op, outcome: &Outcome) -> Result<(), String> {
        let code = outcome.status;
        if !step.disturbed {
            return Err(format!("it failed though nothing was wrong: {code} {}", outcome.text));
        }
        let others = matches!(op.kind, Kind::Truncate | Kind::Reset | Kind::Close);
        let poisons = others || POISONS.contains(&op.kind);
        match code {
            // A system that says `ENOSPC` is full, whatever it was asked for.
            IO | FULL => {}
            POISONED if poisons => {}
            // After a failure the end is not where the script expects it.
            NOT_FOUND if op.kind == Kind::Read || op.kind == Kind::ReadOnly => {}
            TRIMMED if matches!(op.kind, Kind::Read | Kind::Truncate) => {}
            INVALID if op.kind == Kind::Truncate => {}
            _ => {
                return Err(format!(
                    "it failed with an error that no failing system call warrants: {code} {}",
                    outcome.text
                ));
            }
        }
        let known_poisoned = self.failed && code == POISONED;
        if matches!(code, IO | POISONED) && !known_poisoned {
            self.leave_open(step, op, outcome);
            self.is_open_ended = true;
            // Whoever is told so once is told so until the log is opened again.
            self.failed |= code == POISONED || step.writes_fail && POISONS.contains(&op.kind);
        }
        Ok(())
    }

    /// The operation may have happened or not.
    fn leave_open(&mut self, step: Step, op: Op, outcome: &Outcome) {
        for state in self.states.clone() {
            let mut after = state;
            after.change(step, op, outcome, false);
            if !self.states.contains(&after) {
                self.states.push(after);
            }
        }
    }
}

impl State {
    /// The LSN after the last record.
    pub fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// This state with all records from `next` on gone, if a crash may leave that.
    pub fn cut(&self, next: u64) -> Option<State> {
        if next < self.survives.max(self.first) || next > self.next() {
            return None;
        }
        let mut cut = self.clone();
        let dropped = cut.records.split_off((next - self.first) as usize);
        let is_torn = match (cut.records.last(), dropped.first()) {
            (Some(last), Some(first)) => last.batch.is_some() && last.batch == first.batch,
            _ => false,
        };
        (!is_torn).then_some(cut)
    }

    /// The state in words.
    pub fn describe(&self) -> String {
        let (first, next) = (self.first, self.next());
        format!("records {first}..{next}, of which those below {} survive", self.survives)
    }

    /// The keys and values it has, as a log lists them.
    pub fn listed(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let entry =
            |(name, (id, len)): (&u64, &(u64, u64))| (key(*name).into_bytes(), content(*id, *len));
        self.values.iter().map(entry).collect()
    }

    /// The state after an operation that succeeded, if it can have returned that from here.
    fn accepts(&self, step: Step, op: Op, outcome: &Outcome, level: u64) -> Option<State> {
        let [one, two, three] = outcome.values;
        let mut after = self.clone();
        match op.kind {
            Kind::Open => {
                after = self.cut(two)?;
                let first = if after.records.is_empty() { 0 } else { after.first };
                let fits = first == one && three == super::driver::values_digest(&after.listed());
                after.settle();
                return fits.then_some(after);
            }
            Kind::ReadAll | Kind::ReadOnly => {
                let shown = two.checked_sub(self.first)? as usize;
                if one != self.first || two < self.durable || self.digest(shown)? != three {
                    return None;
                }
                after.survives = after.survives.max(two);
                return Some(after);
            }
            Kind::Read => {
                let record = self.records.get(one.checked_sub(self.first)? as usize)?;
                return (digest(&content(record.id, record.len)) == two).then_some(after);
            }
            Kind::Trim if outcome.argument > self.next() => return None,
            Kind::Truncate if outcome.argument + 1 > self.next() => return None,
            _ => {}
        }
        if APPENDS.contains(&op.kind) && one != after.next() {
            return None;
        }
        after.change(step, op, outcome, true);
        after.reach(op, level, outcome.argument);
        Some(after)
    }

    /// What an operation does to the log, whatever is known of its safety.
    fn change(&mut self, step: Step, op: Op, outcome: &Outcome, acknowledged: bool) {
        let number = |member| id(step.phase, step.index, member);
        let argument = outcome.argument;
        match op.kind {
            Kind::Append | Kind::Submit | Kind::AppendPieces | Kind::AppendAt => {
                let acknowledged = acknowledged && op.kind != Kind::Submit;
                let id = number(0);
                self.records.push(Expected { id, len: op.a, batch: None, acknowledged });
            }
            Kind::Batch => {
                let batch = Some(number(0));
                let member =
                    |member| Expected { id: number(member), len: op.b, batch, acknowledged };
                self.records.extend((0..op.a).map(member));
            }
            Kind::Trim if argument <= self.next() => {
                let gone = argument.saturating_sub(self.first) as usize;
                self.records.drain(..gone);
                self.first = self.first.max(argument);
            }
            Kind::Truncate if argument + 1 >= self.first => {
                self.records.truncate((argument + 1 - self.first) as usize);
                self.survives = self.survives.min(self.next());
                self.durable = self.durable.min(self.next());
            }
            Kind::Reset => {
                self.records.clear();
                self.first = argument;
                self.survives = argument;
                self.durable = argument;
            }
            Kind::Set => {
                self.values.insert(op.a, (number(0), op.b));
            }
            Kind::Update => {
                self.values.insert(op.a, (number(0), op.c));
                self.values.remove(&op.b);
            }
            Kind::Delete => {
                self.values.remove(&op.a);
            }
            _ => {}
        }
        self.survives = self.survives.max(self.first);
        self.durable = self.durable.max(self.first);
    }

    /// What the acknowledgement of an operation makes safe.
    fn reach(&mut self, op: Op, level: u64, argument: u64) {
        let asked = match op.kind {
            Kind::Append => op.b,
            Kind::Batch => op.c,
            Kind::AppendPieces | Kind::AppendAt => script::LOGS,
            Kind::Wait => {
                self.survives = self.survives.max(argument + 1);
                self.durable = self.durable.max(argument + 1);
                return;
            }
            Kind::Sync | Kind::Close | Kind::Truncate | Kind::Reset => script::DISK,
            _ => return,
        };
        match if asked == script::LOGS { level } else { asked } {
            script::DISK => self.settle(),
            script::OS => self.survives = self.next(),
            _ => {}
        }
    }

    fn settle(&mut self) {
        self.survives = self.next();
        self.durable = self.next();
    }

    /// The digest of the first `count` records.
    fn digest(&self, count: usize) -> Option<u64> {
        let lsns = self.first..;
        let shown = lsns.zip(self.records.get(..count)?);
        Some(shown.fold(script::SEED, |state, (lsn, record)| {
            mix(mix(state, lsn), digest(&content(record.id, record.len)))
        }))
    }
}

/// What poisons the log when a write or sync of it fails. A truncation or a reset makes room for a
/// segment first; when that fails, nothing was changed, and the log goes on.
const POISONS: [Kind; 11] = [
    Kind::Append,
    Kind::Batch,
    Kind::Sync,
    Kind::Submit,
    Kind::Wait,
    Kind::AppendPieces,
    Kind::AppendAt,
    Kind::Trim,
    Kind::Set,
    Kind::Update,
    Kind::Delete,
];
/// What a poisoned log refuses.
const REFUSED_WHEN_POISONED: [Kind; 5] =
    [Kind::Append, Kind::Batch, Kind::Submit, Kind::AppendPieces, Kind::AppendAt];
const READS: [Kind; 3] = [Kind::Read, Kind::ReadAll, Kind::ReadOnly];
const APPENDS: [Kind; 5] = REFUSED_WHEN_POISONED;

const INVALID: i64 = -1;
const NOT_FOUND: i64 = -2;
const TRIMMED: i64 = -3;
const FULL: i64 = -8;
const POISONED: i64 = -11;
const IO: i64 = -12;
