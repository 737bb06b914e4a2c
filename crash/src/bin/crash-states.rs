//! Crash states of a simulated file system: all of short workloads, and those of long histories at
//! random.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use wal_crash::{simulation, states};

#[derive(Parser)]
#[command(about = "Looks at what crashes may leave of a log in memory")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// All states of all short workloads.
    Exhaustive(states::Campaign),
    /// States of long histories with faults, at random.
    Random(simulation::Campaign),
    /// One state or history again.
    Replay {
        /// As it was printed: `append,trim@17:1.0.1`, or a number.
        name: String,
    },
}

fn main() -> std::io::Result<ExitCode> {
    // A panic of the engine is caught and told of as a violation.
    std::panic::set_hook(Box::new(|_| {}));
    match Arguments::parse().command {
        Command::Exhaustive(campaign) => campaign.run(),
        Command::Random(campaign) => campaign.run(),
        Command::Replay { name } => match name.parse() {
            Ok(case) => states::replay(&case),
            Err(_) if name.parse::<u64>().is_ok() => {
                simulation::replay(name.parse().unwrap_or_default())
            }
            Err(text) => {
                eprintln!("{text}");
                Ok(ExitCode::from(2))
            }
        },
    }
}
