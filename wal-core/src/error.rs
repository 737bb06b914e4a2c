//! One opaque error; its kind says what the caller does next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::lsn::{FileOffset, Lsn, LsnRange, SegmentId};

/// What libwal's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// What the caller can do about an [`Error`]. A kind exists only where the action differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or option is wrong: correct the call. Nothing was changed.
    Invalid,
    /// There is no such log, record or key.
    NotFound,
    /// The position was trimmed away: go on from [`Error::lsn`], the first record still there.
    Trimmed,
    /// The position was truncated away: go back to [`Error::lsn`], the last record still there.
    Truncated,
    /// The next LSN is not the expected one; [`Error::lsn`] is the next LSN. Nothing was appended.
    Conflict,
    /// The log was closed: open it again.
    Closed,
    /// Another writer holds the log: stop it, or wait with `Options::lock_wait`.
    Locked,
    /// No room, by the disk or by a limit: surely not written. Free space and try again.
    Full,
    /// The time was up; whatever was waited for goes on.
    Timeout,
    /// The call would have had to wait and was told not to.
    WouldBlock,
    /// An earlier write or sync failed: reopen the log, which finds out what is on disk.
    Poisoned,
    /// The system refused a read, write or sync. After a failed append the outcome is
    /// indeterminate: reopen the log to find out.
    Io,
    /// Bytes on disk are not what was written: see [`Error::path`], [`Error::offset`]; run a
    /// verification, restore from a copy, or salvage with a repair.
    Corrupt,
    /// The file belongs to a newer version or uses a feature this one does not know: upgrade.
    Unsupported,
    /// The handle was inherited through `fork`: open the log again in this process.
    Forked,
    /// A bug in libwal: please report it.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the numbers in `bindings/codes.toml`.
    pub const ALL: [ErrorKind; 16] = [
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Trimmed,
        ErrorKind::Truncated,
        ErrorKind::Conflict,
        ErrorKind::Closed,
        ErrorKind::Locked,
        ErrorKind::Full,
        ErrorKind::Timeout,
        ErrorKind::WouldBlock,
        ErrorKind::Poisoned,
        ErrorKind::Io,
        ErrorKind::Corrupt,
        ErrorKind::Unsupported,
        ErrorKind::Forked,
        ErrorKind::Internal,
    ];

    /// The kind's name as it stands in messages and documents.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Invalid => "invalid",
            ErrorKind::NotFound => "not found",
            ErrorKind::Trimmed => "trimmed",
            ErrorKind::Truncated => "truncated",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Closed => "closed",
            ErrorKind::Locked => "locked",
            ErrorKind::Full => "full",
            ErrorKind::Timeout => "timeout",
            ErrorKind::WouldBlock => "would block",
            ErrorKind::Poisoned => "poisoned",
            ErrorKind::Io => "i/o",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Forked => "forked",
            ErrorKind::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where bytes are wrong and how: what a `Corrupt` error cannot be made without.
#[derive(Clone, Debug)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The segment, if the file is one.
    pub segment: Option<SegmentId>,
    /// Where in the file the wrong bytes start.
    pub offset: FileOffset,
    /// The records at stake, as far as the readable bytes tell.
    pub lsns: Option<LsnRange>,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// Why a call did not do what it was asked.
///
/// Cheap to clone: one failed sync is handed to every waiter of its group.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    segment: Option<SegmentId>,
    offset: Option<FileOffset>,
    lsn: Option<Lsn>,
    lsns: Option<LsnRange>,
    source: Option<Source>,
}

#[derive(Debug)]
enum Source {
    Io(io::Error),
    Cause(Error),
}

impl Error {
    /// What the caller does next.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or directory the error is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The segment the error is about.
    pub fn segment(&self) -> Option<SegmentId> {
        self.0.segment
    }

    /// Where in the file.
    pub fn offset(&self) -> Option<FileOffset> {
        self.0.offset
    }

    /// The LSN the kind speaks of: the first kept record of `Trimmed`, the last of `Truncated`, the
    /// next LSN of `Conflict`, the first record at stake of `Corrupt`.
    pub fn lsn(&self) -> Option<Lsn> {
        self.0.lsn.or(self.0.lsns.map(|lsns| lsns.first))
    }

    /// The records at stake, for `Corrupt`.
    pub fn lsns(&self) -> Option<LsnRange> {
        self.0.lsns
    }

    /// The system's error number, if the system refused.
    pub fn os_errno(&self) -> Option<i32> {
        match &self.0.source {
            Some(Source::Io(source)) => source.raw_os_error(),
            Some(Source::Cause(cause)) => cause.os_errno(),
            None => None,
        }
    }

    /// The message alone, without the kind.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    #[cold]
    fn inner(kind: ErrorKind, message: String) -> Inner {
        Inner {
            kind,
            message,
            path: None,
            segment: None,
            offset: None,
            lsn: None,
            lsns: None,
            source: None,
        }
    }

    /// An error of this kind with nothing but a message.
    #[cold]
    pub(crate) fn plain(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Arc::new(Error::inner(kind, message.into())))
    }

    /// A wrong argument or option; the message says what to pass instead.
    #[cold]
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::plain(ErrorKind::Invalid, message)
    }

    /// An error of this kind that names an LSN; see [`Error::lsn`] for its meaning.
    #[cold]
    pub(crate) fn at_lsn(kind: ErrorKind, lsn: Option<Lsn>, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner { lsn, ..Error::inner(kind, message.into()) }))
    }

    /// An error of this kind about a file or directory.
    #[cold]
    pub(crate) fn at_path(kind: ErrorKind, path: &Path, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner { path: Some(path.to_owned()), ..Error::inner(kind, message.into()) }))
    }

    /// The log at `path` belongs to the process that this one was forked from.
    #[cold]
    pub(crate) fn forked(path: &Path) -> Error {
        let message = "the handle was inherited through fork; open the log in this process";
        Error::at_path(ErrorKind::Forked, path, message)
    }

    /// An error of this kind about a segment as a whole.
    #[cold]
    pub(crate) fn at_segment(
        kind: ErrorKind,
        path: &Path,
        segment: SegmentId,
        message: impl Into<String>,
    ) -> Error {
        Error(Arc::new(Inner {
            path: Some(path.to_owned()),
            segment: Some(segment),
            ..Error::inner(kind, message.into())
        }))
    }

    /// The system refused `doing` on `path`. A full disk becomes `Full`, everything else `Io`.
    #[cold]
    pub(crate) fn io(doing: &str, path: &Path, source: io::Error) -> Error {
        let kind = if is_full(&source) { ErrorKind::Full } else { ErrorKind::Io };
        Error(Arc::new(Inner {
            path: Some(path.to_owned()),
            source: Some(Source::Io(source)),
            ..Error::inner(kind, doing.to_owned())
        }))
    }

    /// Bytes on disk are not what was written.
    #[cold]
    pub(crate) fn corrupt(damage: Damage) -> Error {
        Error(Arc::new(Inner {
            path: Some(damage.path),
            segment: damage.segment,
            offset: Some(damage.offset),
            lsns: damage.lsns,
            ..Error::inner(
                ErrorKind::Corrupt,
                format!("expected {}, found {}", damage.expected, damage.found),
            )
        }))
    }

    /// The log refuses because of an earlier failure, which is named.
    #[cold]
    pub(crate) fn poisoned(cause: &Error) -> Error {
        Error(Arc::new(Inner {
            path: cause.0.path.clone(),
            segment: cause.0.segment,
            offset: cause.0.offset,
            source: Some(Source::Cause(cause.clone())),
            ..Error::inner(
                ErrorKind::Poisoned,
                "an earlier write or sync failed; reopen the log to find out what is on disk"
                    .into(),
            )
        }))
    }

    /// The same failure under another kind, for callers who know more than the place it arose.
    #[cold]
    pub(crate) fn with_kind(&self, kind: ErrorKind) -> Error {
        Error(Arc::new(Inner {
            path: self.0.path.clone(),
            segment: self.0.segment,
            offset: self.0.offset,
            lsn: self.0.lsn,
            lsns: self.0.lsns,
            source: Some(Source::Cause(self.clone())),
            ..Error::inner(kind, self.0.message.clone())
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}: {}", inner.kind, inner.message)?;
        if let Some(path) = &inner.path {
            write!(f, ", file `{}`", path.display())?;
        }
        if let Some(offset) = inner.offset {
            write!(f, ", offset {offset}")?;
        }
        if let Some(lsns) = inner.lsns {
            write!(f, ", LSN {lsns}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(Source::Io(source)) => Some(source),
            Some(Source::Cause(cause)) => Some(cause),
            None => None,
        }
    }
}

/// Whether the system says there is no room: the disk, a quota or a file size limit.
fn is_full(source: &io::Error) -> bool {
    matches!(
        source.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
