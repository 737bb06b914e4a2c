//! The arguments of the command.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::task::Task;

/// Measures libwal against the bare device and against its peers.
#[derive(Parser)]
#[command(version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the command can do.
#[derive(Subcommand)]
pub enum Command {
    /// Measures P1 to P11, prints the table and writes it as JSON.
    Run(RunArgs),
    /// Measures how cost grows, and the runs of 10 GB.
    Scale(RunArgs),
    /// Measures the same work in several languages, in turns.
    Languages(LanguagesArgs),
    /// Does the work of `languages` in Rust, as it is asked on the standard input.
    #[command(hide = true)]
    Answer,
    /// Writes tables and charts of the documents from the JSON files.
    Report(ReportArgs),
    /// One measurement, in this process; writes one line of JSON.
    Measure(Task),
    /// Fills a log, for a measurement that reads or opens one.
    #[command(hide = true)]
    Fill(FillArgs),
    /// Lists systems and workloads.
    List,
}

/// Where and how long to measure.
#[derive(clap::Args, Clone)]
pub struct RunArgs {
    /// A directory on each file system to measure on; the first one is measured in full.
    #[arg(long = "directory", required = true)]
    pub directories: Vec<PathBuf>,
    /// Fewer rounds, shorter and smaller.
    #[arg(long)]
    pub quick: bool,
    /// Counted rounds; the median is reported.
    #[arg(long)]
    pub rounds: Option<usize>,
    /// Only these goals or workloads, such as `P6` or `P6-cold`.
    #[arg(long)]
    pub only: Vec<String>,
    /// Only systems whose name starts so, such as `libwal`; `floor` is measured always.
    #[arg(long)]
    pub system: Vec<String>,
    /// Where the rows go.
    #[arg(long)]
    pub results: PathBuf,
}

/// Which languages to measure, and where.
#[derive(clap::Args)]
pub struct LanguagesArgs {
    /// A directory on the disk to measure on; it is made.
    #[arg(long)]
    pub directory: PathBuf,
    /// Counted rounds; the median is reported.
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// Where the rows go.
    #[arg(long)]
    pub results: PathBuf,
    /// Languages besides Rust, each as `name=command`.
    pub languages: Vec<String>,
}

/// Which files the report is made from.
#[derive(clap::Args)]
pub struct ReportArgs {
    /// The root of the checkout.
    #[arg(long, default_value = ".")]
    pub root: PathBuf,
    /// Writes nothing and fails when the documents are not what the JSON files say.
    #[arg(long)]
    pub check: bool,
}

/// Which log to fill, and how.
#[derive(clap::Args)]
pub struct FillArgs {
    /// As `wal-bench list` names it.
    #[arg(long)]
    pub system: String,
    /// The directory of the log.
    #[arg(long)]
    pub log: PathBuf,
    /// Payload bytes to append before it is said to be filled.
    #[arg(long)]
    pub bytes: u64,
    /// Bytes of a record.
    #[arg(long)]
    pub record_bytes: usize,
}
