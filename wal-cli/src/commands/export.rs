//! `wal export`: the log as a checksummed stream.

use std::io::{self, IsTerminal, stdout};
use std::path::PathBuf;
use std::time::Instant;

use wal_core::{Log, Lsn, Position, Record};

use super::dispatch::open_to_read;
use crate::failure::{Code, Failure};
use crate::output::{Output, note};
use crate::picture::format_range;
use crate::progress::Progress;
use crate::sizes::{format_bytes, format_count};
use crate::stream::{Header, StreamWriter};
use crate::times::{format_span, to_nanos};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
}

/// Runs it. The stream ends with the record that was the last one when the command began.
pub fn run(args: Args) -> Result<(), Failure> {
    if stdout().is_terminal() {
        return Err(Failure::usage(
            "a stream is not for a terminal: add `> FILE` or `| wal import DIR`",
        ));
    }
    let log = open_to_read(&args.dir)?;
    // Values are read before the records, so what they refer to is part of the stream; they are
    // written after them, so an interrupted import never has values without their records.
    let values = log.values().list()?;
    let header = header_of(&log);
    let started = Instant::now();
    let progress = Progress::bytes("exporting", None);
    let mut writer = StreamWriter::new(Output::stdout(), &header).map_err(output_failure)?;
    let bytes = write_records(&log, &header, &mut writer, &progress)?;
    writer.values(&values).map_err(output_failure)?;
    writer.finish().map_err(output_failure)?;
    progress.finish();
    note(&format!(
        "exported {} records ({}), {} in {}",
        format_count(header.next_lsn - header.first_lsn),
        format_range(Lsn::new(header.first_lsn), Lsn::new(header.next_lsn - 1)),
        format_bytes(bytes),
        format_span(started.elapsed()),
    ));
    Ok(())
}

fn header_of(log: &Log) -> Header {
    let (first, next) = match (log.first_lsn(), log.last_lsn()) {
        (Some(first), Some(last)) => (first.get(), last.get() + 1),
        _ => (log.next_lsn().get(), log.next_lsn().get()),
    };
    Header { uuid: log.uuid(), first_lsn: first, next_lsn: next }
}

/// Writes a chunk per batch; returns the records' bytes.
fn write_records(
    log: &Log,
    header: &Header,
    writer: &mut StreamWriter<Output>,
    progress: &Progress,
) -> Result<u64, Failure> {
    let mut cursor = log.cursor(Position::First)?;
    let mut batch: Vec<Record> = Vec::new();
    let mut time_ns = 0;
    let mut bytes = 0;
    for lsn in header.first_lsn..header.next_lsn {
        let record =
            cursor.next()?.filter(|record| record.lsn().get() == lsn).ok_or_else(|| {
                Failure::data("the log was cut while it was exported; export it again")
            })?;
        if batch.is_empty() {
            time_ns = to_nanos(cursor.time()?);
        }
        bytes += record.len() as u64;
        progress.advance(record.len() as u64);
        // A truncation may have cut a batch: what is left of it ends with the log.
        let is_last = !record.batch_continues() || lsn + 1 == header.next_lsn;
        batch.push(record);
        if is_last {
            let records: Vec<&[u8]> = batch.iter().map(|record| &record[..]).collect();
            writer.batch(time_ns, &records).map_err(output_failure)?;
            batch.clear();
        }
    }
    Ok(bytes)
}

/// A stream that was not written to its end is worth nothing, so unlike text for a pager it is no
/// success when its reader goes.
fn output_failure(error: io::Error) -> Failure {
    Failure::output(&error).with_code(Code::Unavailable)
}
