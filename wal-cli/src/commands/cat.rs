//! `wal cat`: prints records.

use std::path::PathBuf;
use std::time::SystemTime;

use wal_core::{Cursor, Log, Lsn, Position};

use super::dispatch::open_to_read;
use crate::args::parse_lsn;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::{FormatArgs, Renderer};
use crate::times::parse_time;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// The first record to print.
    #[arg(long, value_name = "LSN", value_parser = parse_lsn)]
    from: Option<Lsn>,
    /// The last record to print.
    #[arg(long, value_name = "LSN", value_parser = parse_lsn)]
    to: Option<Lsn>,
    /// Only records committed at this time or later: RFC 3339, or how long ago, as in 10m.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<SystemTime>,
    /// Print at most N records.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print the newest first.
    #[arg(long)]
    reverse: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs it.
pub fn run(args: Args) -> Result<(), Failure> {
    let renderer = args.format.renderer()?;
    let log = open_to_read(&args.dir)?;
    let Some((lower, upper)) = bounds(&log, &args)? else { return Ok(()) };
    let limit = args.limit.unwrap_or(u64::MAX).min(upper.get() - lower.get() + 1);
    let mut output = Output::stdout();
    if args.reverse {
        // A cursor stands between two records: `prev` of the place after the last one is it.
        let after = upper.next().map_or(Position::End, Position::At);
        let mut cursor = log.cursor(after)?;
        print(&mut cursor, limit, renderer, &mut output, Cursor::prev)?;
    } else {
        let mut cursor = log.cursor(lower)?;
        print(&mut cursor, limit, renderer, &mut output, Cursor::next)?;
    }
    output.flush()
}

/// The first and the last record asked for, `None` when that is none at all.
fn bounds(log: &Log, args: &Args) -> Result<Option<(Lsn, Lsn)>, Failure> {
    let (Some(first), Some(last)) = (log.first_lsn(), log.last_lsn()) else { return Ok(None) };
    if let Some(from) = args.from.filter(|from| *from < first) {
        return Err(Failure::data(format!(
            "records before {first} were trimmed, {from} is gone; use --from {first}"
        )));
    }
    let mut lower = args.from.unwrap_or(first);
    if let Some(since) = args.since {
        lower = lower.max(log.cursor(Position::Time(since))?.next_lsn());
    }
    let upper = args.to.map_or(last, |to| to.min(last));
    Ok((lower <= upper).then_some((lower, upper)))
}

fn print(
    cursor: &mut Cursor,
    limit: u64,
    renderer: Renderer,
    output: &mut Output,
    step: impl Fn(&mut Cursor) -> wal_core::Result<Option<wal_core::Record>>,
) -> Result<(), Failure> {
    for _ in 0..limit {
        let Some(record) = step(cursor)? else { break };
        renderer.print(output, &record, || cursor.time())?;
    }
    Ok(())
}
