//! `wal append`: one record per line of the files or of standard input.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use clap::value_parser;
use wal_core::limits::{BATCH_RECORDS_MAX, SEGMENT_BYTES_DEFAULT};
use wal_core::{Log, LsnRange, Options, Ticket};

use super::dispatch::tell_recovery;
use crate::args::{Durability, parse_delimiter};
use crate::failure::{Code, Failure, refuse_file};
use crate::lines::{Lines, LinesError};
use crate::output::{Output, note};
use crate::progress::Progress;
use crate::sizes::{format_bytes, format_count, parse_bytes};
use crate::times::format_span;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory; made when it is missing.
    dir: PathBuf,
    /// The files to read; `-`, or none, is standard input. A file's end ends its last record.
    files: Vec<PathBuf>,
    /// What an acknowledgement promises.
    #[arg(long, value_enum, default_value_t)]
    durability: Durability,
    /// Append exactly N records per batch (the last one of an input may be smaller). By default a
    /// batch is what one read of the input brought.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=BATCH_RECORDS_MAX))]
    batch: Option<u64>,
    /// Size of the segments started from now on.
    #[arg(long, value_name = "B", value_parser = parse_bytes)]
    segment_bytes: Option<u64>,
    /// Records end with a NUL byte.
    #[arg(long, conflicts_with = "delimiter")]
    null: bool,
    /// Records end with this byte: itself, \n, \t, \r, \0, \\ or \xHH.
    #[arg(long, value_name = "C", value_parser = parse_delimiter)]
    delimiter: Option<u8>,
    /// Print FIRST-LAST, a line per batch, the moment it is acknowledged.
    #[arg(long)]
    ack: bool,
}

/// Runs it.
pub fn run(args: Args) -> Result<(), Failure> {
    refuse_file(&args.dir)?;
    let inputs = Input::open_all(&args.files)?;
    let total = inputs.iter().map(|input| input.bytes).sum::<Option<u64>>();
    let options = Options {
        level: args.durability.level(),
        segment_bytes: args.segment_bytes.unwrap_or(SEGMENT_BYTES_DEFAULT),
        ..Options::default()
    };
    let feeder = Feeder {
        batch: args.batch,
        delimiter: if args.null { 0 } else { args.delimiter.unwrap_or(b'\n') },
        record_bytes_max: options.record_bytes_max,
        batch_bytes_max: options.batch_bytes_max,
    };
    let (log, report) = Log::open(&args.dir, options)?;
    tell_recovery(&report);

    let progress = Progress::bytes("appending", total);
    let started = Instant::now();
    let (sender, receiver) = mpsc::sync_channel(TICKETS_IN_FLIGHT_MAX);
    // The reader gets the other thread and this one acknowledges: when the log or the reader of the
    // acknowledgements fails, the command ends although the input may be silent for ever.
    let source = log.clone();
    let reader = thread::spawn(move || feeder.feed(&source, inputs, &sender));
    let mut acker =
        Acker { output: args.ack.then(Output::stdout), progress, done: Done::default() };
    let acknowledged = acker.acknowledge(&receiver);
    drop(receiver);
    let outcome = acknowledged.and_then(|()| {
        reader.join().unwrap_or_else(|_| Err(Failure::data("the reading thread panicked")))
    });
    let closed = log.close();
    acker.progress.finish();
    note(&acker.done.summary(started.elapsed()));
    outcome?;
    Ok(closed?)
}

/// One input and, for a file, its size.
struct Input {
    name: String,
    source: Box<dyn Read + Send>,
    bytes: Option<u64>,
}

impl Input {
    /// Opens every input first, so that a misspelt name is found before anything is appended.
    fn open_all(files: &[PathBuf]) -> Result<Vec<Input>, Failure> {
        if files.is_empty() {
            return Ok(vec![Input::stdin()]);
        }
        files
            .iter()
            .map(|path| {
                if path.as_os_str() == "-" {
                    return Ok(Input::stdin());
                }
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| Failure::input(&name, &error))?;
                let bytes = file.metadata().ok().filter(|found| found.is_file());
                let bytes = bytes.map(|found| found.len());
                Ok(Input { name, source: Box::new(file), bytes })
            })
            .collect()
    }

    fn stdin() -> Input {
        Input { name: "standard input".to_owned(), source: Box::new(io::stdin()), bytes: None }
    }
}

/// Turns inputs into submitted batches.
struct Feeder {
    batch: Option<u64>,
    delimiter: u8,
    record_bytes_max: u64,
    batch_bytes_max: u64,
}

impl Feeder {
    /// Submits everything; the tickets go to the thread that acknowledges.
    fn feed(
        &self,
        log: &Log,
        inputs: Vec<Input>,
        tickets: &SyncSender<Flight>,
    ) -> Result<(), Failure> {
        for input in inputs {
            self.feed_one(log, input, tickets)?;
        }
        Ok(())
    }

    fn feed_one(
        &self,
        log: &Log,
        input: Input,
        tickets: &SyncSender<Flight>,
    ) -> Result<(), Failure> {
        let record_bytes_max = usize::try_from(self.record_bytes_max).unwrap_or(usize::MAX);
        let mut lines = Lines::new(input.source, self.delimiter, record_bytes_max);
        let (count_max, bytes_max) = self.batch_limits();
        let mut batch: Vec<Range<usize>> = Vec::new();
        let mut batch_bytes = 0;
        let mut line = 1u64;
        while !lines.is_done() {
            lines.fill(&mut batch).map_err(|problem| self.explain(&input.name, line, problem))?;
            loop {
                let (count_left, bytes_left) =
                    (count_max - batch.len(), bytes_max.saturating_sub(batch_bytes));
                batch_bytes += lines
                    .take(&mut batch, count_left, bytes_left)
                    .map_err(|error| self.explain(&input.name, line + batch.len() as u64, error))?;
                let is_full = batch.len() == count_max || batch_bytes >= bytes_max;
                if batch.is_empty() || !(is_full || self.batch.is_none() || lines.is_done()) {
                    break;
                }
                let records: Vec<&[u8]> = batch.iter().map(|record| lines.bytes(record)).collect();
                let ticket = log.submit_batch(&records).map_err(|error| {
                    let place = format!("{} line {line}", input.name);
                    Failure::from(error).while_doing(&place)
                })?;
                if tickets.send(Flight { ticket, bytes: batch_bytes as u64 }).is_err() {
                    // The acknowledging side has failed and says why.
                    return Ok(());
                }
                line += batch.len() as u64;
                batch.clear();
                batch_bytes = 0;
            }
        }
        Ok(())
    }

    /// Records and bytes at which a batch is full.
    fn batch_limits(&self) -> (usize, usize) {
        match self.batch {
            Some(count) => (
                usize::try_from(count).unwrap_or(usize::MAX),
                // One more byte than allowed is enough to have the log refuse the batch.
                usize::try_from(self.batch_bytes_max.saturating_add(1)).unwrap_or(usize::MAX),
            ),
            None => (GROUP_RECORDS_MAX, GROUP_BYTES_MAX),
        }
    }

    fn explain(&self, name: &str, line: u64, problem: LinesError) -> Failure {
        match problem {
            LinesError::Read(error) => Failure::input(name, &error),
            LinesError::TooLong => Failure::data(format!(
                "{name} line {line}: longer than {}, the longest record a log accepts; nothing of \
                 its batch was appended, what was acknowledged before stays; split the line or \
                 choose another --delimiter",
                format_bytes(self.record_bytes_max)
            )),
        }
    }
}

/// A batch on its way.
struct Flight {
    ticket: Ticket,
    bytes: u64,
}

/// Waits for tickets in order and says what is acknowledged.
struct Acker {
    output: Option<Output>,
    progress: Progress,
    done: Done,
}

impl Acker {
    fn acknowledge(&mut self, tickets: &Receiver<Flight>) -> Result<(), Failure> {
        loop {
            // Lines are held back only while the next acknowledgement is there already.
            let flight = match tickets.try_recv() {
                Ok(flight) => flight,
                Err(_) => {
                    self.flush()?;
                    let Ok(flight) = tickets.recv() else { return Ok(()) };
                    flight
                }
            };
            let range = match flight.ticket.poll_now() {
                Some(range) => range?,
                None => {
                    self.flush()?;
                    flight.ticket.wait()?
                }
            };
            self.done.add(range, flight.bytes);
            self.progress.advance(flight.bytes);
            if let Some(output) = &mut self.output {
                output.line(&range.to_string()).map_err(unheard)?;
            }
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.output {
            Some(output) => output.flush().map_err(unheard),
            None => Ok(()),
        }
    }
}

/// Nobody hears the acknowledgements any more, so the input was not appended to its end: that is no
/// success, however quietly the command goes.
fn unheard(failure: Failure) -> Failure {
    failure.with_code(Code::Unavailable)
}

/// What was acknowledged.
#[derive(Default)]
struct Done {
    range: Option<LsnRange>,
    records: u64,
    bytes: u64,
}

impl Done {
    fn add(&mut self, range: LsnRange, bytes: u64) {
        self.records += range.count();
        self.bytes += bytes;
        let first = self.range.map_or(range.first, |all| all.first);
        self.range = Some(LsnRange { first, final_: range.final_ });
    }

    fn summary(&self, took: Duration) -> String {
        let Some(range) = self.range else {
            return "appended nothing: there was no record in the input".to_owned();
        };
        let seconds = took.as_secs_f64().max(1e-9);
        format!(
            "appended {} records (LSN {range}), {} in {}: {:.1} MB/s, {} records/s",
            format_count(self.records),
            format_bytes(self.bytes),
            format_span(took),
            self.bytes as f64 / 1e6 / seconds,
            format_count((self.records as f64 / seconds) as u64),
        )
    }
}

/// Without `--batch`, a batch is what one read brought, cut at these limits: large enough that a
/// batch costs nothing, small enough that several are in flight.
const GROUP_RECORDS_MAX: usize = 4096;
const GROUP_BYTES_MAX: usize = 256 * 1024;

/// Enough to keep the log busy while acknowledgements are printed.
const TICKETS_IN_FLIGHT_MAX: usize = 256;
