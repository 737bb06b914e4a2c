//! The driver in Rust: does what a ledger says, and notes in it what came of it.

#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wal_core::{AppendOptions, Error, ErrorKind, Io, Level, Log, Lsn, Options, Position, ReadMode};

use super::ledger::{Ledger, OK, SKIPPED};
use super::script::{self, Kind, Op, content, digest, id, key, mix};

/// Does what the ledger at `ledger` says to the log in `directory`.
///
/// # Errors
/// Those of the ledger. What the log says is noted.
pub fn drive(directory: &Path, ledger: &Path) -> io::Result<()> {
    let ledger = Ledger::open(ledger)?;
    wait_for_the_tracer();
    let mut driver = Driver { directory: directory.to_owned(), ledger: &ledger, log: None };
    for index in 0..ledger.main_count() {
        driver.step(index);
    }
    Ok(())
}

/// Stops the process: whoever traces it counts from here on.
pub fn wait_for_the_tracer() {
    // SAFETY: sends a signal to the calling thread, nothing else.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// The options of an opening.
pub fn options(op: Op) -> Options {
    Options {
        level: level(op.a).unwrap_or_default(),
        segment_bytes: script::SEGMENT_BYTES,
        ring_bytes: script::SEGMENT_BYTES,
        sync_bytes: Some(op.c).filter(|bytes| *bytes > 0),
        io: if op.b & script::DIRECT != 0 { Io::Direct } else { Io::Auto },
        read_mode: if op.b & script::PREAD != 0 { ReadMode::Pread } else { ReadMode::Map },
        pad_to_block: op.b & script::PAD != 0,
        ..Options::default()
    }
}

/// The digest of all values, as an opening notes it.
pub fn values_digest(values: &[(Vec<u8>, Vec<u8>)]) -> u64 {
    values
        .iter()
        .fold(script::SEED, |state, (key, value)| mix(mix(state, digest(key)), digest(value)))
}

struct Driver<'a> {
    directory: PathBuf,
    ledger: &'a Ledger,
    log: Option<Log>,
}

/// What a successful operation returned.
type Returned = wal_core::Result<[u64; 3]>;

impl Driver<'_> {
    fn step(&mut self, index: usize) {
        let op = self.ledger.op(index);
        match op.kind {
            Kind::Open => {
                self.log = None;
                self.ledger.begin(index, 0);
                let opened = open(&self.directory, op).map(|(log, noted)| {
                    self.log = Some(log);
                    noted
                });
                note(self.ledger, index, opened);
            }
            Kind::Close | Kind::Drop => match self.log.take() {
                Some(log) => {
                    self.ledger.begin(index, 0);
                    let closed = if op.kind == Kind::Close { log.close() } else { Ok(()) };
                    drop(log);
                    note(self.ledger, index, closed.map(|()| [0; 3]));
                }
                None => self.ledger.end(index, SKIPPED, [0; 3], ""),
            },
            Kind::Threads => {
                self.ledger.begin(index, 0);
                self.run_threads();
                self.ledger.end(index, OK, [0; 3], "");
            }
            _ => self.use_log(index, op),
        }
    }

    fn run_threads(&self) {
        std::thread::scope(|scope| {
            for range in self.ledger.thread_ranges() {
                scope.spawn(move || {
                    for index in range {
                        self.use_log(index, self.ledger.op(index));
                    }
                });
            }
        });
    }

    fn use_log(&self, index: usize, op: Op) {
        let Some(log) = &self.log else { return self.ledger.end(index, SKIPPED, [0; 3], "") };
        let argument = argument(log, op);
        self.ledger.begin(index, argument);
        let number = |member| id(self.ledger.phase(), index, member);
        let returned = match op.kind {
            Kind::Append | Kind::Batch | Kind::Submit | Kind::AppendPieces | Kind::AppendAt => {
                append(log, op, argument, &number)
            }
            Kind::ReadAll => read_all(log),
            Kind::Read => lsn(argument)
                .and_then(|lsn| log.read(lsn))
                .map(|record| [record.lsn().get(), digest(&record), 0]),
            Kind::ReadOnly => Log::open_read_only(&self.directory, options(op))
                .and_then(|(log, _)| read_all(&log)),
            _ => change(log, op, argument, &number),
        };
        note(self.ledger, index, returned);
    }
}

fn open(directory: &Path, op: Op) -> wal_core::Result<(Log, [u64; 3])> {
    let (log, _) = Log::open(directory, options(op))?;
    let values = values_digest(&log.values().list()?);
    let noted = [log.first_lsn().map_or(0, Lsn::get), log.next_lsn().get(), values];
    Ok((log, noted))
}

/// What an operation is called with, as far as only the log can tell.
fn argument(log: &Log, op: Op) -> u64 {
    let next = log.next_lsn().get();
    match op.kind {
        Kind::Trim => next.saturating_sub(op.a).max(1),
        Kind::Truncate | Kind::Read => next.saturating_sub(op.a + 1).max(1),
        Kind::Reset => next + op.a,
        Kind::Wait => next.saturating_sub(1).max(1),
        Kind::AppendAt => next,
        _ => 0,
    }
}

fn append(log: &Log, op: Op, argument: u64, number: &dyn Fn(u64) -> u64) -> Returned {
    let at = |level| log.with(AppendOptions { level, ..AppendOptions::default() });
    let record = content(number(0), op.a);
    let appended = match op.kind {
        Kind::Append => at(level(op.b)).append(&record)?,
        Kind::Batch => {
            let records: Vec<_> = (0..op.a).map(|member| content(number(member), op.b)).collect();
            at(level(op.c)).append_batch(&records)?.first
        }
        Kind::Submit => log.submit(&record)?.lsn(),
        Kind::AppendAt => log.append_at(lsn(argument)?, &record)?,
        _ => {
            let (one, rest) = record.split_at(record.len() / 3);
            let (two, three) = rest.split_at(rest.len() / 2);
            log.append_vectored(&[IoSlice::new(one), IoSlice::new(two), IoSlice::new(three)])?
        }
    };
    Ok([appended.get(), 0, 0])
}

fn change(log: &Log, op: Op, argument: u64, number: &dyn Fn(u64) -> u64) -> Returned {
    let values = log.values();
    match op.kind {
        Kind::Sync => log.sync().map(drop)?,
        Kind::Wait => log.wait_durable(lsn(argument)?, Some(PATIENCE)).map(drop)?,
        Kind::Trim => log.trim(lsn(argument)?).map(drop)?,
        Kind::Truncate => log.truncate(lsn(argument)?)?,
        Kind::Reset => log.reset_to(lsn(argument)?)?,
        Kind::Set => values.set(key(op.a).as_bytes(), &content(number(0), op.b))?,
        Kind::Update => values.update(&[
            (key(op.a).as_bytes(), Some(&content(number(0), op.c))),
            (key(op.b).as_bytes(), None),
        ])?,
        Kind::Delete => values.delete(key(op.a).as_bytes()).map(drop)?,
        Kind::Copy => log.copy_to(log.path().with_extension("copy")).map(drop)?,
        Kind::Sleep => std::thread::sleep(Duration::from_millis(op.a)),
        _ => {}
    }
    Ok([0; 3])
}

fn read_all(log: &Log) -> Returned {
    let mut state = script::SEED;
    let mut cursor = log.cursor(Position::First)?;
    let first = cursor.next_lsn().get();
    let mut end = first;
    while let Some(record) = cursor.next()? {
        state = mix(mix(state, record.lsn().get()), digest(&record));
        end = record.lsn().get() + 1;
    }
    Ok([first, end, state])
}

fn note(ledger: &Ledger, index: usize, returned: Returned) {
    match returned {
        Ok(values) => ledger.end(index, OK, values, ""),
        Err(error) => ledger.end(index, code(&error), [0; 3], &error.to_string()),
    }
}

/// The code of an error as in `wal.h`: the kinds in their order, from -1 down.
fn code(error: &Error) -> i64 {
    let place = ErrorKind::ALL.iter().position(|kind| *kind == error.kind());
    place.map_or(SKIPPED, |place| -1 - place as i64)
}

fn lsn(number: u64) -> wal_core::Result<Lsn> {
    Ok(Lsn::new(number).unwrap_or(Lsn::FIRST))
}

fn level(number: u64) -> Option<Level> {
    match number {
        script::BUFFERED => Some(Level::Buffered),
        script::OS => Some(Level::Os),
        script::DISK => Some(Level::Disk),
        _ => None,
    }
}

/// Longer than any wait on a machine that works, and short of the limit after which a driver counts
/// as hanging.
const PATIENCE: Duration = Duration::from_secs(40);
