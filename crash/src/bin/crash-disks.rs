//! Real file systems on a disk that loses power.
//!
//! `crash-disks slice` and `crash-disks full` are the rung, `crash-disks peers` the same for other
//! logs, `crash-disks look` opens the disk of a violation. The other commands are its own children.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    wal_crash::disks::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("NOT RUN: real file systems (Linux alone)");
}
