//! A file written past the page cache (`O_DIRECT`) and read through it.
//!
//! Direct reads would have to be aligned as well and would gain nothing: the engine reads its own
//! newest records from memory. So a second, buffered descriptor of the same inode serves reads,
//! mappings, locks and lengths. The kernel drops the cached pages a direct write covers, so both
//! see the same bytes.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::buffered::{self, BufferedFile};
use super::descriptor::Descriptor;
use super::file::{File, Lock, Mapping, is_aligned};
use super::file_system::Access;
use crate::limits::BLOCK_BYTES;

/// A file of the operating system written with `O_DIRECT`.
#[derive(Debug)]
pub(super) struct DirectFile {
    buffered: BufferedFile,
    direct: Descriptor,
    /// Cleared for good by the first direct write the file system refuses for what it is.
    is_direct: AtomicBool,
}

impl DirectFile {
    /// Opens an existing file; buffered where the file system has no direct writes.
    pub(super) fn open(path: &Path) -> io::Result<Arc<dyn File>> {
        let buffered = BufferedFile::open(path, Access::Write)?;
        match Descriptor::open(path, Access::WriteDirect, libc::O_DIRECT) {
            Ok(direct) if direct.is_same_file(buffered.descriptor())? => {
                Ok(Arc::new(DirectFile { buffered, direct, is_direct: AtomicBool::new(true) }))
            }
            Ok(_) => Err(io::Error::other("the file was replaced while it was opened")),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(Arc::new(buffered)),
            Err(error) => Err(error),
        }
    }
}

impl File for DirectFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.buffered.read_at(buf, offset)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        if !self.is_direct.load(Ordering::Acquire) {
            return self.buffered.write_at(bufs, offset);
        }
        if !is_aligned(bufs, offset, ALIGNMENT) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "direct writes start, end and lie in memory at multiples of 4096",
            ));
        }
        match buffered::write_vectored(&self.direct, bufs, offset) {
            // Some file systems take the flag and refuse the write. It was aligned, so that is
            // what it means; nothing was written.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                self.is_direct.store(false, Ordering::Release);
                self.buffered.write_at(bufs, offset)
            }
            result => result,
        }
    }

    fn sync(&self) -> io::Result<()> {
        // A failed write-back is reported once to each open file description. Direct writes can
        // end in the page cache (the kernel falls back by itself), so the writer's is asked; after
        // our own fall-back the buffered one is the writer.
        buffered::sync(&self.direct)?;
        if self.is_direct.load(Ordering::Acquire) { Ok(()) } else { self.buffered.sync() }
    }

    fn len(&self) -> io::Result<u64> {
        self.buffered.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.buffered.set_len(len)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.buffered.try_lock(lock)
    }

    fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
        self.buffered.map(len)
    }

    fn write_back(&self, offset: u64, len: u64) {
        self.buffered.write_back(offset, len);
    }

    fn will_read(&self, offset: u64, len: u64) {
        self.buffered.will_read(offset, len);
    }

    fn alignment(&self) -> usize {
        if self.is_direct.load(Ordering::Acquire) { ALIGNMENT } else { 1 }
    }
}

/// What every device in use accepts.
const ALIGNMENT: usize = BLOCK_BYTES as usize;
