//! A log as an opening found it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wal_core::vfs::Vfs;
use wal_core::{Error, Log, Options, Position, RecoveryReport};

/// The records and values of a log, by the digests of their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The first LSN, also where there is no record.
    pub first: u64,
    /// The records from there on.
    pub records: Vec<u64>,
    /// The values by the one byte of their keys.
    pub values: BTreeMap<u8, u64>,
}

/// Why a log could not be opened and read.
#[derive(Debug)]
pub enum Refusal {
    /// The engine says so.
    Error(Error),
    /// The engine contradicts itself, or panics.
    Broken(String),
}

/// Opens the log and reads everything; holds it against what the log says of itself.
///
/// # Errors
///
/// What the engine says, or how it contradicts itself.
pub fn open(vfs: Arc<dyn Vfs>, options: &Options) -> Result<(Log, Found), Refusal> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let (log, report) = Log::open_with(vfs, "/log", options.clone()).map_err(Refusal::Error)?;
        let found = Found::read(&log)?;
        found.check_report(&report)?;
        Ok((log, found))
    }));
    opened.unwrap_or_else(|panic| Err(Refusal::Broken(words(&*panic))))
}

impl Found {
    /// Reads everything there is.
    ///
    /// # Errors
    ///
    /// What the engine says, or how it contradicts itself.
    pub fn read(log: &Log) -> Result<Found, Refusal> {
        let next = log.next_lsn().get();
        let first = log.first_lsn().map_or(next, |lsn| lsn.get());
        let mut found = Found { first, records: Vec::new(), values: BTreeMap::new() };
        let mut is_dense = true;
        log.replay::<Error>(Position::First, |record| {
            is_dense &= record.lsn().get() == found.next();
            found.records.push(digest(record));
            Ok(ControlFlow::Continue(()))
        })
        .map_err(Refusal::Error)?;
        if !is_dense || found.next() != next {
            let text = format!("records {first}..{next} are said to be there, others are read");
            return Err(Refusal::Broken(text));
        }
        for (key, value) in log.values().list().map_err(Refusal::Error)? {
            let [key] = key[..] else {
                return Err(Refusal::Broken(format!("a key nobody set: {key:?}")));
            };
            found.values.insert(key, digest(&value));
        }
        Ok(found)
    }

    /// The LSN of the next record.
    pub fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// In a few words.
    pub fn summary(&self) -> String {
        format!("records {}..{}, {} values", self.first, self.next(), self.values.len())
    }

    fn check_report(&self, report: &RecoveryReport) -> Result<(), Refusal> {
        let reported =
            (report.first_lsn.map(|lsn| lsn.get()), report.last_lsn.map(|lsn| lsn.get()));
        let is_empty = self.records.is_empty();
        let expected =
            if is_empty { (None, None) } else { (Some(self.first), Some(self.next() - 1)) };
        if reported == expected {
            return Ok(());
        }
        let text = format!("the report says {reported:?}, {} are read", self.summary());
        Err(Refusal::Broken(text))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Error(error) => write!(f, "{:?}: {error}", error.kind()),
            Refusal::Broken(text) => f.write_str(text),
        }
    }
}

/// A number that other bytes have with a probability of about one in 2^64.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut lanes = [bytes.len() as u64; 4];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = fold(*lane, u64::from_le_bytes(*word));
        }
    }
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    for (lane, word) in lanes.iter_mut().zip(last.as_chunks::<8>().0) {
        *lane = fold(*lane, u64::from_le_bytes(*word));
    }
    lanes.iter().fold(0, |sum, lane| fold(sum, *lane))
}

/// What a panic said.
pub fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine panicked: {}", text.unwrap_or("without a word"))
}

fn fold(sum: u64, word: u64) -> u64 {
    let mixed = (sum.rotate_left(29) ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ (mixed >> 32)
}
