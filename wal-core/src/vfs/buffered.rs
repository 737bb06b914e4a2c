//! A file read and written through the page cache.

#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::descriptor::Descriptor;
use super::file::{File, Lock, Mapping};
use super::file_system::Access;

/// A buffered file of the operating system.
#[derive(Debug)]
pub(super) struct BufferedFile {
    descriptor: Descriptor,
}

impl BufferedFile {
    pub(super) fn open(path: &Path, access: Access) -> io::Result<BufferedFile> {
        Ok(BufferedFile { descriptor: Descriptor::open(path, access, 0)? })
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl File for BufferedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = self.descriptor.file()?;
        loop {
            match file.read_at(buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        write_vectored(&self.descriptor, bufs, offset)
    }

    fn sync(&self) -> io::Result<()> {
        sync(&self.descriptor)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.descriptor.file()?.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.descriptor.file()?.set_len(len)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.descriptor.try_lock(lock)
    }

    fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
        let file = self.descriptor.file()?;
        if len > file.metadata()?.len() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a mapping must not reach beyond the file",
            ));
        }
        let Ok(len) = usize::try_from(len) else { return Ok(None) };
        if len == 0 {
            return Ok(None);
        }
        // SAFETY: the contract of `File::map` forbids to shrink the file below `len` while the
        // mapping lives; the bytes are only read, and only after a checksum.
        match unsafe { memmap2::MmapOptions::new().len(len).map(file) } {
            Ok(map) => Ok(Some(Arc::new(map))),
            // A file system without mappings, or no room in the address space: reading works.
            Err(_) => Ok(None),
        }
    }

    #[cfg(target_os = "linux")]
    fn write_back(&self, offset: u64, len: u64) {
        let Ok(file) = self.descriptor.file() else { return };
        let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
        // Only to begin, not to wait: to wait would also take the news of a failed write-back away
        // from the sync that comes later.
        // SAFETY: the descriptor is open, and the call touches no memory of the process. What it
        // returns is of no interest: the next sync tells.
        unsafe {
            libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE);
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn will_read(&self, offset: u64, len: u64) {
        let Ok(file) = self.descriptor.file() else { return };
        let end = offset.saturating_add(len);
        for start in (offset..end).step_by(AHEAD_BYTES_MAX as usize) {
            let len = end.saturating_sub(start).min(AHEAD_BYTES_MAX);
            let (Ok(start), Ok(len)) = (libc::off_t::try_from(start), libc::off_t::try_from(len))
            else {
                return;
            };
            // SAFETY: the descriptor is open, and the call touches no memory of the process. What
            // it returns is of no interest: it is advice.
            unsafe { libc::posix_fadvise(file.as_raw_fd(), start, len, libc::POSIX_FADV_WILLNEED) };
        }
    }

    fn alignment(&self) -> usize {
        1
    }
}

/// `fdatasync`, or `F_FULLFSYNC` where the former does not reach the medium (macOS): the standard
/// library knows which, and goes on after a signal.
pub(super) fn sync(descriptor: &Descriptor) -> io::Result<()> {
    descriptor.file()?.sync_data()
}

/// One `pwritev` of as many slices as the system takes.
pub(super) fn write_vectored(
    descriptor: &Descriptor,
    bufs: &[IoSlice<'_>],
    offset: u64,
) -> io::Result<usize> {
    // Leading empty slices could fill a whole call, which would then have written nothing.
    let Some(first) = bufs.iter().position(|buf| !buf.is_empty()) else { return Ok(0) };
    let bufs = bufs.get(first..).unwrap_or_default();
    let count = if bufs.len() == 1 { 1 } else { slices_per_call(bufs) };
    let bufs = bufs.get(..count).unwrap_or_default();
    let offset =
        libc::off_t::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let file = descriptor.file()?;
    loop {
        let written = match bufs {
            // One slice, possibly longer than a call takes on some systems.
            [buf] => {
                let len = buf.len().min(CALL_BYTES_MAX);
                // SAFETY: the slice lives through the call and `len` does not exceed it.
                unsafe { libc::pwrite(file.as_raw_fd(), buf.as_ptr().cast(), len, offset) }
            }
            // SAFETY: `IoSlice` has the layout of `iovec`, the slices live through the call, and
            // there are at most `SLICES_MAX` of them.
            _ => unsafe {
                libc::pwritev(
                    file.as_raw_fd(),
                    bufs.as_ptr().cast(),
                    bufs.len() as libc::c_int,
                    offset,
                )
            },
        };
        match usize::try_from(written) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => return Ok(written),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
}

/// How many of the slices one call takes: never more than the system's limits, never none.
fn slices_per_call(bufs: &[IoSlice<'_>]) -> usize {
    let mut bytes = 0_usize;
    let mut count = 0;
    for buf in bufs.iter().take(SLICES_MAX) {
        bytes = bytes.saturating_add(buf.len());
        if bytes > CALL_BYTES_MAX && count > 0 {
            break;
        }
        count += 1;
    }
    count
}

/// Linux reads no more ahead at a time than the device takes with one request.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AHEAD_BYTES_MAX: u64 = 1 << 20;
/// `IOV_MAX` of Linux, macOS and the BSDs.
const SLICES_MAX: usize = 1024;
/// Below every system's limit for one call (2 GiB less a page on Linux, `INT_MAX` on macOS), and a
/// multiple of every alignment.
const CALL_BYTES_MAX: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_takes_more_than_the_system_does() {
        let byte = [1_u8];
        let many = vec![IoSlice::new(&byte); 5000];
        assert_eq!(slices_per_call(&many), SLICES_MAX);
        assert_eq!(slices_per_call(many.get(..3).expect("there are more")), 3);
        assert_eq!(slices_per_call(&[]), 0);
    }
}
