//! The first file system of a machine, as an archive (`newc` of cpio) that its kernel unpacks.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An archive.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<PathBuf>,
    count: u32,
}

impl Archive {
    /// Adds a file and the directories it is in.
    pub fn file(&mut self, path: &Path, content: &[u8]) {
        if let Some(parent) = path.parent() {
            self.directory(parent);
        }
        self.entry(path, REGULAR | 0o755, (0, 0), content);
    }

    /// Adds a directory and those it is in.
    pub fn directory(&mut self, path: &Path) {
        let mut missing: Vec<_> = path.ancestors().map(Path::to_path_buf).collect();
        missing.reverse();
        for directory in missing {
            if directory.parent().is_some() && self.directories.insert(directory.clone()) {
                self.entry(&directory, DIRECTORY | 0o755, (0, 0), &[]);
            }
        }
    }

    /// Adds a character device.
    pub fn device(&mut self, path: &Path, numbers: (u32, u32)) {
        if let Some(parent) = path.parent() {
            self.directory(parent);
        }
        self.entry(path, CHARACTERS | 0o600, numbers, &[]);
    }

    /// Adds a program at this path, and the libraries it is linked with where it looks for them.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, or `ldd` does not say which they are.
    pub fn program(&mut self, path: &Path, program: &Path) -> io::Result<()> {
        self.file(path, &std::fs::read(program)?);
        let said = Command::new("ldd").arg(program).output()?;
        for library in libraries(&String::from_utf8_lossy(&said.stdout)) {
            self.file(&library, &std::fs::read(&library)?);
        }
        Ok(())
    }

    /// All of it.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry(Path::new("/TRAILER!!!"), 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &Path, mode: u32, device: (u32, u32), content: &[u8]) {
        self.count += 1;
        let name = path.strip_prefix("/").unwrap_or(path).display().to_string();
        let fields = [
            self.count,
            mode,
            0,
            0,
            1,
            0,
            content.len() as u32,
            0,
            0,
            device.0,
            device.1,
            name.len() as u32 + 1,
            0,
        ];
        self.bytes.extend(b"070701");
        fields.iter().for_each(|field| self.bytes.extend(format!("{field:08x}").bytes()));
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The paths that `ldd` names. A program without libraries has none.
fn libraries(said: &str) -> Vec<PathBuf> {
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    said.lines().filter_map(path).collect()
}

const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const CHARACTERS: u32 = 0o020_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_once_and_before_what_is_in_them() {
        let mut archive = Archive::default();
        archive.file(Path::new("/a/b/one"), b"12345");
        archive.file(Path::new("/a/two"), b"");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        let names = text.split("070701").skip(1).map(|entry| {
            let end = entry[104..].find('\0').map_or(entry.len(), |len| 104 + len);
            &entry[104..end]
        });
        assert_eq!(names.collect::<Vec<_>>(), ["a", "a/b", "a/b/one", "a/two", "TRAILER!!!"]);
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn the_loader_is_a_library_and_what_the_kernel_maps_is_none() {
        let said = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x2)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        let expected = ["/lib/x/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(libraries(said), expected);
        assert!(libraries("\tstatically linked\n").is_empty());
    }
}
