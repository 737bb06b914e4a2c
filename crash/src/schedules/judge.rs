//! Holds what a crash left against what the threads were told before it.

use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{AppendOptions, Level, Log, Lsn, Options, Position, simulation};

use super::case::LOG;
use super::history::{Append, Change, ChangeKind, Facts, Outcome};

/// How the machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The process died; the kernel has all it was given.
    Process,
    /// The power went.
    Power,
}

/// What is known of a crash.
pub struct Crash<'a> {
    pub facts: &'a Facts,
    /// So many operations had reached the disk.
    pub op: usize,
    pub loss: Loss,
    /// Whether some call of the disk failed: who did not wait does not know what became of it.
    pub has_failed: bool,
}

/// The records found, by LSN, each with the append it is of and its place in there.
type Found<'a> = Vec<(u64, &'a Append, u64)>;

impl Crash<'_> {
    /// Opens what the crash left, and says which promise is broken, if one is.
    pub fn judge(&self, image: &MemVfs, options: &Options, goes_on: bool) -> Result<(), String> {
        let open = || {
            Log::open_with(Arc::new(image.clone()), LOG, options.clone())
                .map_err(|error| format!("the log does not open: {error}"))
        };
        let (log, _) = open()?;
        let records = read_all(&log)?;
        let next = log.next_lsn().get();
        let found = self.known(&records)?;
        self.check_order(&found)?;
        self.check_promised(&found, next)?;
        self.check_gone(&found)?;
        self.check_values(&log)?;
        if !goes_on {
            drop(log);
            simulation::settle();
            return Ok(());
        }
        let disk = AppendOptions { level: Some(Level::Disk), ..AppendOptions::default() };
        let after =
            log.with(disk).append(b"after").map_err(|error| format!("appending again: {error}"))?;
        if after.get() != next {
            return Err(format!("the next LSN was to be {next}, and is {after}"));
        }
        // A second crash right away leaves what was acknowledged now.
        let again = image.crash_at(image.op_count(), &mut |_| 0);
        drop(log);
        simulation::settle();
        let (log, _) = Log::open_with(Arc::new(again), LOG, options.clone())
            .map_err(|error| format!("the log does not open a second time: {error}"))?;
        let more = read_all(&log)?;
        drop(log);
        simulation::settle();
        if more.len() != records.len() + 1 || more[..records.len()] != records[..] {
            let (before, now) = (records.len(), more.len());
            return Err(format!("{before} records, one more, and opened again: {now} records"));
        }
        Ok(())
    }

    /// Only what was appended is there, where it was put, once, and not what was refused.
    fn known(&self, records: &[(u64, Vec<u8>)]) -> Result<Found<'_>, String> {
        let mut found: Found<'_> = Vec::new();
        for (lsn, bytes) in records {
            let known = self.facts.appends.iter().find_map(|append| {
                let index = append.index_of(bytes)?;
                (append.begun.op <= self.op).then_some((append, index))
            });
            let Some((append, index)) = known else {
                return Err(format!("LSN {lsn} holds {} bytes nobody appended", bytes.len()));
            };
            if let Outcome::Absent(kind, _) = append.outcome {
                return Err(format!("LSN {lsn} is there, and its append was refused: {kind:?}"));
            }
            if let Some((first, _)) = append.claimed
                && first + index != *lsn
            {
                return Err(format!("LSN {lsn} holds the record that was given {}", first + index));
            }
            if found.iter().any(|(_, other, at)| other.number + at == append.number + index) {
                return Err(format!("the record at LSN {lsn} is there twice"));
            }
            found.push((*lsn, append, index));
        }
        Ok(found)
    }

    /// LSNs are dense, batches whole, and each thread's records in the order it appended them.
    fn check_order(&self, found: &Found<'_>) -> Result<(), String> {
        for pair in found.windows(2) {
            let [(one, ..), (next, ..)] = pair else { continue };
            if one + 1 != *next {
                return Err(format!("after LSN {one} comes LSN {next}"));
            }
        }
        for (at, (lsn, append, index)) in found.iter().enumerate() {
            let before =
                found[..at].iter().rev().find(|(_, other, _)| other.writer == append.writer);
            if before.is_some_and(|(_, other, i)| other.number + i > append.number + index) {
                return Err(format!(
                    "LSN {lsn} was appended before what the same thread has there"
                ));
            }
            let first = lsn - index;
            let last = first + u64::from(append.count) - 1;
            let count = found.iter().filter(|(_, other, _)| other.number == append.number).count();
            let is_cut = |change: &Change| match change.kind {
                ChangeKind::Trim(before) => before > first,
                ChangeKind::Truncate(after) => after < last,
                ChangeKind::Reset(_) => true,
                _ => false,
            };
            let may_be_cut = self.begun_changes().any(is_cut);
            if count != append.count as usize && !may_be_cut {
                return Err(format!(
                    "of the batch of {} at LSN {first} there are {count} records",
                    append.count
                ));
            }
        }
        Ok(())
    }

    /// What was acknowledged is there.
    fn check_promised(&self, found: &Found<'_>, next: u64) -> Result<(), String> {
        let is_closed = self.facts.changes.iter().any(|change| {
            change.kind == ChangeKind::Close && change.done.is_some_and(|done| done.op <= self.op)
        });
        for append in &self.facts.appends {
            let Some((first, claimed)) = append.claimed else { continue };
            let is_synced = self
                .facts
                .syncs
                .iter()
                .any(|(since, at)| claimed.clock < since.clock && at.op <= self.op);
            let is_all_safe = is_closed || is_synced;
            let is_promised = match (append.outcome, append.level, self.loss) {
                (Outcome::Done(at), Level::Disk, _) => at.op <= self.op || is_all_safe,
                (Outcome::Done(at), Level::Os, Loss::Process) => at.op <= self.op || is_all_safe,
                (Outcome::Absent(..) | Outcome::Unknown(..), ..) => false,
                (Outcome::Open, ..) => is_all_safe && !self.has_failed,
                (Outcome::Done(_), ..) => is_all_safe,
            };
            for lsn in first..first + u64::from(append.count) {
                let is_there = || {
                    let same = |&&(at, other, _): &&(u64, &Append, u64)| {
                        at == lsn && other.number == append.number
                    };
                    found.iter().find(same).is_some()
                };
                if is_promised && !is_there() && !self.may_be_gone(lsn, append.begun.clock) {
                    return Err(format!(
                        "LSN {lsn} ({:?}, record {:#x}) was acknowledged and is lost; the log has \
                         {} records and goes on at {next}",
                        append.level,
                        append.number,
                        found.len()
                    ));
                }
            }
        }
        for mark in self.facts.marks.iter().filter(|mark| mark.at.op <= self.op) {
            if next <= mark.lsn && !self.may_be_cut(mark.lsn, mark.since.clock) {
                return Err(format!(
                    "LSN {} was said to be durable, and the log goes on at {next}",
                    mark.lsn
                ));
            }
        }
        Ok(())
    }

    /// What was taken away, and acknowledged to be, does not come back.
    fn check_gone(&self, found: &Found<'_>) -> Result<(), String> {
        let done = self
            .begun_changes()
            .filter(|change| change.done.is_some_and(|done| done.op <= self.op));
        let is_reset = |change: &Change| matches!(change.kind, ChangeKind::Reset(_));
        let has_reset = self.facts.changes.iter().any(is_reset);
        for change in done {
            for (lsn, append, _) in found {
                let Some((_, claimed)) = append.claimed else { continue };
                let is_gone = match change.kind {
                    ChangeKind::Truncate(after) => *lsn > after,
                    ChangeKind::Reset(_) => true,
                    ChangeKind::Trim(before) => *lsn < before && !has_reset,
                    _ => false,
                };
                if is_gone && claimed.clock < change.begun.clock {
                    return Err(format!("LSN {lsn} is back after {:?}", change.kind));
                }
            }
        }
        Ok(())
    }

    /// The values are those of the last acknowledged change, or of a later one.
    fn check_values(&self, log: &Log) -> Result<(), String> {
        let value = log.values().get(b"version").map_err(|error| format!("values: {error}"))?;
        let text = value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let found: u64 = text.map_or(Ok(0), |text| text.parse()).map_err(|_| "a foreign value")?;
        let version = |change: &Change| match change.kind {
            ChangeKind::Set(version) => version,
            _ => 0,
        };
        let done = |change: &&Change| change.done.is_some_and(|done| done.op <= self.op);
        let least = self.facts.changes.iter().filter(done).map(version).max().unwrap_or(0);
        let most = self.begun_changes().map(version).max().unwrap_or(0);
        if (least..=most).contains(&found) {
            return Ok(());
        }
        Err(format!("the value is {found}: {least} was acknowledged, {most} was asked for"))
    }

    fn begun_changes(&self) -> impl Iterator<Item = &Change> {
        self.facts.changes.iter().filter(|change| change.begun.op <= self.op)
    }

    /// Whether some change that was not over at `since` may have taken this LSN away.
    fn may_be_gone(&self, lsn: u64, since: u64) -> bool {
        let is_trimmed = |change: &Change| match change.kind {
            ChangeKind::Trim(before) => lsn < before,
            _ => false,
        };
        self.begun_changes().any(is_trimmed) || self.may_be_cut(lsn, since)
    }

    fn may_be_cut(&self, lsn: u64, since: u64) -> bool {
        self.begun_changes().any(|change| {
            let is_over = change.done.is_some_and(|done| done.clock < since);
            let is_cut = match change.kind {
                ChangeKind::Truncate(after) => lsn > after,
                ChangeKind::Reset(_) => true,
                _ => false,
            };
            is_cut && !is_over
        })
    }
}

fn read_all(log: &Log) -> Result<Vec<(u64, Vec<u8>)>, String> {
    let failed = |error| format!("reading: {error}");
    let mut records = Vec::new();
    for found in log.cursor(Position::First).map_err(failed)? {
        let found = found.map_err(failed)?;
        records.push((found.lsn().get(), found.to_vec()));
    }
    let first = log.first_lsn().map(Lsn::get);
    if first != records.first().map(|(lsn, _)| *lsn) {
        return Err(format!("the first LSN is said to be {first:?}"));
    }
    Ok(records)
}
