//! What only system calls give.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use memmap2::{Mmap, MmapOptions};

/// User and system time of this process so far.
pub fn processor_time() -> Duration {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to memory of the right size; zeros are a valid `rusage` if it fails.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let of = |time: libc::timeval| {
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
            + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// Maps a whole file for reading, every page in place.
pub fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file is one of the benchmark's own; nobody writes or cuts it while it is mapped.
    unsafe { MmapOptions::new().populate().map(file) }
}

/// Takes the clean pages of a file out of the page cache, as far as the kernel follows.
pub fn forget_pages(file: &File) {
    // SAFETY: the descriptor is open, and the call touches no memory of the process.
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED);
    }
}

/// Says that a file is read from its start to its end, so that the kernel reads further ahead.
pub fn read_ahead(file: &File) {
    // SAFETY: the descriptor is open, and the call touches no memory of the process.
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_SEQUENTIAL);
    }
}

/// Ends the process of a command when the one that started it ends, however it ends: what was
/// interrupted must not go on writing where its files are removed.
pub fn end_with_parent(command: &mut Command) {
    let die = || {
        // SAFETY: the call takes numbers and touches no memory of the process.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    unsafe {
        command.pre_exec(die);
    }
}

/// Lets the process have as many descriptors as it may.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are to one `rlimit` that outlives both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
