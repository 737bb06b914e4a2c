//! Does what a ledger says to a log, until somebody kills it.

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> ExitCode {
    use std::path::Path;

    use wal_crash::processes::{driver, plain};
    use wal_crash::system;

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["peer", name, directory, ledger] => match system(name) {
            Some(system) => plain::drive(&*system, Path::new(directory), Path::new(ledger)),
            None => return usage(),
        },
        ["judge", name, directory, acknowledged, submitted] => {
            let (Some(system), Ok(acknowledged), Ok(submitted)) =
                (system(name), acknowledged.parse(), submitted.parse())
            else {
                return usage();
            };
            return match plain::go_on(&*system, Path::new(directory), acknowledged, submitted) {
                Ok(()) => ExitCode::SUCCESS,
                Err((finding, text)) => {
                    eprintln!("{text}");
                    ExitCode::from(finding as u8)
                }
            };
        }
        [directory, ledger] => driver::drive(Path::new(directory), Path::new(ledger)),
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crash-driver: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn usage() -> ExitCode {
    eprintln!("usage: crash-driver DIRECTORY LEDGER");
    eprintln!("       crash-driver peer NAME DIRECTORY LEDGER");
    eprintln!("       crash-driver judge NAME DIRECTORY ACKNOWLEDGED SUBMITTED");
    ExitCode::from(2)
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() -> ExitCode {
    eprintln!("NOT RUN: kills and system-call faults need Linux on x86-64");
    ExitCode::SUCCESS
}
