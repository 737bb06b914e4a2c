//! The process that uses a log on the mounted disk, and says what it does.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wal_core::{AppendOptions, Level, Log, Lsn, Options};

use super::check;
use super::effect::{Effect, Numbered};
use super::extents;
use super::ledger::{Found, hash_of_bytes};
use super::script::Step;
use crate::{Failed, Subject, System, record};

/// Where a workload says what it is about to do and what it has done. Each word is in the recording
/// when the call returns.
pub struct Marks(Box<dyn Write>);

impl Marks {
    /// Opens the file that takes them.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Marks> {
        Ok(Marks::to(Box::new(OpenOptions::new().write(true).open(path)?)))
    }

    /// Gives each of them to a writer, with one call.
    pub fn to(writer: Box<dyn Write>) -> Marks {
        Marks(writer)
    }

    /// Does something between two marks.
    ///
    /// # Errors
    ///
    /// What doing it says.
    pub fn around<T>(
        &mut self,
        effect: &Effect,
        act: impl FnOnce() -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.say(&format!("begin {effect}"))?;
        let result = act();
        self.say(if result.is_ok() { "done" } else { "failed" })?;
        result
    }

    fn say(&mut self, line: &str) -> Result<(), Failed> {
        self.0.write_all(line.as_bytes()).map_err(failed)
    }
}

/// libwal under a script.
pub struct Workload {
    marks: Marks,
    path: PathBuf,
    options: Options,
    log: Option<Log>,
    appended: u64,
}

impl Workload {
    /// A workload on the log at this path, whose records have numbers from this one on.
    pub fn new(marks: Marks, path: PathBuf, options: Options, appended: u64) -> Workload {
        Workload { marks, path, options, log: None, appended }
    }

    /// The number of the next record.
    pub fn appended(&self) -> u64 {
        self.appended
    }

    /// Opens the log.
    ///
    /// # Errors
    ///
    /// What it says.
    pub fn open(&mut self) -> Result<(), Failed> {
        let (path, options) = (&self.path, self.options.clone());
        let (log, _) =
            self.marks.around(&Effect::Open, || Log::open(path, options).map_err(failed))?;
        self.log = Some(log);
        Ok(())
    }

    /// What the log holds.
    ///
    /// # Errors
    ///
    /// What it says, or how it contradicts itself.
    pub fn found(&self) -> Result<Found, String> {
        let log = self.log().map_err(|Failed(words)| words)?;
        check::read(&log)
    }

    /// Puts what an opening served into the recording.
    ///
    /// # Errors
    ///
    /// If the marks cannot be written.
    pub fn say_opened(&mut self) -> Result<(), Failed> {
        let log = self.log()?;
        let next = log.next_lsn().get();
        let first = log.first_lsn().map_or(next, Lsn::get);
        let values = log.values().list().map_err(failed)?;
        let values = values.iter().filter_map(|(key, value)| {
            let key = key.first()?;
            Some((*key, hash_of_bytes(value)))
        });
        let effect = Effect::Opened(first, next, values.collect());
        self.marks.around(&effect, || Ok(()))
    }

    /// Puts into the recording in which blocks the log has its files.
    ///
    /// # Errors
    ///
    /// If the file system does not tell.
    pub fn say_blocks(&mut self) -> Result<(), Failed> {
        let blocks = extents::of_files_in(&self.path).map_err(failed)?;
        self.marks.say(&format!("data {}", extents::to_words(&blocks)))
    }

    /// Closes the log, whatever it says.
    pub fn drop_log(&mut self) {
        self.log = None;
    }

    /// Closes the log.
    ///
    /// # Errors
    ///
    /// What it says.
    pub fn close(&mut self) -> Result<(), Failed> {
        let Some(log) = self.log.take() else { return Ok(()) };
        self.marks.around(&Effect::Sync, || log.close().map_err(failed))
    }

    /// Does one step.
    ///
    /// # Errors
    ///
    /// What the log says.
    pub fn step(&mut self, step: &Step) -> Result<(), Failed> {
        match step {
            Step::Append(level, lens) => self.append(*level, lens),
            Step::TrimKeeping(kept) => {
                let log = self.log()?;
                self.trim(log.next_lsn().get().saturating_sub(*kept))
            }
            Step::TrimToSegment => {
                let stats = self.log()?.stats().map_err(failed)?;
                self.trim(stats.segments.last().map_or(1, |segment| segment.first_lsn.get()))
            }
            Step::Truncate(count) => self.truncate(*count),
            Step::Reset(far) => {
                let log = self.log()?;
                let next = Lsn::new(log.next_lsn().get() + far).ok_or_else(|| failed("no LSN"))?;
                let effect = Effect::Reset(next.get());
                self.marks.around(&effect, || log.reset_to(next).map_err(failed))
            }
            Step::Set(values) => {
                let changes = values.iter().map(|(key, len)| (*key, Some(self.number(*len))));
                let changes = changes.collect::<Vec<_>>();
                self.change(changes)
            }
            Step::Delete(key) => self.change(vec![(*key, None)]),
            Step::Sync => {
                let log = self.log()?;
                self.marks.around(&Effect::Sync, || log.sync().map(drop).map_err(failed))
            }
            Step::Reopen => self.close().and_then(|()| self.open()),
            Step::Pause => {
                std::thread::sleep(Duration::from_millis(3));
                Ok(())
            }
        }
    }

    fn log(&self) -> Result<Log, Failed> {
        self.log.clone().ok_or_else(|| failed("the log is not open"))
    }

    fn append(&mut self, level: Level, lens: &[usize]) -> Result<(), Failed> {
        let log = self.log()?;
        let numbered: Vec<_> = lens.iter().map(|len| self.number(*len)).collect();
        let records: Vec<_> = numbered.iter().map(|(number, len)| record(*number, *len)).collect();
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let effect = Effect::Append(level == Level::Disk, numbered);
        let append = || log.with(options).append_batch(&records).map(drop).map_err(failed);
        self.marks.around(&effect, append)
    }

    fn trim(&mut self, before: u64) -> Result<(), Failed> {
        let log = self.log()?;
        let first = log.first_lsn().map_or_else(|| log.next_lsn().get(), Lsn::get);
        let before = before.clamp(first, log.next_lsn().get());
        let lsn = Lsn::new(before).ok_or_else(|| failed("no LSN"))?;
        self.marks.around(&Effect::Trim(before), || log.trim(lsn).map(drop).map_err(failed))
    }

    fn truncate(&mut self, count: u64) -> Result<(), Failed> {
        let log = self.log()?;
        let first = log.first_lsn().map_or_else(|| log.next_lsn().get(), Lsn::get);
        let after = (log.next_lsn().get() - 1).saturating_sub(count).max(first - 1);
        let Some(lsn) = Lsn::new(after) else { return Ok(()) };
        self.marks.around(&Effect::Truncate(after), || log.truncate(lsn).map_err(failed))
    }

    fn change(&mut self, changes: Vec<(u8, Option<Numbered>)>) -> Result<(), Failed> {
        let log = self.log()?;
        let bytes: Vec<_> = changes
            .iter()
            .map(|(key, value)| ([*key], value.map(|(number, len)| record(number, len))))
            .collect();
        let update: Vec<_> =
            bytes.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
        let effect = Effect::Values(changes);
        self.marks.around(&effect, || log.values().update(&update).map_err(failed))
    }

    fn number(&mut self, len: usize) -> Numbered {
        self.appended += 1;
        (self.appended - 1, len)
    }
}

/// Appends numbered records to a log of any kind, and closes and opens it now and then.
///
/// # Errors
///
/// What the log says.
pub fn append_and_reopen(
    marks: &mut Marks,
    system: &dyn System,
    path: &Path,
    lens: &[usize],
) -> Result<(), Failed> {
    let rounds = lens.chunks(lens.len().div_ceil(3).max(1));
    let mut number = 0;
    for round in rounds {
        let (log, _) = marks.around(&Effect::Open, || system.open(path))?;
        for len in round {
            append(marks, &*log, (number, *len))?;
            number += 1;
        }
        marks.around(&Effect::Sync, || log.close())?;
    }
    Ok(())
}

fn append(marks: &mut Marks, log: &dyn Subject, (number, len): Numbered) -> Result<(), Failed> {
    let effect = Effect::Append(true, vec![(number, len)]);
    marks.around(&effect, || log.append(&record(number, len)))
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(format!("{error:#}"))
}
