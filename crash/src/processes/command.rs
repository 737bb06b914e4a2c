//! The command line of this rung.

use std::io;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use super::campaign::Campaign;
use super::case::Case;
use super::{faults, kills, peers};
use crate::Tally;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Kills and system-call faults of real processes")]
struct Arguments {
    #[command(subcommand)]
    rung: Rung,
}

#[derive(Subcommand)]
enum Rung {
    /// SIGKILL at every entry into a system call and every exit from one, then at random.
    Kills(Extent),
    /// Every file call fails, with every error, once and for ever.
    Faults(Extent),
    /// SIGKILL at stops of a plain script, for every log under test.
    Peers {
        /// How many kills each.
        #[arg(long, default_value_t = 200)]
        kills: u64,
        /// How long new cases are begun.
        #[arg(long)]
        seconds: Option<u64>,
        /// One log only.
        #[arg(long)]
        log: Option<String>,
    },
    /// One case, as a violation names it.
    Case {
        /// The case.
        case: Case,
        /// How often it is taken: other threads run in another order each time.
        #[arg(long, default_value_t = 1)]
        times: u64,
    },
}

#[derive(Args)]
struct Extent {
    /// A fixed sample instead of everything.
    #[arg(long)]
    slice: bool,
    /// How long new cases are begun.
    #[arg(long)]
    seconds: Option<u64>,
    /// The seed; the clock's unless set.
    #[arg(long)]
    seed: Option<u64>,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crash-processes: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    match &arguments.rung {
        Rung::Kills(extent) => {
            let seed = extent.seed();
            println!("kills: seed {seed}");
            let how = match extent.slice {
                true => kills::Extent { step: KILLS_STEP, random: Some(KILLS_RANDOM), seed },
                false => kills::Extent { step: 1, random: None, seed },
            };
            let mut tally = Tally::new("kills");
            let seconds = extent.seconds.or((!extent.slice).then_some(KILLS_SECONDS));
            kills::run(&Campaign::new(seconds).prepare()?, &mut tally, how)?;
            tally.finish()
        }
        Rung::Faults(extent) => {
            let seed = extent.seed();
            println!("faults: seed {seed}");
            let step = if extent.slice { FAULTS_STEP } else { 1 };
            let mut tally = Tally::new("faults");
            let field = Campaign::new(extent.seconds).prepare()?;
            faults::run(&field, &mut tally, faults::Extent { step, seed })?;
            tally.finish()
        }
        Rung::Peers { kills, seconds, log } => {
            let mut tally = Tally::new("kills of all logs");
            let field = Campaign::new(*seconds).prepare()?;
            peers::run(&field, &mut tally, *kills, log.as_deref())?;
            tally.finish()
        }
        Rung::Case { case, times } => {
            let mut tally = Tally::new("case");
            let field = Campaign::new(None).prepare()?;
            let next = |number| (number < *times).then_some(*case);
            field.take_all(&mut tally, next, |tally, _, report| {
                tally.add("cases", 1);
                tally.add("reached", u64::from(report.reached));
                println!("struck at {:?}, {:?}", report.run.place, report.run.end);
            })?;
            tally.finish()
        }
    }
}

impl Extent {
    fn seed(&self) -> u64 {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        self.seed.unwrap_or(if self.slice { SLICE_SEED } else { clock })
    }
}

const SLICE_SEED: u64 = 20_261_122;
const KILLS_STEP: u64 = 29;
const KILLS_RANDOM: u64 = 160;
const KILLS_SECONDS: u64 = 240;
const FAULTS_STEP: u64 = 61;
