//! Runners as processes: run to their end, or killed in the middle of their work.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// A language's runner.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The language.
    pub language: String,
    /// The program.
    pub program: PathBuf,
}

/// How a runner ended.
pub struct Ended {
    /// Its exit code, or the signal.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl Runner {
    /// The runner `language=program`.
    ///
    /// # Errors
    /// Text that is not so, and a program that is not there.
    pub fn parse(text: &str) -> Result<Runner, String> {
        let parts =
            text.split_once('=').ok_or_else(|| format!("{text} is not LANGUAGE=PROGRAM"))?;
        let (language, program) = (parts.0.to_owned(), PathBuf::from(parts.1));
        if !program.is_file() {
            return Err(format!("{language}: there is no runner {}", program.display()));
        }
        Ok(Runner { language, program })
    }

    /// Runs to the end, at most so long as a hang is told from slowness.
    ///
    /// # Errors
    /// A program that cannot be started or does not end.
    pub fn run(&self, arguments: &[&Path]) -> Result<Ended, String> {
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (out, err) = (scratch.path().join("stdout"), scratch.path().join("stderr"));
        let file = |path: &Path| File::create(path).map_err(|error| error.to_string());
        let mut command = self.command(arguments);
        let mut process = Process::spawn(command.stdout(file(&out)?).stderr(file(&err)?))?;
        let until = Instant::now() + PATIENCE;
        let status = loop {
            let status = process.0.try_wait().map_err(|error| error.to_string())?;
            if let Some(status) = status {
                break status;
            }
            if Instant::now() > until {
                return Err(format!("{self} does not end"));
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text =
            |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let told = |error: std::io::Error| error.to_string();
        Ok(Ended { status, stdout: text(&out).map_err(told)?, stderr: text(&err).map_err(told)? })
    }

    /// Starts `write` without an end.
    ///
    /// # Errors
    /// A program that cannot be started.
    pub fn start_writing(&self, directory: &Path, seed: u64) -> Result<Writing, String> {
        let seed = seed.to_string();
        let arguments = [Path::new("write"), directory, Path::new("0"), Path::new(&seed)];
        let mut command = self.command(&arguments);
        let mut process = Process::spawn(command.stdout(Stdio::piped()))?;
        let stdout = process.0.stdout.take().ok_or("no pipe to the runner")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            // A line that was cut by the kill has no line feed and counts for nothing.
            while stdout.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
                if sender.send(line.trim_end().to_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Writing { process, lines })
    }

    fn command(&self, arguments: &[&Path]) -> Command {
        let mut command = Command::new(&self.program);
        // A group of its own: what a shell has started dies with it.
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        command
    }
}

impl std::fmt::Display for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the runner of {}", self.language)
    }
}

/// A runner that appends until it is killed.
pub struct Writing {
    process: Process,
    lines: Receiver<String>,
}

impl Writing {
    /// The next line it printed; `None` when it has ended and no other line comes.
    ///
    /// # Errors
    /// That it prints nothing for so long that it hangs.
    pub fn line(&self) -> Result<Option<String>, String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(mpsc::RecvTimeoutError::Timeout) => Err("prints nothing any more".to_owned()),
        }
    }

    /// Kills it.
    ///
    /// # Errors
    /// That it had ended by itself.
    pub fn kill(&mut self) -> Result<(), String> {
        let ended = self.process.0.try_wait().map_err(|error| error.to_string())?;
        self.process.kill();
        ended.map_or(Ok(()), |status| Err(format!("ended by itself: {status}")))
    }
}

/// A process that is killed with its whole group when nobody waits for it any more.
struct Process(Child);

impl Process {
    fn spawn(command: &mut Command) -> Result<Process, String> {
        let program = command.get_program().to_owned();
        let child = command.spawn();
        child.map(Process).map_err(|error| format!("{}: {error}", program.display()))
    }

    fn kill(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            // The group is led by this process, which was not waited for: its id is not another's.
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Nothing a runner does takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
