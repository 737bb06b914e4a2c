//! What is asked of the machine a rung runs on.

use std::io;
use std::path::PathBuf;

/// Whether a program is installed.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let also = ["/sbin", "/usr/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(also).any(|directory| directory.join(program).exists())
}

/// Ends this process when its parent does.
///
/// # Errors
///
/// If the kernel refuses.
pub fn die_with_the_parent() -> io::Result<()> {
    // SAFETY: no pointer is passed.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
