//! What a history does to its log, and what the oracle makes of the answer.

use std::collections::BTreeMap;

use wal_core::{AppendOptions, Error, ErrorKind, Level, Log, Lsn};

use super::player::Player;
use super::step::Step;
use crate::model::{Effect, Timed, digest};
use crate::record;

impl Player<'_> {
    /// Does one step to the log.
    ///
    /// # Errors
    ///
    /// An answer that breaks a promise.
    pub(super) fn act(&mut self, step: &Step) -> Result<(), String> {
        let Some(log) = self.log.clone() else { return Ok(()) };
        match step {
            Step::Append(level, lens) => self.append(&log, *level, lens),
            Step::Submit(level, lens) => self.submit(&log, *level, lens),
            Step::Trim(kept) => {
                let before = self.model.next().saturating_sub(*kept).max(self.model.first());
                let Some(lsn) = Lsn::new(before) else { return Ok(()) };
                self.change(Effect::Trim(before), || log.trim(lsn).map(drop))
            }
            Step::Truncate(count) => {
                let next = self.model.next().saturating_sub(*count).max(self.model.first());
                let Some(after) = Lsn::new(next - 1) else { return Ok(()) };
                self.change(Effect::Truncate(next), || log.truncate(after))
            }
            Step::Reset(ahead) => {
                let next = self.model.next() + ahead;
                let Some(lsn) = Lsn::new(next) else { return Ok(()) };
                self.change(Effect::Reset(next), || log.reset_to(lsn))
            }
            Step::Values(changes) => self.change_values(&log, changes),
            Step::Sync => self.change(Effect::Sync, || log.sync().map(drop)),
            _ => Ok(()),
        }
    }

    fn append(&mut self, log: &Log, level: Level, lens: &[usize]) -> Result<(), String> {
        let (records, digests) = self.records(lens);
        let effect = Effect::Append { records: digests, is_batch: true, level };
        let expected = self.model.next();
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let mut got = expected;
        self.change(effect, || {
            let first = match &records[..] {
                [record] => log.with(options).append(record)?,
                records => log.with(options).append_batch(records)?.first,
            };
            got = first.get();
            Ok(())
        })?;
        if got == expected {
            return Ok(());
        }
        Err(format!("an append got LSN {got}, not {expected}"))
    }

    /// Records that are in flight together; each is acknowledged or refused for itself.
    fn submit(&mut self, log: &Log, level: Level, lens: &[usize]) -> Result<(), String> {
        let (records, digests) = self.records(lens);
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let begun = self.vfs.op_count();
        let tickets: Vec<_> =
            records.iter().map(|record| log.with(options).submit(record)).collect();
        let results = tickets.into_iter().map(|ticket| ticket.and_then(|ticket| ticket.wait()));
        let (mut kept, mut unknown) = (Vec::new(), Vec::new());
        let mut has_refused = false;
        for (result, digest) in results.zip(digests) {
            match result {
                Ok(_) if !unknown.is_empty() => {
                    return Err("acknowledged after a record whose outcome is not known".into());
                }
                Ok(lsns) if lsns.first.get() != self.model.next() + kept.len() as u64 => {
                    return Err(format!("a submission got LSN {}", lsns.first));
                }
                Ok(_) => kept.push(digest),
                Err(error) if is_surely_not(&error) => has_refused = true,
                Err(_) => unknown.push(digest),
            }
        }
        if has_refused || !unknown.is_empty() {
            self.blind.push((begun, self.vfs.op_count()));
        }
        if !kept.is_empty() {
            self.note(begun, Effect::Append { records: kept, is_batch: false, level }, true);
        }
        if !unknown.is_empty() {
            let effect = Effect::Append { records: unknown, is_batch: false, level };
            self.note(self.vfs.op_count(), effect, false);
        }
        Ok(())
    }

    fn change_values(&mut self, log: &Log, changes: &[(u8, Option<usize>)]) -> Result<(), String> {
        let changes: BTreeMap<u8, Option<usize>> = changes.iter().copied().collect();
        let changes: Vec<(u8, Option<Vec<u8>>)> =
            changes.into_iter().map(|(key, len)| (key, len.map(|len| self.payload(len)))).collect();
        let digests: Vec<_> = changes
            .iter()
            .map(|(key, value)| (*key, value.as_ref().map(|value| digest(value))))
            .collect();
        self.values.extend(digests.iter().filter_map(|(_, value)| *value));
        self.change(Effect::Values(digests), || {
            let keys: Vec<[u8; 1]> = changes.iter().map(|(key, _)| [*key]).collect();
            let changes: Vec<_> = keys
                .iter()
                .zip(&changes)
                .map(|(key, (_, value))| (&key[..], value.as_deref()))
                .collect();
            log.values().update(&changes)
        })
    }

    /// Does something that has an effect if it succeeds, none if it is refused, and one or the
    /// other if it fails.
    fn change(
        &mut self,
        effect: Effect,
        act: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), String> {
        let begun = self.vfs.op_count();
        match act() {
            Ok(()) => self.note(begun, effect, true),
            Err(error) if is_surely_not(&error) => {
                let acknowledged = self.vfs.op_count();
                let meanwhile = Some(effect);
                self.timeline.push(Timed {
                    begun,
                    acknowledged,
                    effect: Effect::Nothing,
                    meanwhile,
                });
            }
            Err(error) => match error.kind() {
                ErrorKind::Io | ErrorKind::Poisoned => self.note(begun, effect, false),
                kind => return Err(format!("{kind:?}: {error}")),
            },
        }
        Ok(())
    }

    /// New records of these lengths. Any of them may get any of the next LSNs, as long as none is
    /// refused.
    fn records(&mut self, lens: &[usize]) -> (Vec<Vec<u8>>, Vec<u64>) {
        let records: Vec<_> = lens.iter().map(|&len| self.payload(len)).collect();
        let digests: Vec<_> = records.iter().map(|record| digest(record)).collect();
        let next = self.model.next();
        for lsn in next..next + lens.len() as u64 {
            self.ever.entry(lsn).or_default().extend(&digests);
        }
        (records, digests)
    }

    fn payload(&mut self, len: usize) -> Vec<u8> {
        self.appended += 1;
        let mut bytes = record(self.appended, len);
        bytes.truncate(len);
        bytes
    }
}

/// Whether an error says that nothing was done and nothing will be.
fn is_surely_not(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Full | ErrorKind::Timeout | ErrorKind::WouldBlock)
}
