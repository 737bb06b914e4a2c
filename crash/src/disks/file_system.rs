//! The file systems under test, and how they are made and mounted.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileSystem {
    /// ext4 with a journal, data ordered before metadata, as it comes.
    Ext4,
    /// XFS.
    Xfs,
    /// btrfs, which writes nothing in place.
    Btrfs,
    /// btrfs with files that are written in place (`chattr +C`).
    BtrfsInPlace,
}

impl FileSystem {
    /// All of them.
    pub const ALL: [FileSystem; 4] =
        [FileSystem::Ext4, FileSystem::Xfs, FileSystem::Btrfs, FileSystem::BtrfsInPlace];

    /// As arguments and reports name it.
    pub fn name(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::Xfs => "xfs",
            FileSystem::Btrfs => "btrfs",
            FileSystem::BtrfsInPlace => "btrfs-nodatacow",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<FileSystem> {
        FileSystem::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The size of a disk for it: small ones are mounted quickly, and these are about the smallest
    /// that can be made.
    pub fn bytes(self) -> u64 {
        match self {
            FileSystem::Ext4 => 16 << 20,
            FileSystem::Xfs => 320 << 20,
            FileSystem::Btrfs | FileSystem::BtrfsInPlace => 128 << 20,
        }
    }

    /// The program that makes one.
    pub fn maker(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "mkfs.ext4",
            FileSystem::Xfs => "mkfs.xfs",
            FileSystem::Btrfs | FileSystem::BtrfsInPlace => "mkfs.btrfs",
        }
    }

    /// The figure that counts the states seen on it.
    pub fn figure(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "states ext4",
            FileSystem::Xfs => "states xfs",
            FileSystem::Btrfs | FileSystem::BtrfsInPlace => "states btrfs",
        }
    }

    /// Makes an empty one on a file or device.
    ///
    /// # Errors
    ///
    /// If its program fails.
    pub fn make(self, on: &Path) -> io::Result<()> {
        let options: &[&str] = match self {
            // No thread that fills the tables in later, no journal larger than the smallest.
            FileSystem::Ext4 => &[
                "-q",
                "-F",
                "-b",
                "4096",
                "-N",
                "128",
                "-m",
                "0",
                "-J",
                "size=4",
                "-E",
                "lazy_itable_init=0,lazy_journal_init=0,nodiscard",
            ],
            // Sectors as large as the blocks of which a crash keeps any subset.
            FileSystem::Xfs => &["-q", "-f", "-K", "-s", "size=4096", "-d", "agcount=2"],
            FileSystem::Btrfs | FileSystem::BtrfsInPlace => {
                &["-q", "-f", "-K", "-m", "single", "-d", "single", "-n", "4096"]
            }
        };
        let made = Command::new(self.maker())
            .args(options)
            .arg(on)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()?;
        match made.status.success() {
            true => Ok(()),
            false => {
                let words = String::from_utf8_lossy(&made.stderr).into_owned();
                Err(io::Error::other(format!("{}: {words}", self.maker())))
            }
        }
    }

    /// Mounts a device.
    ///
    /// # Errors
    ///
    /// What the file system says of it.
    pub fn mount(self, device: &Path, on: &Path) -> io::Result<Mounted> {
        let (kind, options) = match self {
            FileSystem::Ext4 => ("ext4", "nodiscard,noinit_itable"),
            // Two workers mount copies of one disk at a time.
            FileSystem::Xfs => ("xfs", "nouuid"),
            FileSystem::Btrfs | FileSystem::BtrfsInPlace => {
                forget_devices()?;
                ("btrfs", "nodiscard")
            }
        };
        let (device, on_text) = (text(device.as_os_str())?, text(on.as_os_str())?);
        let (kind, options) = (text(OsStr::new(kind))?, text(OsStr::new(options))?);
        // SAFETY: all four are strings that end with a zero and outlive the call.
        let result = unsafe {
            libc::mount(
                device.as_ptr(),
                on_text.as_ptr(),
                kind.as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        match result {
            0 => Ok(Mounted(Some(on.to_path_buf()))),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes the directory in which logs are kept, and lets its files be written in place where the
    /// file system does that only when it is told to.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn make_home(self, root: &Path) -> io::Result<()> {
        let home = root.join(HOME);
        fs::create_dir(&home)?;
        let home = File::open(home)?;
        if self == FileSystem::BtrfsInPlace {
            let flags: libc::c_long = FS_NOCOW_FL;
            // SAFETY: the pointer is to a number of the size this call reads.
            if unsafe { libc::ioctl(home.as_raw_fd(), FS_IOC_SETFLAGS, &raw const flags) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        home.sync_all()?;
        File::open(root)?.sync_all()
    }
}

/// A mounted file system. It is unmounted with this.
#[derive(Debug)]
pub struct Mounted(Option<PathBuf>);

impl Mounted {
    /// Unmounts it, and waits for whoever has a file open a little longer.
    ///
    /// # Errors
    ///
    /// If it is still in use.
    pub fn unmount(mut self) -> io::Result<()> {
        let Some(on) = self.0.take() else { return Ok(()) };
        let path = text(on.as_os_str())?;
        for _ in 0..UNMOUNT_ATTEMPTS {
            // SAFETY: the path is a string that ends with a zero.
            if unsafe { libc::umount2(path.as_ptr(), 0) } == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::EBUSY) {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.0 = Some(on);
        Err(io::Error::from_raw_os_error(libc::EBUSY))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(path) = self.0.take().and_then(|on| text(on.as_os_str()).ok()) {
            // SAFETY: the path is a string that ends with a zero.
            unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
        }
    }
}

/// Gives this process and its children mounts of their own, which end with them however they end.
///
/// # Errors
///
/// If the process may not.
pub fn leave_the_mounts_of_others() -> io::Result<()> {
    // SAFETY: no pointer is passed.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let none = std::ptr::null();
    // SAFETY: a change of propagation reads the target alone.
    match unsafe { libc::mount(none, c"/".as_ptr(), none, private, none.cast()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Mounts memory on a directory, for the mount points of this process.
///
/// # Errors
///
/// If the process may not.
pub fn mount_memory(on: &Path) -> io::Result<()> {
    let path = text(on.as_os_str())?;
    // SAFETY: all strings end with a zero and outlive the call.
    let result = unsafe {
        libc::mount(c"wal-crash".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// btrfs remembers devices that it has seen, and refuses one that holds an older state of the same
/// file system: which is what a crash state is.
fn forget_devices() -> io::Result<()> {
    let control = OpenOptions::new().read(true).write(true).open("/dev/btrfs-control")?;
    let nothing = [0_u8; BTRFS_ARGUMENT_BYTES];
    // SAFETY: the argument has the size this call reads; empty, it means every unused device.
    unsafe { libc::ioctl(control.as_raw_fd(), BTRFS_IOC_FORGET_DEV, nothing.as_ptr()) };
    Ok(())
}

fn text(string: &OsStr) -> io::Result<CString> {
    CString::new(string.as_bytes()).map_err(io::Error::other)
}

/// The directory in which logs are kept.
pub const HOME: &str = "home";

/// The directory of the log under test, in there.
pub const LOG: &str = "log";

const UNMOUNT_ATTEMPTS: usize = 500;

const FS_IOC_SETFLAGS: libc::Ioctl = 0x4008_6602;
const FS_NOCOW_FL: libc::c_long = 0x0080_0000;

const BTRFS_ARGUMENT_BYTES: usize = 4096;
const BTRFS_IOC_FORGET_DEV: libc::Ioctl = 0x5000_9405;
