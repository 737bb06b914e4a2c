//! Reads and writes that go on until everything is done: a file may do less than it was asked.

use std::io::{self, IoSlice};

use super::file::File;

/// Reads `buf.len()` bytes at `offset`; returns how many, fewer only at the end of the file.
pub(crate) fn read_full(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled: usize = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(filled as u64))? {
            0 => break,
            read => filled = filled.saturating_add(read),
        }
    }
    Ok(filled.min(buf.len()))
}

/// Writes all of `bytes` at `offset`, as [`File::write_at`] does a part. After an error any of them
/// may have been written.
pub(crate) fn write_full(file: &dyn File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done: usize = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(&[IoSlice::new(rest)], offset.saturating_add(done as u64))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => done = done.saturating_add(written),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::vfs::{Access, Lock, Mapping, MemVfs, Vfs};

    /// Does at most three bytes at a time, and no write at all once told so.
    struct Short {
        file: Arc<dyn File>,
        is_stuck: bool,
    }

    impl File for Short {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            let len = buf.len().min(3);
            self.file.read_at(buf.get_mut(..len).unwrap(), offset)
        }

        fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
            let [buf] = bufs else { return Ok(0) };
            let len = if self.is_stuck { 0 } else { buf.len().min(3) };
            self.file.write_at(&[IoSlice::new(buf.get(..len).unwrap())], offset)
        }

        fn sync(&self) -> io::Result<()> {
            self.file.sync()
        }

        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.file.set_len(len)
        }

        fn try_lock(&self, lock: Lock) -> io::Result<bool> {
            self.file.try_lock(lock)
        }

        fn map(&self, len: u64) -> io::Result<Option<Mapping>> {
            self.file.map(len)
        }

        fn alignment(&self) -> usize {
            self.file.alignment()
        }
    }

    #[test]
    fn a_file_that_does_less_than_asked_is_asked_until_all_is_done_or_nothing_comes() {
        let file = MemVfs::new().open(Path::new("file"), Access::Create).unwrap();
        let mut short = Short { file, is_stuck: false };
        let bytes: Vec<u8> = (0..100).collect();
        write_full(&short, &bytes, 7).unwrap();
        let mut buf = [0xee; 120];
        assert_eq!(read_full(&short, &mut buf, 7).unwrap(), 100, "the file ends there");
        assert_eq!(buf[..100], bytes[..]);
        assert_eq!(read_full(&short, &mut buf, 1000).unwrap(), 0);
        assert_eq!(read_full(&short, &mut [], 0).unwrap(), 0);
        short.is_stuck = true;
        let error = write_full(&short, &bytes, 7).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
        write_full(&short, &[], 7).unwrap();
    }
}
