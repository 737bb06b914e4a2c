//! The registers of a stopped thread, as far as a system call is concerned.

#![allow(unsafe_code)]

use std::io;

/// The registers of a thread that stands before or after a system call.
#[derive(Clone, Copy)]
pub struct Registers(libc::user_regs_struct);

impl Registers {
    /// Those of a stopped thread.
    ///
    /// # Errors
    /// `ESRCH` when it is gone.
    pub fn of(tid: i32) -> io::Result<Registers> {
        // SAFETY: all-zero is a valid value of this structure of numbers.
        let mut found: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        let null = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the kernel fills the structure, which lives through the call.
        let done = unsafe { libc::ptrace(libc::PTRACE_GETREGS, tid, null, &raw mut found) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(Registers(found)) }
    }

    /// Gives them to a stopped thread.
    ///
    /// # Errors
    /// `ESRCH` when it is gone.
    pub fn put(&self, tid: i32) -> io::Result<()> {
        let null = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the kernel reads the structure, which lives through the call.
        let done = unsafe { libc::ptrace(libc::PTRACE_SETREGS, tid, null, &raw const self.0) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The number of the call.
    pub fn call(&self) -> i64 {
        self.0.orig_rax as i64
    }

    /// The arguments of the call.
    pub fn arguments(&self) -> [u64; 4] {
        [self.0.rdi, self.0.rsi, self.0.rdx, self.0.r10]
    }

    /// Makes it another call with other arguments.
    pub fn set_call(&mut self, call: i64, arguments: [u64; 4]) {
        self.0.orig_rax = call as u64;
        [self.0.rdi, self.0.rsi, self.0.rdx, self.0.r10] = arguments;
        // What the kernel dispatches by is `orig_rax` alone; `rax` holds -ENOSYS until the end.
    }

    /// Makes it no call at all.
    pub fn set_no_call(&mut self) {
        self.0.orig_rax = u64::MAX;
    }

    /// What the call has returned.
    pub fn returned(&self) -> i64 {
        self.0.rax as i64
    }

    /// Makes the call have returned this.
    pub fn set_returned(&mut self, value: i64) {
        self.0.rax = value as u64;
    }
}
