//! Puts logs into environments that nobody wishes them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use wal_crash::Tally;
use wal_crash::environment::{child, run};

#[derive(Parser)]
#[command(about)]
struct Args {
    /// How much.
    #[arg(default_value = "slice")]
    extent: Extent,
    /// This case alone, as a story names it.
    #[arg(long)]
    only: Option<String>,
    /// What this process does for another one of this program.
    #[arg(long, hide = true)]
    child: Option<String>,
    /// Where.
    #[arg(long, hide = true)]
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Extent {
    /// Some of the values of each case.
    Slice,
    /// All of them.
    Full,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(role) = args.child {
        return child(&role, &args.path.unwrap_or_default());
    }
    let mut tally = Tally::new("environment");
    run(args.only.as_deref(), args.extent == Extent::Full, &mut tally);
    tally.finish().unwrap_or_else(|error| {
        eprintln!("environment: the tally cannot be written: {error}");
        ExitCode::FAILURE
    })
}
