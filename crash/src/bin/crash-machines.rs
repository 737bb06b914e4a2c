//! Power cuts of a virtual machine.
//!
//! `crash-machines slice` and `crash-machines full` are the rung. The same program is the first
//! process of the machines.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    wal_crash::machines::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("NOT RUN: power cuts of a virtual machine (Linux on x86-64 alone)");
}
