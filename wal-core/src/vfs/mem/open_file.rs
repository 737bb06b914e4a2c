//! An open file in memory.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::machine::{Machine, OpenFile, errno};
use super::{lock, running};
use crate::limits::BLOCK_BYTES;
use crate::vfs::file::is_aligned;
use crate::vfs::{Access, File, Lock, Mapping};

/// A file of a [`super::MemVfs`]. Its lock goes with it.
pub(super) struct MemFile {
    machine: Arc<Mutex<Machine>>,
    open_file: OpenFile,
    path: Arc<Path>,
    access: Access,
}

impl MemFile {
    pub(super) fn new(
        machine: Arc<Mutex<Machine>>,
        open_file: OpenFile,
        path: &Path,
        access: Access,
    ) -> MemFile {
        MemFile { machine, open_file, path: path.into(), access }
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.access == Access::Read { Err(errno(libc::EBADF)) } else { Ok(()) }
    }
}

impl File for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(running(&self.machine)?.content(self.open_file.inode).read(buf, offset))
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.check_writable()?;
        let alignment = self.alignment();
        if !is_aligned(bufs, offset, alignment) {
            return Err(errno(libc::EINVAL));
        }
        let mut bytes = Vec::with_capacity(bufs.iter().map(|buf| buf.len()).sum());
        bufs.iter().for_each(|buf| bytes.extend_from_slice(buf));
        if bytes.is_empty() {
            return Ok(0);
        }
        let inode = self.open_file.inode;
        running(&self.machine)?.write(inode, &self.path, bytes, offset, alignment)
    }

    fn sync(&self) -> io::Result<()> {
        running(&self.machine)?.sync(self.open_file.inode, &self.path)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(running(&self.machine)?.content(self.open_file.inode).len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        running(&self.machine)?.set_len(self.open_file.inode, &self.path, len)
    }

    fn try_lock(&self, lock_kind: Lock) -> io::Result<bool> {
        if lock_kind == Lock::Exclusive && self.access == Access::Read {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an exclusive lock needs a file opened for writing",
            ));
        }
        Ok(running(&self.machine)?.try_lock(self.open_file, lock_kind))
    }

    fn map(&self, _len: u64) -> io::Result<Option<Mapping>> {
        Ok(None)
    }

    fn alignment(&self) -> usize {
        if self.access == Access::WriteDirect { BLOCK_BYTES as usize } else { 1 }
    }
}

impl Drop for MemFile {
    fn drop(&mut self) {
        lock(&self.machine).close(self.open_file);
    }
}
