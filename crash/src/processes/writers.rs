//! What a log may hold after many threads have written to it at random.
//!
//! Nobody knows in which order they came, so the log is asked, and its answer is held against what
//! each thread knows: what was acknowledged, where, and what was never appended.

use std::collections::{HashMap, HashSet};

use super::ledger::{Ledger, OK, Outcome};
use super::script::{self, Kind, Op, content, id, key};
use super::verdict::Found;

/// What the threads have noted.
pub struct Writers {
    level: u64,
    ops: HashMap<usize, (Op, Outcome)>,
    thread_of: HashMap<usize, usize>,
    /// The moments at which a sync was begun that succeeded.
    synced: Vec<u64>,
    phase: u64,
}

impl Writers {
    /// Reads the ledger of a driver that is gone.
    ///
    /// # Errors
    /// An operation that failed: nothing was made to fail.
    pub fn of(ledger: &Ledger) -> Result<Writers, String> {
        let mut ops = HashMap::new();
        let mut thread_of = HashMap::new();
        let main = std::iter::once(0..ledger.main_count());
        for (thread, range) in main.chain(ledger.thread_ranges()).enumerate() {
            for index in range {
                let (op, outcome) = (ledger.op(index), ledger.read(index));
                if outcome.begun.is_none() {
                    break;
                }
                if outcome.done.is_some() && outcome.status != OK {
                    let (code, text) = (outcome.status, outcome.text);
                    return Err(format!("operation {index}, {op:?} failed: {code} {text}"));
                }
                ops.insert(index, (op, outcome));
                thread_of.insert(index, thread);
            }
        }
        let synced = |(op, outcome): &(Op, Outcome)| {
            let syncs = matches!(op.kind, Kind::Sync | Kind::Close) && outcome.done.is_some();
            outcome.begun.filter(|_| syncs)
        };
        let synced = ops.values().filter_map(synced).collect();
        Ok(Writers { level: ledger.op(0).a, ops, thread_of, synced, phase: ledger.phase() })
    }

    /// Whether the opening was acknowledged.
    pub fn opened(&self) -> bool {
        self.ops.get(&0).is_some_and(|(_, outcome)| outcome.done.is_some())
    }

    /// Holds what was found against what is known.
    ///
    /// # Errors
    /// The promise that was broken, in words.
    pub fn compare(&self, found: &Found) -> Result<(), String> {
        self.compare_head(found)?;
        self.compare_records(found)?;
        for (index, (op, outcome)) in &self.ops {
            self.compare_append(*index, *op, outcome, found)?;
        }
        self.compare_values(found)
    }

    /// The log begins where the last trim put it.
    fn compare_head(&self, found: &Found) -> Result<(), String> {
        let mut least = 1;
        let mut allowed = HashSet::from([1]);
        for (op, outcome) in self.ops.values() {
            if op.kind == Kind::Trim {
                allowed.insert(outcome.argument);
                if outcome.done.is_some() {
                    least = least.max(outcome.argument);
                }
            }
        }
        match found.first >= least && allowed.contains(&found.first) {
            true => Ok(()),
            false => Err(format!("it begins at {}; it was trimmed to {least}", found.first)),
        }
    }

    /// Every record is one that was appended, once, in the order of its thread.
    fn compare_records(&self, found: &Found) -> Result<(), String> {
        let mut last_of: HashMap<usize, u64> = HashMap::new();
        let mut before = None;
        for (lsn, bytes) in (found.first..).zip(&found.records) {
            let head: [u8; 8] =
                bytes.get(..8).and_then(|head| head.try_into().ok()).unwrap_or_default();
            let number = u64::from_le_bytes(head);
            let (index, member) = ((number >> 16 & 0xff_ffff) as usize, number & 0xffff);
            let known = self.ops.get(&index).filter(|(op, _)| member < count(*op));
            let Some((op, _)) = known else {
                return Err(format!("record {lsn} was appended by nobody"));
            };
            if number != id(self.phase, index, member) || *bytes != content(number, len(*op)) {
                return Err(format!("record {lsn} has bytes nobody appended"));
            }
            let thread = self.thread_of.get(&index).copied().unwrap_or(0);
            if last_of.insert(thread, number).is_some_and(|last| last >= number) {
                return Err(format!("record {lsn} is there twice, or before an earlier one"));
            }
            let follows = before == Some(number.wrapping_sub(1));
            if member > 0 && !follows && lsn != found.first {
                return Err(format!("the batch of record {lsn} is torn at its beginning"));
            }
            let next = found.records.get((lsn + 1 - found.first) as usize);
            let continues = next.is_some_and(|next| next.starts_with(&(number + 1).to_le_bytes()));
            if member + 1 < count(*op) && !continues {
                return Err(format!("the batch of record {lsn} is torn at its end"));
            }
            before = Some(number);
        }
        Ok(())
    }

    /// What was acknowledged is there, where it was said to be.
    fn compare_append(
        &self,
        index: usize,
        op: Op,
        outcome: &Outcome,
        found: &Found,
    ) -> Result<(), String> {
        let Some(done) = outcome.done.filter(|_| count(op) > 0) else { return Ok(()) };
        let next = found.first + found.records.len() as u64;
        for member in 0..count(op) {
            let lsn = outcome.values[0] + member;
            if lsn < found.first {
                continue;
            }
            let Some(bytes) = found.records.get((lsn - found.first) as usize) else {
                let was_synced = self.synced.iter().any(|begun| *begun > done);
                if self.level_of(op) >= script::OS || was_synced {
                    return Err(format!(
                        "record {lsn} (operation {index}, {op:?}) was acknowledged; the log ends \
                         before {next}"
                    ));
                }
                return Ok(());
            };
            if !bytes.starts_with(&id(self.phase, index, member).to_le_bytes()) {
                return Err(format!("record {lsn} is not that of operation {index}, {op:?}"));
            }
        }
        Ok(())
    }

    /// Each thread's value is the one it set last, or the one it was setting.
    fn compare_values(&self, found: &Found) -> Result<(), String> {
        let mut allowed: HashMap<u64, Vec<Option<Vec<u8>>>> = HashMap::new();
        let mut sets: Vec<_> =
            self.ops.iter().filter(|(_, (op, _))| op.kind == Kind::Set).collect();
        sets.sort_by_key(|(index, _)| **index);
        for (index, (op, outcome)) in sets {
            let values = allowed.entry(op.a).or_insert_with(|| vec![None]);
            if outcome.done.is_some() {
                values.clear();
            }
            values.push(Some(content(id(self.phase, *index, 0), op.b)));
        }
        for (name, values) in allowed {
            let name = key(name).into_bytes();
            let value = found.values.iter().find(|(found, _)| *found == name);
            if !values.contains(&value.map(|(_, value)| value.clone())) {
                let name = String::from_utf8_lossy(&name).into_owned();
                return Err(format!("{name} has a value that nobody set last"));
            }
        }
        Ok(())
    }

    fn level_of(&self, op: Op) -> u64 {
        let asked = match op.kind {
            Kind::Append => op.b,
            Kind::Batch => op.c,
            // Nobody waited for it.
            Kind::Submit => script::BUFFERED,
            _ => script::LOGS,
        };
        if asked == script::LOGS { self.level } else { asked }
    }
}

/// How many records an operation appends.
fn count(op: Op) -> u64 {
    match op.kind {
        Kind::Append | Kind::Submit | Kind::AppendPieces | Kind::AppendAt => 1,
        Kind::Batch => op.a,
        _ => 0,
    }
}

/// How long each of them is.
fn len(op: Op) -> u64 {
    if op.kind == Kind::Batch { op.b } else { op.a }
}
