//! The `wal` command: append to, read, inspect, verify and repair write-ahead logs.
//!
//! Everything here is thin: the commands parse arguments, call `wal-core`'s public API and render
//! what it says. What a program may read from the output is written down in `docs/CLI.md`.
#![forbid(unsafe_code)]

mod args;
mod base64;
mod chart;
mod commands;
mod failure;
mod lines;
mod output;
#[cfg(test)]
mod pages;
mod picture;
mod progress;
mod render;
mod sizes;
mod stream;
mod times;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(args::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
