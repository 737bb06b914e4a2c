//! The files of a checkout.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// The files of a checkout by their relative paths, build output left out.
pub struct Tree {
    root: PathBuf,
    files: BTreeSet<String>,
}

impl Tree {
    /// The checkout this program was built from.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn of_checkout() -> Result<Tree, String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).ok_or("xtask lies in ci/xtask of the checkout")?;
        Tree::of_directory(root)
    }

    /// Any directory, for the tests of the checks.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn of_directory(root: &Path) -> Result<Tree, String> {
        let mut files = BTreeSet::new();
        collect(root, "", &mut files)?;
        Ok(Tree { root: root.to_owned(), files })
    }

    /// Where the checkout is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Whether there is a file or a directory of this relative path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let below = format!("{path}/");
        path.is_empty()
            || self.files.contains(path)
            || self.files.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }

    /// Whether a relative path is a file.
    pub fn is_file(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// A file that is not there or not UTF-8.
    pub fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Writes a file that is generated.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<(), String> {
        fs::write(self.root.join(path), text).map_err(|error| format!("{path}: {error}"))
    }

    /// Every Rust source, read.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn rust_files(&self) -> Result<Vec<Source>, String> {
        self.files()
            .filter(|path| path.ends_with(".rs"))
            .map(|path| Ok(Source::new(path, self.read(path)?)))
            .collect()
    }
}

/// Adds the files below `root/prefix`. Cargo marks its build directories with `CACHEDIR.TAG`,
/// whatever they are called.
fn collect(root: &Path, prefix: &str, files: &mut BTreeSet<String>) -> Result<(), String> {
    let directory = root.join(prefix);
    if directory.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    let told = |error| format!("{}: {error}", directory.display());
    for entry in fs::read_dir(&directory).map_err(told)? {
        let entry = entry.map_err(told)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if !entry.file_type().map_err(told)?.is_dir() {
            files.insert(path);
        } else if !SKIPPED_DIRECTORIES.contains(&name.as_str()) {
            collect(root, &path, files)?;
        }
    }
    Ok(())
}

/// Directories that hold nothing of the project's own.
const SKIPPED_DIRECTORIES: &[&str] =
    &[".git", "target", "dist", "node_modules", "__pycache__", ".venv", "vendor"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_output_is_left_out_and_directories_are_known() {
        let scratch = tempfile::tempdir().unwrap();
        for path in ["a/b.rs", "target/c.rs", "out/CACHEDIR.TAG", "out/d.rs", "a-b/e.rs"] {
            let path = scratch.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let tree = Tree::of_directory(scratch.path()).unwrap();
        assert_eq!(tree.files().collect::<Vec<_>>(), ["a-b/e.rs", "a/b.rs"]);
        assert!(tree.has("a") && tree.has("a/") && tree.has("a/b.rs"));
        assert!(!tree.has("b") && !tree.has("a/b") && !tree.has("out"));
    }
}
