//! What is counted. Each workload brings a log to where its cost no longer changes and then does
//! the same thing a fixed number of times inside [`measured_loop`].

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::Duration;

use wal_core::{AppendOptions, Io, Level, Log, Lsn, Options, Position};

use crate::Outcome;
use crate::gate::Gate;
use crate::material::{self, Material};

/// Something whose instructions are counted, by a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// `submit` at level `Buffered`: claim, copy and checksum.
    SubmitBuffered,
    /// `submit` at level `Disk`, the flusher being busy.
    SubmitDisk,
    /// `append` at level `Disk` by the only appender, which commits and syncs itself.
    AppendDurable,
    /// `append` at level `Os` by the only appender, which commits itself.
    AppendOs,
    /// `append_batch` of 1,000 records at level `Disk`: mostly the commit of a large group.
    AppendBatch,
    /// `replay` of a log of several segments.
    Replay,
    /// `Cursor::next` over the same.
    Cursor,
    /// `read` in an order without a pattern.
    Read,
    /// `open` of a log that was closed.
    OpenClean,
    /// `open` of a log whose writer was killed.
    OpenCrashed,
    /// As `AppendDurable`, past the page cache.
    AppendDirect,
    /// As `AppendBatch`, past the page cache.
    AppendBatchDirect,
}

/// Every workload, in the order of the report.
pub const ALL: &[Workload] = &[
    Workload::SubmitBuffered,
    Workload::SubmitDisk,
    Workload::AppendDurable,
    Workload::AppendOs,
    Workload::AppendBatch,
    Workload::Replay,
    Workload::Cursor,
    Workload::Read,
    Workload::OpenClean,
    Workload::OpenCrashed,
    Workload::AppendDirect,
    Workload::AppendBatchDirect,
];

impl Workload {
    /// Its name in the baseline.
    pub fn name(self) -> &'static str {
        match self {
            Workload::SubmitBuffered => "submit_buffered",
            Workload::SubmitDisk => "submit_disk",
            Workload::AppendDurable => "append_durable",
            Workload::AppendOs => "append_os",
            Workload::AppendBatch => "append_batch_of_1000",
            Workload::Replay => "replay",
            Workload::Cursor => "cursor",
            Workload::Read => "read",
            Workload::OpenClean => "open_clean",
            Workload::OpenCrashed => "open_crashed",
            Workload::AppendDirect => "append_durable_direct",
            Workload::AppendBatchDirect => "append_batch_of_1000_direct",
        }
    }

    /// Whether it needs a file system that can be written past the page cache.
    pub fn is_direct(self) -> bool {
        matches!(self, Workload::AppendDirect | Workload::AppendBatchDirect)
    }
}

/// Runs the workload of this name and prints how often it did what is counted.
///
/// # Errors
/// No such workload, or a log that fails.
pub fn run(name: &str, directory: &Path) -> Outcome<()> {
    let workload = ALL.iter().find(|workload| workload.name() == name);
    let workload = *workload.ok_or_else(|| format!("no workload `{name}`"))?;
    let fresh = directory.join(name);
    let direct = Options { io: Io::Direct, ..material::options() };
    let count = match workload {
        Workload::SubmitBuffered => submit(&fresh, Level::Buffered),
        Workload::SubmitDisk => submit(&fresh, Level::Disk),
        Workload::AppendDurable => append(&fresh, material::options()),
        Workload::AppendOs => append(&fresh, Options { level: Level::Os, ..material::options() }),
        Workload::AppendBatch => append_batch(&fresh, material::options()),
        Workload::Replay => replay(&Material::readable(directory)),
        Workload::Cursor => cursor(&Material::readable(directory)),
        Workload::Read => read(&Material::readable(directory)),
        Workload::OpenClean => open(&Material::clean(directory)),
        Workload::OpenCrashed => open(&Material::crashed(directory)),
        Workload::AppendDirect => append(&fresh, direct),
        Workload::AppendBatchDirect => append_batch(&fresh, direct),
    }?;
    println!("{count}");
    Ok(())
}

/// The only function whose instructions are counted, with all it calls, and only of its own thread:
/// callgrind is told to collect while it runs. It knows it by name, so there must be exactly one
/// of this name, which is why it takes no type parameter; and it must not end in a jump to the
/// work, which is why the result is looked at.
#[inline(never)]
fn measured_loop(work: &mut dyn FnMut() -> wal_core::Result<u64>) -> wal_core::Result<u64> {
    let result = work();
    black_box(&result);
    result
}

fn submit(path: &Path, level: Level) -> Outcome<u64> {
    let gate = Gate::new();
    let (log, _) = Log::open_with(gate.vfs(), path, material::options())?;
    log.append_batch(&vec![material::record(0); WARM_RECORDS])?;
    thread::sleep(SETTLING);
    let door = gate.close();
    let log_of = |level| log.with(AppendOptions { level: Some(level), ..AppendOptions::default() });
    let held = log_of(Level::Os).submit(b"stands at the door")?;
    gate.await_write()?;
    let record = material::record(1);
    let appender = log_of(level);
    // While little waits, a submission at `Buffered` sets a timer once in a millisecond.
    for _ in 0..WARM_SUBMITS {
        drop(appender.submit(&record)?);
    }
    measured_loop(&mut || {
        for _ in 0..SUBMITS {
            drop(appender.submit(black_box(&record))?);
        }
        Ok(SUBMITS)
    })?;
    drop(door);
    held.wait()?;
    log.close()?;
    Ok(SUBMITS)
}

fn append(path: &Path, options: Options) -> Outcome<u64> {
    let (log, _) = Log::open(path, options)?;
    warm_up(&log)?;
    let record = material::record(1);
    for _ in 0..10 {
        log.append(&record)?;
    }
    measured_loop(&mut || {
        for _ in 0..APPENDS {
            black_box(log.append(black_box(&record))?);
        }
        Ok(APPENDS)
    })?;
    log.close()?;
    Ok(APPENDS)
}

fn append_batch(path: &Path, options: Options) -> Outcome<u64> {
    let (log, _) = Log::open(path, options)?;
    warm_up(&log)?;
    let records: Vec<_> = (0..BATCH_RECORDS).map(material::record).collect();
    measured_loop(&mut || {
        for _ in 0..BATCHES {
            black_box(log.append_batch(black_box(&records))?);
        }
        Ok(BATCHES)
    })?;
    log.close()?;
    Ok(BATCHES * BATCH_RECORDS)
}

/// Fills a log until its file is zeroed to the end and nothing is left to do in the background.
fn warm_up(log: &Log) -> Outcome<()> {
    for _ in 0..WARM_BATCHES {
        log.append_batch(&vec![material::record(0); WARM_RECORDS])?;
        // The file is zeroed ahead in steps, each of which a commit sets off.
        thread::sleep(SETTLING);
    }
    Ok(())
}

fn replay(path: &Path) -> Outcome<u64> {
    let (log, _) = Log::open(path, material::options())?;
    let all = |log: &Log| {
        let mut count = 0;
        log.replay(Position::First, |record| {
            black_box(&record[..]);
            count += 1;
            Ok::<_, wal_core::Error>(ControlFlow::Continue(()))
        })?;
        Ok(count)
    };
    all(&log)?;
    let count = measured_loop(&mut || all(&log))?;
    log.close()?;
    Ok(count)
}

fn cursor(path: &Path) -> Outcome<u64> {
    let (log, _) = Log::open(path, material::options())?;
    let all = |log: &Log| {
        let mut cursor = log.cursor(Position::First)?;
        let mut count = 0;
        while let Some(record) = cursor.next()? {
            black_box(&record[..]);
            count += 1;
        }
        Ok(count)
    };
    all(&log)?;
    let count = measured_loop(&mut || all(&log))?;
    log.close()?;
    Ok(count)
}

fn read(path: &Path) -> Outcome<u64> {
    let (log, _) = Log::open(path, material::options())?;
    let some = |log: &Log| {
        for step in 0..READS {
            // Coprime to the number of records: all over the log, no two alike.
            let lsn = Lsn::new(1 + step * 7_919 % material::RECORDS).unwrap_or(Lsn::FIRST);
            black_box(&log.read(lsn)?[..]);
        }
        Ok(READS)
    };
    some(&log)?;
    measured_loop(&mut || some(&log))?;
    log.close()?;
    Ok(READS)
}

fn open(path: &Path) -> Outcome<u64> {
    let mut opened = None;
    measured_loop(&mut || {
        opened = Some(Log::open(path, material::options())?);
        Ok(1)
    })?;
    let (log, _) = opened.ok_or("nothing was opened")?;
    log.close()?;
    Ok(1)
}

/// How long a write that is due to come is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough for what a commit sets off in the background, also on a busy machine.
const SETTLING: Duration = Duration::from_millis(100);
/// Less than the ring holds: nobody makes room while the door is closed.
const SUBMITS: u64 = 2_000;
const WARM_SUBMITS: u64 = 600;
const APPENDS: u64 = 1_000;
const BATCHES: u64 = 5;
const BATCH_RECORDS: u64 = 1_000;
const READS: u64 = 5_000;
/// A quarter of a segment, from which on its file is zeroed to the end.
const WARM_BATCHES: usize = 9;
const WARM_RECORDS: usize = 900;
