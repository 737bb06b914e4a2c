//! Compiles and runs the programs in `tests/c`, with the library of this build or with another
//! header.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory with the library under the name programs load it by.
pub struct Build {
    pub directory: TempDir,
    include: PathBuf,
}

impl Build {
    /// Against the header of this checkout.
    pub fn new() -> Build {
        Build::with_include(root().join("include"))
    }

    /// Against another `wal.h`.
    pub fn with_header(header: &str) -> Build {
        let mut build = Build::new();
        build.include = build.directory.path().join("include");
        std::fs::create_dir(&build.include).expect("created");
        std::fs::write(build.include.join("wal.h"), header).expect("written");
        build
    }

    fn with_include(include: PathBuf) -> Build {
        let directory = tempfile::tempdir().expect("a directory");
        let library = beside("libwal.so");
        for name in ["libwal.so", "libwal.so.0"] {
            std::os::unix::fs::symlink(&library, directory.path().join(name)).expect("linked");
        }
        Build { directory, include }
    }

    /// The program of that name passes.
    pub fn compile_and_run(&self, name: &str) {
        let source = root().join(format!("wal-ffi/tests/c/{name}.c"));
        let program = self.compile(&source, &[]);
        let directory = self.directory.path().join(format!("{name}-logs"));
        std::fs::create_dir(&directory).expect("created");
        let output = self.run(Command::new(&program).arg(&directory));
        assert!(output.status.success(), "{name}: {}", both(&output));
    }

    pub fn compile(&self, source: &Path, flags: &[&str]) -> PathBuf {
        self.link(source, flags, &["-lwal"])
    }

    pub fn link(&self, source: &Path, flags: &[&str], libraries: &[&str]) -> PathBuf {
        let program = self.directory.path().join(source.file_stem().expect("a name"));
        let output = Command::new("cc")
            .args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-g"])
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args(flags)
            .arg("-I")
            .arg(&self.include)
            .arg(source)
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(self.directory.path())
            .args(libraries)
            .arg("-lpthread")
            .output()
            .unwrap_or_else(|error| panic!("cc does not run, install gcc: {error}"));
        assert!(output.status.success(), "{}: {}", source.display(), both(&output));
        program
    }

    pub fn run(&self, command: &mut Command) -> Output {
        // A program that hangs is a failure, not a test run without an end.
        let limited = format!("{RUN_SECONDS_MAX}");
        let mut timed = Command::new("timeout");
        timed.arg("--kill-after=5").arg(limited).arg(command.get_program());
        timed.args(command.get_args());
        for (name, value) in command.get_envs() {
            timed.env(name, value.unwrap_or_default());
        }
        timed.env("LD_LIBRARY_PATH", self.directory.path()).output().expect("timeout runs")
    }
}

/// A library of this build: it lies beside the test program.
pub fn beside(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let library = program.parent().expect("a directory").join(name);
    assert!(library.exists(), "{} was not built", library.display());
    library
}

pub fn both(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program that takes longer hangs.
const RUN_SECONDS_MAX: u32 = 120;
