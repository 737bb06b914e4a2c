//! Kills and system-call faults of real processes.

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> ExitCode {
    wal_crash::processes::command::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() -> ExitCode {
    println!("NOT RUN: kills and system-call faults need Linux on x86-64");
    ExitCode::SUCCESS
}
