//! The command line.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::campaign::{self, Goal, WorkOrder};
use super::errand::Errand;
use super::host::die_with_the_parent;
use super::{Checker, FileSystem, look, peers};
use crate::Failed;

#[derive(Parser)]
#[command(about = "Real file systems on a disk that loses power")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fixed counts and a fixed seed, in well under a minute.
    Slice,
    /// As many states as WAL_CRASH_SECONDS (480) allow, from WAL_CRASH_SEED (the clock).
    Full,
    /// The same for the other logs.
    Peers {
        /// States for each log and file system.
        #[arg(long, default_value_t = 400)]
        states: usize,
        /// Only this log.
        #[arg(long)]
        log: Option<String>,
    },
    /// Opens the log on the disk of a violation and says what it finds.
    Look {
        /// The file system on it.
        #[arg(long)]
        file_system: String,
        /// The seed of the workload.
        #[arg(long)]
        seed: u64,
        /// The log.
        #[arg(long, default_value = "libwal")]
        log: String,
        /// Whether the workload was the plain one of every log.
        #[arg(long)]
        plain: bool,
        /// The disk.
        image: PathBuf,
    },
    /// A child: works off one part of the campaign.
    #[command(hide = true)]
    Work(WorkOrder),
    /// A child: uses a log on the recorded disk.
    #[command(hide = true)]
    Errand(Errand),
    /// A child: opens what a crash left.
    #[command(hide = true)]
    Check {
        #[arg(long)]
        log: String,
        #[arg(long)]
        plain: bool,
    },
    /// A child: clears up when everybody else is gone.
    #[command(hide = true)]
    ClearUp,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(Failed(words)) => {
            eprintln!("{words}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failed> {
    let ended = |result: io::Result<()>| result.map(|()| ExitCode::SUCCESS).map_err(failed);
    match command {
        Command::Slice => campaign::run(&Goal::slice()).map_err(failed),
        Command::Full => campaign::run(&Goal::full()).map_err(failed),
        Command::Peers { states, log } => peers::run(states, log.as_deref()).map_err(failed),
        Command::Look { file_system, seed, log, plain, image } => {
            let file_system =
                FileSystem::named(&file_system).ok_or_else(|| failed("no such file system"))?;
            ended(look::run(file_system, seed, Checker::new(&log, plain), &image))
        }
        Command::Work(order) => ended(die_with_the_parent().and_then(|()| order.run())),
        Command::Errand(errand) => {
            die_with_the_parent().map_err(failed)?;
            errand.run().map(|()| ExitCode::SUCCESS)
        }
        Command::Check { log, plain } => {
            ended(die_with_the_parent().and_then(|()| super::serve(&log, plain)))
        }
        Command::ClearUp => ended(campaign::clear_up()),
    }
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(format!("{error:#}"))
}
