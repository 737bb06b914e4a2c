//! Damages small logs in every way there is and holds everybody's verdict to the contract.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use wal_crash::Tally;
use wal_crash::damage::{Plan, run};

#[derive(Parser)]
#[command(about)]
struct Args {
    /// How much.
    #[arg(default_value = "slice")]
    extent: Extent,
    /// What the random pairs come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When to end with random pairs; what is enumerated is enumerated to its end.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Every bit, also of what no log needs: some twenty minutes on two processors.
    #[arg(long)]
    every_bit: bool,
    /// This log alone.
    #[arg(long)]
    shape: Option<String>,
    /// This damage alone, as a story names it.
    #[arg(long)]
    only: Option<String>,
    /// Threads at work.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Extent {
    /// A fixed share.
    Slice,
    /// Every sector and file, and every bit that can matter.
    Full,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let plan = Plan {
        is_full: matches!(args.extent, Extent::Full),
        every_bit: args.every_bit,
        seed: args.seed,
        budget: Duration::from_secs(args.seconds),
        shape: args.shape,
        only: args.only,
        threads: args.threads.max(1),
    };
    println!("damage: seed {}", plan.seed);
    let mut tally = Tally::new("damage");
    if let Err(what) = run(&plan, &mut tally) {
        tally.violation(&what);
    }
    tally.finish().unwrap_or_else(|error| {
        eprintln!("damage: the tally cannot be written: {error}");
        ExitCode::FAILURE
    })
}
