//! What a `fork` must not pass on to the child: locks, and the belief that it is the same process.
//!
//! A lock belongs to an open file description, which parent and child share: as long as the child
//! keeps its copy of the descriptor open, the lock outlives the parent, and nobody can open the log
//! again. So the child closes its copies before anything else runs in it. `exec` needs no help,
//! because every descriptor is opened close-on-exec.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// How many forks lie between the process that loaded this library and this one. A handle that
/// remembers another number was inherited and must not be used. One relaxed load.
#[inline]
pub(crate) fn fork_generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Sees to it that forks from now on are counted and that the child closes the locked descriptors.
pub(crate) fn watch_forks() -> io::Result<()> {
    static REGISTERED: OnceLock<i32> = OnceLock::new();
    let register = || {
        // SAFETY: the handler is a plain function that does only what is async-signal-safe, as it
        // must in the child of a process with several threads: atomics and close(2).
        unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) }
    };
    match *REGISTERED.get_or_init(register) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// A descriptor the child of a fork must close. Lives for ever and is used again and again.
#[derive(Debug)]
pub(super) struct ClosedOnFork {
    /// The descriptor, or `FREE`. Claimed by compare-exchange, freed by its holder or in the child.
    fd: AtomicI32,
    /// Written once, before the entry is published.
    next: AtomicPtr<ClosedOnFork>,
}

impl ClosedOnFork {
    /// Registers `fd`. Must come before the lock is taken: a fork in between then finds it.
    pub(super) fn register(fd: RawFd) -> &'static ClosedOnFork {
        for entry in entries() {
            let claim = entry.fd.compare_exchange(FREE, fd, Ordering::AcqRel, Ordering::Relaxed);
            if claim.is_ok() {
                return entry;
            }
        }
        let entry: &'static ClosedOnFork = Box::leak(Box::new(ClosedOnFork {
            fd: AtomicI32::new(fd),
            next: AtomicPtr::new(ptr::null_mut()),
        }));
        let pointer = ptr::from_ref(entry).cast_mut();
        let mut first = FIRST.load(Ordering::Acquire);
        loop {
            entry.next.store(first, Ordering::Relaxed);
            match FIRST.compare_exchange_weak(first, pointer, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return entry,
                Err(now) => first = now,
            }
        }
    }

    /// Takes the descriptor off the list. Must come after the lock is released and before the
    /// descriptor is closed: its number may belong to somebody else right afterwards.
    pub(super) fn unregister(&self) {
        self.fd.store(FREE, Ordering::Release);
    }
}

/// Every entry that was ever made.
fn entries() -> impl Iterator<Item = &'static ClosedOnFork> {
    let load = |pointer: &AtomicPtr<ClosedOnFork>| {
        // SAFETY: the pointers in the list are null or come from leaked boxes, which live for ever
        // and are only ever shared.
        unsafe { pointer.load(Ordering::Acquire).as_ref() }
    };
    std::iter::successors(load(&FIRST), move |entry| load(&entry.next))
}

extern "C" fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    for entry in entries() {
        let fd = entry.fd.swap(FREE, Ordering::AcqRel);
        if fd != FREE {
            // SAFETY: the descriptor was open in the parent at the moment of the fork, because it
            // is taken off the list before it is closed; its owner sees the new generation and
            // uses or closes it no more.
            unsafe { libc::close(fd) };
        }
    }
}

static GENERATION: AtomicU32 = AtomicU32::new(0);
static FIRST: AtomicPtr<ClosedOnFork> = AtomicPtr::new(ptr::null_mut());

const FREE: RawFd = -1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_used_again() {
        // Numbers no process has open: a fork by another test only closes nothing.
        let one = ClosedOnFork::register(i32::MAX - 1);
        one.unregister();
        let mut again: Vec<&ClosedOnFork> = Vec::new();
        while !again.last().is_some_and(|&entry| ptr::eq(entry, one)) {
            assert!(again.len() < 1000, "a freed entry is never found again");
            again.push(ClosedOnFork::register(i32::MAX - 1));
        }
        again.into_iter().for_each(|entry| entry.unregister());
    }
}
