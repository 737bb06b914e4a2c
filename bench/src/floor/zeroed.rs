//! A file that was written with zeros: its blocks are there, so a sync moves data only.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A zero-written file that is overwritten from its start to its end, again and again.
pub struct Zeroed {
    file: File,
    bytes: u64,
    at: u64,
}

impl Zeroed {
    /// Creates the file below a directory and syncs its zeros.
    pub fn create(directory: &Path, bytes: u64) -> io::Result<Zeroed> {
        let path = directory.join("zeroed");
        let file = File::create_new(&path)?;
        // In small writes: the page cache makes large folios of large ones, and a small write into
        // one of those takes twice as long.
        let zeros = vec![0; 32 << 10];
        for at in (0..bytes).step_by(zeros.len()) {
            file.write_all_at(&zeros, at)?;
        }
        file.sync_all()?;
        File::open(directory)?.sync_all()?;
        Ok(Zeroed { file, bytes, at: 0 })
    }

    /// The same, written past the page cache where the file system can.
    pub fn create_direct(directory: &Path, bytes: u64) -> io::Result<Zeroed> {
        let buffered = Zeroed::create(directory, bytes)?;
        crate::kernel::forget_pages(&buffered.file);
        let path = directory.join("zeroed");
        let direct = OpenOptions::new().write(true).custom_flags(libc::O_DIRECT).open(path);
        Ok(match direct {
            Ok(file) => Zeroed { file, ..buffered },
            Err(_) => buffered,
        })
    }

    /// An empty file that grows with every write, past the page cache where the file system can:
    /// what a log that keeps everything has.
    pub fn growing_direct(directory: &Path) -> io::Result<Zeroed> {
        let path = directory.join("growing");
        let file = File::create_new(&path)?;
        let direct = OpenOptions::new().write(true).custom_flags(libc::O_DIRECT).open(path);
        Ok(Zeroed { file: direct.unwrap_or(file), bytes: u64::MAX, at: 0 })
    }

    /// Writes behind what was written last.
    pub fn write(&mut self, data: &[u8]) -> io::Result<()> {
        if self.at + data.len() as u64 > self.bytes {
            self.at = 0;
        }
        self.file.write_all_at(data, self.at)?;
        self.at += data.len() as u64;
        Ok(())
    }

    /// When this returns, what was written survives power loss.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Memory that direct writes accept: it starts at a block.
pub struct Aligned {
    memory: Vec<u8>,
    start: usize,
    bytes: usize,
}

impl Aligned {
    /// Zeroed memory, every page of it in place.
    pub fn new(bytes: usize) -> Aligned {
        let memory = vec![1u8; bytes + BLOCK_BYTES];
        let start = memory.as_ptr().align_offset(BLOCK_BYTES);
        Aligned { memory, start, bytes }
    }

    /// The memory.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.bytes]
    }

    /// The memory, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.bytes]
    }
}

/// What a write past the page cache is a multiple of.
pub const BLOCK_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zeroed_file_keeps_its_size() {
        let scratch = tempfile::tempdir().unwrap();
        let mut file = Zeroed::create(scratch.path(), 1 << 20).unwrap();
        let data = Aligned::new(300 << 10);
        for _ in 0..5 {
            file.write(data.bytes()).unwrap();
        }
        file.sync().unwrap();
        assert_eq!(std::fs::metadata(scratch.path().join("zeroed")).unwrap().len(), 1 << 20);
    }

    #[test]
    fn aligned_memory_starts_at_a_block() {
        for _ in 0..10 {
            let mut memory = Aligned::new(12345);
            assert_eq!(memory.bytes().as_ptr().align_offset(BLOCK_BYTES), 0);
            assert_eq!(memory.bytes_mut().len(), 12345);
        }
    }
}
