//! An event with a file descriptor: what other threads ring and an event loop polls.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

/// Readable from a ring until it is cleared.
pub(crate) struct Event(OwnedFd);

impl Event {
    pub(crate) fn new() -> std::io::Result<Event> {
        Ok(Event(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Never waits: a counter that cannot take another increment is readable already.
    pub(crate) fn ring(&self) {
        // The kernel counts in the order of bytes of the machine; any number but zero will do.
        let _ = write(&self.0, &[1; size_of::<u64>()]);
    }

    pub(crate) fn clear(&self) {
        let _ = read(&self.0, &mut [0; size_of::<u64>()]);
    }
}
