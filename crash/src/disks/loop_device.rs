//! Block devices over files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// A loop device. It goes away with this.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
    /// Held open where the device goes with its last user.
    held: Option<File>,
}

impl LoopDevice {
    /// Puts a device over a file. When nobody has it open, the kernel forgets what it knows of it.
    ///
    /// # Errors
    ///
    /// If there is no device to be had.
    pub fn over(file: &File) -> io::Result<LoopDevice> {
        let (path, _) = attach(file)?;
        Ok(LoopDevice { path, held: None })
    }

    /// Puts a device over a file that goes away with its last user, also when this process is
    /// killed.
    ///
    /// # Errors
    ///
    /// If there is no device to be had.
    pub fn while_used(file: &File) -> io::Result<LoopDevice> {
        let (path, device) = attach(file)?;
        let mut status = [0_u8; STATUS_BYTES];
        status[STATUS_FLAGS_AT] = LO_FLAGS_AUTOCLEAR;
        // SAFETY: the pointer is to as many bytes as this call reads.
        match unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_STATUS64, status.as_ptr()) } {
            0 => Ok(LoopDevice { path, held: Some(device) }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Drops what the kernel has cached of the device.
    ///
    /// # Errors
    ///
    /// If the device cannot be opened.
    pub fn drop_cache(&self) -> io::Result<()> {
        let device = File::open(&self.path)?;
        // SAFETY: no pointer is passed. What could not be written is lost, as it would be later.
        unsafe { libc::ioctl(device.as_raw_fd(), BLKFLSBUF, 0) };
        Ok(())
    }

    /// As the system names it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        if self.held.is_none() {
            release(&self.path);
        }
    }
}

fn attach(file: &File) -> io::Result<(PathBuf, File)> {
    let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    for _ in 0..ATTEMPTS {
        // SAFETY: this call takes no pointer.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = OpenOptions::new().read(true).write(true).open(&path)?;
        // SAFETY: the argument is an open descriptor, and no pointer.
        if unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_FD, file.as_raw_fd()) } == 0 {
            return Ok((path, device));
        }
        let error = io::Error::last_os_error();
        // Another process was quicker.
        if error.raw_os_error() != Some(libc::EBUSY) {
            return Err(error);
        }
    }
    Err(io::Error::other("every loop device that was free was taken by somebody else"))
}

/// Takes away the devices that a process left that was killed. Its mounts went with it.
///
/// # Errors
///
/// If the devices cannot be listed.
pub fn sweep() -> io::Result<()> {
    for entry in fs::read_dir("/sys/block")? {
        let name = entry?.file_name();
        let backing = Path::new("/sys/block").join(&name).join("loop/backing_file");
        let Ok(backing) = fs::read_to_string(backing) else { continue };
        let owner = backing.split_once(MARK).and_then(|(_, rest)| {
            let digits = rest.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(rest.len());
            rest[..digits].parse::<u32>().ok()
        });
        if owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            release(&Path::new("/dev").join(name));
        }
    }
    Ok(())
}

/// The name of a file under a loop device of this process and its children, so that what it may
/// leave can be told from what others do.
pub fn name() -> String {
    format!("{MARK}{}", std::process::id())
}

fn release(path: &Path) {
    if let Ok(device) = File::open(path) {
        // SAFETY: this call takes no pointer. A device in use goes away with its last user.
        unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CLR_FD) };
    }
}

const MARK: &str = "wal-crash-disk-";

const ATTEMPTS: usize = 50;

const LOOP_SET_FD: libc::Ioctl = 0x4C00;
const LOOP_CLR_FD: libc::Ioctl = 0x4C01;
const LOOP_SET_STATUS64: libc::Ioctl = 0x4C04;
const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const BLKFLSBUF: libc::Ioctl = 0x1261;

/// Of the argument of `LOOP_SET_STATUS64`.
const STATUS_BYTES: usize = 232;
const STATUS_FLAGS_AT: usize = 52;
const LO_FLAGS_AUTOCLEAR: u8 = 4;
