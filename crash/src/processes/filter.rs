//! A filter that makes file calls alone stop a process for its tracer: where only they are looked
//! at, everything else runs at full speed.

#![allow(unsafe_code)]

use std::io;

use super::calls;

/// The program of a filter.
pub struct Filter(Vec<libc::sock_filter>);

impl Filter {
    /// File calls stop, all others pass.
    pub fn of_file_calls() -> Filter {
        let numbers: Vec<i64> = calls::numbers().collect();
        let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
        let equal = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
        let end = (libc::BPF_RET | libc::BPF_K) as u16;
        let step = |code, k, jt| libc::sock_filter { code, jt, jf: 0, k };
        // The number of the call is the first word of what a filter sees.
        let mut program = vec![step(load, 0, 0)];
        for (place, number) in numbers.iter().enumerate() {
            // From here over the remaining comparisons and the verdict that lets pass.
            let over = numbers.len() - place;
            program.push(step(equal, *number as u32, over as u8));
        }
        program.push(step(end, libc::SECCOMP_RET_ALLOW, 0));
        program.push(step(end, libc::SECCOMP_RET_TRACE, 0));
        Filter(program)
    }

    /// Puts the filter on the calling process and all that it becomes. Makes two system calls and
    /// nothing else, so that it may be called between fork and exec.
    ///
    /// # Errors
    /// Those of the system.
    pub fn put_on(&self) -> io::Result<()> {
        let program = libc::sock_fprog {
            len: self.0.len() as u16,
            // The kernel reads only.
            filter: self.0.as_ptr().cast_mut(),
        };
        let mode = libc::SECCOMP_MODE_FILTER;
        // SAFETY: the first call sets a flag; the second reads the program, which lives through it.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program, 0, 0) == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
