//! The machine the figures come from.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::mount::Mount;

/// What has to be known of a machine to judge a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The model of the processor.
    pub processor: String,
    /// Processors the system has.
    pub cores: usize,
    /// Main memory.
    pub memory_gib: f64,
    /// The release of the kernel.
    pub kernel: String,
    /// Each directory that was measured in: file system and device.
    pub file_systems: Vec<String>,
    /// Whether the run was a quick one.
    pub quick: bool,
    /// How long the run took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_seconds: Option<u64>,
}

impl Machine {
    /// Describes this machine.
    pub fn here(mounts: &[Mount], quick: bool, run_seconds: u64) -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let memory = read("/proc/meminfo");
        let kib = value(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
        Machine {
            processor: value(&cpu, "model name").unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: (kib.unwrap_or(0.0) / 1048576.0f64 * 10.0).round() / 10.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_systems: mounts.iter().map(describe).collect(),
            quick,
            run_seconds: Some(run_seconds),
        }
    }

    /// Reads what was written beside the results.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Machine, String> {
        let say = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| say(&error))?;
        serde_json::from_str(&text).map_err(|error| say(&error))
    }

    /// Writes it beside the results.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The lines of a list.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("processor: {}, {} cores", self.processor, self.cores),
            format!("memory: {} GiB", self.memory_gib),
            format!("kernel: Linux {}", self.kernel),
        ];
        lines.extend(self.file_systems.iter().map(|text| format!("file system: {text}")));
        let minutes = self.run_seconds.map(|seconds| seconds as f64 / 60.0);
        lines.extend(minutes.map(|minutes| format!("the run took {minutes:.1} minutes")));
        lines
    }
}

/// File system, device, and how the device caches what it is given.
fn describe(mount: &Mount) -> String {
    let device = Path::new(&mount.source).file_name().unwrap_or_default().to_string_lossy();
    let queue = format!("/sys/class/block/{device}/queue");
    let of = |name: &str| fs::read_to_string(format!("{queue}/{name}")).ok();
    let mut text = format!("{} on {device}", mount.label());
    if let Some(cache) = of("write_cache") {
        text.push_str(&format!(", {} cache", cache.trim()));
    }
    if let Some(fua) = of("fua") {
        text.push_str(if fua.trim() == "1" { ", FUA" } else { ", no FUA" });
    }
    text
}

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_can_be_described_and_read_back() {
        let scratch = tempfile::tempdir().unwrap();
        let machine = Machine::here(&[Mount::of(scratch.path()).unwrap()], true, 60);
        assert!(machine.cores > 0 && machine.memory_gib > 0.0 && !machine.kernel.is_empty());
        machine.write(&scratch.path().join("machine.json")).unwrap();
        assert_eq!(Machine::read(&scratch.path().join("machine.json")), Ok(machine));
    }
}
