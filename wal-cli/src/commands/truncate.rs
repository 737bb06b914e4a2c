//! `wal truncate`: drops the tail.

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
    /// The last record to keep.
    #[arg(long, value_name = "LSN", value_parser = parse_lsn)]
    after: Lsn,
}

/// Runs it. When this returns, what it says survives power loss.
pub fn run(args: Args) -> Result<(), Failure> {
    let log = open_to_write(&args.dir)?;
    let last_before = log.last_lsn();
    log.truncate(args.after)?;
    let last = log.last_lsn();
    log.close()?;
    let mut output = Output::stdout();
    let now = match last {
        Some(last) => format!("the log ends at LSN {last}"),
        None => "the log is empty".to_owned(),
    };
    output.line(&match last_before {
        Some(before) if last != last_before => format!("truncated from LSN {before}: {now}"),
        _ => format!("nothing to truncate: {now}"),
    })?;
    output.flush()
}
