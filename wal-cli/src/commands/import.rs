//! `wal import`: makes or continues a log from an export stream.

use std::collections::VecDeque;
use std::io::{self, StdinLock};
use std::path::PathBuf;
use std::time::Instant;

use wal_core::{AppendOptions, Log, Lsn, Options, Ticket, limits};

use super::dispatch::tell_recovery;
use crate::args::Durability;
use crate::failure::{Code, Failure, refuse_file};
use crate::output::note;
use crate::picture::format_range;
use crate::progress::Progress;
use crate::sizes::{format_bytes, format_count, parse_bytes};
use crate::stream::{Batch, Chunk, Header, StreamError, StreamReader};
use crate::times::{format_span, from_nanos};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory: made when it is missing, continued when the stream starts where the
    /// log ends.
    dir: PathBuf,
    /// What an acknowledgement promises while the import runs; at its end all of it is on disk.
    #[arg(long, value_enum, default_value_t)]
    durability: Durability,
    /// Size of the segments started from now on.
    #[arg(long, value_name = "B", value_parser = parse_bytes)]
    segment_bytes: Option<u64>,
}

/// Runs it. What was imported before a failure stays, and is a prefix of the stream.
pub fn run(args: Args) -> Result<(), Failure> {
    refuse_file(&args.dir)?;
    let mut reader = StreamReader::new(io::stdin().lock())?;
    let header = reader.header();
    let first = Lsn::new(header.first_lsn)
        .ok_or_else(|| Failure::data("the stream is damaged at byte 0: its first LSN is none"))?;
    let options = Options {
        level: args.durability.level(),
        segment_bytes: args.segment_bytes.unwrap_or(limits::SEGMENT_BYTES_DEFAULT),
        // Whatever limits the exported log had, its records come through.
        record_bytes_max: limits::RECORD_BYTES_MAX,
        batch_bytes_max: limits::BATCH_BYTES_MAX,
        first_lsn: first,
        ..Options::default()
    };
    let (log, report) = Log::open(&args.dir, options)?;
    tell_recovery(&report);
    require_continuation(&log, &header)?;
    let started = Instant::now();
    let mut import = Import {
        log: &log,
        in_flight: VecDeque::new(),
        progress: Progress::bytes("importing", None),
        bytes: 0,
    };
    let outcome = import.run(&mut reader);
    import.progress.finish();
    let (bytes, next) = (import.bytes, log.next_lsn());
    let closed = log.close();
    if let Err(failure) = outcome {
        let kept = format_range(Some(first), next.previous().filter(|last| *last >= first));
        return Err(failure.while_doing(&format!("imported {kept}, then stopped")));
    }
    closed?;
    note(&format!(
        "imported {} records ({}), {} in {}",
        format_count(header.next_lsn - header.first_lsn),
        format_range(Some(first), Lsn::new(header.next_lsn - 1).filter(|last| *last >= first)),
        format_bytes(bytes),
        format_span(started.elapsed()),
    ));
    Ok(())
}

/// Records keep their LSNs, so the stream must start exactly where the log ends.
fn require_continuation(log: &Log, header: &Header) -> Result<(), Failure> {
    let next = log.next_lsn().get();
    if next == header.first_lsn {
        return Ok(());
    }
    let stream = format!("the stream holds LSN {}-{}", header.first_lsn, header.next_lsn - 1);
    Err(Failure::data(if next >= header.next_lsn {
        format!("{stream} and the log already goes to {}: there is nothing to import", next - 1)
    } else if next > header.first_lsn {
        format!(
            "{stream} and the log already goes to {}: import into a new directory, or first \
             truncate the log after {}",
            next - 1,
            header.first_lsn - 1
        )
    } else {
        format!("{stream} and the log's next LSN is {next}: import what lies between first")
    }))
}

/// An import under way.
struct Import<'a> {
    log: &'a Log,
    in_flight: VecDeque<(Ticket, u64)>,
    progress: Progress,
    bytes: u64,
}

impl Import<'_> {
    /// Submits batch after batch, each only after it was verified, and waits for all of them.
    fn run(&mut self, reader: &mut StreamReader<StdinLock<'_>>) -> Result<(), Failure> {
        let outcome = self.submit_all(reader);
        // Also after a failure: what was submitted is appended, and the message says how far.
        self.wait_down_to(0)?;
        outcome
    }

    fn submit_all(&mut self, reader: &mut StreamReader<StdinLock<'_>>) -> Result<(), Failure> {
        loop {
            let at = reader.offset();
            match reader.next_chunk()? {
                Chunk::Batch(batch) => self.submit(&batch).map_err(|failure| {
                    failure.while_doing(&format!("the batch at byte {at} of the stream"))
                })?,
                Chunk::Values(entries) => {
                    // Values follow the records they may refer to, on the disk as in the stream.
                    self.wait_down_to(0)?;
                    self.log.sync()?;
                    let changes: Vec<_> =
                        entries.iter().map(|(key, value)| (&key[..], Some(&value[..]))).collect();
                    self.log.values().update(&changes)?;
                }
                Chunk::End => return Ok(()),
            }
        }
    }

    fn submit(&mut self, batch: &Batch) -> Result<(), Failure> {
        let options =
            AppendOptions { time: Some(from_nanos(batch.time_ns)), ..AppendOptions::default() };
        let ticket = self.log.with(options).submit_batch(&batch.records)?;
        let bytes = batch.records.iter().map(|record| record.len() as u64).sum();
        self.in_flight.push_back((ticket, bytes));
        self.wait_down_to(BATCHES_IN_FLIGHT_MAX)
    }

    fn wait_down_to(&mut self, count: usize) -> Result<(), Failure> {
        while self.in_flight.len() > count {
            let Some((ticket, bytes)) = self.in_flight.pop_front() else { break };
            ticket.wait()?;
            self.bytes += bytes;
            self.progress.advance(bytes);
        }
        Ok(())
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Failure {
        Failure::new(Code::Data, error.to_string())
    }
}

/// Enough that the log is never idle; the ring bounds their memory.
const BATCHES_IN_FLIGHT_MAX: usize = 4096;
