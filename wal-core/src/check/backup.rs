//! The evidence: copies of what a repair changes or removes, beside the log.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::step::COPY_BYTES;
use crate::append::write_all;
use crate::error::{Error, ErrorKind, Result};
use crate::vfs::{Access, Vfs, read_full};

/// A directory of copies, made with the first one.
pub(super) struct Backup<'a> {
    vfs: &'a dyn Vfs,
    log: &'a Path,
    directory: Option<PathBuf>,
    copied: BTreeSet<PathBuf>,
}

impl<'a> Backup<'a> {
    pub(super) fn new(vfs: &'a dyn Vfs, log: &'a Path) -> Backup<'a> {
        Backup { vfs, log, directory: None, copied: BTreeSet::new() }
    }

    /// Where the copies are, if there are any.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Copies these files, each once; one that does not exist has nothing to be kept.
    ///
    /// When this returns, the copies survive power loss. A crash before leaves a directory with
    /// some of them, and the log as it was.
    pub(super) fn keep(&mut self, files: impl Iterator<Item = PathBuf>) -> Result<()> {
        let mut has_copied = false;
        for path in files {
            if self.copied.contains(&path) {
                continue;
            }
            has_copied |= self.copy(&path)?;
            self.copied.insert(path);
        }
        match &self.directory {
            Some(directory) if has_copied => self.sync(directory),
            _ => Ok(()),
        }
    }

    /// Copies one file; returns whether there was one.
    fn copy(&mut self, path: &Path) -> Result<bool> {
        let failed = |error| Error::io("copying a file before it is changed", path, error);
        let source = match self.vfs.open(path, Access::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            source => source.map_err(failed)?,
        };
        let name = path.file_name().unwrap_or_default();
        let target_path = self.make_directory()?.join(name);
        let failed = |error| Error::io("writing the copy of a file", &target_path, error);
        let target = self.vfs.open(&target_path, Access::Create).map_err(failed)?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut at = 0;
        loop {
            let read = read_full(&*source, &mut buffer, at);
            let read = read.map_err(|error| Error::io("copying a file", path, error))?;
            let piece = buffer.get(..read).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            write_all(&*target, &[piece], at).map_err(failed)?;
            at += read as u64;
        }
        target.sync().map_err(failed)?;
        Ok(true)
    }

    /// The directory; the first free number names it.
    fn make_directory(&mut self) -> Result<PathBuf> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        let Some(name) = self.log.file_name() else {
            return Err(Error::at_path(
                ErrorKind::Invalid,
                self.log,
                "a repair keeps copies beside the log: name the log's directory itself",
            ));
        };
        let parent = match self.log.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let taken = self.vfs.list(parent);
        let taken = taken.map_err(|error| Error::io("listing a directory", parent, error))?;
        // There are fewer names than numbers.
        for number in 1_u64.. {
            let mut candidate = OsString::from(name);
            candidate.push(format!(".repair-{number}"));
            if !taken.contains(&candidate) {
                let directory = parent.join(candidate);
                let made = self.vfs.create_dir_all(&directory);
                made.map_err(|error| Error::io("making a directory", &directory, error))?;
                self.directory = Some(directory.clone());
                return Ok(directory);
            }
        }
        Err(Error::plain(ErrorKind::Internal, "no free name for the copies"))
    }

    fn sync(&self, directory: &Path) -> Result<()> {
        let failed = |error| Error::io("syncing the copies", directory, error);
        self.vfs.sync_dir(directory).map_err(failed)
    }
}
