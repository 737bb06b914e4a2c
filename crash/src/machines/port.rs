//! The port through which a machine says what it does: each byte has left it when the instruction
//! that writes it is over, so what was said is known although the machine dies in the next moment.

use std::arch::asm;
use std::io::{self, Write};

/// The port, from inside the machine. A write is a line.
#[derive(Clone, Copy, Debug)]
pub struct Port(());

impl Port {
    /// Lets this thread use it.
    ///
    /// # Errors
    ///
    /// If the kernel does not.
    pub fn open() -> io::Result<Port> {
        // SAFETY: no pointer is passed.
        match unsafe { libc::ioperm(libc::c_ulong::from(NUMBER), 1, 1) } {
            0 => Ok(Port(())),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Says a line.
    pub fn say(self, line: &str) {
        line.bytes().chain(*b"\n").for_each(|byte| self.put(byte));
    }

    /// Whether the machine is one that was resumed, and not the one a picture is taken of.
    pub fn is_resumed(self) -> bool {
        let byte: u8;
        // SAFETY: opening it has given the port to this thread, and the device behind it answers
        // with a byte and does nothing else.
        unsafe {
            asm!("in al, dx", in("dx") NUMBER, out("al") byte, options(nomem, nostack));
        }
        byte == RESUMED
    }

    fn put(self, byte: u8) {
        // SAFETY: opening it has given the port to this thread, and the device behind it takes the
        // byte and does nothing else.
        unsafe {
            asm!("out dx, al", in("dx") NUMBER, in("al") byte, options(nomem, nostack));
        }
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        bytes.iter().chain(b"\n").for_each(|byte| self.put(*byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the device is, as for a debug console of Bochs.
pub const NUMBER: u16 = 0xe9;

/// What the device answers in a machine that was resumed.
pub const RESUMED: u8 = 1;

/// What the device answers in the machine a picture is taken of.
pub const FIRST: u8 = 0;
