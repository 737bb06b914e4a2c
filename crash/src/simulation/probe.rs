//! One look at what a crash has left: it opens, shows what it may, and takes records that the next
//! crash does not take away.

use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{AppendOptions, Level, Options, simulation};

use super::loss::Loss;
use crate::model::{End, Found, Model, digest, open};
use crate::{Rng, record};

/// Looks at one state. Returns how many were opened and judged on the way.
///
/// # Errors
///
/// The promise that is broken.
pub(super) fn look(
    vfs: &MemVfs,
    op: usize,
    loss: Loss,
    models: &[Model],
    options: &Options,
) -> Result<u64, String> {
    let left = loss.of(vfs, op);
    let mut rng = Rng::new(op as u64 ^ vfs.op_count() as u64);
    begin(&mut rng);
    let (log, mut found) = opened(&left, options)?;
    matching(models, &found, loss.end())?;
    let recovered = left.op_count();
    let before = found.clone();
    let appending = AppendOptions { level: Some(Level::Disk), ..AppendOptions::default() };
    for _ in 0..1 + rng.below(2) {
        let number = 1 << 40 | rng.below(1 << 20) as u64;
        let record = record(number, 8 + [rng.below(200), rng.below(20_000)][rng.below(2)]);
        let lsn = log.with(appending).append(&record);
        let lsn = lsn.map_err(|error| format!("{}; an append says {error}", found.summary()))?;
        if lsn.get() != found.next() {
            return Err(format!("{}; an append got LSN {lsn}", found.summary()));
        }
        found.records.push(digest(&record));
    }
    left.power_off();
    drop(log);
    look_into_opening(&left, recovered, loss, models, &before, options, &mut rng)?;
    let next = Loss::power_loss(&mut rng);
    let later = next.of(&left, left.op_count());
    begin(&mut rng);
    let (log, again) = opened(&later, options)
        .map_err(|text| format!("{}; appended, {next}; {text}", before.summary()))?;
    same(&again, &found).map_err(|text| format!("appended, {next}; {text}"))?;
    let closed = log.close();
    drop(log);
    closed.map_err(|error| format!("appended, {next}; closing says {error}"))?;
    begin(&mut rng);
    let (log, again) = opened(&later, options)
        .map_err(|text| format!("appended, {next}, opened and closed; {text}"))?;
    later.power_off();
    drop(log);
    same(&again, &found).map_err(|text| format!("appended, {next}, opened and closed; {text}"))?;
    simulation::forget();
    Ok(4)
}

/// A crash inside the opening leaves what the opening had found, or what the crash before it might
/// have left as well if only a process died then.
fn look_into_opening(
    left: &MemVfs,
    recovered: usize,
    loss: Loss,
    models: &[Model],
    found: &Found,
    options: &Options,
    rng: &mut Rng,
) -> Result<(), String> {
    let op = rng.below(recovered + 1);
    let next = Loss::power_loss(rng);
    let twice = next.of(left, op);
    begin(rng);
    let told = |text| format!("{next} after operation {op} of the opening; {text}");
    let (log, again) = opened(&twice, options).map_err(told)?;
    twice.power_off();
    drop(log);
    match loss.end() {
        End::Death => matching(models, &again, End::PowerLoss).map(drop).map_err(told),
        End::PowerLoss => same(&again, found).map_err(told),
    }
}

/// The model that a log found is a state of.
///
/// # Errors
///
/// Why it is a state of none.
pub(super) fn matching<'m>(
    models: &'m [Model],
    found: &Found,
    end: End,
) -> Result<&'m Model, String> {
    let mut objections = Vec::new();
    for model in models {
        match model.objection(found, end) {
            None => return Ok(model),
            Some(objection) => objections.push(objection),
        }
    }
    Err(format!("found {}; expected: {}", found.summary(), objections.join("; or ")))
}

pub(super) fn opened(vfs: &MemVfs, options: &Options) -> Result<(wal_core::Log, Found), String> {
    let opened = open(Arc::new(vfs.clone()), options);
    opened.map_err(|refusal| format!("opening says {refusal}"))
}

pub(super) fn same(found: &Found, expected: &Found) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("found {}, expected {}", found.summary(), expected.summary())),
    }
}

/// Another process begins.
pub(super) fn begin(rng: &mut Rng) {
    simulation::forget();
    simulation::seed(rng.next());
}
