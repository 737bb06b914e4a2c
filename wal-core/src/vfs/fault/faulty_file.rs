//! An open file whose calls go wrong on purpose.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::script::{Script, Verdict};
use super::{Call, Fault, Operation};
use crate::vfs::{File, Lock, Mapping, MemVfs};

/// A file of a [`super::FaultVfs`].
pub(super) struct FaultyFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    memory: Option<MemVfs>,
    script: Arc<Script>,
}

impl FaultyFile {
    pub(super) fn new(
        inner: Arc<dyn File>,
        path: &Path,
        memory: Option<MemVfs>,
        script: Arc<Script>,
    ) -> FaultyFile {
        FaultyFile { inner, path: path.to_owned(), memory, script }
    }

    fn call(&self, operation: Operation, offset: u64, len: u64) -> Verdict {
        self.script.call(Call { operation, path: self.path.clone(), offset, len })
    }
}

impl File for FaultyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let verdict = self.call(Operation::Read, offset, buf.len() as u64);
        verdict.refuse()?;
        match verdict.0 {
            Some(Fault::Short(len)) => {
                let len = len.min(buf.len());
                self.inner.read_at(&mut buf[..len], offset)
            }
            _ => self.inner.read_at(buf, offset),
        }
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        let verdict = self.call(Operation::Write, offset, len as u64);
        match verdict.0 {
            Some(Fault::Short(len)) => self.inner.write_at(&first_bytes(bufs, len), offset),
            Some(Fault::Tear(len, errno)) => {
                // What the torn write itself meets is no news: the call fails anyhow.
                let _ = self.inner.write_at(&first_bytes(bufs, len), offset);
                Err(io::Error::from_raw_os_error(errno))
            }
            _ => {
                verdict.refuse()?;
                self.inner.write_at(bufs, offset)
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        let verdict = self.call(Operation::Sync, 0, 0);
        if let (Some(Fault::LoseUnsynced(_)), Some(memory)) = (verdict.0, &self.memory) {
            memory.drop_unsynced(&self.path)?;
        }
        verdict.refuse()?;
        self.inner.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.call(Operation::Len, 0, 0).refuse()?;
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(Operation::SetLen, 0, len).refuse()?;
        self.inner.set_len(len)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.call(Operation::Lock, 0, 0).refuse()?;
        self.inner.try_lock(lock)
    }

    fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
        self.call(Operation::Map, 0, len).refuse()?;
        self.inner.map(len)
    }

    fn write_back(&self, offset: u64, len: u64) {
        self.inner.write_back(offset, len);
    }

    fn will_read(&self, offset: u64, len: u64) {
        self.inner.will_read(offset, len);
    }

    fn alignment(&self) -> usize {
        self.inner.alignment()
    }
}

/// The slices that make up the first `len` bytes.
fn first_bytes<'b>(bufs: &'b [IoSlice<'_>], len: usize) -> Vec<IoSlice<'b>> {
    let mut left = len;
    let mut first = Vec::new();
    for buf in bufs {
        let taken = left.min(buf.len());
        if taken > 0 {
            first.push(IoSlice::new(&buf[..taken]));
            left -= taken;
        }
    }
    first
}
