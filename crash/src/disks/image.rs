//! A disk in memory that is put into a crash state, mounted, and put back.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{ffi::CString, process};

use super::blocks::{BLOCK_BYTES, Block, Blocks};
use super::file_system::FileSystem;
use super::loop_device::{self, LoopDevice};

/// A disk in memory behind a loop device, and what it is put back to.
pub struct Image {
    file: File,
    device: LoopDevice,
    base: Blocks,
    bytes: u64,
}

impl Image {
    /// A disk of zeros.
    ///
    /// # Errors
    ///
    /// If there is no memory or device to be had.
    pub fn new(bytes: u64) -> io::Result<Image> {
        let name = CString::new(loop_device::name()).map_err(io::Error::other)?;
        // SAFETY: the name is a string that ends with a zero.
        let number = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and belongs to nobody else.
        let file = unsafe { File::from_raw_fd(number) };
        file.set_len(bytes)?;
        let device = LoopDevice::over(&file)?;
        Ok(Image { file, device, base: Blocks::default(), bytes })
    }

    /// An empty file system with a directory for logs, as everything that happens begins with it.
    ///
    /// # Errors
    ///
    /// What making or mounting it says.
    pub fn of(file_system: FileSystem, mount_point: &Path) -> io::Result<Image> {
        let mut image = Image::new(file_system.bytes())?;
        file_system.make(image.device.path())?;
        let mounted = file_system.mount(image.device.path(), mount_point)?;
        file_system.make_home(mount_point)?;
        mounted.unmount()?;
        image.base = image.look()?;
        Ok(image)
    }

    /// What it is put back to.
    pub fn base(&self) -> &Blocks {
        &self.base
    }

    /// The device to mount.
    pub fn device(&self) -> &Path {
        self.device.path()
    }

    /// A path under which other programs of this machine can read it while this process lives.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", process::id(), self.file.as_raw_fd()))
    }

    /// Makes it hold this, for good.
    ///
    /// # Errors
    ///
    /// If the memory is not to be had.
    pub fn rebase(&mut self, base: &Blocks) -> io::Result<()> {
        self.base = base.clone();
        self.put_back()?;
        Ok(())
    }

    /// The same, when it already holds the base and only some blocks differ.
    ///
    /// # Errors
    ///
    /// If the memory is not to be had.
    pub fn rebase_quickly(&mut self, base: &Blocks) -> io::Result<()> {
        let old = std::mem::replace(&mut self.base, base.clone());
        for (number, block) in self.base.iter() {
            if old.block(number).is_none_or(|before| !Arc::ptr_eq(before, block)) {
                self.file.write_all_at(&block[..], number * BLOCK_BYTES as u64)?;
            }
        }
        for (number, _) in old.iter().filter(|(number, _)| self.base.block(*number).is_none()) {
            self.mend(number, &[])?;
        }
        Ok(())
    }

    /// Makes it hold these blocks until it is put back.
    ///
    /// # Errors
    ///
    /// If the memory is not to be had.
    pub fn patch(&self, blocks: &[(u64, Block)]) -> io::Result<()> {
        for (number, block) in blocks {
            self.file.write_all_at(&block[..], number * BLOCK_BYTES as u64)?;
        }
        Ok(())
    }

    /// Takes back everything that was written to it, by whomever.
    ///
    /// # Errors
    ///
    /// If the memory is not to be had.
    pub fn put_back(&mut self) -> io::Result<()> {
        let mut missing: Vec<bool> = Vec::new();
        let mut buffer = vec![0; 64 * BLOCK_BYTES];
        for (from, to) in self.extents()? {
            let mut at = from;
            while at < to {
                let len = buffer.len().min((to - at) as usize);
                self.file.read_exact_at(&mut buffer[..len], at)?;
                for (index, found) in buffer[..len].chunks(BLOCK_BYTES).enumerate() {
                    let number = at / BLOCK_BYTES as u64 + index as u64;
                    if missing.len() <= number as usize {
                        missing.resize(number as usize + 1, true);
                    }
                    missing[number as usize] = false;
                    self.mend(number, found)?;
                }
                at += len as u64;
            }
        }
        for (number, block) in self.base.iter() {
            if missing.get(number as usize).copied().unwrap_or(true) {
                self.file.write_all_at(&block[..], number * BLOCK_BYTES as u64)?;
            }
        }
        Ok(())
    }

    fn mend(&self, number: u64, found: &[u8]) -> io::Result<()> {
        let place = number * BLOCK_BYTES as u64;
        match self.base.block(number) {
            Some(block) if block[..] == *found => Ok(()),
            Some(block) => self.file.write_all_at(&block[..], place),
            None => {
                let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
                let (offset, len) = (place as libc::off_t, BLOCK_BYTES as libc::off_t);
                // SAFETY: no pointer is passed.
                match unsafe { libc::fallocate(self.file.as_raw_fd(), mode, offset, len) } {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            }
        }
    }

    /// What it holds now.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn look(&self) -> io::Result<Blocks> {
        let mut blocks = Blocks::default();
        for (from, to) in self.extents()? {
            for number in from / BLOCK_BYTES as u64..to.div_ceil(BLOCK_BYTES as u64) {
                let mut block = [0; BLOCK_BYTES];
                self.file.read_exact_at(&mut block, number * BLOCK_BYTES as u64)?;
                blocks.put(number, Arc::new(block));
            }
        }
        Ok(blocks)
    }

    /// Writes what it holds now to a file.
    ///
    /// # Errors
    ///
    /// If that cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let to = File::create(path)?;
        to.set_len(self.bytes)?;
        for (number, block) in self.look()?.iter() {
            to.write_all_at(&block[..], number * BLOCK_BYTES as u64)?;
        }
        Ok(())
    }

    /// Where there may be something else than zeros.
    fn extents(&self) -> io::Result<Vec<(u64, u64)>> {
        let (mut extents, mut at) = (Vec::new(), 0);
        while let Some(from) = self.seek(at, libc::SEEK_DATA)? {
            let to = self.seek(from, libc::SEEK_HOLE)?.unwrap_or(self.bytes);
            extents.push((from, to));
            at = to;
        }
        Ok(extents)
    }

    fn seek(&self, from: u64, whence: libc::c_int) -> io::Result<Option<u64>> {
        // SAFETY: no pointer is passed.
        let place = unsafe { libc::lseek(self.file.as_raw_fd(), from as libc::off_t, whence) };
        if place >= 0 {
            return Ok(Some(place as u64));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(libc::ENXIO) { Ok(None) } else { Err(error) }
    }
}
