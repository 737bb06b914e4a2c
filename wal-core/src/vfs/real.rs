//! The operating system's file system and clock: Linux, macOS and other POSIX systems.

#![allow(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::buffered::BufferedFile;
use super::descriptor::above_standard_streams;
use super::file::File;
use super::file_system::{Access, Vfs};

/// The operating system's files.
///
/// Files are created for their owner alone (0600, directories 0700), opened close-on-exec, never
/// through a symbolic link as the last part of the path, and never as descriptor 0, 1 or 2.
///
/// ```
/// use std::io::IoSlice;
/// use wal_core::vfs::{Access, RealVfs, Vfs};
///
/// let dir = std::env::temp_dir().join(format!("real-vfs-{}", std::process::id()));
/// RealVfs.create_dir_all(&dir)?;
/// let file = RealVfs.open(&dir.join("file"), Access::Create)?;
/// assert_eq!(file.write_at(&[IoSlice::new(b"bytes")], 0)?, 5);
/// file.sync()?;
/// RealVfs.sync_dir(&dir)?;
/// # RealVfs.remove(&dir.join("file"))?;
/// # RealVfs.remove_dir(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RealVfs;

impl Vfs for RealVfs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        // A `.` at the end of a path names what is not there yet.
        let path: &Path = &path.components().collect::<PathBuf>();
        let mut missing: Vec<&Path> = Vec::new();
        for ancestor in path.ancestors() {
            // What cannot be asked for is neither there nor missing.
            if ancestor.as_os_str().is_empty() || ancestor.try_exists()? {
                break;
            }
            missing.push(ancestor);
        }
        // A process that died between making a directory and syncing its parent left one that
        // exists and is not safe; that can only be the deepest of the existing ones.
        let existing = missing.last().map_or(Some(path), |first| first.parent());
        if let Some(parent) = existing.and_then(Path::parent) {
            match sync_dir(parent) {
                // Whoever made an existing directory in one we may not even read is not us.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                result => result?,
            }
        }
        for dir in missing.into_iter().rev() {
            match fs::DirBuilder::new().mode(0o700).create(dir) {
                // Somebody else makes the same log at the same time.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && fs::metadata(dir)?.is_dir() => {}
                result => result?,
            }
            sync_dir(dir.parent().unwrap_or(Path::new("")))?;
        }
        match fs::metadata(path)?.is_dir() {
            true => Ok(()),
            false => Err(io::Error::from_raw_os_error(libc::ENOTDIR)),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let entries = loop {
            match fs::read_dir(path) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                opened => break opened?,
            }
        };
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        match access {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Access::WriteDirect => super::direct::DirectFile::open(path),
            _ => Ok(Arc::new(BufferedFile::open(path, access)?)),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path.components().collect::<PathBuf>())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        sync_dir(path)
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn is_copy_on_write(&self, path: &Path) -> bool {
        file_system_magic(path).is_some_and(|magic| COPY_ON_WRITE.contains(&magic))
    }

    fn is_volatile(&self, path: &Path) -> bool {
        file_system_magic(path).is_some_and(|magic| VOLATILE.contains(&magic))
    }
}

fn sync_dir(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_CLOEXEC);
    above_standard_streams(options.open(path)?)?.sync_all()
}

/// The number by which the kernel tells file systems apart.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_system_magic(path: &Path) -> Option<u32> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends in a zero byte and the result has room for a `statfs`.
    if unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it filled the structure.
    let found = unsafe { found.assume_init() };
    // The type of the field differs between platforms, and some of the numbers are negative in a
    // signed one of 32 bits; the low 32 bits are the number everywhere.
    Some(found.f_type as u32)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn file_system_magic(_path: &Path) -> Option<u32> {
    None
}

/// btrfs, ZFS and bcachefs.
const COPY_ON_WRITE: [u32; 3] = [0x9123_683e, 0x2fc1_2fc1, 0xca45_1a4e];
/// tmpfs and ramfs.
const VOLATILE: [u32; 2] = [0x0102_1994, 0x8584_58f6];
