//! Counting instructions with valgrind's callgrind.
//!
//! What makes a count repeatable: it starts and ends with one function, so start-up is not in it;
//! callgrind switches collecting on and off for each thread by itself, so what the background does
//! meanwhile is not in it; and no workload has its thread wait or spin for another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::workload::Workload;

/// Instructions per record (or per whatever the workload does).
///
/// # Errors
/// A workload that fails, or of which nothing was counted.
pub fn count(workload: &Workload, directory: &Path) -> Outcome<f64> {
    let profile = profile(workload.name(), directory);
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "-q", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={TOGGLE}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe()?)
        .args(["workload", workload.name()])
        .arg(directory);
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{said}", output.status).into());
    }
    let times: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let instructions = total(&fs::read_to_string(&profile)?);
    match instructions {
        Some(instructions) if instructions > 0 && times > 0 => {
            Ok(instructions as f64 / times as f64)
        }
        _ => Err(format!("{command:?}: nothing was counted\n{said}").into()),
    }
}

/// Where the profile of a workload is left, for `callgrind_annotate`.
fn profile(name: &str, directory: &Path) -> PathBuf {
    directory.join(format!("{name}.callgrind"))
}

/// The instructions a profile sums up to.
fn total(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("totals:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok())
}

/// The compiler decorates names.
const TOGGLE: &str = "*measured_loop*";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_profile_is_its_first_event() {
        assert_eq!(total("events: Ir\nfn=(1)\n3 4\ntotals: 1234\n"), Some(1234));
        assert_eq!(total("totals: 12 34\n"), Some(12));
        assert_eq!(total("summary: 1\ntotals:\n"), None);
        assert_eq!(total(""), None);
    }
}
