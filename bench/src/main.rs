//! Measures libwal against the bare device and against its peers.
//!
//! Every measurement runs in a process of its own (`wal-bench measure`), so that the processor time
//! and the memory it reports are those of one system, and so that a crash or a hang of one system
//! ends one row. `wal-bench run` starts them in turns and writes `bench/results.json`;
//! `wal-bench report` makes the tables and charts of `docs/PERFORMANCE.md` from that file.

mod args;
mod campaign;
mod chart;
mod child;
mod durations;
mod fill;
mod floor;
mod footprint;
mod goals;
mod kernel;
mod languages;
mod libwal;
mod log;
mod machine;
mod measure;
mod mount;
#[cfg(feature = "peers")]
mod peers;
mod prepared;
mod records;
mod report;
mod row;
mod runner;
mod sample;
mod scale;
mod summary;
mod sync_count;
mod systems;
mod table;
mod task;
mod window;
mod workload;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let outcome = match args::Args::parse().command {
        args::Command::Run(args) => runner::run(&args),
        args::Command::Scale(args) => scale::run(&args),
        args::Command::Languages(args) => languages::run(&args),
        args::Command::Answer => languages::answer(),
        args::Command::Report(args) => report::run(&args),
        args::Command::Measure(task) => measure::answer(&task),
        args::Command::Fill(args) => fill::run(&args),
        args::Command::List => {
            systems::print();
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("wal-bench: {text}");
            ExitCode::FAILURE
        }
    }
}
