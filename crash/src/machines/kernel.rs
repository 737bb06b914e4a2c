//! A kernel that was unpacked and not installed, and the modules a machine needs of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A kernel.
#[derive(Debug)]
pub struct Kernel {
    /// What is booted.
    pub image: PathBuf,
    /// Its modules by their names.
    modules: BTreeMap<String, PathBuf>,
}

impl Kernel {
    /// The kernel in a directory with `boot/vmlinuz-*` and `lib/modules`.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn in_directory(directory: &Path) -> io::Result<Kernel> {
        let mut images = Vec::new();
        for file in fs::read_dir(directory.join("boot"))? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("vmlinuz") {
                images.push(path);
            }
        }
        images.sort();
        let image = images.pop().ok_or(io::ErrorKind::NotFound)?;
        let mut modules = BTreeMap::new();
        for place in ["lib/modules", "usr/lib/modules"] {
            let place = directory.join(place);
            if place.is_dir() {
                collect(&place, &mut modules)?;
            }
        }
        Ok(Kernel { image, modules })
    }

    /// The modules that these need and these themselves, each behind those it needs. What is no
    /// module of this kernel is built in, or not needed by it.
    ///
    /// # Errors
    ///
    /// If a module cannot be read.
    pub fn modules(&self, names: &[&str]) -> io::Result<Vec<Module>> {
        let mut ordered = Vec::new();
        for name in names {
            self.add(name, &mut ordered)?;
        }
        Ok(ordered)
    }

    fn add(&self, name: &str, ordered: &mut Vec<Module>) -> io::Result<()> {
        let name = name.replace('-', "_");
        let Some(path) = self.modules.get(&name) else { return Ok(()) };
        if ordered.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let content = fs::read(path)?;
        for needed in needs(&content) {
            self.add(&needed, ordered)?;
        }
        ordered.push(Module { name, content });
        Ok(())
    }
}

/// A module.
#[derive(Debug)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its file.
    pub content: Vec<u8>,
}

fn collect(directory: &Path, modules: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, modules)?;
        } else if path.extension().is_some_and(|ending| ending == "ko") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
            modules.insert(name, path);
        }
    }
    Ok(())
}

/// What a module says it needs: its `depends`, and what it wants to be loaded before it.
fn needs(content: &[u8]) -> Vec<String> {
    let mut needed = Vec::new();
    for entry in content.split(|byte| *byte == 0) {
        let Ok(text) = std::str::from_utf8(entry) else { continue };
        if let Some(names) = text.strip_prefix("depends=") {
            needed.extend(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        } else if let Some(names) = text.strip_prefix("softdep=pre: ") {
            needed.extend(names.split(' ').map(str::to_owned));
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_comes_behind_those_it_needs() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let modules = directory.path().join("lib/modules/6.1/kernel");
        fs::create_dir_all(&modules)?;
        fs::create_dir_all(directory.path().join("boot"))?;
        fs::write(directory.path().join("boot/vmlinuz-6.1"), "")?;
        fs::write(modules.join("top.ko"), "ELF\0depends=left,right-one\0softdep=pre: hash crc\0")?;
        fs::write(modules.join("left.ko"), "\0depends=right_one\0")?;
        fs::write(modules.join("right-one.ko"), "\0depends=\0")?;
        fs::write(modules.join("hash.ko"), "\0depends=\0")?;
        let kernel = Kernel::in_directory(directory.path())?;
        let names = kernel.modules(&["built_in", "top"])?;
        let names: Vec<_> = names.iter().map(|module| &module.name[..]).collect();
        assert_eq!(names, ["right_one", "left", "hash", "top"]);
        Ok(())
    }

    #[test]
    fn a_directory_without_a_kernel_is_refused() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        assert!(Kernel::in_directory(directory.path()).is_err());
        Ok(())
    }
}
