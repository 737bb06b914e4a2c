//! A measurement in a child process that is ended when it takes too long.

use std::fs;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::kernel;
use crate::sample::Outcome;
use crate::task::Task;

/// Measures in a child process. `wrapper` is what the process is run under, such as a tracer.
pub fn measure(task: &Task, limit: Duration, wrapper: &[String]) -> Outcome {
    match attempt(task, limit, wrapper) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn attempt(task: &Task, limit: Duration, wrapper: &[String]) -> io::Result<Outcome> {
    if task.directory.exists() {
        fs::remove_dir_all(&task.directory)?;
    }
    fs::create_dir_all(&task.directory)?;
    fs::create_dir_all(&task.prepared)?;
    let _ = fs::remove_file(&task.output);
    let program = std::env::current_exe()?;
    let mut command = match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(task.arguments()).stdin(Stdio::null());
    let (status, said) = run(&mut command, limit)?;
    fs::remove_dir_all(&task.directory)?;
    let line = fs::read_to_string(&task.output).unwrap_or_default();
    Ok(match (status, serde_json::from_str(&line)) {
        (None, _) => {
            let place = last_line(&said);
            Outcome::Failed(format!("no end after {} s: {place}", limit.as_secs()))
        }
        (Some(status), Ok(outcome)) if status.success() => outcome,
        (Some(status), _) => Outcome::Failed(format!("{status}: {}", last_line(&said))),
    })
}

/// Runs a command to its end, or to the end of its time: then it is killed and has no status.
/// Returns also what it said on its standard error.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    kernel::end_with_parent(command);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    // A pipe that nobody reads would stop a child that says much.
    let mut errors = child.stderr.take();
    let listener = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(errors) = &mut errors {
            let _ = errors.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    let mut stuck = String::new();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > limit {
            stuck = whereabouts(child.id());
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ok((status, listener.join().unwrap_or_default() + &stuck))
}

/// What each thread of a process waits for in the kernel: where to look for the reason of a hang.
fn whereabouts(process: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let waits = threads.map(|thread| fs::read_to_string(thread.path().join("wchan")));
    let mut counts = std::collections::BTreeMap::new();
    for wait in waits.flatten() {
        *counts.entry(wait).or_insert(0) += 1;
    }
    let counts = counts.iter().map(|(wait, count)| format!("{count} in {wait}"));
    format!("\nthreads: {}", counts.collect::<Vec<_>>().join(", "))
}

fn last_line(said: &str) -> String {
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing said");
    line.chars().filter(char::is_ascii).take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_hangs_is_ended() {
        let started = Instant::now();
        let (status, said) =
            run(Command::new("sleep").arg("60"), Duration::from_millis(50)).unwrap();
        assert!(said.contains("threads: 1 in "), "{said}");
        assert!(status.is_none() && started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_child_that_dies_says_why() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo first >&2; echo last words >&2; exit 3"]);
        let (status, said) = run(&mut shell, Duration::from_secs(20)).unwrap();
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(last_line(&said), "last words");
    }
}
