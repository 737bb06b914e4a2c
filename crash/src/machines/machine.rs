//! A virtual machine: its parts, and the end of its power.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::port;
use super::server;
use super::watch::{End, Watch};
use crate::disks::die_with_the_parent;

/// Machines that are alike.
#[derive(Clone, Debug)]
pub struct Machines {
    /// The kernel they boot.
    pub kernel: PathBuf,
    /// The archive with their first process.
    pub archive: PathBuf,
    /// Where the memory of a booted one is kept, from which all others are resumed.
    pub picture: PathBuf,
    /// What carries out their instructions.
    pub accelerator: Accelerator,
}

/// What carries out the instructions of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// qemu, which translates them.
    Tcg,
}

impl Accelerator {
    /// As qemu names it.
    pub fn name(self) -> &'static str {
        match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        }
    }

    fn processor(self) -> &'static str {
        match self {
            Accelerator::Kvm => "host",
            Accelerator::Tcg => "max",
        }
    }
}

impl Machines {
    /// Boots a machine and takes its picture when it is about to look for a disk.
    ///
    /// # Errors
    ///
    /// If it does not come so far, with the end of what its kernel said.
    pub fn take_picture(&self, watch: &Watch, home: &Path, within: Duration) -> io::Result<()> {
        self.power_on(watch, home, Start::Boot, |child| {
            match watch.wait_for_line("ready", within) {
                End::Cut => {}
                end => return Err(io::Error::other(format!("{end:?}: {}", console(home)))),
            }
            let mut monitor = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
            writeln!(monitor, "migrate \"exec:cat > {}\"\nquit", self.picture.display())?;
            match child.wait()?.success() {
                true => Ok(()),
                false => Err(io::Error::other("its picture could not be taken")),
            }
        })?
    }

    /// Resumes a machine and takes its power away at the moment its watch says.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn run_until_the_cut(&self, watch: &Watch, home: &Path) -> io::Result<End> {
        self.power_on(watch, home, Start::Resume, |_| watch.wait_for_the_cut(CUT_WITHIN))
    }

    /// Starts a machine, serves its disk and hears it while `meanwhile` takes its time, and ends
    /// it with a signal that it cannot handle.
    fn power_on<T>(
        &self,
        watch: &Watch,
        home: &Path,
        start: Start,
        meanwhile: impl FnOnce(&mut Child) -> T,
    ) -> io::Result<T> {
        let (our_port, its_port) = UnixStream::pair()?;
        let (mut our_disk, its_disk) = UnixStream::pair()?;
        let fds = [its_port.as_raw_fd(), its_disk.as_raw_fd()];
        let mut child = self.command(home, start, fds).spawn()?;
        drop((its_port, its_disk));
        std::thread::scope(|scope| {
            let hearer = scope.spawn(|| watch.hear(our_port));
            let server = scope.spawn(|| {
                let served = server::serve(&mut our_disk, watch);
                // The connection outlives the machine: one that breaks is an error of its disk.
                (served, our_disk)
            });
            let result = meanwhile(&mut child);
            // It may be gone already.
            let _ = child.kill();
            child.wait()?;
            hearer.join().map_err(|_| io::Error::other("the hearer panicked"))?;
            let (served, _) = server.join().map_err(|_| io::Error::other("the server panicked"))?;
            served.map(|()| result)
        })
    }

    fn command(&self, home: &Path, start: Start, fds: [RawFd; 2]) -> Command {
        let [port_fd, disk_fd] = fds;
        let answer = match start {
            Start::Boot => port::FIRST,
            Start::Resume => port::RESUMED,
        };
        let mut command = Command::new(QEMU);
        command
            .args(["-M", "pc", "-m", MEMORY, "-smp", "1", "-accel", self.accelerator.name()])
            .args(["-cpu", self.accelerator.processor(), "-nodefaults", "-no-user-config"])
            .args(["-display", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-initrd")
            .arg(&self.archive)
            .args(["-append", &kernel_line()])
            .arg("-serial")
            .arg(format!("file:{}", home.join(CONSOLE).display()))
            .args(["-chardev", &format!("socket,id=port,fd={port_fd}")])
            .arg("-device")
            .arg(format!("isa-debugcon,iobase={},readback={answer},chardev=port", port::NUMBER))
            .arg("-blockdev")
            .arg(format!("driver=nbd,node-name=disk,server.type=fd,server.str={disk_fd}"))
            .args(["-device", "virtio-blk-pci,drive=disk,num-queues=1,write-cache=on"])
            .stdout(Stdio::null());
        if let Ok(errors) = fs::File::create(home.join(ERRORS)) {
            command.stderr(errors);
        }
        match start {
            Start::Boot => command.args(["-monitor", "stdio"]).stdin(Stdio::piped()),
            Start::Resume => command
                .args(["-monitor", "none"])
                .args(["-incoming", &format!("exec:cat {}", self.picture.display())])
                .stdin(Stdio::null()),
        };
        // SAFETY: the calls between fork and exec take no lock and no memory.
        unsafe {
            command.pre_exec(move || {
                die_with_the_parent()?;
                for fd in fds {
                    if libc::fcntl(fd, libc::F_SETFD, 0) != 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        command
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Boot,
    Resume,
}

/// What the kernel is told; what it does not know goes to the first process.
fn kernel_line() -> String {
    let line = "console=ttyS0 quiet panic=-1 mitigations=off";
    // Which bug of a planted copy is on.
    match std::env::var("WAL_PLANTED") {
        Ok(bug) => format!("{line} WAL_PLANTED={bug}"),
        Err(_) => line.to_owned(),
    }
}

/// The last that the machine's kernel and qemu said.
pub fn console(home: &Path) -> String {
    let mut told = String::new();
    for name in [CONSOLE, ERRORS] {
        let text = fs::read(home.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).replace('\r', "");
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        for line in &lines[lines.len().saturating_sub(LINES_TOLD)..] {
            told.push_str(&format!("\n    {name}: {line}"));
        }
    }
    told
}

/// The program that is a machine.
pub const QEMU: &str = "qemu-system-x86_64";

const MEMORY: &str = "192M";
const CONSOLE: &str = "console";
const ERRORS: &str = "qemu";
const LINES_TOLD: usize = 12;

/// A machine takes a second or two; a busy host may need many times that.
const CUT_WITHIN: Duration = Duration::from_secs(120);
