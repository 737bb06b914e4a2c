//! The programs in `tests/c`, compiled as strict C99 and run against the shared library: plainly,
//! under valgrind, and with the program's own memory watched by AddressSanitizer.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

#[test]
fn the_programs_pass() {
    for_each_program(&[], |program, directory| {
        let mut command = Command::new(program);
        command.arg(directory);
        command
    });
}

#[test]
fn the_programs_pass_with_the_address_sanitizer() {
    for_each_program(&["-fsanitize=address", "-fno-omit-frame-pointer"], |program, directory| {
        let mut command = Command::new(program);
        command.arg(directory).env("ASAN_OPTIONS", "detect_leaks=1");
        command
    });
}

#[test]
fn the_programs_pass_under_valgrind() {
    let found = Command::new("valgrind").arg("--version").output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "valgrind is missing: install it (`apt-get install valgrind`) or run `ci/setup.sh test`"
    );
    for_each_program(&[], |program, directory| {
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
            .args(["--errors-for-leak-kinds=definite,indirect", "--fair-sched=yes"])
            .arg(program)
            .arg(directory);
        command
    });
}

#[test]
fn a_program_links_the_static_library() {
    let build = Build::new();
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/c/main_job.c");
    let archive = beside("libwal.a");
    let system = ["-lgcc_s", "-lutil", "-lrt", "-lm", "-ldl"];
    let program = build.link(&source, &[], &[&[&*archive.to_string_lossy()], &system[..]].concat());
    std::fs::remove_file(build.directory.path().join("libwal.so.0")).expect("removed");
    let directory = build.directory.path().join("logs");
    std::fs::create_dir(&directory).expect("created");
    let output = build.run(Command::new(&program).arg(&directory));
    assert!(output.status.success(), "{}", both(&output));
}

#[test]
fn the_examples_run() {
    let build = Build::new();
    let examples = root().join("examples/c");
    for name in ["append", "batch", "follow", "recover"] {
        let program = build.compile(&examples.join(format!("{name}.c")), &["-O1"]);
        let directory = build.directory.path().join(format!("{name}-log"));
        let output = build.run(Command::new(&program).arg(&directory));
        assert!(output.status.success(), "{name}: {}", both(&output));
        assert!(!output.stdout.is_empty(), "{name} shows nothing");
    }
}

/// Compiles every program and runs it as `command` says, each in a directory of its own.
fn for_each_program(flags: &[&str], command: impl Fn(&Path, &Path) -> Command) {
    let build = Build::new();
    let mut failures = Vec::new();
    for source in sources() {
        let name = source.file_stem().expect("a name").to_string_lossy().into_owned();
        let program = build.compile(&source, flags);
        let directory = build.directory.path().join(format!("{name}-logs"));
        std::fs::create_dir(&directory).expect("created");
        let output = build.run(&mut command(&program, &directory));
        if !output.status.success() {
            failures.push(format!("{name}: {}\n{}", output.status, both(&output)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn sources() -> Vec<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/c");
    let entries = std::fs::read_dir(directory).expect("tests/c");
    let mut sources: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    assert!(sources.len() >= 8, "{sources:?}");
    sources
}

/// A directory with the library under the name programs load it by.
struct Build {
    directory: TempDir,
}

impl Build {
    fn new() -> Build {
        let directory = tempfile::tempdir().expect("a directory");
        let library = beside("libwal.so");
        for name in ["libwal.so", "libwal.so.0"] {
            std::os::unix::fs::symlink(&library, directory.path().join(name)).expect("linked");
        }
        Build { directory }
    }

    fn compile(&self, source: &Path, flags: &[&str]) -> PathBuf {
        self.link(source, flags, &["-lwal"])
    }

    fn link(&self, source: &Path, flags: &[&str], libraries: &[&str]) -> PathBuf {
        let program = self.directory.path().join(source.file_stem().expect("a name"));
        let output = Command::new("cc")
            .args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-g"])
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args(flags)
            .arg("-I")
            .arg(root().join("include"))
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

    fn run(&self, command: &mut Command) -> Output {
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
fn beside(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let library = program.parent().expect("a directory").join(name);
    assert!(library.exists(), "{} was not built", library.display());
    library
}

fn both(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

const RUN_SECONDS_MAX: u32 = 120;
