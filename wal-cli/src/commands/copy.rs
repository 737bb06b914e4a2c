//! `wal copy`: a consistent copy, also beside a live writer.

use std::path::PathBuf;

use super::dispatch::open_to_read;
use crate::failure::{Failure, refuse_file};
use crate::output::Output;
use crate::picture::{format_range, format_uuid};
use crate::sizes::format_count;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// The copy's directory; it must not hold a log.
    to: PathBuf,
}

/// Runs it. When this returns, the copy survives power loss.
pub fn run(args: Args) -> Result<(), Failure> {
    let log = open_to_read(&args.dir)?;
    refuse_file(&args.to)?;
    let report = log.copy_to(&args.to)?;
    let mut output = Output::stdout();
    output.line(&format!(
        "copied {} records ({}) to {}, log {}",
        format_count(report.records),
        format_range(report.first_lsn, report.last_lsn),
        args.to.display(),
        format_uuid(&report.uuid),
    ))?;
    output.flush()
}
