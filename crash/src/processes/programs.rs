//! The programs that are killed: the driver in Rust, and the one in C, compiled on the spot.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::case::Language;

/// Where the drivers are.
pub struct Programs {
    rust: PathBuf,
    c: Option<PathBuf>,
}

impl Programs {
    /// The drivers of this build. The C one is compiled into `directory`, against the header and
    /// the shared library; without a compiler or the library there is none, and `missing` is told
    /// why.
    ///
    /// # Errors
    /// If the driver in Rust was not built, or the one in C does not compile.
    pub fn prepare(directory: &Path, missing: impl FnOnce(&str)) -> io::Result<Programs> {
        let beside = beside()?;
        let rust = beside.join("crash-driver");
        if !rust.exists() {
            return Err(io::Error::other(format!("{} was not built", rust.display())));
        }
        let c = match compile(directory, &beside)? {
            Ok(program) => Some(program),
            Err(why) => {
                missing(&why);
                None
            }
        };
        Ok(Programs { rust, c })
    }

    /// The driver in a language.
    pub fn of(&self, language: Language) -> &Path {
        match (language, &self.c) {
            (Language::C, Some(program)) => program,
            _ => &self.rust,
        }
    }

    /// The languages there are drivers in.
    pub fn languages(&self) -> Vec<Language> {
        let c = self.c.as_ref().map(|_| Language::C);
        std::iter::once(Language::Rust).chain(c).collect()
    }
}

/// The directory of this program, where the others are built to.
pub fn beside() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Compiles the driver in C; says why not where it cannot be.
fn compile(directory: &Path, beside: &Path) -> io::Result<Result<PathBuf, String>> {
    let library = beside.join("libwal.so");
    if !library.exists() {
        return Ok(Err(format!("{} was not built", library.display())));
    }
    for name in ["libwal.so", "libwal.so.0"] {
        std::os::unix::fs::symlink(&library, directory.join(name))?;
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = directory.join("driver-c");
    let output = Command::new("cc")
        .args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1", "-g"])
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-I")
        .arg(sources.join("../include"))
        .args(["c/driver.c", "c/ledger.c"].map(|source| sources.join(source)))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(directory)
        .arg(format!("-Wl,-rpath,{}", directory.display()))
        .args(["-lwal", "-lpthread"])
        .output();
    match output {
        Err(error) => Ok(Err(format!("there is no C compiler: {error}"))),
        Ok(output) if output.status.success() => Ok(Ok(program)),
        Ok(output) => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
