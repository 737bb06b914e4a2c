//! The program of a language that does workloads as it is asked.
//!
//! It reads lines `WORKLOAD DIRECTORY` and answers each with `RECORDS NANOSECONDS`, or with `none`
//! for a workload it does not have. The directory does not exist; the log may stay there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that runs.
pub struct Measurer {
    name: String,
    child: Child,
    asked: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
}

impl Measurer {
    /// That of Rust: this program.
    pub fn ours() -> Result<Measurer, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        Measurer::of("rust", Command::new(program).arg("answer"))
    }

    /// That of another language.
    pub fn start(name: &str, program: &Path) -> Result<Measurer, String> {
        Measurer::of(name, &mut Command::new(program))
    }

    fn of(name: &str, command: &mut Command) -> Result<Measurer, String> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("{name}: {command:?}: {error}"))?;
        let (Some(asked), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name}: no pipes"));
        };
        let told = BufReader::new(stdout);
        Ok(Measurer { name: name.to_owned(), child, asked: Some(asked), told })
    }

    /// Its language.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Nanoseconds for each record, if the language has this workload.
    pub fn measure(&mut self, workload: &str, place: &Path) -> Result<Option<f64>, String> {
        let failed = |what: &str| format!("{}: {workload}: {what}", self.name);
        let Some(asked) = &mut self.asked else { return Err(failed("it has ended")) };
        writeln!(asked, "{workload} {}", place.display())
            .and_then(|()| asked.flush())
            .map_err(|error| failed(&error.to_string()))?;
        let mut line = String::new();
        self.told.read_line(&mut line).map_err(|error| failed(&error.to_string()))?;
        let line = line.trim();
        if line == "none" {
            return Ok(None);
        }
        let figures = line.split_once(' ').and_then(|(records, nanoseconds)| {
            Some((records.parse::<u64>().ok()?, nanoseconds.parse::<u64>().ok()?))
        });
        match figures {
            Some((records, nanoseconds)) if records > 0 && nanoseconds > 0 => {
                Ok(Some(nanoseconds as f64 / records as f64))
            }
            _ => Err(failed(&format!("it answered `{line}`"))),
        }
    }
}

impl Drop for Measurer {
    fn drop(&mut self) {
        // At the end of what it is asked it ends.
        self.asked = None;
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Measurer {
        Measurer::of("shell", Command::new("/bin/sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn an_answer_is_nanoseconds_for_each_record() {
        let mut measurer = shell("read what; echo 4 10; read what; echo none");
        assert_eq!(measurer.measure("append", Path::new("/x")), Ok(Some(2.5)));
        assert_eq!(measurer.measure("append", Path::new("/x")), Ok(None));
    }

    #[test]
    fn what_is_no_answer_is_an_error_that_says_who_and_what() {
        for script in ["read what; echo fast", "read what; echo 0 5", "read what; exit 1"] {
            let error = shell(script).measure("append", Path::new("/x")).unwrap_err();
            assert!(error.starts_with("shell: append: it answered `"), "{error}");
        }
    }
}
