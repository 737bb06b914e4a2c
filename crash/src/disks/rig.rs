//! A disk that is recorded, and children that use it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::block_file::BlockFile;
use super::blocks::Blocks;
use super::campaign::Janitor;
use super::errand::{Errand, Plan};
use super::event::Event;
use super::file_system::{self, FileSystem};
use super::image::Image;
use super::loop_device;
use super::recording::{Disk, Fault};

/// What a process needs to record workloads. All of its mounts are its own and end with it.
pub struct Rig {
    /// The disk.
    pub disk: Disk,
    file: BlockFile,
    root: PathBuf,
    bases: HashMap<FileSystem, Blocks>,
    /// Has the mounts too, and outlives this process. Were this one the last to have them, the
    /// kernel would unmount them while it ends, and wait for a disk that nobody serves any more.
    _keeper: Janitor,
}

/// What children said, and what reached the disk.
#[derive(Debug)]
pub struct Recorded {
    /// The requests and marks.
    pub events: Vec<Event>,
    /// What was printed, line by line.
    pub words: Vec<String>,
    /// Whether every child ended well.
    pub is_whole: bool,
}

impl Rig {
    /// Sets everything up.
    ///
    /// # Errors
    ///
    /// If the process may not mount, or FUSE is not there.
    pub fn new() -> io::Result<Rig> {
        file_system::leave_the_mounts_of_others()?;
        let keeper = Janitor::start()?;
        // Over a directory that is everywhere; nobody else sees it.
        let over = PathBuf::from("/mnt");
        file_system::mount_memory(&over)?;
        let root = over.join(loop_device::name());
        for name in ["fuse", "record", "replay"] {
            fs::create_dir_all(root.join(name))?;
        }
        let disk = Disk::default();
        let file = BlockFile::serve(&disk, &root.join("fuse"))?;
        Ok(Rig { disk, file, root, bases: HashMap::new(), _keeper: keeper })
    }

    /// Where crash states are mounted.
    pub fn replay_mount_point(&self) -> PathBuf {
        self.root.join("replay")
    }

    /// An empty file system of this kind.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn base(&mut self, file_system: FileSystem) -> io::Result<Blocks> {
        if let Some(base) = self.bases.get(&file_system) {
            return Ok(base.clone());
        }
        let image = Image::of(file_system, &self.replay_mount_point())?;
        let base = image.base().clone();
        self.bases.insert(file_system, base.clone());
        Ok(base)
    }

    /// Puts a fresh disk in, and lets children do their plans on it one after the other.
    ///
    /// # Errors
    ///
    /// If the rig fails. What children say is no failure.
    pub fn record(
        &mut self,
        log: &str,
        file_system: FileSystem,
        seed: u64,
        plans: &[Plan],
        fault: Option<Fault>,
    ) -> io::Result<Recorded> {
        let base = self.base(file_system)?;
        self.record_on(base, log, file_system, seed, plans, fault)
    }

    /// The same on a disk that holds something already.
    ///
    /// # Errors
    ///
    /// If the rig fails. What children say is no failure.
    pub fn record_on(
        &mut self,
        base: Blocks,
        log: &str,
        file_system: FileSystem,
        seed: u64,
        plans: &[Plan],
        fault: Option<Fault>,
    ) -> io::Result<Recorded> {
        self.disk.insert(file_system.bytes(), base, fault);
        let on = self.root.join("record");
        let mut recorded = Recorded { events: Vec::new(), words: Vec::new(), is_whole: true };
        for plan in plans {
            let errand = Errand {
                log: log.to_owned(),
                file_system: file_system.name().to_owned(),
                disk: self.file.disk(),
                marks: self.file.marks(),
                on: on.clone(),
                seed,
                plan: *plan,
            };
            let (words, is_whole) = run(&errand)?;
            recorded.words.extend(words);
            recorded.is_whole &= is_whole;
        }
        recorded.events = self.disk.take_events();
        // What a child left mounted; in another process, because this one serves the disk.
        let _ = Command::new("umount")
            .arg("-q")
            .arg("-l")
            .arg(&on)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Ok(recorded)
    }
}

fn run(errand: &Errand) -> io::Result<(Vec<String>, bool)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("errand")
        .args(errand.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || read(stderr));
    let words = std::thread::spawn(move || read(stdout));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > ERRAND_WITHIN {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut words: Vec<_> = words.join().unwrap_or_default().lines().map(str::to_owned).collect();
    let errors = errors.join().unwrap_or_default();
    words.extend(errors.lines().map(|line| format!("error {line}")));
    if status.is_none() {
        words.push(format!("violation it did not end within {ERRAND_WITHIN:?}"));
    }
    Ok((words, status.is_some_and(|status| status.success())))
}

fn read(from: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(mut from) = from {
        // What was read until then is what was said.
        let _ = from.read_to_string(&mut text);
    }
    text
}

/// An errand takes less than a second; a busy machine may need many times that.
const ERRAND_WITHIN: Duration = Duration::from_secs(120);
