//! `wal get`: prints a value of the log's key-value state.

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use super::dispatch::open_to_read;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// The key.
    key: OsString,
}

/// Prints the value's bytes and nothing else, so that any value comes through a pipe unchanged; on
/// a terminal a newline follows.
pub fn run(args: Args) -> Result<(), Failure> {
    let log = open_to_read(&args.dir)?;
    let Some(value) = log.values().get(args.key.as_encoded_bytes())? else {
        return Err(Failure::unavailable(format!(
            "there is no key `{}`; `wal info` counts the values there are",
            args.key.display()
        )));
    };
    let mut output = Output::stdout();
    output.bytes(&value)?;
    if stdout().is_terminal() {
        output.bytes(b"\n")?;
    }
    output.flush()
}
