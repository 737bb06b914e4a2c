//! A process that fills a log and goes on appending until it is killed.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::args::FillArgs;
use crate::floor;
use crate::log::{Failure, Result};
use crate::prepared;
use crate::records::Records;
use crate::systems;
use crate::task::Task;

/// Fills the log, makes a mark beside it, and appends until the process is killed.
pub fn run(args: &FillArgs) -> std::result::Result<(), String> {
    // The end of the measuring process ends this one too.
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    fill(args).map_err(|failure| format!("{failure:?}"))
}

fn fill(args: &FillArgs) -> Result<()> {
    if floor::NAMES.contains(&args.system.as_str()) {
        return Err(Failure::Unsupported("a floor has no writer to kill"));
    }
    let system = systems::by_name(&args.system)
        .ok_or_else(|| Failure::Failed(format!("no system {}", args.system)))?;
    let log = system.open(&args.log)?;
    let count = args.bytes / args.record_bytes as u64;
    if count > 0 {
        prepared::fill(&*log, args.record_bytes, count)?;
    }
    std::fs::write(mark(&args.log), "")?;
    let records = Records::new(args.record_bytes);
    for index in 0.. {
        log.append(records.at(index))?;
    }
    Ok(())
}

/// Leaves the log at `log` as the death of its writer leaves it, with `bytes` more in it than
/// before.
pub fn fill_and_kill(task: &Task, log: &Path, bytes: u64) -> Result<()> {
    let mark = mark(log);
    let _ = std::fs::remove_file(&mark);
    let mut child = Command::new(std::env::current_exe()?)
        .args(["fill", "--system", &task.system, "--log"])
        .arg(log)
        .args(["--bytes", &bytes.to_string()])
        .args(["--record-bytes", &task.record_bytes.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    loop {
        if mark.exists() {
            thread::sleep(APPENDING);
            child.kill()?;
            child.wait()?;
            return Ok(std::fs::remove_file(&mark)?);
        }
        if let Some(status) = child.try_wait()? {
            return Err(Failure::Failed(format!("filling the log ended with {status}")));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn mark(log: &Path) -> std::path::PathBuf {
    log.with_extension("appending")
}

/// How long the writer appends before it is killed.
const APPENDING: Duration = Duration::from_millis(100);
