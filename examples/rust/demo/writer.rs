//! One life of the writing process: fed with lines, listened to, killed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::input::Input;

/// A running `wal append --ack --durability disk`.
pub struct Writer {
    child: Child,
    feeder: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
}

/// How one life went.
pub struct Life {
    /// The last record that was acknowledged, 0 if none was in this life.
    pub acknowledged: u64,
    /// Acknowledgements heard.
    pub commits: u64,
    /// Whether it was killed; otherwise it came to the end of the input.
    pub was_killed: bool,
    /// What it said on standard error.
    pub words: String,
}

impl Writer {
    /// Starts the process; it is given the lines from `first_line` on, at the pace.
    pub fn start(
        wal: &Path,
        dir: &Path,
        input: &Arc<Input>,
        first_line: u64,
        bytes_per_second: f64,
    ) -> Result<Writer, String> {
        let mut child = Command::new(wal)
            .args(["append", "--ack", "--durability", "disk"])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", wal.display()))?;
        let stdin = child.stdin.take().ok_or("the process has no standard input")?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (input, over) = (Arc::clone(input), Arc::clone(&is_over));
        let feeder =
            thread::spawn(move || feed(&input, first_line, bytes_per_second, stdin, &over));
        Ok(Writer { child, feeder, is_over })
    }

    /// Listens to the acknowledgements and kills the process `delay` after record `kill_at` was
    /// acknowledged, or lets it come to its end.
    pub fn listen(
        mut self,
        kill_at: Option<u64>,
        delay: Duration,
        mut heard: impl FnMut(u64),
    ) -> Result<Life, String> {
        let stdout = self.child.stdout.take().ok_or("the process has no standard output")?;
        let mut life =
            Life { acknowledged: 0, commits: 0, was_killed: false, words: String::new() };
        let mut is_condemned = false;
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| format!("reading acknowledgements: {error}"))?;
            // The kill may cut the very last line; what was not said in full was not said.
            let Some(last) = last_of(&line) else { continue };
            life.acknowledged = last;
            life.commits += 1;
            heard(last);
            if !is_condemned && kill_at.is_some_and(|kill_at| last >= kill_at) {
                thread::sleep(delay);
                // SIGKILL. Acknowledgements already in the pipe are read on: they count.
                self.child.kill().map_err(|error| format!("killing the process: {error}"))?;
                is_condemned = true;
            }
        }
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut stderr, &mut life.words);
        }
        let status = self.child.wait().map_err(|error| format!("waiting: {error}"))?;
        self.feeder.join().map_err(|_| "the feeding thread panicked")?;
        life.was_killed = status.signal() == Some(SIGKILL);
        if !life.was_killed && !status.success() {
            return Err(format!("wal append ended with {status}: {}", life.words.trim()));
        }
        Ok(life)
    }
}

/// Writes lines to the process, no faster than the pace, until it or the input ends.
fn feed(
    input: &Input,
    first_line: u64,
    bytes_per_second: f64,
    mut stdin: ChildStdin,
    is_over: &AtomicBool,
) {
    let started = Instant::now();
    let begin = input.line_start(first_line);
    let mut offset = begin;
    while offset < input.bytes.len() && !is_over.load(Ordering::Relaxed) {
        let allowed = started.elapsed().as_secs_f64() * bytes_per_second;
        let until = input.line_at((begin + allowed as usize).min(input.bytes.len()));
        let until = input.line_start(until.min(input.line_count()));
        if until > offset {
            // An error is the death of the process, which is what this is all about.
            if stdin.write_all(&input.bytes[offset..until]).is_err() {
                return;
            }
            offset = until;
        }
        thread::sleep(PAUSE);
    }
}

/// The last record of an acknowledgement `FIRST-LAST`.
fn last_of(line: &[u8]) -> Option<u64> {
    let (first, last) = std::str::from_utf8(line).ok()?.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(last)
}

const SIGKILL: i32 = 9;
const PAUSE: Duration = Duration::from_micros(500);
