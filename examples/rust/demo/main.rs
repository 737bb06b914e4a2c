//! `make demo`: a real text goes line by line into a log, in a process that is killed ten times.
//!
//! After each kill the log is opened again and every acknowledged line must be there, in order and
//! once; the next process goes on with the line after the last one. At the end the log's content
//! must be the input, byte for byte. The exit code is not 0 if anything is lost.
#![forbid(unsafe_code)]

mod audit;
mod chance;
mod input;
mod report;
mod run;
mod screen;
mod writer;

use std::process::ExitCode;

fn main() -> ExitCode {
    match run::run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("demo: {problem}");
            ExitCode::FAILURE
        }
    }
}
