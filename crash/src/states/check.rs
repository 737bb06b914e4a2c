//! What has to hold in one state: it opens, shows what it may, takes records, and shows them again
//! after the next crash, wherever that one strikes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{AppendOptions, Level, Log, simulation};

use super::run::{options, payload};
use super::seen::Seen;
use super::subsets;
use crate::model::{End, Found, Model, digest, open, words};

/// Looks at states, each once.
pub struct Checker<'s> {
    seen: &'s Seen,
    /// States that were opened and judged.
    pub states: u64,
}

/// What may be found in a state.
pub enum Expected<'e> {
    /// The log in the middle of an operation.
    Models(&'e [Model], End),
    /// The log as it was when it was last opened, with or without what was appended since.
    Exactly(&'e [Found]),
}

impl<'s> Checker<'s> {
    /// Looks at states that are not among those seen.
    pub fn new(seen: &'s Seen) -> Checker<'s> {
        Checker { seen, states: 0 }
    }

    /// Opens a state, unless it was seen with the same expectation before, and everything that can
    /// be left of that opening and of an append after it.
    ///
    /// # Errors
    ///
    /// The promise that is broken, in words.
    pub fn check(&mut self, state: &MemVfs, expected: &Expected<'_>) -> Result<(), String> {
        let Some(opened) = self.open(state, expected, 0)? else { return Ok(()) };
        let appended = opened.with_record();
        for op in 1..=opened.acknowledged {
            let found = [opened.found.clone(), appended.clone()];
            let expected = match op {
                _ if op < opened.opened => match expected {
                    // Bytes of a process that died were in the page cache alone, and may be gone.
                    Expected::Models(models, End::Death) => {
                        Expected::Models(models, End::PowerLoss)
                    }
                    _ => Expected::Exactly(&found[..1]),
                },
                _ if op < opened.acknowledged => Expected::Exactly(&found),
                _ => Expected::Exactly(&found[1..]),
            };
            let mut result = Ok(());
            let mut moment = state.moment(op);
            subsets::visit(&mut moment, INNER_MOST, INNER_SAMPLE, &mut |left, choices| {
                result = self.check_again(&left, &expected).map_err(|text| {
                    let choices: Vec<_> = choices.iter().map(usize::to_string).collect();
                    format!(
                        "{}, then the next crash after its operation {op} ({}), left {}: {text}",
                        opened.story(),
                        last_ops(&state.ops(), op),
                        if choices.is_empty() { "as it was".into() } else { choices.join(".") },
                    )
                });
                result.is_ok()
            });
            result?;
        }
        Ok(())
    }

    /// Opens what a crash has left of an opening and an append.
    fn check_again(&mut self, state: &MemVfs, expected: &Expected<'_>) -> Result<(), String> {
        let Some(opened) = self.open(state, expected, 1)? else { return Ok(()) };
        let last = state.moment(opened.acknowledged).power_loss(&mut |_| 0);
        let appended = opened.with_record();
        let expected = Expected::Exactly(std::slice::from_ref(&appended));
        self.open(&last, &expected, 2)
            .map(drop)
            .map_err(|text| format!("{}, then the next power loss: {text}", opened.story()))
    }

    /// Opens a state, holds it against what is expected, and appends a record. `None` if it was
    /// seen before.
    fn open(
        &mut self,
        state: &MemVfs,
        expected: &Expected<'_>,
        depth: u64,
    ) -> Result<Option<Opened>, String> {
        let image = state.digest();
        if !self.seen.is_new(image ^ expected.digest()) {
            return Ok(None);
        }
        simulation::forget();
        simulation::seed(SECOND_PROCESS + depth);
        let result = self.open_new(state, expected, depth, image.is_multiple_of(2));
        state.power_off();
        simulation::forget();
        result.map(Some)
    }

    fn open_new(
        &mut self,
        state: &MemVfs,
        expected: &Expected<'_>,
        depth: u64,
        is_one_call: bool,
    ) -> Result<Opened, String> {
        let opened = open(Arc::new(state.clone()), &options());
        let (log, found) = opened.map_err(|refusal| format!("opening says {refusal}"))?;
        self.states += 1;
        expected.accept(&found)?;
        let opened = state.op_count();
        let record = payload(APPENDED + depth, 40);
        append(&log, &record, found.next(), is_one_call)
            .map_err(|text| format!("found {}, then {text}", found.summary()))?;
        let acknowledged = state.op_count();
        state.power_off();
        drop(log);
        Ok(Opened { found, opened, acknowledged, record: digest(&record) })
    }
}

/// What was found, and how far the file system had come when it was opened and when the record
/// after it was acknowledged.
struct Opened {
    found: Found,
    opened: usize,
    acknowledged: usize,
    record: u64,
}

impl Opened {
    fn with_record(&self) -> Found {
        let mut found = self.found.clone();
        found.records.push(self.record);
        found
    }

    fn story(&self) -> String {
        format!(
            "it opened and had {}, record {} was appended",
            self.found.summary(),
            self.found.next()
        )
    }
}

/// Appends a record to a log that was opened, in one call or in two.
fn append(log: &Log, record: &[u8], next: u64, is_one_call: bool) -> Result<(), String> {
    let level = if is_one_call { Level::Disk } else { Level::Os };
    let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
    let act = || log.with(options).append(record).and_then(|lsn| log.sync().map(|_| lsn));
    let act = || match is_one_call {
        true => log.with(options).append(record),
        false => act(),
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)) {
        Ok(Ok(lsn)) if lsn.get() == next => Ok(()),
        Ok(Ok(lsn)) => Err(format!("an append got LSN {lsn}, not {next}")),
        Ok(Err(error)) => Err(format!("an append says {:?}: {error}", error.kind())),
        Err(panic) => Err(words(&*panic)),
    }
}

impl Expected<'_> {
    fn accept(&self, found: &Found) -> Result<(), String> {
        let objections: Vec<_> = match self {
            Expected::Models(models, end) => {
                let objections = models.iter().map(|model| model.objection(found, *end));
                objections.collect::<Option<_>>().unwrap_or_default()
            }
            Expected::Exactly(all) if all.contains(found) => Vec::new(),
            Expected::Exactly(all) => {
                all.iter().map(|one| format!("it has {}", one.summary())).collect()
            }
        };
        if objections.is_empty() {
            return Ok(());
        }
        let expected = objections.join("; or ");
        Err(format!("found {}; expected: {expected}", found.summary()))
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Expected::Models(models, end) => (models, *end == End::Death).hash(&mut hasher),
            Expected::Exactly(all) => all.hash(&mut hasher),
        }
        hasher.finish()
    }
}

fn last_ops(ops: &[String], op: usize) -> String {
    ops[op.saturating_sub(2).min(ops.len())..op.min(ops.len())].join("; ")
}

/// Of more states than this at one moment of an opening a sample is taken, of this size.
const INNER_MOST: usize = 64;
const INNER_SAMPLE: usize = 24;
/// The processes of the workload have the numbers before.
const SECOND_PROCESS: u64 = 1 << 40;
/// No record of a workload has a number from here on.
const APPENDED: u64 = 1 << 32;
