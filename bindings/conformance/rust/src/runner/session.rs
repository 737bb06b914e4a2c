//! Takes a scenario line by line.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use wal_core::{Cursor, Error, Follower, Log, Ticket};

use super::answer::{Answer, Trouble, refusal};
use super::{appending, changing, files, following, looking, opening, reading, telling};
use crate::scenario::{Line, operations};

/// What is kept between the lines of a scenario.
pub(super) struct Session {
    /// Every directory lies below.
    pub(super) scratch: PathBuf,
    /// Where the golden logs are.
    pub(super) golden: PathBuf,
    pub(super) logs: HashMap<String, Log>,
    pub(super) cursors: HashMap<String, Cursor>,
    pub(super) followers: HashMap<String, Follower>,
    pub(super) tickets: HashMap<String, Result<Ticket, Error>>,
    /// Lines of the result before its last one.
    pub(super) lines: Vec<String>,
}

/// Takes the scenario and writes its transcript.
///
/// # Errors
/// A line that cannot be understood.
pub fn run(scenario: &Path, scratch: &Path, transcript: &mut dyn Write) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", scenario.display());
    let text = fs::read_to_string(scenario).map_err(told)?;
    let directory = scenario.parent().unwrap_or(Path::new("."));
    let mut session = Session {
        scratch: scratch.to_owned(),
        golden: directory.join("../golden"),
        logs: HashMap::new(),
        cursors: HashMap::new(),
        followers: HashMap::new(),
        tickets: HashMap::new(),
        lines: Vec::new(),
    };
    for line in operations(&text)? {
        let answer = match session.take(&line) {
            Ok(answer) => answer,
            Err(Trouble::Refused(error)) => refusal(&error),
            Err(Trouble::Misread(message)) => return Err(format!("{}: {message}", line.text)),
        };
        let lines: String = session.lines.drain(..).map(|line| line + "\n").collect();
        write!(transcript, "> {}\n{lines}{answer}\n", line.text).map_err(told)?;
    }
    transcript.flush().map_err(told)
}

impl Session {
    fn take(&mut self, line: &Line<'_>) -> Answer {
        let groups = [
            opening::take,
            appending::take,
            telling::take,
            reading::take,
            following::take,
            changing::take,
            looking::take,
            files::take,
        ];
        let answer = groups.iter().find_map(|take| take(self, line));
        let answer = answer.ok_or_else(|| format!("there is no operation {}", line.name))?;
        line.all_taken()?;
        answer
    }

    /// The directory a word names.
    pub(super) fn directory(&self, line: &Line<'_>) -> PathBuf {
        self.scratch.join(line.optional("dir").unwrap_or("log"))
    }

    /// The log a line names.
    pub(super) fn log(&self, line: &Line<'_>) -> Result<Log, String> {
        let name = line.optional("log").unwrap_or("log");
        self.logs.get(name).cloned().ok_or_else(|| format!("no log {name} was opened"))
    }

    /// The cursor a line names.
    pub(super) fn cursor(&mut self, line: &Line<'_>) -> Result<&mut Cursor, String> {
        let name = line.optional("cursor").unwrap_or("cursor");
        self.cursors.get_mut(name).ok_or_else(|| format!("no cursor {name} was opened"))
    }

    /// The follower a line names.
    pub(super) fn follower(&mut self, line: &Line<'_>) -> Result<&mut Follower, String> {
        let name = line.optional("follower").unwrap_or("follower");
        self.followers.get_mut(name).ok_or_else(|| format!("no follower {name} was opened"))
    }
}
