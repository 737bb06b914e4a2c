//! The programs in `tests/c`, compiled as strict C99 and run against the shared library: plainly,
//! under valgrind, and with the program's own code watched by the sanitizers.

#[path = "contract/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Build, beside, both, root};

#[test]
fn the_programs_pass() {
    for_each_program(&[], |program, directory| {
        let mut command = Command::new(program);
        command.arg(directory);
        command
    });
}

#[test]
fn the_programs_pass_with_the_sanitizers_of_addresses_and_of_undefined_behaviour() {
    let flags =
        ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
    for_each_program(&flags, |program, directory| {
        let mut command = Command::new(program);
        command.arg(directory).env("ASAN_OPTIONS", "detect_leaks=1");
        command
    });
}

/// The library is not instrumented: what it does between its own threads is loom's to check, and
/// calls that come from it are left out. What is checked is that the program, with the
/// synchronisation the header promises, has no race.
#[test]
fn the_programs_pass_with_the_thread_sanitizer() {
    for_each_program(&["-fsanitize=thread"], |program, directory| {
        // The sanitizer cannot map its memory where the addresses are as random as newer kernels
        // make them.
        let mut command = Command::new("setarch");
        command.args(["--addr-no-randomize"]).arg(program).arg(directory);
        command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1:halt_on_error=1");
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
    assert!(sources.len() >= 15, "{sources:?}");
    sources
}
