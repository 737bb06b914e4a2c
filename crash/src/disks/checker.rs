//! A process that checks states, and is replaced when it hangs or dies.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::check::Verdict;

/// Checks of the log with a name.
pub struct Checker {
    log: String,
    plain: bool,
    process: Option<Process>,
}

struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Checker {
    /// A checker of this log; a plain one is seen from outside.
    pub fn new(log: &str, plain: bool) -> Checker {
        Checker { log: log.to_owned(), plain, process: None }
    }

    /// What the log says of this directory.
    ///
    /// # Errors
    ///
    /// If no process can be started.
    pub fn check(&mut self, seed: u64, directory: &Path) -> io::Result<Verdict> {
        if self.process.is_none() {
            self.process = Some(Process::start(&self.log, self.plain)?);
        }
        let Some(process) = &mut self.process else { return Err(io::ErrorKind::NotFound.into()) };
        let verdict = process.ask(&format!("{seed} {}\n", directory.display()));
        if !matches!(verdict, Ok(Verdict::Found(_))) {
            // What it holds open must not keep the disk.
            self.process = None;
        }
        verdict
    }
}

impl Process {
    fn start(log: &str, plain: bool) -> io::Result<Process> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["check", "--log", log])
            .args(plain.then_some("--plain"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Process { child, requests, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, request: &str) -> io::Result<Verdict> {
        if self.requests.write_all(request.as_bytes()).is_err() {
            return Ok(Verdict::of_line(""));
        }
        let mut ready = libc::pollfd {
            fd: self.answers.get_ref().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: the pointer is to one descriptor, and so is the count.
        if unsafe { libc::poll(&raw mut ready, 1, ANSWER_WITHIN.as_millis() as libc::c_int) } == 0 {
            return Ok(Verdict::Hung);
        }
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(Verdict::of_line(&answer))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A check takes milliseconds; a busy machine may need many times that.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
