//! Counts what an append, a commit and a replay cost: instructions, syncs, journal commits. No
//! clock is asked, so the figures are the same on an idle and on a busy machine; `ci/guard.sh`
//! compares them with `ci/guard.toml`.
//!
//! Figures are printed as TOML, a section for each of what a machine may or may not be able to
//! count: `wal-guard instructions DIR`, `wal-guard commits DIR [JOURNAL]`.
// A command may print; the libraries may not.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod callgrind;
mod commits;
mod gate;
mod machine;
mod material;
mod workload;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use crate::material::Material;

/// What everything here returns; the message says what was tried.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["instructions", directory] => instructions(Path::new(directory)),
        ["commits", directory] => commits::print(Path::new(directory), None),
        ["commits", directory, journal] => {
            commits::print(Path::new(directory), Some(Path::new(journal)))
        }
        // What the first of them runs below valgrind.
        ["workload", name, directory] => workload::run(name, Path::new(directory)),
        ["processor"] => {
            println!("{}", machine::processor());
            Ok(())
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wal-guard: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts the instructions of every workload, in logs below `directory`.
fn instructions(directory: &Path) -> Outcome<()> {
    machine::print()?;
    println!(
        "\n# Of the calling thread, per record; per opening for the last two.\n[instructions]"
    );
    Material::prepare(directory)?;
    for workload in workload::ALL.iter().filter(|workload| !workload.is_direct()) {
        println!("{} = {:.1}", workload.name(), callgrind::count(workload, directory)?);
    }
    if !commits::can_be_direct(directory)? {
        return Ok(());
    }
    println!("\n# The same past the page cache.\n[direct]");
    for workload in workload::ALL.iter().filter(|workload| workload.is_direct()) {
        println!("{} = {:.1}", workload.name(), callgrind::count(workload, directory)?);
    }
    Ok(())
}

const USAGE: &str = "usage: wal-guard instructions DIR | commits DIR [JOURNAL]";
