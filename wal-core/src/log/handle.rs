//! A handle to an open log.

use std::path::Path;
use std::sync::Arc;

use crate::append::Engine;
use crate::destroy;
use crate::error::{Error, ErrorKind, Result};
use crate::options::Options;
use crate::read_only::ReadOnly;
use crate::recovery::{self, RecoveryReport};
use crate::state::ValueMap;
use crate::tail::Tail;
use crate::vfs::{RealVfs, Vfs};

/// A log: a directory with one append-only sequence of records.
///
/// A `Log` is a handle; clones are handles to the same open log and may be used from any thread.
/// When the last one goes, the log is closed as well as it can be; only [`Log::close`] says whether
/// that worked.
///
/// ```
/// use wal_core::{Log, Options};
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("log");
/// let (log, report) = Log::open(&path, Options::default())?;
/// assert!(report.created);
/// let lsn = log.append(b"first")?; // on stable storage when it returns
/// assert_eq!(&log.read(lsn)?[..], b"first");
/// log.close()?;
/// # Ok::<(), wal_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Log {
    pub(super) handle: Arc<Handle>,
}

/// Closes the log when the last handle to it goes.
pub(super) struct Handle {
    pub(super) kind: Kind,
}

/// What a handle is to.
pub(super) enum Kind {
    Writer(Arc<Engine>),
    Reader(Arc<ReadOnly>),
}

/// Opening and closing.
impl Log {
    /// Opens the log at `path` for writing, creating it unless the options say otherwise, and tells
    /// what was found.
    ///
    /// When this returns, every record it serves survives power loss.
    ///
    /// # Errors
    /// `Locked` when another writer has it; `NotFound` when it is missing and not to be created;
    /// `Corrupt` when bytes that were durable are wrong, naming the place; `Unsupported` for a
    /// newer format; `Invalid` for options out of range and for a path that is no directory;
    /// `Full`, `Io`.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<(Log, RecoveryReport)> {
        Log::open_with(Arc::new(RealVfs), path, options)
    }

    /// The same on another storage, such as [`crate::vfs::MemVfs`].
    ///
    /// When this returns, every record it serves survives power loss, as that storage promises it.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_with(
        vfs: Arc<dyn Vfs>,
        path: impl AsRef<Path>,
        options: Options,
    ) -> Result<(Log, RecoveryReport)> {
        let (engine, report) = recovery::open(vfs, path.as_ref(), options)?;
        engine.watch_age();
        Ok((Log { handle: Arc::new(Handle { kind: Kind::Writer(engine) }) }, report))
    }

    /// Opens the log at `path` for reading, beside a live writer or after a crash. Changes nothing
    /// on disk and takes no lock.
    ///
    /// It shows every whole commit the writer has given to the kernel, the newest of which may not
    /// be on stable storage yet. Cursors and followers see what is appended later.
    ///
    /// # Errors
    /// As [`Log::open`], but never `Locked` or `Full`.
    pub fn open_read_only(
        path: impl AsRef<Path>,
        options: Options,
    ) -> Result<(Log, RecoveryReport)> {
        Log::open_read_only_with(Arc::new(RealVfs), path, options)
    }

    /// The same on another storage.
    ///
    /// # Errors
    /// As [`Log::open_read_only`].
    pub fn open_read_only_with(
        vfs: Arc<dyn Vfs>,
        path: impl AsRef<Path>,
        options: Options,
    ) -> Result<(Log, RecoveryReport)> {
        let (reader, report) = ReadOnly::open(vfs, path.as_ref(), options)?;
        Ok((Log { handle: Arc::new(Handle { kind: Kind::Reader(reader) }) }, report))
    }

    /// Removes the log at `path`: all its files, and the directory if nothing else is in it.
    ///
    /// When this returns, the log is gone also after power loss. A crash before leaves the whole
    /// log or one that is no longer there; it never comes back in part.
    ///
    /// # Errors
    /// `Locked` when a writer has it, `NotFound`, `Io`.
    pub fn destroy(path: impl AsRef<Path>) -> Result<()> {
        destroy::destroy(&RealVfs, path.as_ref())
    }

    /// Closes the log: makes everything durable at whatever level it was appended, marks the log as
    /// closed in order, and lets go of the lock. Idempotent; from then on every other call is
    /// `Closed`. Records and tickets already handed out stay valid.
    ///
    /// When this returns `Ok`, every record ever appended survives power loss.
    ///
    /// # Errors
    /// `Poisoned` when an earlier write or sync had failed, `Io` and `Full` when this one does, and
    /// `Forked`.
    pub fn close(&self) -> Result<()> {
        match &self.handle.kind {
            Kind::Writer(engine) => engine.close(),
            Kind::Reader(reader) => {
                reader.close();
                Ok(())
            }
        }
    }
}

impl Log {
    /// The writing log.
    pub(crate) fn writer(&self) -> Result<&Arc<Engine>> {
        match &self.handle.kind {
            Kind::Writer(engine) => Ok(engine),
            Kind::Reader(reader) => Err(Error::at_path(
                ErrorKind::Invalid,
                reader.path(),
                "the log was opened read-only: open it for writing",
            )),
        }
    }

    /// Refuses a handle that was inherited through `fork`.
    pub(crate) fn check_process(&self) -> Result<()> {
        match &self.handle.kind {
            Kind::Writer(engine) => engine.check_process(),
            Kind::Reader(reader) => reader.check_process(),
        }
    }

    pub(crate) fn value_map(&self) -> Result<ValueMap> {
        match &self.handle.kind {
            Kind::Writer(engine) => engine.values(),
            Kind::Reader(reader) => reader.values(),
        }
    }

    pub(super) fn tail(&self) -> Arc<dyn Tail> {
        match &self.handle.kind {
            Kind::Writer(engine) => Arc::clone(engine) as Arc<dyn Tail>,
            Kind::Reader(reader) => Arc::clone(reader) as Arc<dyn Tail>,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Kind::Writer(engine) = &self.kind {
            // Nobody is left to hear of a failure; whoever wants to, calls `close`. An inherited
            // handle closes nothing.
            let _ = engine.close();
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.path()).finish_non_exhaustive()
    }
}
