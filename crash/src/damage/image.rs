//! The files of a log's directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wal_core::vfs::{MemVfs, Vfs};

/// The files of a log's directory, by path.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

/// The directory of every log here.
pub(super) const DIRECTORY: &str = "/log";

/// The state file.
pub(super) fn state_path() -> PathBuf {
    Path::new(DIRECTORY).join("STATE")
}

/// What lies in a directory.
///
/// # Errors
///
/// If the directory is not there.
pub(super) fn image_of(vfs: &MemVfs, directory: &Path) -> std::io::Result<Image> {
    let names = vfs.list(directory)?;
    let paths = names.into_iter().map(|name| directory.join(name));
    paths.map(|path| Ok((path.clone(), vfs.file_bytes(&path)?))).collect()
}

/// A file system with these files, all of them durable.
///
/// # Errors
///
/// If a file cannot be created.
pub(super) fn storage_of(image: &Image) -> std::io::Result<MemVfs> {
    let vfs = MemVfs::new();
    vfs.create_dir_all(Path::new(DIRECTORY))?;
    for (path, bytes) in image {
        vfs.set_file_bytes(path, bytes)?;
    }
    vfs.forget_ops();
    Ok(vfs)
}

/// Another file system with the same files; neither sees what becomes of the other one.
pub(super) fn copy_of(vfs: &MemVfs) -> MemVfs {
    vfs.kill_at(vfs.op_count())
}
