//! From a parsed command line to its command, and how commands open logs.

use std::path::Path;

use wal_core::{Log, Options, RecoveryReport};

use super::{
    append, bench, cat, copy, export, follow, get, import, info, repair, set, trim, truncate,
    verify,
};
use crate::args::{Cli, Command};
use crate::failure::{Failure, require_directory};
use crate::output::note;
use crate::sizes::{format_bytes, format_count};
use crate::times::format_span;

/// Runs the command.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Append(args) => append::run(args),
        Command::Cat(args) => cat::run(args),
        Command::Follow(args) => follow::run(args),
        Command::Info(args) => info::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Repair(args) => repair::run(args),
        Command::Trim(args) => trim::run(args),
        Command::Truncate(args) => truncate::run(args),
        Command::Get(args) => get::run(args),
        Command::Set(args) => set::run(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
        Command::Copy(args) => copy::run(args),
        Command::Bench(args) => bench::run(args),
    }
}

/// Opens an existing log for reading; no lock is needed and nothing on disk changes.
pub fn open_to_read(path: &Path) -> Result<Log, Failure> {
    require_directory(path)?;
    let (log, _) = Log::open_read_only(path, Options { create: false, ..Options::default() })?;
    Ok(log)
}

/// Opens an existing log for writing and tells a person what recovery had to do.
pub fn open_to_write(path: &Path) -> Result<Log, Failure> {
    require_directory(path)?;
    let (log, report) = Log::open(path, Options { create: false, ..Options::default() })?;
    tell_recovery(&report);
    Ok(log)
}

/// Says what recovery cut, if it cut anything.
pub fn tell_recovery(report: &RecoveryReport) {
    if let Some(cut) = &report.cut {
        note(&format!(
            "recovered ({}): cut {} of a torn tail at {}, {}; read {} in {} commits, took {}",
            report.case,
            format_bytes(cut.bytes),
            cut.place,
            cut.reason,
            format_bytes(report.bytes_scanned),
            format_count(report.commits_scanned),
            format_span(report.duration),
        ));
    }
}
