//! The system calls that have to do with files.

use std::path::PathBuf;

/// A system call that has to do with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileCall {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// How it moves bytes, if it does.
    pub transfer: Option<Transfer>,
}

impl FileCall {
    /// Whether it writes to a file, or syncs one.
    pub fn writes(&self) -> bool {
        let writing = [
            libc::SYS_write,
            libc::SYS_pwrite64,
            libc::SYS_writev,
            libc::SYS_pwritev,
            libc::SYS_fdatasync,
            libc::SYS_fsync,
        ];
        writing.contains(&self.number)
    }
}

/// How a call moves bytes, and what moves some of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// From or to one buffer.
    Plain,
    /// From or to several buffers; the number of the call with one buffer.
    Vectored(i64),
}

/// The file call with this number and these arguments, if it is one.
pub fn file_call(number: i64, arguments: [u64; 4]) -> Option<FileCall> {
    // A mapping of no file is memory.
    if number == libc::SYS_mmap && arguments[3] & libc::MAP_ANONYMOUS as u64 != 0 {
        return None;
    }
    CALLS.iter().find(|call| call.number == number).copied()
}

/// The name of any system call, as far as it is a file's.
pub fn name(number: i64) -> String {
    let known = CALLS.iter().find(|call| call.number == number);
    known.map_or_else(|| format!("system call {number}"), |call| call.name.to_owned())
}

/// Whether a descriptor of a process goes past the page cache: its transfers have to keep to
/// blocks.
pub fn is_direct(pid: i32, descriptor: u64) -> bool {
    let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}"));
    let flags = info.ok().and_then(|info| {
        let line = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        i32::from_str_radix(line.trim(), 8).ok()
    });
    flags.is_some_and(|flags| flags & libc::O_DIRECT != 0)
}

/// Whether a descriptor of a process is a directory.
pub fn is_directory(pid: i32, descriptor: u64) -> bool {
    std::fs::metadata(format!("/proc/{pid}/fd/{descriptor}")).is_ok_and(|found| found.is_dir())
}

/// What a descriptor of a process stands for.
pub fn file_of(pid: i32, descriptor: u64) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()
}

/// The number of every file call.
pub fn numbers() -> impl Iterator<Item = i64> {
    CALLS.iter().map(|call| call.number)
}

const fn call(number: i64, name: &'static str) -> FileCall {
    FileCall { number, name, transfer: None }
}

const fn transfer(number: i64, name: &'static str, transfer: Transfer) -> FileCall {
    FileCall { number, name, transfer: Some(transfer) }
}

const CALLS: &[FileCall] = &[
    transfer(libc::SYS_read, "read", Transfer::Plain),
    transfer(libc::SYS_write, "write", Transfer::Plain),
    transfer(libc::SYS_pread64, "pread64", Transfer::Plain),
    transfer(libc::SYS_pwrite64, "pwrite64", Transfer::Plain),
    transfer(libc::SYS_readv, "readv", Transfer::Vectored(libc::SYS_read)),
    transfer(libc::SYS_writev, "writev", Transfer::Vectored(libc::SYS_write)),
    transfer(libc::SYS_preadv, "preadv", Transfer::Vectored(libc::SYS_pread64)),
    transfer(libc::SYS_pwritev, "pwritev", Transfer::Vectored(libc::SYS_pwrite64)),
    call(libc::SYS_open, "open"),
    call(libc::SYS_openat, "openat"),
    call(libc::SYS_close, "close"),
    call(libc::SYS_stat, "stat"),
    call(libc::SYS_fstat, "fstat"),
    call(libc::SYS_lstat, "lstat"),
    call(libc::SYS_newfstatat, "newfstatat"),
    call(libc::SYS_statx, "statx"),
    call(libc::SYS_statfs, "statfs"),
    call(libc::SYS_fstatfs, "fstatfs"),
    call(libc::SYS_access, "access"),
    call(libc::SYS_mmap, "mmap"),
    call(libc::SYS_msync, "msync"),
    call(libc::SYS_fcntl, "fcntl"),
    call(libc::SYS_flock, "flock"),
    call(libc::SYS_fsync, "fsync"),
    call(libc::SYS_fdatasync, "fdatasync"),
    call(libc::SYS_sync_file_range, "sync_file_range"),
    call(libc::SYS_fadvise64, "fadvise64"),
    call(libc::SYS_fallocate, "fallocate"),
    call(libc::SYS_truncate, "truncate"),
    call(libc::SYS_ftruncate, "ftruncate"),
    call(libc::SYS_copy_file_range, "copy_file_range"),
    call(libc::SYS_getdents64, "getdents64"),
    call(libc::SYS_lseek, "lseek"),
    call(libc::SYS_mkdir, "mkdir"),
    call(libc::SYS_mkdirat, "mkdirat"),
    call(libc::SYS_rmdir, "rmdir"),
    call(libc::SYS_unlink, "unlink"),
    call(libc::SYS_unlinkat, "unlinkat"),
    call(libc::SYS_rename, "rename"),
    call(libc::SYS_renameat, "renameat"),
    call(libc::SYS_renameat2, "renameat2"),
    call(libc::SYS_link, "link"),
    call(libc::SYS_linkat, "linkat"),
];
