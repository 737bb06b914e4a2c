//! `wal repair`: makes a damaged log usable again and says what that costs.

use std::path::PathBuf;

use wal_core::check;

use crate::failure::{Code, Failure, require_directory};
use crate::output::Output;
use crate::sizes::format_count;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// Only say what would be done; exit code 1 when that is anything.
    #[arg(long)]
    dry_run: bool,
}

/// Runs it. When this returns, the repaired log and the copy of what was changed survive power
/// loss; running it again finds nothing to do.
pub fn run(args: Args) -> Result<(), Failure> {
    require_directory(&args.dir)?;
    let report = check::repair(&args.dir, args.dry_run)?;
    let mut output = Output::stdout();
    for action in &report.actions {
        output.line(&format!("{}: {action}", if args.dry_run { "would do" } else { "done" }))?;
    }
    for range in &report.lost {
        let count = format_count(range.count());
        let verb = if args.dry_run { "would be lost" } else { "lost" };
        output.line(&format!("{verb}: {count} records, LSN {range}"))?;
    }
    if let Some(backup) = &report.backup {
        output.line(&format!("what was changed is kept in {}", backup.display()))?;
    }
    if report.actions.is_empty() {
        output.line("nothing to repair")?;
    } else if report.lost.is_empty() {
        output.line("no record is lost")?;
    }
    output.flush()?;
    let is_pending = args.dry_run && !report.actions.is_empty();
    if is_pending { Err(Failure::silent(Code::Data)) } else { Ok(()) }
}
