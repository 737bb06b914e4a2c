//! `wal follow`: prints records as they are appended.

use std::path::PathBuf;

use wal_core::{ErrorKind, Position};

use super::dispatch::open_to_read;
use crate::args::parse_position;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::FormatArgs;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// Where to begin: an LSN, start or end.
    #[arg(long, value_name = "LSN|start|end", value_parser = parse_position, default_value = "end")]
    from: Position,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs it until it is interrupted, the reader of its output goes, or the log's directory does.
pub fn run(args: Args) -> Result<(), Failure> {
    let renderer = args.format.renderer()?;
    let log = open_to_read(&args.dir)?;
    let mut follower = log.follow(args.from)?;
    let mut output = Output::stdout();
    loop {
        let next = match follower.try_next() {
            Ok(Some(record)) => Ok(record),
            // Everything there is was printed: a person sees it now, not when a buffer is full.
            Ok(None) => {
                output.flush()?;
                follower.next()
            }
            Err(error) => Err(error),
        };
        let record = match next {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::Closed => return output.flush(),
            Err(error) => return Err(error.into()),
        };
        renderer.print(&mut output, &record, || follower.cursor().time())?;
    }
}
