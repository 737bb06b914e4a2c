//! Every way to read a log, held against what was appended to it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use wal_core::vfs::MemVfs;
use wal_core::{Error, Log, Lsn, Position, Record, RecoveryReport, ReplayOptions};

use super::Shape;
use super::image::DIRECTORY;

/// What a reader was given before it met the end, or an error.
#[derive(Clone, Debug)]
pub struct Read {
    /// The first record.
    pub first: Option<u64>,
    /// The LSN after the last record.
    pub next: u64,
    /// What ended it before its time.
    pub error: Option<Error>,
}

/// Opens the files for reading.
pub(super) fn open_to_read(vfs: &MemVfs, shape: &Shape) -> wal_core::Result<(Log, RecoveryReport)> {
    Log::open_read_only_with(Arc::new(vfs.clone()), DIRECTORY, shape.options.clone())
}

/// Holds records that come in order against those of the shape.
struct Reading<'a> {
    shape: &'a Shape,
    read: Read,
}

impl<'a> Reading<'a> {
    fn new(shape: &'a Shape) -> Reading<'a> {
        Reading { shape, read: Read { first: None, next: 0, error: None } }
    }

    fn take(&mut self, record: &Record) -> Result<(), String> {
        let lsn = record.lsn().get();
        if self.read.first.is_some() && lsn != self.read.next {
            return Err(format!("after LSN {} comes LSN {lsn}", self.read.next - 1));
        }
        is_right(self.shape, record)?;
        self.read.first = self.read.first.or(Some(lsn));
        self.read.next = lsn + 1;
        Ok(())
    }
}

/// Whether this is what was appended under its LSN. What stood before the first record was trimmed:
/// whether it may be seen again is not judged here.
pub(super) fn is_right(shape: &Shape, record: &Record) -> Result<(), String> {
    let (first, next) = shape.lsns();
    let lsn = record.lsn().get();
    if lsn >= next {
        return Err(format!("LSN {lsn} was never part of the log, which ends before {next}"));
    }
    match lsn.checked_sub(first).and_then(|index| shape.records.get(index as usize)) {
        Some((_, bytes)) if bytes[..] != record[..] => {
            Err(format!("LSN {lsn} has bytes that nobody appended"))
        }
        _ => Ok(()),
    }
}

/// From the first record to the last.
pub(super) fn forward(log: &Log, shape: &Shape) -> Result<Read, String> {
    let mut reading = Reading::new(shape);
    let mut cursor = match log.cursor(Position::First) {
        Ok(cursor) => cursor,
        Err(error) => {
            reading.read.error = Some(error);
            return Ok(reading.read);
        }
    };
    loop {
        match cursor.next() {
            Ok(Some(record)) => reading.take(&record)?,
            Ok(None) => return Ok(reading.read),
            Err(error) => {
                reading.read.error = Some(error);
                return Ok(reading.read);
            }
        }
    }
}

/// Reads what there is, whatever it is.
pub(super) fn drain(log: &Log) -> Result<(), String> {
    let cursor = log.cursor(Position::First).map_err(|error| error.to_string())?;
    cursor.take_while(Result::is_ok).for_each(drop);
    Ok(())
}

/// Reads in all other ways, and holds them against what the first one gave.
///
/// Where several places are damaged, each may meet another one of them first.
pub(super) fn all_agree(
    log: &Log,
    shape: &Shape,
    forward: &Read,
    blames: &dyn Fn(&Error) -> Result<(), String>,
) -> Result<(), String> {
    let ways: [(&str, Way); 5] = [
        ("a cursor back", backward),
        ("reads by LSN", by_lsn),
        ("a replay", replay),
        ("a parallel replay", replay_parallel),
        ("a follower", follow),
    ];
    for (name, way) in ways {
        let read = way(log, shape).map_err(|what| format!("{name}: {what}"))?;
        let agrees = match (&forward.error, &read.error) {
            (None, None) => (forward.first, forward.next) == (read.first, read.next),
            (Some(_), Some(other)) => blames(other).is_ok(),
            _ => false,
        };
        if !agrees {
            return Err(format!("{name} gives {read:?}, a cursor {forward:?}"));
        }
    }
    Ok(())
}

type Way = fn(&Log, &Shape) -> Result<Read, String>;

fn backward(log: &Log, shape: &Shape) -> Result<Read, String> {
    let mut read = Read { first: None, next: 0, error: None };
    let mut cursor = match log.cursor(Position::End) {
        Ok(cursor) => cursor,
        Err(error) => return Ok(Read { error: Some(error), ..read }),
    };
    loop {
        match cursor.prev() {
            Ok(Some(record)) => {
                let lsn = record.lsn().get();
                if read.first.is_some_and(|later| later != lsn + 1) {
                    return Err(format!("before LSN {:?} comes LSN {lsn}", read.first));
                }
                is_right(shape, &record)?;
                read.next = read.next.max(lsn + 1);
                read.first = Some(lsn);
            }
            Ok(None) => return Ok(read),
            Err(error) => return Ok(Read { error: Some(error), ..read }),
        }
    }
}

/// Each record by itself: one that is damaged hides no other.
fn by_lsn(log: &Log, shape: &Shape) -> Result<Read, String> {
    let mut read = Read { first: log.first_lsn().map(Lsn::get), next: 0, error: None };
    let Some(first) = log.first_lsn() else { return Ok(read) };
    read.next = log.next_lsn().get();
    for lsn in first.get()..read.next {
        match Lsn::new(lsn).map(|lsn| log.read(lsn)) {
            Some(Ok(record)) => is_right(shape, &record)?,
            Some(Err(error)) if read.error.is_none() => read.error = Some(error),
            _ => {}
        }
    }
    Ok(read)
}

fn replay(log: &Log, shape: &Shape) -> Result<Read, String> {
    let mut reading = Reading::new(shape);
    let mut wrong = None;
    let ended = log.replay::<Error>(Position::First, |record| match reading.take(record) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(what) => {
            wrong = Some(what);
            Ok(ControlFlow::Break(()))
        }
    });
    reading.read.error = ended.err();
    wrong.map_or(Ok(reading.read), Err)
}

fn replay_parallel(log: &Log, shape: &Shape) -> Result<Read, String> {
    let reading = Mutex::new((Reading::new(shape), None));
    let options = ReplayOptions { threads: 2, in_order: true };
    let ended = log.replay_parallel::<Error>(Position::First, options, |record| {
        let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
        match reading.0.take(record) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(what) => {
                reading.1 = Some(what);
                Ok(ControlFlow::Break(()))
            }
        }
    });
    let (mut reading, wrong) = reading.into_inner().unwrap_or_else(PoisonError::into_inner);
    reading.read.error = ended.err();
    wrong.map_or(Ok(reading.read), Err)
}

fn follow(log: &Log, shape: &Shape) -> Result<Read, String> {
    let mut reading = Reading::new(shape);
    let mut follower = match log.follow(Position::First) {
        Ok(follower) => follower,
        Err(error) => {
            reading.read.error = Some(error);
            return Ok(reading.read);
        }
    };
    loop {
        match follower.try_next() {
            Ok(Some(record)) => reading.take(&record)?,
            Ok(None) => return Ok(reading.read),
            Err(error) => {
                reading.read.error = Some(error);
                return Ok(reading.read);
            }
        }
    }
}
