//! Wake-ups through a file descriptor.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A descriptor that becomes readable by [`raise_event`].
pub(crate) fn new_event() -> io::Result<OwnedFd> {
    // SAFETY: eventfd takes two integers and returns a new descriptor or -1.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just created and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes the descriptor readable.
pub(crate) fn raise_event(event: &OwnedFd) -> io::Result<()> {
    let one = 1u64;
    // SAFETY: the descriptor is open and the buffer is the eight bytes eventfd asks for.
    let written = unsafe { libc::write(event.as_raw_fd(), (&raw const one).cast(), 8) };
    check(written)
}

/// Makes the descriptor unreadable until it is raised again.
pub(crate) fn clear_event(event: &OwnedFd) -> io::Result<()> {
    let mut count = 0u64;
    // SAFETY: the descriptor is open and the buffer is the eight bytes eventfd fills.
    let read = unsafe { libc::read(event.as_raw_fd(), (&raw mut count).cast(), 8) };
    check(read)
}

fn check(transferred: isize) -> io::Result<()> {
    if transferred >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // The counter is full, or was cleared already: either way it is as it should be.
    if error.kind() == io::ErrorKind::WouldBlock { Ok(()) } else { Err(error) }
}
