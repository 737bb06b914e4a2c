//! The calls of a log that read.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::SystemTime;

use super::Log;
use super::handle::Kind;
use crate::append::Marks;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::follow::Follower;
use crate::lookup;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::record::Record;
use crate::replay::{self, ReplayOptions};
use crate::tail::Tail;

/// Reading.
impl Log {
    /// The record with this LSN, verified.
    ///
    /// # Errors
    /// `NotFound` when it is not visible yet, `Trimmed` when it no longer is, `Corrupt` when its
    /// bytes are not what was written, `Io`, `Closed`, `Forked`.
    pub fn read(&self, lsn: Lsn) -> Result<Record> {
        match &self.handle.kind {
            Kind::Writer(engine) => lookup::read(&**engine, lsn),
            Kind::Reader(reader) => {
                if lsn.get() >= reader.visible_end() {
                    reader.refresh()?;
                }
                lookup::read(&**reader, lsn)
            }
        }
    }

    /// Calls `callback` with the record of each of these LSNs, in their order, until it breaks or
    /// fails. While one is verified the processor fetches those that follow, so that reads all over
    /// a log that is in memory take a fraction of the time of as many calls of [`Log::read`].
    /// Returns how many records the callback got.
    ///
    /// Each record is visible at the moment it is read, not all of them at the same moment. It is
    /// the callback's while it runs; a clone is its own.
    ///
    /// # Errors
    /// The callback's own, at once; those of [`Log::read`] for the first LSN that has one, after
    /// the records before it.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use wal_core::{Error, Log, Options};
    ///
    /// # let path = std::env::temp_dir().join(format!("wal-read-many-{}", std::process::id()));
    /// let (log, _report) = Log::open(&path, Options::default())?;
    /// let first = log.append(b"paid")?;
    /// let second = log.append(b"shipped")?;
    /// let mut lens = Vec::new();
    /// log.read_many(&[second, first], |record| {
    ///     lens.push(record.len());
    ///     Ok::<_, Error>(ControlFlow::Continue(()))
    /// })?;
    /// assert_eq!(lens, [7, 4]);
    /// # log.close()?;
    /// # Log::destroy(&path)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn read_many<E: From<Error>>(
        &self,
        lsns: &[Lsn],
        callback: impl FnMut(&Record) -> std::result::Result<ControlFlow<()>, E>,
    ) -> std::result::Result<usize, E> {
        match &self.handle.kind {
            Kind::Writer(engine) => lookup::read_many(&**engine, lsns, callback),
            Kind::Reader(reader) => {
                if lsns.iter().any(|lsn| lsn.get() >= reader.visible_end()) {
                    reader.refresh()?;
                }
                lookup::read_many(&**reader, lsns, callback)
            }
        }
    }

    /// When the record was committed.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn time_of(&self, lsn: Lsn) -> Result<SystemTime> {
        lookup::time_of(&*self.tail(), lsn)
    }

    /// A cursor at a position.
    ///
    /// # Errors
    /// `Trimmed` and `NotFound` for a position that is no longer or not yet there, `Corrupt`, `Io`,
    /// `Closed`, `Forked`.
    pub fn cursor(&self, from: impl Into<Position>) -> Result<Cursor> {
        Cursor::new(self.tail(), from.into())
    }

    /// A follower from a position on: a cursor that waits at the end.
    ///
    /// # Errors
    /// As [`Log::cursor`].
    pub fn follow(&self, from: impl Into<Position>) -> Result<Follower> {
        Follower::new(self.tail(), from.into())
    }

    /// Calls `callback` with every record from a position on, in order, until it breaks or fails.
    /// Returns the last LSN it was called with.
    ///
    /// # Errors
    /// The callback's own, at once; otherwise as [`Log::cursor`].
    pub fn replay<E: From<Error>>(
        &self,
        from: impl Into<Position>,
        callback: impl FnMut(&Record) -> std::result::Result<ControlFlow<()>, E>,
    ) -> std::result::Result<Option<Lsn>, E> {
        replay::replay(&*self.tail(), from.into(), callback)
    }

    /// The same with several threads, in order or segment by segment. Returns how many records were
    /// delivered.
    ///
    /// # Errors
    /// As [`Log::replay`].
    pub fn replay_parallel<E: From<Error> + Send>(
        &self,
        from: impl Into<Position>,
        options: ReplayOptions,
        callback: impl Fn(&Record) -> std::result::Result<ControlFlow<()>, E> + Sync,
    ) -> std::result::Result<u64, E> {
        replay::replay_parallel(&*self.tail(), from.into(), options, callback)
    }

    /// The first visible record, `None` when there is none.
    pub fn first_lsn(&self) -> Option<Lsn> {
        let (live, end) = self.tail().snapshot();
        Lsn::new(live.first_lsn).filter(|first| first.get() < end)
    }

    /// The last visible record, `None` when there is none.
    pub fn last_lsn(&self) -> Option<Lsn> {
        let (live, end) = self.tail().snapshot();
        Lsn::new(end.wrapping_sub(1)).filter(|_| live.first_lsn < end)
    }

    /// The last durable record. On a read-only log, the last visible one.
    pub fn durable_lsn(&self) -> Option<Lsn> {
        self.mark(|marks| &marks.durable)
    }

    /// The last record given to the kernel.
    pub fn written_lsn(&self) -> Option<Lsn> {
        self.mark(|marks| &marks.written)
    }

    /// The last record handed to the engine.
    pub fn submitted_lsn(&self) -> Option<Lsn> {
        self.mark(|marks| &marks.submitted)
    }

    /// The LSN the next record gets.
    pub fn next_lsn(&self) -> Lsn {
        let next = match &self.handle.kind {
            Kind::Writer(engine) => engine.marks.submitted.load(Ordering::Acquire),
            Kind::Reader(reader) => reader.visible_end(),
        };
        Lsn::new(next).unwrap_or(Lsn::MAX)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        match &self.handle.kind {
            Kind::Writer(engine) => &engine.path,
            Kind::Reader(reader) => reader.path(),
        }
    }

    /// The log's identity, unlike any other log's.
    pub fn uuid(&self) -> [u8; 16] {
        match &self.handle.kind {
            Kind::Writer(engine) => engine.uuid,
            Kind::Reader(reader) => reader.uuid,
        }
    }

    fn mark(&self, which: impl Fn(&Marks) -> &AtomicU64) -> Option<Lsn> {
        match &self.handle.kind {
            Kind::Writer(engine) => {
                let last = Marks::last(which(&engine.marks));
                last.filter(|last| last.get() >= engine.live().first_lsn)
            }
            Kind::Reader(_) => self.last_lsn(),
        }
    }
}
