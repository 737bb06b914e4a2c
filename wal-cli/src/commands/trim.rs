//! `wal trim`: drops the head.

use std::path::PathBuf;

use wal_core::Lsn;

use super::dispatch::open_to_write;
use crate::args::parse_lsn;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// The first record to keep.
    #[arg(long, value_name = "LSN", value_parser = parse_lsn)]
    before: Lsn,
}

/// Runs it. When this returns, what it says survives power loss.
pub fn run(args: Args) -> Result<(), Failure> {
    let log = open_to_write(&args.dir)?;
    let first_before = log.first_lsn();
    let first = log.trim(args.before)?;
    log.close()?;
    let mut output = Output::stdout();
    let now = match first {
        Some(first) => format!("the log starts at LSN {first}"),
        None => format!("the log is empty, its next LSN is {}", log.next_lsn()),
    };
    output.line(&match first_before {
        Some(before) if first != first_before => format!("trimmed from LSN {before}: {now}"),
        _ => format!("nothing to trim: {now}"),
    })?;
    output.flush()
}
