//! Faults of a system call: the error it returns, or the part of its bytes it moves.

use super::calls::{self, FileCall, Transfer};
use super::registers::Registers;

/// What a system call does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It returns this error and does nothing (`close` closes and returns it, as Linux does).
    Errno(i32, &'static str),
    /// It moves half of its bytes.
    Short,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// At one position.
    Once,
    /// From there on at every call of the same kind; interruptions at three of four, as no system
    /// interrupts for ever what is always tried again.
    ForEver,
}

/// What has to be done at the end of a call that was changed at its beginning.
pub struct Undo {
    before: Registers,
    returned: Option<i64>,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 6] = [
        Fault::Errno(libc::EIO, "EIO"),
        Fault::Errno(libc::ENOSPC, "ENOSPC"),
        Fault::Errno(libc::EINTR, "EINTR"),
        Fault::Short,
        Fault::Errno(libc::EMFILE, "EMFILE"),
        Fault::Errno(libc::EDQUOT, "EDQUOT"),
    ];

    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Errno(_, name) => name,
            Fault::Short => "short",
        }
    }

    /// Whether it can befall such a call.
    pub fn befalls(self, call: &FileCall) -> bool {
        self != Fault::Short || call.transfer.is_some()
    }

    /// Whether it says that there is no room.
    pub fn is_full(self) -> bool {
        matches!(self, Fault::Errno(libc::ENOSPC | libc::EDQUOT, _))
    }

    /// Whether it is a signal that came.
    pub fn is_interruption(self) -> bool {
        matches!(self, Fault::Errno(libc::EINTR, _))
    }

    /// Whether a correct program notices nothing of it.
    pub fn is_harmless(self, call: &FileCall) -> bool {
        match self {
            Fault::Short => true,
            Fault::Errno(libc::EINTR, _) => INTERRUPTED.contains(&call.number),
            Fault::Errno(..) => false,
        }
    }

    /// Changes a call at its beginning. `None`: there is nothing to be changed.
    pub fn begin(self, tid: i32, call: &FileCall, before: Registers) -> Option<Undo> {
        let mut changed = before;
        let undo = match self {
            Fault::Errno(errno, _) => {
                // A directory has nothing to write back: no system fails to close one.
                if call.number == libc::SYS_close && calls::is_directory(tid, before.arguments()[0])
                {
                    return None;
                }
                if call.number != libc::SYS_close {
                    changed.set_no_call();
                }
                Undo { before, returned: Some(-i64::from(errno)) }
            }
            Fault::Short => {
                let (number, arguments) = shortened(tid, call, before.arguments())?;
                changed.set_call(number, arguments);
                Undo { before, returned: None }
            }
        };
        changed.put(tid).ok()?;
        Some(undo)
    }
}

impl Undo {
    /// Makes the end of the call look as the caller expects it: its own arguments, and the result.
    pub fn end(self, tid: i32) {
        let Ok(after) = Registers::of(tid) else { return };
        let mut seen = self.before;
        seen.set_returned(self.returned.unwrap_or(after.returned()));
        // A thread that is gone needs no registers.
        let _ = seen.put(tid);
    }
}

/// The call that moves half of the bytes. Past the page cache a half is of whole blocks.
fn shortened(tid: i32, call: &FileCall, arguments: [u64; 4]) -> Option<(i64, [u64; 4])> {
    let [descriptor, buffer, len, offset] = arguments;
    let (number, buffer, len) = match call.transfer? {
        Transfer::Plain => (call.number, buffer, len),
        Transfer::Vectored(number) => {
            let first = super::tracer::peek(tid, buffer)?;
            let len = super::tracer::peek(tid, buffer + 8)?;
            (number, first, len)
        }
    };
    let half = match calls::is_direct(tid, descriptor) {
        true => len / 2 / BLOCK_BYTES * BLOCK_BYTES,
        false => len / 2,
    };
    (half > 0).then_some((number, [descriptor, buffer, half, offset]))
}

const BLOCK_BYTES: u64 = 4096;

/// What POSIX programs repeat when a signal comes. Nobody repeats a `close`.
const INTERRUPTED: [i64; 12] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_openat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fcntl,
    libc::SYS_close,
];
