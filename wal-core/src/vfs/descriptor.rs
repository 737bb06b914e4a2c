//! An owned file descriptor: how it is opened, locked and closed, and what a fork does to it.

#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::file::Lock;
use super::file_system::Access;
use super::fork::{ClosedOnFork, fork_generation, watch_forks};

/// An open regular file, never descriptor 0, 1 or 2, closed on exec.
///
/// Once locked it is also closed in the child of a fork; the object the child inherited then
/// refuses every use, because its number may stand for another file by now.
#[derive(Debug)]
pub(super) struct Descriptor {
    file: ManuallyDrop<fs::File>,
    writable: bool,
    /// The fork generation in which the descriptor was registered as locked, plus one; 0 while it
    /// is not. Set before the registration and cleared after it, so that a child never believes a
    /// closed descriptor to be open. Read without a lock on every use.
    locked_in: AtomicU64,
    /// The registration. Held while the lock changes.
    entry: Mutex<Option<&'static ClosedOnFork>>,
}

impl Descriptor {
    /// Opens `path`, following no symbolic link, with `flags` beside those that `access` asks for.
    pub(super) fn open(path: &Path, access: Access, flags: i32) -> io::Result<Descriptor> {
        watch_forks()?;
        let mut options = fs::OpenOptions::new();
        // Without O_NONBLOCK the opening of a FIFO waits for its other end; files ignore it.
        options.read(true).custom_flags(
            libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY | flags,
        );
        options.write(access != Access::Read);
        if access == Access::Create {
            options.create_new(true).mode(0o600);
        }
        let file = above_standard_streams(options.open(path).map_err(not_a_file)?)?;
        if !file.metadata()?.is_file() {
            return Err(invalid("not a regular file"));
        }
        Ok(Descriptor {
            file: ManuallyDrop::new(file),
            writable: access != Access::Read,
            locked_in: AtomicU64::new(0),
            entry: Mutex::new(None),
        })
    }

    /// The open file, unless a fork closed it.
    pub(super) fn file(&self) -> io::Result<&fs::File> {
        if self.closed_by_fork() {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
        Ok(&self.file)
    }

    /// Whether both are the same inode.
    pub(super) fn is_same_file(&self, other: &Descriptor) -> io::Result<bool> {
        let (one, two) = (self.file()?.metadata()?, other.file()?.metadata()?);
        Ok(one.dev() == two.dev() && one.ino() == two.ino())
    }

    /// As [`super::File::try_lock`].
    pub(super) fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        if lock == Lock::Exclusive && !self.writable {
            return Err(invalid("an exclusive lock needs a file opened for writing"));
        }
        let fd = self.file()?.as_raw_fd();
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        let was_locked = entry.is_some();
        if !was_locked {
            self.locked_in.store(u64::from(fork_generation()) + 1, Ordering::Release);
            *entry = Some(ClosedOnFork::register(fd));
        }
        let taken = set_lock(fd, Some(lock));
        // A refused change of kind keeps the lock that was held.
        if !matches!(taken, Ok(true)) && !was_locked {
            if let Some(entry) = entry.take() {
                entry.unregister();
            }
            self.locked_in.store(0, Ordering::Release);
        }
        taken
    }

    fn closed_by_fork(&self) -> bool {
        let locked_in = self.locked_in.load(Ordering::Acquire);
        locked_in != 0 && locked_in != u64::from(fork_generation()) + 1
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if self.closed_by_fork() {
            // The number may be another file's by now, and the lock is the parent's.
            return;
        }
        let entry = self.entry.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(entry) = entry {
            // The order matters. Unlocking first leaves a child forked in the middle with a
            // harmless descriptor instead of the lock; closing last keeps the number ours. The
            // result is of no interest: closing releases the lock as well.
            let _ = set_lock(self.file.as_raw_fd(), None);
            entry.unregister();
        }
        // SAFETY: the file is dropped once, here, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.file) };
    }
}

/// Moves an open file off the numbers 0 to 2: a host that closed its standard streams would
/// otherwise print into the log.
pub(super) fn above_standard_streams(file: fs::File) -> io::Result<fs::File> {
    if file.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(file);
    }
    let above = libc::STDERR_FILENO + 1;
    // SAFETY: fcntl reads nothing but its three numbers; the descriptor is open.
    let fd = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was made by the call above and belongs to nobody else.
    Ok(unsafe { fs::File::from_raw_fd(fd) })
}

/// Takes, changes or (with `None`) releases the lock of an open file description.
fn set_lock(fd: RawFd, lock: Option<Lock>) -> io::Result<bool> {
    loop {
        let Err(error) = set_lock_once(fd, lock) else { return Ok(true) };
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EAGAIN | libc::EACCES) => return Ok(false),
            _ => return Err(error),
        }
    }
}

/// Record locks of the open file description over the whole file. Unlike `flock` they also work
/// between the machines of a network file system; unlike classic record locks they are not lost
/// when the process closes another descriptor of the same file.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_lock_once(fd: RawFd, lock: Option<Lock>) -> io::Result<()> {
    let kind = match lock {
        Some(Lock::Shared) => libc::F_RDLCK,
        Some(Lock::Exclusive) => libc::F_WRLCK,
        None => libc::F_UNLCK,
    };
    // SAFETY: all-zero is a valid `flock` (it must be for the fields this does not name).
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    range.l_type = kind as libc::c_short;
    range.l_whence = libc::SEEK_SET as libc::c_short;
    // SAFETY: the descriptor is open and `range` lives through the call.
    match unsafe { libc::fcntl(fd, libc::F_OFD_SETLK, &raw mut range) } {
        0 => Ok(()),
        _ => match io::Error::last_os_error() {
            // A kernel without these locks has them on no file, so every process takes this way.
            error if error.raw_os_error() == Some(libc::EINVAL) => flock_once(fd, lock),
            error => Err(error),
        },
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_lock_once(fd: RawFd, lock: Option<Lock>) -> io::Result<()> {
    flock_once(fd, lock)
}

fn flock_once(fd: RawFd, lock: Option<Lock>) -> io::Result<()> {
    let operation = match lock {
        Some(Lock::Shared) => libc::LOCK_SH,
        Some(Lock::Exclusive) => libc::LOCK_EX,
        None => libc::LOCK_UN,
    };
    // SAFETY: flock reads nothing but its two numbers; the descriptor is open.
    match unsafe { libc::flock(fd, operation | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What the system says of directories, symbolic links and sockets, in the words of the contract.
fn not_a_file(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EISDIR) => invalid("a directory, not a regular file"),
        Some(libc::ELOOP) => invalid("a symbolic link, not a regular file"),
        Some(libc::ENXIO) => invalid("a socket or device, not a regular file"),
        _ => error,
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
