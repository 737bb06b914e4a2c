//! Why a command ended early: one line for a person and an exit code for a program.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use wal_core::{Error, ErrorKind};

/// What `main` turns into an exit code.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    /// Nothing is printed without a message: the output already said it, or nobody listens.
    message: Option<String>,
}

/// The exit codes of `docs/CLI.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nothing was wrong.
    Fine = 0,
    /// Something is wrong with the data.
    Data = 1,
    /// Something is wrong with the command line.
    Usage = 2,
    /// The log is locked, missing or not accessible.
    Unavailable = 3,
}

impl Failure {
    /// A failure with its own words.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: Some(message.into()) }
    }

    /// Wrong data.
    pub fn data(message: impl Into<String>) -> Failure {
        Failure::new(Code::Data, message)
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Code::Usage, message)
    }

    /// Something that is not there or not accessible.
    pub fn unavailable(message: impl Into<String>) -> Failure {
        Failure::new(Code::Unavailable, message)
    }

    /// An exit code without a word.
    pub fn silent(code: Code) -> Failure {
        Failure { code, message: None }
    }

    /// The system refused to read an input.
    pub fn input(name: &str, error: &io::Error) -> Failure {
        let code = if is_unavailable(error.kind()) { Code::Unavailable } else { Code::Data };
        Failure::new(code, format!("{name}: {error}; check the path and its permissions"))
    }

    /// Writing the output failed. A reader that went away (`wal cat log | head`) is no error.
    pub fn output(error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::silent(Code::Fine);
        }
        Failure::unavailable(format!("writing the output: {error}"))
    }

    /// The same failure with another exit code.
    pub fn with_code(self, code: Code) -> Failure {
        Failure { code, ..self }
    }

    /// The same failure, its message preceded by what was being done.
    pub fn while_doing(self, doing: &str) -> Failure {
        Failure { message: self.message.map(|message| format!("{doing}: {message}")), ..self }
    }

    /// Prints the message and returns the code.
    pub fn report(self) -> ExitCode {
        if let Some(message) = &self.message {
            // Paths and keys may hold any byte; the message stays one line all the same.
            crate::output::note(&format!("wal: {}", message.replace(['\n', '\r'], " ")));
        }
        ExitCode::from(self.code as u8)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = code_of(&error);
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        if let Some(hint) = hint_for(&error) {
            message.push_str("; ");
            message.push_str(&hint);
        }
        Failure::new(code, message)
    }
}

/// Refuses what is plainly no log directory, in words that say what was found instead.
pub fn require_directory(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Failure::unavailable(format!(
            "{shown} is a file; a log is a directory: pass the directory that holds it"
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::unavailable(
            format!("{shown} does not exist; `wal append {shown}` makes a new log"),
        )),
        Err(error) => Err(Failure::input(&shown.to_string(), &error)),
    }
}

/// Refuses a file where a log is to be made; a missing directory is fine.
pub fn refuse_file(path: &Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => require_directory(path),
    }
}

fn code_of(error: &Error) -> Code {
    match error.kind() {
        ErrorKind::Invalid => Code::Usage,
        ErrorKind::Locked
        | ErrorKind::NotFound
        | ErrorKind::Full
        | ErrorKind::Timeout
        | ErrorKind::WouldBlock => Code::Unavailable,
        ErrorKind::Io if system_kind(error).is_some_and(is_unavailable) => Code::Unavailable,
        _ => Code::Data,
    }
}

fn hint_for(error: &Error) -> Option<String> {
    let hint = match error.kind() {
        ErrorKind::Locked => "stop the other writer; `wal cat`, `follow` and `info` need no lock",
        ErrorKind::NotFound if error.path().is_some() => {
            "check the path; `wal append` makes a new log"
        }
        ErrorKind::NotFound => "`wal info` shows the records there are",
        ErrorKind::Full => "free space and try again: nothing of it was written",
        ErrorKind::Corrupt => "see all of it with `wal verify`, salvage with `wal repair`",
        ErrorKind::Unsupported => "use the newer version of wal that wrote it",
        ErrorKind::Poisoned => "open the log again: that finds out what is on disk",
        ErrorKind::Trimmed => {
            let first = error.lsn()?;
            return Some(format!("the first record still there is {first}"));
        }
        ErrorKind::Truncated => {
            let last = error.lsn()?;
            return Some(format!("the last record still there is {last}"));
        }
        ErrorKind::Io => match system_kind(error)? {
            io::ErrorKind::PermissionDenied => "check the owner and the permissions",
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::NotADirectory => "a log is a directory: pass the one that holds it",
            io::ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only",
            _ => return None,
        },
        _ => return None,
    };
    Some(hint.to_owned())
}

fn system_kind(error: &Error) -> Option<io::ErrorKind> {
    error.os_errno().map(|number| io::Error::from_raw_os_error(number).kind())
}

fn is_unavailable(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
    )
}
