//! The executables of the copy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Copy, Program, Rung};

/// What was built of a copy.
pub struct Build {
    root: PathBuf,
    programs: BTreeMap<Program, PathBuf>,
}

impl Build {
    /// Builds what these rungs run in `target`, two directories below that of the campaign.
    ///
    /// # Errors
    ///
    /// A build that fails, with the end of what the compiler said.
    pub fn of(copy: &Copy, target: &Path, rungs: &[&Rung]) -> Result<Build, String> {
        let mut by_features: BTreeMap<&[String], BTreeSet<&str>> = BTreeMap::new();
        let mut tests = BTreeSet::new();
        let mut programs = BTreeMap::new();
        for rung in rungs {
            match &rung.program {
                Program::Binary(name) => {
                    let names = by_features.entry(&rung.features).or_default();
                    names.extend(rung.needs.iter().map(String::as_str));
                    names.insert(name);
                    programs.insert(rung.program.clone(), target.join("crash").join(name));
                }
                Program::Test(name) => drop(tests.insert(name.as_str())),
            }
        }
        for (features, names) in by_features {
            build_binaries(copy, target, features, names)?;
        }
        for (test, path) in build_tests(copy, target, &tests)? {
            programs.insert(Program::Test(test.to_owned()), path);
        }
        Ok(Build { root: copy.root.clone(), programs })
    }

    /// Where a program is run: tests find their files from there.
    pub fn directory(&self, program: &Program) -> PathBuf {
        match program {
            Program::Binary(_) => self.root.clone(),
            Program::Test(_) => self.root.join("wal-core"),
        }
    }

    /// Where a program is.
    pub fn path(&self, program: &Program) -> Option<&Path> {
        self.programs.get(program).map(PathBuf::as_path)
    }
}

fn build_binaries(
    copy: &Copy,
    target: &Path,
    features: &[String],
    names: BTreeSet<&str>,
) -> Result<(), String> {
    let features = features.join(",");
    let mut args = vec!["build", "-p", "wal-crash"];
    if !features.is_empty() {
        args.extend(["--no-default-features", "--features", &features]);
    }
    for name in names {
        args.extend(["--bin", name]);
    }
    cargo(copy, target, &args).map(drop)
}

fn build_tests<'a>(
    copy: &Copy,
    target: &Path,
    names: &BTreeSet<&'a str>,
) -> Result<Vec<(&'a str, PathBuf)>, String> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = vec!["test", "--no-run", "-p", "wal-core"];
    for name in names {
        match *name {
            "lib" => args.push("--lib"),
            name => args.extend(["--test", name]),
        }
    }
    let built = executables_of(&cargo(copy, target, &args)?);
    names
        .iter()
        .map(|&name| {
            let file = format!("tests/{name}.rs");
            let source = if name == "lib" { "src/lib.rs" } else { &file };
            let found = built.iter().find(|(of, _)| of == source);
            let (_, path) = found.ok_or_else(|| format!("{source} was not built"))?;
            Ok((name, copy.root.join(path)))
        })
        .collect()
}

/// Runs cargo in the copy; returns what it said.
fn cargo(copy: &Copy, target: &Path, args: &[&str]) -> Result<String, String> {
    let dependencies = target.ancestors().nth(2).ok_or("no build directory")?;
    let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(args)
        .args(["--locked", "--profile", "crash", "--target-dir"])
        .arg(target)
        .current_dir(&copy.root)
        // The dependencies are those of the campaign itself (cargo before 1.91 builds them anew).
        .env("CARGO_BUILD_BUILD_DIR", dependencies)
        .env("CARGO_INCREMENTAL", "1")
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(told);
    }
    let lines: Vec<&str> = told.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LINES_TOLD)..).unwrap_or_default();
    Err(format!("the copy in {} cannot be built:\n{}", copy.root.display(), last.join("\n")))
}

/// The executables of tests that cargo says it has built, by their sources.
fn executables_of(told: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in told.lines() {
        let Some(rest) = line.trim_start().strip_prefix("Executable ") else { continue };
        let Some((source, path)) = rest.split_once(" (") else { continue };
        let source = source.trim_start_matches("unittests ");
        found.push((source.to_owned(), path.trim_end_matches(')').to_owned()));
    }
    found
}

const LINES_TOLD: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_told_from_other_lines() {
        let told = "   Compiling a v1\n  Executable unittests src/lib.rs (/t/deps/a-1)\n  \
                    Executable tests/crash.rs (/t/deps/crash-2)\n";
        let found = executables_of(told);
        assert_eq!(found[0], ("src/lib.rs".into(), "/t/deps/a-1".into()));
        assert_eq!(found[1], ("tests/crash.rs".into(), "/t/deps/crash-2".into()));
        assert_eq!(found.len(), 2);
    }
}
