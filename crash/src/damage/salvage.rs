//! The judgement of a repair: what it changes it keeps, what the damage did not reach it keeps in
//! the log, and what it leaves is a log.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{ErrorKind, Log, check};

use super::PartKind;
use super::image::{DIRECTORY, image_of};
use super::readers::{forward, open_to_read};
use super::verdict::{Before, Case};

/// Repairs these files and judges what comes of it.
pub(super) fn judge(case: &Case<'_>, vfs: &MemVfs, before: &Before) -> Result<(), String> {
    let storage = || Arc::new(vfs.clone());
    let report = match check::repair_with(storage(), DIRECTORY, false) {
        Ok(report) => report,
        // Nothing says any more which log this was.
        Err(error) if is_unknown(case, before) => {
            return match error.kind() {
                ErrorKind::Corrupt | ErrorKind::NotFound => Ok(()),
                _ => Err(format!("repair fails: {error:?}")),
            };
        }
        Err(error) => return Err(format!("repair fails: {error:?}")),
    };
    let wrong = |what: String| Err(format!("{what}, after {report:?}"));
    if let Err(what) = evidence_is_kept(vfs, before, report.backup.as_deref()) {
        return wrong(what);
    }
    let verified = check::verify_with(storage(), DIRECTORY, |_, _| {});
    match &verified {
        Ok(verified) if verified.findings.is_empty() => {}
        other => return wrong(format!("a repaired log does not verify: {other:?}")),
    }
    let again = check::repair_with(storage(), DIRECTORY, false);
    if !again.as_ref().is_ok_and(|again| !again.changed) {
        return wrong(format!("a second repair has something to do: {again:?}"));
    }
    let log = match open_to_read(vfs, case.shape) {
        Ok((log, _)) => log,
        Err(error) => return wrong(format!("a repaired log does not open: {error:?}")),
    };
    let read = forward(&log, case.shape)?;
    if let Some(error) = &read.error {
        return wrong(format!("a repaired log is read up to {error:?}"));
    }
    drop(log);
    let kept: BTreeSet<u64> = (read.first.unwrap_or(read.next)..read.next).collect();
    let lost = report.lost.iter().flat_map(|range| range.first.get()..=range.final_.get());
    let lost: BTreeSet<u64> = lost.collect();
    if let Err(what) = losses_are_right(case, &kept, &lost) {
        return wrong(what);
    }
    goes_on(case, vfs, &kept).or_else(wrong)
}

/// Whether the state and every header are gone, or the directory is no log at all.
fn is_unknown(case: &Case<'_>, before: &Before) -> bool {
    case.is_state_touched() || before.len() < case.shape.image.len()
}

/// Every file that is not what it was has a copy of what it was, byte for byte.
fn evidence_is_kept(vfs: &MemVfs, before: &Before, kept: Option<&Path>) -> Result<(), String> {
    let after = image_of(vfs, DIRECTORY.as_ref()).map_err(|error| error.to_string())?;
    for (path, bytes) in before {
        if after.get(path) == Some(bytes) {
            continue;
        }
        let Some(name) = path.file_name() else { continue };
        let copy = kept.map(|kept| vfs.file_bytes(&kept.join(name)));
        if !copy.is_some_and(|copy| copy.is_ok_and(|copy| copy == *bytes)) {
            return Err(format!("no copy is kept of `{}`", path.display()));
        }
    }
    match kept {
        Some(kept) if vfs.list(kept).map_err(|error| error.to_string())?.is_empty() => {
            Err("the directory of copies is empty".into())
        }
        _ => Ok(()),
    }
}

/// What is gone was announced, what is announced is gone, and everything before the first damage is
/// there; where nothing stands before it (nor comes back that was trimmed), something behind it is.
fn losses_are_right(
    case: &Case<'_>,
    kept: &BTreeSet<u64>,
    lost: &BTreeSet<u64>,
) -> Result<(), String> {
    if case.is_state_lost {
        // Where the log began, only the state knew.
        return Ok(());
    }
    let (first, next) = case.shape.lsns();
    let damaged = case.damaged_lsns();
    if let Some(both) = kept.intersection(lost).next() {
        return Err(format!("LSN {both} is called lost and is there"));
    }
    // The torn tail of an unclean stop is nothing that a repair speaks of.
    let silent = |lsn: &u64| case.silent_end().is_some() && damaged.contains(lsn);
    let missing = (first..next).find(|lsn| !kept.contains(lsn) && !lost.contains(lsn));
    if let Some(missing) = missing.filter(|lsn| !silent(lsn)) {
        return Err(format!("LSN {missing} is gone, and not called lost"));
    }
    let Some(&first_damaged) = damaged.first() else {
        return match (first..next).find(|lsn| !kept.contains(lsn)) {
            Some(gone) => Err(format!("LSN {gone} is gone, and no record was damaged")),
            None => Ok(()),
        };
    };
    if let Some(gone) = (first..first_damaged).find(|lsn| !kept.contains(lsn)) {
        return Err(format!("LSN {gone} is gone, and the damage begins at LSN {first_damaged}"));
    }
    let has_rest = (first..next).any(|lsn| !damaged.contains(&lsn));
    let comes_back = |lsn: u64| lsn < first && case.may_forget_a_trim();
    let has_any = kept.iter().any(|&lsn| (first..next).contains(&lsn) || comes_back(lsn));
    if has_rest && !has_any && first_damaged == first && damaged.len() as u64 * 2 < next - first {
        return Err("nothing is left, and most records were not damaged".into());
    }
    Ok(())
}

/// A repaired log is a log: it opens, appends, closes, and opens.
fn goes_on(case: &Case<'_>, vfs: &MemVfs, kept: &BTreeSet<u64>) -> Result<(), String> {
    let open = || Log::open_with(Arc::new(vfs.clone()), DIRECTORY, case.shape.options.clone());
    let (log, _) = open().map_err(|error| format!("opening the repaired log: {error:?}"))?;
    let appended = log.append(b"after the repair").map_err(|error| format!("append: {error:?}"))?;
    log.close().map_err(|error| format!("close: {error:?}"))?;
    drop(log);
    let (log, _) = open().map_err(|error| format!("opening it again: {error:?}"))?;
    for &lsn in kept.iter().next_back().iter().chain(&kept.iter().next()) {
        let record = wal_core::Lsn::new(*lsn).map(|lsn| log.read(lsn));
        match record {
            Some(Ok(record)) => super::readers::is_right(case.shape, &record)?,
            other => return Err(format!("LSN {lsn}, which was kept, is then {other:?}")),
        }
    }
    let read = log.read(appended).map_err(|error| format!("what was appended: {error:?}"))?;
    if read[..] != *b"after the repair" {
        return Err("what was appended has other bytes".into());
    }
    log.close().map_err(|error| format!("close: {error:?}"))
}

impl Case<'_> {
    /// The records in commits that the damage has reached, and in files it left without a header.
    fn damaged_lsns(&self) -> BTreeSet<u64> {
        let mut damaged = BTreeSet::new();
        for (path, runs) in self.changed {
            let touched: Vec<_> = self.shape.anatomy.touched(path, runs).collect();
            let is_header = |kind: PartKind| matches!(kind, PartKind::Header(_));
            let headers = touched.iter().filter(|part| is_header(part.kind)).count();
            for part in touched {
                if part.kind == PartKind::Commit || (headers == 2 && is_header(part.kind)) {
                    damaged.extend(part.lsns.clone());
                }
            }
        }
        damaged
    }
}
