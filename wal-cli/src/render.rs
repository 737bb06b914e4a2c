//! How a record is printed.

use std::io::{self, Write};
use std::time::SystemTime;

use clap::ValueEnum;
use serde::Serialize;
use wal_core::{Error, Record};

use crate::base64;
use crate::failure::Failure;
use crate::output::Output;
use crate::times::format_time;

/// What `--format` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The record's bytes and a newline (or NUL).
    #[default]
    Raw,
    /// A JSON object per line: lsn, time, bytes and text, or base64 where it is not UTF-8.
    Jsonl,
    /// A hex dump for people.
    Hex,
}

/// The options every printing command has.
#[derive(Debug, clap::Args)]
pub struct FormatArgs {
    /// How records are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// End raw records with a NUL byte instead of a newline.
    #[arg(long)]
    null: bool,
}

impl FormatArgs {
    /// Checks that the options go together.
    pub fn renderer(&self) -> Result<Renderer, Failure> {
        if self.null && self.format != Format::Raw {
            return Err(Failure::usage("--null is for --format raw: the others end lines"));
        }
        Ok(Renderer { format: self.format, end: if self.null { 0 } else { b'\n' } })
    }
}

/// Prints records in one format.
#[derive(Clone, Copy, Debug)]
pub struct Renderer {
    format: Format,
    end: u8,
}

impl Renderer {
    /// Prints a record. Its time is asked for only where the format shows it.
    pub fn print(
        &self,
        output: &mut Output,
        record: &Record,
        time: impl FnOnce() -> Result<SystemTime, Error>,
    ) -> Result<(), Failure> {
        let printed = match self.format {
            Format::Raw => output.write_all(record).and_then(|()| output.write_all(&[self.end])),
            Format::Jsonl => print_json(output, record, time()?),
            Format::Hex => print_hex(output, record, time()?),
        };
        printed.map_err(|error| Failure::output(&error))
    }
}

/// One line of `--format jsonl`; the keys are documented in `docs/CLI.md` and stay.
#[derive(Serialize)]
struct Line<'a> {
    lsn: u64,
    time: String,
    bytes: usize,
    #[serde(flatten)]
    payload: Payload<'a>,
}

/// Bytes as JSON: text where they are UTF-8.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload<'a> {
    /// They are UTF-8.
    Text(&'a str),
    /// They are not.
    Base64(String),
}

impl<'a> Payload<'a> {
    /// Chooses by looking at all of them.
    pub fn of(bytes: &'a [u8]) -> Payload<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Payload::Text(text),
            Err(_) => Payload::Base64(base64::encode(bytes)),
        }
    }
}

fn print_json(output: &mut Output, record: &Record, time: SystemTime) -> io::Result<()> {
    let line = Line {
        lsn: record.lsn().get(),
        time: format_time(time),
        bytes: record.len(),
        payload: Payload::of(record),
    };
    serde_json::to_writer(&mut *output, &line)?;
    output.write_all(b"\n")
}

fn print_hex(output: &mut Output, record: &Record, time: SystemTime) -> io::Result<()> {
    writeln!(output, "LSN {}, {} bytes, {}", record.lsn(), record.len(), format_time(time))?;
    for (row, bytes) in record.chunks(16).enumerate() {
        write!(output, "{:08x} ", row * 16)?;
        for column in 0..16 {
            let gap = if column % 8 == 0 { " " } else { "" };
            match bytes.get(column) {
                Some(byte) => write!(output, "{gap}{byte:02x} ")?,
                None => write!(output, "{gap}   ")?,
            }
        }
        let text: String = bytes.iter().map(|byte| printable(*byte)).collect();
        writeln!(output, " |{text}|")?;
    }
    Ok(())
}

fn printable(byte: u8) -> char {
    if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' }
}
