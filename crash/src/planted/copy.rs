//! The copy of the checkout that the bugs are planted in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Bank, Bug, Planted};

/// A copy of the checkout in the build directory.
pub struct Copy {
    /// Where it is.
    pub root: PathBuf,
}

impl Copy {
    /// Brings the copy at `root` up to date with the checkout, and plants every bug of the bank.
    /// What has not changed keeps its time, so that it is not built again.
    ///
    /// # Errors
    ///
    /// Files that cannot be read or written, and bugs that cannot be planted.
    pub fn make(checkout: &Path, root: &Path, bank: &Bank) -> Result<Copy, String> {
        let mut wanted = BTreeMap::new();
        for directory in SOURCES {
            collect(checkout, Path::new(directory), &mut wanted).map_err(|e| e.to_string())?;
        }
        for file in FILES {
            wanted.insert(PathBuf::from(file), read(&checkout.join(file))?);
        }
        plant(bank, &mut wanted)?;
        allow_lints(&mut wanted);
        let mut found = BTreeMap::new();
        if root.exists() {
            collect(root, Path::new(""), &mut found).map_err(|e| e.to_string())?;
        }
        for stale in found.keys().filter(|path| !wanted.contains_key(*path)) {
            fs::remove_file(root.join(stale)).map_err(|error| told(stale, &error))?;
        }
        for (path, bytes) in wanted.iter().filter(|(path, bytes)| found.get(*path) != Some(bytes)) {
            let target = root.join(path);
            let parent = target.parent().unwrap_or(root);
            fs::create_dir_all(parent).map_err(|error| told(parent, &error))?;
            fs::write(&target, bytes).map_err(|error| told(path, &error))?;
        }
        Ok(Copy { root: root.to_owned() })
    }
}

/// Plants every bug of the bank in these files, and adds the switch to the packages that have any.
fn plant(bank: &Bank, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<(), String> {
    let mut by_file: BTreeMap<&str, Vec<(usize, &Bug)>> = BTreeMap::new();
    for (number, bug) in (1..).zip(&bank.bugs) {
        by_file.entry(&bug.file).or_default().push((number, bug));
    }
    let mut packages = BTreeSet::new();
    for (file, bugs) in by_file {
        let bytes = files.get_mut(Path::new(file)).ok_or_else(|| format!("there is no {file}"))?;
        let text = std::str::from_utf8(bytes).map_err(|error| format!("{file}: {error}"))?;
        *bytes = Planted::of(text, &bugs)?.0.into_bytes();
        let package = file.split_once("/src/").ok_or_else(|| format!("{file} is no source"))?.0;
        packages.insert(package);
    }
    for package in packages {
        let source = Path::new(package).join("src");
        let library = files
            .get_mut(&source.join("lib.rs"))
            .ok_or_else(|| format!("{package} has no library"))?;
        library.extend_from_slice(b"\n#[allow(missing_docs)]\nmod planted;\n");
        files.insert(source.join("planted.rs"), switch(bank).into_bytes());
    }
    Ok(())
}

/// What is planted need not please the lints. Told in the manifests and not to the compiler, whose
/// flags would have every dependency built once more.
fn allow_lints(files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for (_, bytes) in files.iter_mut().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        let text = String::from_utf8_lossy(bytes);
        *bytes = text.replace("= \"deny\"", "= \"allow\"").into_bytes();
    }
}

/// The module that says which bug is on.
fn switch(bank: &Bank) -> String {
    let names: Vec<String> = bank.bugs.iter().map(|bug| format!("{:?}", bug.name)).collect();
    SWITCH.replace("NAMES", &names.join(", "))
}

const SWITCH: &str = r#"//! Which planted bug is on: the one `WAL_PLANTED` names.

use std::sync::OnceLock;

#[cfg(not(debug_assertions))]
compile_error!("planted bugs never go into a release");

pub(crate) fn is_on(bug: usize) -> bool {
    static ON: OnceLock<usize> = OnceLock::new();
    *ON.get_or_init(|| {
        let name = std::env::var("WAL_PLANTED").unwrap_or_default();
        if name.is_empty() {
            return 0;
        }
        let place = BUGS.iter().position(|bug| *bug == name);
        place.expect("WAL_PLANTED names a bug of the bank") + 1
    }) == bug
}

const BUGS: &[&str] = &[NAMES];
"#;

/// Reads every file below a directory of `root`, build output left out.
fn collect(root: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    let directory = root.join(below);
    if directory.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&directory)? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(root, &path, files)?;
        } else if kind.is_file() {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// The members of the workspace, and what their tests read.
const SOURCES: &[&str] = &[
    "wal-core", "wal-ffi", "wal-cli", "bindings", "examples", "ci", "bench", "crash", "docs",
    "include",
];
const FILES: &[&str] = &["Cargo.toml", "Cargo.lock"];

impl Bank {
    /// Holds the bank against the sources: each text stands where it is said to stand, once.
    ///
    /// # Errors
    ///
    /// The first bug that cannot be planted.
    pub fn check_against(&self, checkout: &Path) -> Result<(), String> {
        let mut files = BTreeMap::new();
        for bug in &self.bugs {
            let path = PathBuf::from(&bug.file);
            let library = bug.file.split_once("/src/").map_or("", |(package, _)| package);
            let library = Path::new(library).join("src/lib.rs");
            for path in [path, library] {
                let bytes = read(&checkout.join(&path))?;
                files.insert(path, bytes);
            }
        }
        plant(self, &mut files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_of_the_bank_is_at_its_place() -> Result<(), String> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no checkout")?;
        let bank = Bank::of_checkout(checkout)?;
        assert!(bank.bugs.len() >= 40, "{} bugs", bank.bugs.len());
        bank.check_against(checkout)
    }

    #[test]
    fn a_planted_copy_cannot_be_built_as_a_release() -> Result<(), String> {
        let text = "[rung.a]\ntest = 'a'\n[[bug]]\nname = 'b'\npromise = 'c'\n\
                    file = 'p/src/d.rs'\nfind = 'q'\nreplace = 'f'\nrung = 'a'\n";
        let mut files = BTreeMap::new();
        for (path, text) in [("p/src/d.rs", "let x = q;"), ("p/src/lib.rs", "mod d;")] {
            files.insert(PathBuf::from(path), text.as_bytes().to_vec());
        }
        plant(&Bank::parse(text)?, &mut files)?;
        let text = |path| String::from_utf8_lossy(&files[Path::new(path)]).into_owned();
        assert!(text("p/src/d.rs").contains("let x = (if crate::planted::is_on(1 "));
        assert!(text("p/src/lib.rs").ends_with("mod planted;\n"));
        assert!(text("p/src/planted.rs").contains("#[cfg(not(debug_assertions))]\ncompile_error!"));
        Ok(())
    }

    #[test]
    fn what_the_lints_forbid_can_be_planted() {
        let manifest = "[lints.rust]\nunused_must_use = \"deny\"\nx = { level = \"deny\" }\n";
        let source = "let word = \"deny\";";
        let mut files = BTreeMap::new();
        for (path, text) in [("p/Cargo.toml", manifest), ("p/src/lib.rs", source)] {
            files.insert(PathBuf::from(path), text.as_bytes().to_vec());
        }
        allow_lints(&mut files);
        let allowed = manifest.replace("deny", "allow");
        assert_eq!(files[Path::new("p/Cargo.toml")], allowed.as_bytes());
        assert_eq!(files[Path::new("p/src/lib.rs")], source.as_bytes());
    }
}
