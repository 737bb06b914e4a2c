//! Shows hostile bytes to everything that reads bytes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use wal_crash::Tally;
use wal_crash::hostile::{Capped, Round, round, write_corpus};

#[global_allocator]
static ALLOCATOR: Capped = Capped;

#[derive(Parser)]
#[command(about)]
struct Args {
    /// What to do.
    #[arg(default_value = "slice")]
    extent: Extent,
    /// Where the corpus is.
    #[arg(long, default_value = "fuzz/corpus")]
    corpus: PathBuf,
    /// What the mutations follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Time for all targets together, in a full run.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// This target alone.
    #[arg(long)]
    target: Option<String>,
    /// This input alone.
    #[arg(long)]
    only: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Extent {
    /// The corpus and a fixed number of mutations.
    Slice,
    /// The corpus and mutations for as long as there is time.
    Full,
    /// Writes the corpus anew.
    Corpus,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.extent == Extent::Corpus {
        return match write_corpus(&args.corpus) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("hostile: the corpus cannot be written: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let is_full = args.extent == Extent::Full;
    let targets = if args.target.is_some() { 1 } else { 5 };
    let plan = Round {
        inputs: if is_full { u64::MAX >> 24 } else { SLICE_INPUTS },
        time: is_full.then(|| Duration::from_secs(args.seconds / targets)),
        seed: args.seed,
        target: args.target,
        only: args.only,
    };
    println!("hostile: seed {}", plan.seed);
    let mut tally = Tally::new("hostile");
    watch();
    // The story says what a panic says.
    std::panic::set_hook(Box::new(|_| {}));
    if let Err(error) = round(&plan, &args.corpus, &mut tally) {
        tally.violation(&format!("the corpus at {}: {error}", args.corpus.display()));
    }
    ENDED.store(1, Ordering::Relaxed);
    tally.finish().unwrap_or_else(|error| {
        eprintln!("hostile: the tally cannot be written: {error}");
        ExitCode::FAILURE
    })
}

/// Ends the process when a target does not: after an hour, which no busy machine needs for a slice.
fn watch() {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(3600));
        if ENDED.load(Ordering::Relaxed) == 0 {
            eprintln!("hostile: VIOLATION\na target has not ended within an hour");
            std::process::abort();
        }
    });
}

static ENDED: AtomicU64 = AtomicU64::new(0);
const SLICE_INPUTS: u64 = 400;
