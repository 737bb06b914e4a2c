//! What a child process does on the disk it is given, told as arguments.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wal_core::Level;

use super::file_system::{FileSystem, HOME, LOG, Mounted};
use super::loop_device::LoopDevice;
use super::script::{self, Step};
use super::workload::{Marks, Workload, append_and_reopen};
use crate::{Failed, Rng};

/// A workload, and where.
#[derive(Args, Clone, Debug)]
pub struct Errand {
    /// The log.
    #[arg(long)]
    pub log: String,
    /// The file system on the disk.
    #[arg(long)]
    pub file_system: String,
    /// The file that is the disk.
    #[arg(long)]
    pub disk: PathBuf,
    /// The file that takes marks.
    #[arg(long)]
    pub marks: PathBuf,
    /// Where to mount it.
    #[arg(long)]
    pub on: PathBuf,
    /// What the workload follows from.
    #[arg(long)]
    pub seed: u64,
    /// What to do.
    #[arg(long, value_enum)]
    pub plan: Plan,
}

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plan {
    /// A workload that visits everything, without faults.
    Everything,
    /// Numbered records to a log of any kind, seen from outside, without faults.
    Plain,
    /// Appends on a device that fails; then the log is opened again in the same process.
    SameProcess,
    /// The same, with the page cache dropped in between.
    DropCaches,
    /// The same, with the file system unmounted and mounted in between.
    Remount,
    /// Appends on a device that fails; the file system stays mounted.
    Leave,
    /// What comes after that in another process.
    Again,
    /// Opens what a crash left, and appends.
    GoOn,
}

impl Errand {
    /// Does it.
    ///
    /// # Errors
    ///
    /// If the rig fails, or a workload without faults.
    pub fn run(&self) -> Result<(), Failed> {
        let file_system =
            FileSystem::named(&self.file_system).ok_or_else(|| failed("no such file system"))?;
        if self.plan == Plan::Again {
            self.again(1000)?;
            // Nothing is closed: power is lost here.
            std::process::exit(0);
        }
        let disk = OpenOptions::new().read(true).write(true).open(&self.disk).map_err(failed)?;
        let device = LoopDevice::while_used(&disk).map_err(failed)?;
        let mounted = file_system.mount(device.path(), &self.on).map_err(failed)?;
        match self.plan {
            Plan::Everything | Plan::Plain => {
                let done = if self.plan == Plan::Plain {
                    self.plain()
                } else {
                    self.everything(file_system)
                };
                mounted.unmount().map_err(failed)?;
                done
            }
            Plan::GoOn => {
                let done = self.again(2000);
                mounted.unmount().map_err(failed)?;
                done
            }
            Plan::Leave => {
                self.appends()?;
                // The mount and the device stay: no destructor runs.
                std::process::exit(0);
            }
            _ => {
                let appended = self.appends()?;
                let mounted = self.between(file_system, &device, mounted)?;
                self.again(appended)?;
                // Nothing is closed or unmounted: power is lost here.
                drop(mounted);
                std::process::exit(0);
            }
        }
    }

    fn log_path(&self) -> PathBuf {
        self.on.join(HOME).join(LOG)
    }

    fn everything(&self, file_system: FileSystem) -> Result<(), Failed> {
        let marks = Marks::open(&self.marks).map_err(failed)?;
        let mut workload = Workload::new(marks, self.log_path(), script::options(self.seed), 0);
        workload.open()?;
        for step in script::everything(self.seed) {
            workload.step(&step).map_err(|Failed(words)| Failed(format!("{step:?}: {words}")))?;
            // The others do not say where on the disk their files are.
            if matches!(file_system, FileSystem::Ext4 | FileSystem::Xfs) {
                workload.say_blocks()?;
            }
        }
        workload.close()
    }

    fn plain(&self) -> Result<(), Failed> {
        let mut marks = Marks::open(&self.marks).map_err(failed)?;
        let system = crate::system(&self.log).ok_or_else(|| failed("no such log"))?;
        // A directory that is not durable would be the fault of this workload, not of the log.
        let path = self.log_path();
        fs::create_dir(&path).map_err(failed)?;
        let home = fs::File::open(self.on.join(HOME)).map_err(failed)?;
        home.sync_all().map_err(failed)?;
        let mut rng = Rng::new(self.seed);
        let lens: Vec<_> = (0..RECORDS).map(|_| 8 + rng.below(3000)).collect();
        append_and_reopen(&mut marks, &*system, &path, &lens)
    }

    /// Appends until all is done, whatever fails. Nothing may be acknowledged after a failure.
    fn appends(&self) -> Result<u64, Failed> {
        let marks = Marks::open(&self.marks).map_err(failed)?;
        let mut workload = Workload::new(marks, self.log_path(), script::options(self.seed), 0);
        let mut failure = workload.open().err();
        for step in script::appends(self.seed) {
            match (workload.step(&step), &failure) {
                (Ok(()), Some(Failed(words))) if is_durable(&step) => {
                    println!("violation {step:?} was acknowledged after: {words}");
                }
                (Err(words), None) => failure = Some(words),
                _ => {}
            }
        }
        if let Some(Failed(words)) = &failure {
            println!("noticed {words}");
        }
        workload.drop_log();
        Ok(workload.appended())
    }

    fn between(
        &self,
        file_system: FileSystem,
        device: &LoopDevice,
        mounted: Mounted,
    ) -> Result<Mounted, Failed> {
        match self.plan {
            Plan::DropCaches => {
                fs::write("/proc/sys/vm/drop_caches", "3").map_err(failed)?;
                Ok(mounted)
            }
            Plan::Remount => {
                if let Err(error) = mounted.unmount() {
                    println!("noticed unmounting: {error}");
                }
                device.drop_cache().map_err(failed)?;
                file_system.mount(device.path(), &self.on).map_err(|error| {
                    println!("unmountable {error}");
                    failed(error)
                })
            }
            _ => Ok(mounted),
        }
    }

    /// Opens the log again, and appends. What it serves and acknowledges from now on has to survive
    /// as if nothing had failed.
    fn again(&self, appended: u64) -> Result<(), Failed> {
        let marks = Marks::open(&self.marks).map_err(failed)?;
        let options = script::options(self.seed);
        let mut workload = Workload::new(marks, self.log_path(), options, appended);
        if let Err(Failed(words)) = workload.open() {
            println!("unopened {words}");
            return Ok(());
        }
        workload.say_opened()?;
        for len in [300, 7000] {
            if let Err(Failed(words)) = workload.step(&Step::Append(Level::Disk, vec![len])) {
                println!("noticed afterwards {words}");
                return Ok(());
            }
        }
        Ok(())
    }
}

fn is_durable(step: &Step) -> bool {
    matches!(step, Step::Append(Level::Disk, _) | Step::Sync)
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(format!("{error:#}"))
}

/// The arguments that bring this errand to a child.
impl Errand {
    /// As the command line of this program.
    pub fn arguments(&self) -> Vec<String> {
        let plan = self.plan.to_possible_value();
        let text = |path: &Path| path.display().to_string();
        [
            ("--log", self.log.clone()),
            ("--file-system", self.file_system.clone()),
            ("--disk", text(&self.disk)),
            ("--marks", text(&self.marks)),
            ("--on", text(&self.on)),
            ("--seed", self.seed.to_string()),
            ("--plan", plan.map_or(String::new(), |plan| plan.get_name().to_owned())),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    }
}

const RECORDS: usize = 60;
