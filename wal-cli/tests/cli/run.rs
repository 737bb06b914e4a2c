//! Runs the command and keeps what it said.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// What a finished command said.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    /// The output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the output is text")
    }

    /// The output's lines.
    pub fn lines(&self) -> Vec<&str> {
        self.text().lines().collect()
    }

    /// The output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).expect("the output is JSON")
    }

    /// Panics unless the command went well.
    #[track_caller]
    pub fn fine(self) -> Run {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Panics unless the command ended with this code and one line of explanation that has every
    /// one of the words.
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Run {
        assert_eq!(self.code, code, "{}", self.stderr);
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("wal: "), "{}", self.stderr);
        for word in words {
            assert!(last.contains(word), "`{word}` is not in: {last}");
        }
        self
    }
}

/// The command, not started yet.
pub fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wal"));
    command.args(args);
    command
}

/// Runs it without input.
pub fn wal<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    wal_fed(args, b"")
}

/// Runs it with input.
pub fn wal_fed<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &[u8]) -> Run {
    let mut child = spawn(args);
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    // A command may stop reading: that is its business, its exit code tells.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ran");
    feeder.join().expect("the feeder ends with the command");
    Run {
        code: output.status.code().expect("it was not killed"),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("messages are text"),
    }
}

/// Starts it with all three streams piped.
pub fn spawn<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Child {
    command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}
