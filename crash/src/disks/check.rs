//! The process that opens what a crash left, says what it found, and goes on with it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use wal_core::{Error, Level, Log, Options, Position};

use super::ledger::{Found, hash_of_bytes};
use super::script;
use crate::{Failed, System, record};

/// What a check says of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opened with this, and could be gone on with.
    Found(Found),
    /// It did not open.
    DidNotOpen(String),
    /// It opened, and lost or refused what came after.
    DidNotGoOn(String),
    /// It did not answer in time.
    Hung,
    /// The file system did not mount: no log was asked.
    DidNotMount(String),
}

/// Answers requests until there are no more: a line with a seed and a directory is one, and a line
/// with what was found is the answer. A plain log is seen from outside, as any log.
///
/// # Errors
///
/// If nobody listens any more.
pub fn serve(name: &str, plain: bool) -> io::Result<()> {
    let mut answers = io::stdout().lock();
    for request in io::stdin().lock().lines() {
        let request = request?;
        let (seed, directory) = request.split_once(' ').unwrap_or(("0", &request));
        let directory = Path::new(directory);
        let look = || match plain {
            false => look_at_libwal(directory, &script::options(seed.parse().unwrap_or(0))),
            true => match crate::system(name) {
                Some(system) => look_at(directory, &*system),
                None => Verdict::DidNotOpen(format!("there is no log named {name}")),
            },
        };
        let verdict = catch_unwind(AssertUnwindSafe(look))
            .unwrap_or_else(|_| Verdict::DidNotOpen("it panicked".to_owned()));
        writeln!(answers, "{}", verdict.to_line())?;
        answers.flush()?;
    }
    Ok(())
}

fn look_at_libwal(directory: &Path, options: &Options) -> Verdict {
    let opened = Log::open(directory, options.clone()).map_err(words);
    let (log, found) = match opened.and_then(|(log, _)| read(&log).map(|found| (log, found))) {
        Ok(opened) => opened,
        Err(words) => return Verdict::DidNotOpen(words),
    };
    match go_on_with_libwal(log, &found, directory, options) {
        Ok(()) => Verdict::Found(found),
        Err(words) => Verdict::DidNotGoOn(words),
    }
}

fn go_on_with_libwal(
    log: Log,
    found: &Found,
    directory: &Path,
    options: &Options,
) -> Result<(), String> {
    let mut expected = found.clone();
    for len in [5000, 300] {
        let bytes = record(NUMBER_AFTERWARDS, len);
        let at_disk = wal_core::AppendOptions { level: Some(Level::Disk), ..Default::default() };
        let lsn = log.with(at_disk).append(&bytes).map_err(words)?;
        expected.records.push(hash_of_bytes(&bytes));
        if lsn.get() + 1 != expected.first + expected.records.len() as u64 {
            return Err(format!("the next record got LSN {lsn}"));
        }
    }
    log.sync().map_err(words)?;
    log.close().map_err(words)?;
    drop(log);
    let (log, _) = Log::open(directory, options.clone()).map_err(words)?;
    let again = read(&log)?;
    log.close().map_err(words)?;
    match again == expected {
        true => Ok(()),
        false => Err(format!("opened again it is {again:?}, not {expected:?}")),
    }
}

/// Reads everything there is, and holds it against what the log says of itself.
///
/// # Errors
///
/// What the log says, or how it contradicts itself.
pub fn read(log: &Log) -> Result<Found, String> {
    let mut found = Found { first: log.next_lsn().get(), ..Found::default() };
    if let Some(first) = log.first_lsn() {
        found.first = first.get();
    }
    for (lsn, record) in (found.first..).zip(log.cursor(Position::First).map_err(words)?) {
        let record = record.map_err(words)?;
        if record.lsn().get() != lsn {
            return Err(format!("after LSN {} comes {}", lsn - 1, record.lsn()));
        }
        found.records.push(hash_of_bytes(&record));
    }
    if found.first + found.records.len() as u64 != log.next_lsn().get() {
        return Err(format!("its next LSN is {}, its last record another", log.next_lsn()));
    }
    let values = log.values().list().map_err(words)?;
    found.values = values
        .iter()
        .map(|(key, value)| (key.first().copied().unwrap_or(0), hash_of_bytes(value)))
        .collect();
    Ok(found)
}

fn look_at(directory: &Path, system: &dyn System) -> Verdict {
    let (log, records) = match system.open(directory) {
        Ok(opened) => opened,
        Err(Failed(words)) => return Verdict::DidNotOpen(words),
    };
    let hashes: Vec<_> = records.iter().map(|bytes| hash_of_bytes(bytes)).collect();
    let go_on = || {
        let bytes = record(NUMBER_AFTERWARDS, 500);
        log.append(&bytes)?;
        log.close()?;
        let (log, again) = system.open(directory)?;
        log.close()?;
        Ok(again.len() == records.len() + 1 && again.last() == Some(&bytes))
    };
    match go_on() {
        Ok(true) => Verdict::Found(Found { first: 0, records: hashes, values: BTreeMap::new() }),
        Ok(false) => Verdict::DidNotGoOn("what was appended afterwards is not there".to_owned()),
        Err(Failed(words)) => Verdict::DidNotGoOn(words),
    }
}

impl Verdict {
    /// As the line of an answer.
    pub fn to_line(&self) -> String {
        let line = match self {
            Verdict::Found(found) => {
                let records: Vec<_> = found.records.iter().map(u64::to_string).collect();
                let values = found.values.iter().map(|(key, value)| format!("{key}={value}"));
                let values: Vec<_> = values.collect();
                format!("found {}|{}|{}", found.first, records.join(","), values.join(","))
            }
            Verdict::DidNotOpen(words) => format!("unopened {words}"),
            Verdict::DidNotGoOn(words) => format!("stuck {words}"),
            Verdict::Hung => "hung".to_owned(),
            Verdict::DidNotMount(words) => format!("unmounted {words}"),
        };
        line.replace('\n', " ")
    }

    /// Reads the answer of a check. A process that died without one has answered nothing.
    pub fn of_line(line: &str) -> Verdict {
        match line.trim_end().split_once(' ') {
            Some(("found", found)) => match parse(found) {
                Some(found) => Verdict::Found(found),
                None => Verdict::DidNotOpen(format!("it answered {line}")),
            },
            Some(("stuck", words)) => Verdict::DidNotGoOn(words.to_owned()),
            Some(("unopened", words)) => Verdict::DidNotOpen(words.to_owned()),
            _ => Verdict::DidNotOpen("its process died".to_owned()),
        }
    }
}

fn parse(text: &str) -> Option<Found> {
    let mut parts = text.split('|');
    let first = parts.next()?.parse().ok()?;
    let list = |part: Option<&'_ str>| {
        let items = part.unwrap_or("").split(',').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect::<Vec<_>>()
    };
    let records: Option<_> = list(parts.next()).iter().map(|item| item.parse().ok()).collect();
    let values = list(parts.next());
    let values = values.iter().map(|item| {
        let (key, value) = item.split_once('=')?;
        Some((key.parse().ok()?, value.parse().ok()?))
    });
    Some(Found { first, records: records?, values: values.collect::<Option<_>>()? })
}

fn words(error: Error) -> String {
    format!("{error}")
}

/// Of no record that a workload appends.
const NUMBER_AFTERWARDS: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_given() {
        let values = BTreeMap::from([(1, 2), (3, 4)]);
        for verdict in [
            Verdict::Found(Found { first: 7, records: vec![1, 2], values }),
            Verdict::Found(Found::default()),
            Verdict::DidNotOpen("no".to_owned()),
            Verdict::DidNotGoOn("stuck".to_owned()),
        ] {
            assert_eq!(Verdict::of_line(&verdict.to_line()), verdict);
        }
        assert_eq!(Verdict::of_line(""), Verdict::DidNotOpen("its process died".to_owned()));
    }
}
