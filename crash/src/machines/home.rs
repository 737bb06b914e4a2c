//! The directory of a run: a picture is some 100 MB, and must not stay where a run was killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory that goes with this, or with the next run.
#[derive(Debug)]
pub struct Home(PathBuf);

impl Home {
    /// A directory for this process below `base`. Those of processes that are gone are removed.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new(base: &Path) -> io::Result<Home> {
        for entry in fs::read_dir(base)? {
            let path = entry?.path();
            if maker(&path).is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
                // Another run may be doing the same.
                let _ = fs::remove_dir_all(path);
            }
        }
        let home = base.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&home)?;
        Ok(Home(home))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

/// The process that has made a directory, if that is one of these.
fn maker(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?.parse().ok()
}

const PREFIX: &str = "wal-crash-machines-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_has_left_goes_with_the_next_one_and_nothing_else() -> io::Result<()> {
        let base = tempfile::tempdir()?;
        let left = base.path().join(format!("{PREFIX}{}", u32::MAX));
        let other = base.path().join(format!("{PREFIX}kept"));
        fs::create_dir(&left)?;
        fs::create_dir(&other)?;
        let home = Home::new(base.path())?;
        assert!(!left.exists() && other.exists() && home.path().is_dir());
        let path = home.path().to_owned();
        drop(home);
        assert!(!path.exists());
        Ok(())
    }
}
