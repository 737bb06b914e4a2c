//! Opens what a crash has left and holds it against what is allowed; then goes on with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use wal_core::{Log, Options, Position, check};

use super::ledger::Ledger;
use super::model::{Model, State, Step};
use super::script::{SEGMENT_BYTES, content};

/// What a log was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The LSN of the first record, or of the next one.
    pub first: u64,
    /// The records.
    pub records: Vec<Vec<u8>>,
    /// The values.
    pub values: Values,
}

/// Keys and their values.
pub type Values = Vec<(Vec<u8>, Vec<u8>)>;

/// What was made to fail, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disturbance {
    /// How far the ledger was.
    pub from: Option<u64>,
    /// Whether it was a write or a sync.
    pub writes_fail: bool,
    /// Whether it says that there is no room.
    pub may_be_full: bool,
}

/// Takes what a driver has noted into the model.
///
/// # Errors
/// The promise that was broken, in words.
pub fn take_in(model: &mut Model, ledger: &Ledger, disturbance: Disturbance) -> Result<(), String> {
    for index in 0..ledger.main_count() {
        let (op, outcome) = (ledger.op(index), ledger.read(index));
        let disturbed =
            disturbance.from.is_some_and(|from| outcome.done.is_none_or(|at| at > from));
        let Disturbance { writes_fail, may_be_full, .. } = disturbance;
        let step = Step { phase: ledger.phase(), index, disturbed, writes_fail, may_be_full };
        let taken = model.take(step, op, &outcome);
        taken.map_err(|broken| format!("operation {index}, {op:?}: {broken}"))?;
    }
    Ok(())
}

/// Opens the log in `directory`, compares, appends, closes, verifies, opens and compares again.
///
/// # Errors
/// The promise that was broken, in words.
pub fn judge(directory: &Path, model: &Model) -> Result<(), String> {
    catching(|| {
        go_on(directory, model.exists, |found| matches(found, model))?;
        match model.copies.is_empty() {
            true => Ok(()),
            false => judge_copy(&directory.with_extension("copy"), &model.copies),
        }
    })
}

/// Opens the log, lets `compare` look at it, appends, closes, verifies, opens again.
///
/// # Errors
/// What `compare` says, or the promise that was broken by going on.
pub fn go_on(
    directory: &Path,
    exists: bool,
    compare: impl FnOnce(&Found) -> Result<(), String>,
) -> Result<Found, String> {
    let options = Options {
        segment_bytes: SEGMENT_BYTES,
        ring_bytes: SEGMENT_BYTES,
        create: !exists,
        ..Options::default()
    };
    let opened = Log::open(directory, options.clone());
    let (log, report) = opened.map_err(|error| format!("it does not open: {error}"))?;
    let mut found = contents(&log).map_err(|error| format!("it cannot be read: {error}"))?;
    compare(&found).map_err(|broken| format!("{broken}\nThe opening said: {report:?}"))?;
    let added = [content(1, 3000), content(2, 0), content(3, 100)];
    let appended = append_and_close(&log, &added);
    let (last, values) = appended.map_err(|error| format!("going on: {error}"))?;
    found.records.extend(added);
    found.values = values;
    if last + 1 != found.first + found.records.len() as u64 {
        return Err(format!("the last of three records appended got the LSN {last}"));
    }
    let verified = check::verify(directory, |_, _| {}).map_err(|error| error.to_string())?;
    if !verified.findings.is_empty() || verified.torn_tail.is_some() {
        return Err(format!("closed in order it does not verify: {verified:?}"));
    }
    let options = Options { create: false, ..options };
    let (log, _) =
        Log::open_read_only(directory, options).map_err(|error| format!("again: {error}"))?;
    let again = contents(&log).map_err(|error| format!("again: {error}"))?;
    if again != found {
        return Err(format!("opened again it holds {}, before {}", brief(&again), brief(&found)));
    }
    Ok(found)
}

/// What a log holds.
///
/// # Errors
/// What it says.
pub fn contents(log: &Log) -> wal_core::Result<Found> {
    let mut cursor = log.cursor(Position::First)?;
    let first = cursor.next_lsn().get();
    let mut records = Vec::new();
    while let Some(record) = cursor.next()? {
        records.push(record.to_vec());
    }
    Ok(Found { first, records, values: log.values().list()? })
}

/// Runs a judgement; a panic in it is a broken promise.
pub fn catching(judge: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let caught = catch_unwind(AssertUnwindSafe(judge));
    caught.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("the engine panicked: {}", text.unwrap_or_default()))
    })
}

/// Appends, sets a value, and closes; returns the LSN of the last record, and the values.
fn append_and_close(log: &Log, records: &[Vec<u8>]) -> wal_core::Result<(u64, Values)> {
    let (first, rest) = records.split_at(1);
    log.append(&first[0])?;
    let last = log.append_batch(rest)?.final_;
    log.values().set(b"key-0", b"judged")?;
    let values = log.values().list()?;
    log.close()?;
    Ok((last.get(), values))
}

fn matches(found: &Found, model: &Model) -> Result<(), String> {
    let fits = |state: &State| {
        let next = found.first + found.records.len() as u64;
        state.first == found.first
            && state.listed() == found.values
            && state.cut(next).is_some_and(|cut| {
                let expected = cut.records.iter().map(|record| content(record.id, record.len));
                expected.eq(found.records.iter().cloned())
            })
    };
    if model.states().iter().any(fits) {
        return Ok(());
    }
    let allowed: Vec<_> = model.states().iter().map(|state| explain(state, found)).collect();
    Err(format!("it holds {}, which nothing allows:\n  {}", brief(found), allowed.join("\n  ")))
}

/// Why a state is not what was found.
fn explain(state: &State, found: &Found) -> String {
    let mut text = state.describe();
    let wrong = state
        .records
        .iter()
        .zip(&found.records)
        .position(|(record, bytes)| content(record.id, record.len) != *bytes);
    if state.first != found.first {
        text += ": it begins elsewhere";
    } else if let Some(place) = wrong {
        text += &format!(": record {} has other bytes", state.first + place as u64);
    }
    if state.listed() != found.values {
        let keys: Vec<_> = state.values.keys().collect();
        text += &format!(": other values; keys {keys:?} are expected");
    }
    text
}

fn brief(found: &Found) -> String {
    let keys = found
        .values
        .iter()
        .map(|(key, value)| format!("{} ({} bytes)", String::from_utf8_lossy(key), value.len()));
    let next = found.first + found.records.len() as u64;
    format!("records {}..{next}, values [{}]", found.first, keys.collect::<Vec<_>>().join(", "))
}

fn judge_copy(directory: &Path, states: &[State]) -> Result<(), String> {
    let options = Options { create: false, ..Options::default() };
    let (log, _) = Log::open_read_only(directory, options)
        .map_err(|error| format!("the copy does not open: {error}"))?;
    let found = contents(&log).map_err(|error| format!("the copy cannot be read: {error}"))?;
    let next = found.first + found.records.len() as u64;
    let fits = |state: &State| {
        state.first == found.first
            && state.cut(next).is_some_and(|cut| {
                let expected = cut.records.iter().map(|record| content(record.id, record.len));
                expected.eq(found.records.iter().cloned())
            })
    };
    match states.iter().any(fits) {
        true => Ok(()),
        false => {
            let allowed: Vec<_> = states.iter().map(State::describe).collect();
            Err(format!("the copy holds {}, not {}", brief(&found), allowed.join("; or ")))
        }
    }
}
