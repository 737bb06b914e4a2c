//! A rung that is run with a bug, or without one, and how it ended.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How a rung ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It told of a broken promise: the line that says so.
    Violation(String),
    /// It found nothing.
    Clean,
    /// It did not end in time, and was ended.
    Hang,
    /// It could not be run here: why.
    NotRun(String),
}

/// What became of one run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
    /// The last lines it printed.
    pub said: Vec<String>,
}

impl Trial {
    /// Runs `program` in `directory`, with this bug switched on or with none, for `limit` at the
    /// most. It is ended as soon as it has told of a violation: one is enough.
    ///
    /// # Errors
    ///
    /// A program that cannot be run at all.
    pub fn run(
        program: &Path,
        directory: &Path,
        args: &[&OsStr],
        bug: &str,
        limit: Duration,
    ) -> Result<Trial, String> {
        let started = Instant::now();
        let told = |error| format!("{}: {error}", program.display());
        let mut child = Command::new(program)
            .args(args)
            .current_dir(directory)
            .env("WAL_PLANTED", bug)
            .env("RUST_BACKTRACE", "0")
            // What a rung counts while it is being checked is nobody's result.
            .env_remove("WAL_CRASH_TALLY")
            .env_remove("WAL_CRASH_SEED")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts ends with it.
            .process_group(0)
            .spawn()
            .map_err(told)?;
        let (sender, lines) = channel();
        if let Some(stream) = child.stdout.take() {
            listen(stream, sender.clone());
        }
        if let Some(stream) = child.stderr.take() {
            listen(stream, sender.clone());
        }
        drop(sender);
        let mut trial = Trial { outcome: Outcome::Clean, time: Duration::ZERO, said: Vec::new() };
        let has_ended = trial.follow(&lines, started + limit);
        if !has_ended {
            end_group(&mut child);
        }
        let status = child.wait().map_err(told)?;
        if has_ended && !status.success() && !matches!(trial.outcome, Outcome::Violation(_)) {
            trial.outcome = Outcome::Violation(format!("it ended with {status}"));
        }
        trial.time = started.elapsed();
        Ok(trial)
    }

    /// Reads what is said until nothing more comes (true), or until there is no need or no time
    /// to hear the rest.
    fn follow(&mut self, lines: &Receiver<String>, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    let verdict = verdict(&line);
                    if self.said.len() >= LINES_KEPT {
                        self.said.remove(0);
                    }
                    self.said.push(line);
                    match verdict {
                        Some(Outcome::Violation(what)) => {
                            self.outcome = Outcome::Violation(what);
                            self.hear_out(lines);
                            return false;
                        }
                        Some(other) => self.outcome = other,
                        None => {}
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => {
                    self.outcome = Outcome::Hang;
                    return false;
                }
            }
        }
    }

    /// The story of a violation comes right behind it.
    fn hear_out(&mut self, lines: &Receiver<String>) {
        while self.said.len() < 2 * LINES_KEPT
            && let Ok(line) = lines.recv_timeout(STORY_TIME)
        {
            self.said.push(line);
        }
    }
}

/// What a line says of the run, if anything.
fn verdict(line: &str) -> Option<Outcome> {
    let is_failed_test = line.starts_with("test ") && line.ends_with("FAILED");
    if line.contains(": VIOLATION") || is_failed_test {
        return Some(Outcome::Violation(line.trim().to_owned()));
    }
    if line.contains(", violations 0, ") {
        // A part that could not be run does not count against what was.
        return Some(Outcome::Clean);
    }
    let (_, why) = line.split_once("NOT RUN: ")?;
    Some(Outcome::NotRun(why.to_owned()))
}

fn listen(stream: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                // Nobody listens any more; the pipe is emptied so that the child does not block.
            }
        }
    });
}

/// Ends the child and everything it has started.
fn end_group(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    let _ = child.kill();
}

const LINES_KEPT: usize = 30;
const STORY_TIME: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Trial {
        let args = ["-c", script].map(OsStr::new);
        Trial::run(Path::new("/bin/sh"), Path::new("/"), &args, "some-bug", limit)
            .expect("there is a shell")
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn an_end_in_order_is_clean_and_any_other_is_a_violation() {
        assert_eq!(shell("echo fine", LONG).outcome, Outcome::Clean);
        assert!(matches!(shell("exit 3", LONG).outcome, Outcome::Violation(_)));
        assert!(matches!(shell("kill -ABRT $$", LONG).outcome, Outcome::Violation(_)));
    }

    #[test]
    fn who_has_told_of_a_violation_is_not_waited_for() {
        let trial = shell("echo $WAL_PLANTED: VIOLATION >&2; sleep 500", LONG);
        assert_eq!(trial.outcome, Outcome::Violation("some-bug: VIOLATION".into()));
        let trial = shell("echo test a::b ... FAILED; sleep 500", LONG);
        assert!(matches!(trial.outcome, Outcome::Violation(_)));
    }

    #[test]
    fn who_does_not_end_is_ended_with_all_it_has_started() {
        let trial = shell("sleep 500 & sleep 500", Duration::from_millis(50));
        assert_eq!(trial.outcome, Outcome::Hang);
    }

    #[test]
    fn a_rung_that_cannot_be_run_here_has_caught_nothing() {
        let trial = shell("echo 'kills: NOT RUN: no ptrace here'", LONG);
        assert_eq!(trial.outcome, Outcome::NotRun("no ptrace here".into()));
        let trial = shell("echo 'NOT RUN: the C part'; echo 'a: kills 7, violations 0, 1 s'", LONG);
        assert_eq!(trial.outcome, Outcome::Clean);
    }
}
