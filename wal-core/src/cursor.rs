//! Cursors: a reader's position in a log.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use crate::live::Live;
use crate::lookup;
use crate::lsn::Lsn;
use crate::packed::{Packed, Packer, packed_bytes};
use crate::position::{Position, trimmed, truncated};
use crate::record::Record;
use crate::segment::{CommitSpan, Window};
use crate::tail::Tail;
use crate::time::system_time;

/// A position between two records of a log: [`Cursor::next`] gives the record after it and moves
/// past it, [`Cursor::prev`] the one before it and moves back.
///
/// A cursor goes on through rotations and reopened segments without a gap or a duplicate. It never
/// blocks writers and is not blocked by them. It sees records once they are visible at the log's
/// level, and verifies each one it returns.
///
/// As an iterator it ends at the end of the log; asked again, it goes on where more was appended.
///
/// ```no_run
/// use wal_core::{Log, Options, Position};
/// let (log, _report) = Log::open("orders", Options::default())?;
/// let mut cursor = log.cursor(Position::First)?;
/// while let Some(record) = cursor.next()? {
///     println!("{}: {} bytes, at {:?}", record.lsn(), record.len(), cursor.time()?);
/// }
/// # Ok::<(), wal_core::Error>(())
/// ```
pub struct Cursor {
    tail: Arc<dyn Tail>,
    /// LSN of the record after the position.
    next: u64,
    view: View,
    window: Option<Window>,
    /// The record last read; its memory is taken over by the next one.
    record: Record,
    /// LSN of the record last returned.
    returned: Option<u64>,
    /// The commit last asked for the time of.
    commit: Option<CommitSpan>,
    /// Reads not yet told to the log.
    uncounted: u64,
    /// What a packed read met behind the records it delivered. The next call is told.
    trouble: Option<Error>,
}

/// What the cursor learnt when it last looked at the log. As long as the log has the same segments,
/// everything in it holds.
struct View {
    /// Never upgraded: it keeps the address from being used for another snapshot, and the segments
    /// from nothing.
    live: Weak<Live>,
    /// Truncations the cursor knows of.
    generation: u64,
    /// The first record there is.
    first_lsn: u64,
    /// The visible records of the window's segment: from here, up to there.
    from: u64,
    until: u64,
}

impl Cursor {
    pub(crate) fn new(tail: Arc<dyn Tail>, from: Position) -> Result<Cursor> {
        let view = View { live: Weak::new(), generation: 0, first_lsn: 0, from: 0, until: 0 };
        let mut cursor = Cursor {
            tail,
            next: 0,
            view,
            window: None,
            record: Record::empty(),
            returned: None,
            commit: None,
            uncounted: 0,
            trouble: None,
        };
        cursor.seek(from)?;
        Ok(cursor)
    }

    /// The record after the position, and moves past it; `None` at the end, where a later call may
    /// find more.
    ///
    /// # Errors
    /// `Trimmed` when the position was trimmed away: [`Error::lsn`] is the first record still
    /// there, and the cursor stays until it is moved. `Truncated` when it was truncated away, also
    /// when its LSNs were issued again: told once, after which the cursor stands behind the last
    /// record that was kept, [`Error::lsn`]. `Corrupt` and `Io` leave the position as it is.
    /// `Closed` at the end of a log that was closed.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record>> {
        if !self.peek()? {
            return Ok(None);
        }
        self.step();
        Ok(Some(self.record.clone()))
    }

    /// Fills `memory` with the next records in the [packed layout](crate::packed): as many as have
    /// room, `count_max` at the most, and moves past them. None at the end, and where not even the
    /// first one has room: then [`Packed::bytes_needed`] says how much it takes.
    ///
    /// # Errors
    /// As [`Cursor::next`]; where records come before the trouble they are delivered, and the next
    /// call is told.
    pub fn read_packed(
        &mut self,
        memory: &mut [MaybeUninit<u8>],
        count_max: usize,
    ) -> Result<Packed> {
        let mut packer = Packer::new(memory);
        while packer.packed().count < count_max {
            match self.peek() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if packer.packed().count > 0 => {
                    self.trouble = Some(error);
                    // Makes the next call look at the log anew, which is where it is told.
                    self.view.live = Weak::new();
                    break;
                }
                Err(error) => return Err(error),
            }
            if !packer.push(self.next, self.record.batch_continues(), &self.record) {
                // It is read again by the next call.
                self.uncounted = self.uncounted.saturating_sub(1);
                let bytes_needed = packed_bytes(self.record.len()).unwrap_or(usize::MAX);
                let packed = packer.packed();
                return Ok(match packed.count {
                    0 => Packed { bytes_needed, ..packed },
                    _ => packed,
                });
            }
            self.step();
        }
        Ok(packer.packed())
    }

    /// The record before the position, and moves back before it; `None` at the first record.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn prev(&mut self) -> Result<Option<Record>> {
        let before = self.next.saturating_sub(1);
        if self.next <= self.view.first_lsn || !self.is_in_view(before) {
            self.look(before)?;
            if self.next <= self.view.first_lsn {
                return Ok(None);
            }
        }
        self.read(before, true)?;
        self.returned = Some(before);
        self.next = before;
        Ok(Some(self.record.clone()))
    }

    /// Moves to another position. After an error the cursor is where it was.
    ///
    /// # Errors
    /// `Trimmed` for an LSN before the first record, `NotFound` for one after the next LSN,
    /// `Closed` when the log was closed, `Corrupt` or `Io` when a time cannot be looked up.
    pub fn seek(&mut self, to: impl Into<Position>) -> Result<()> {
        self.tail.check_open()?;
        // A truncation while the position is looked up shows as one after this generation.
        let generation = self.tail.live().cuts.generation();
        self.next = to.into().resolve(&*self.tail)?;
        self.view.generation = generation;
        self.view.live = Weak::new();
        self.window = None;
        self.trouble = None;
        Ok(())
    }

    /// Moves before the first record committed at `time` or later: to the end when there is none.
    ///
    /// # Errors
    /// As [`Cursor::seek`].
    pub fn seek_time(&mut self, time: SystemTime) -> Result<()> {
        self.seek(Position::Time(time))
    }

    /// The commit time of the record last returned.
    ///
    /// # Errors
    /// `Invalid` before the first record was returned; `Trimmed` or `NotFound` when that record is
    /// gone; `Corrupt` and `Io`.
    pub fn time(&mut self) -> Result<SystemTime> {
        let Some(lsn) = self.returned else {
            return Err(Error::invalid("no record was returned yet: call next or prev first"));
        };
        let known = self.commit.filter(|commit| self.is_in_view(lsn) && commit.contains(lsn));
        let commit = match known {
            Some(commit) => commit,
            None => lookup::commit_of(&*self.tail, lsn)?,
        };
        self.commit = Some(commit);
        Ok(system_time(commit.time_ns))
    }

    /// The LSN of the record after the position, whether it is there already or not.
    pub fn next_lsn(&self) -> Lsn {
        Lsn::new(self.next).unwrap_or(Lsn::MAX)
    }

    /// Reads the record after the position into `self.record`; false at the end.
    #[inline]
    fn peek(&mut self) -> Result<bool> {
        if !self.is_in_view(self.next) && !self.look(self.next)? {
            self.count_reads();
            self.tail.check_open()?;
            return Ok(false);
        }
        self.read(self.next, false)?;
        Ok(true)
    }

    /// Moves past the record that was just read.
    #[inline]
    fn step(&mut self) {
        self.returned = Some(self.next);
        self.next += 1;
    }

    /// Whether the window's segment holds the record and the log has not changed since the last
    /// look.
    #[inline]
    fn is_in_view(&self, lsn: u64) -> bool {
        self.view.from <= lsn
            && lsn < self.view.until
            && self.tail.live_address() == self.view.live.as_ptr().addr()
    }

    /// Looks at the log anew and moves the window to the segment that holds `lsn`; false when that
    /// is not there yet.
    #[cold]
    fn look(&mut self, lsn: u64) -> Result<bool> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        if let Err(error) = self.tail.check_open()
            && error.kind() == ErrorKind::Forked
        {
            return Err(error);
        }
        let (live, end) = self.tail.snapshot();
        self.view.live = Arc::downgrade(&live);
        self.view.first_lsn = live.first_lsn;
        (self.view.from, self.view.until) = (0, 0);
        self.commit = None;
        let known = std::mem::replace(&mut self.view.generation, live.cuts.generation());
        if let Some(kept_end) = live.cuts.cut_since(known, self.next) {
            // A reset keeps nothing, and goes on at any LSN.
            let place = if kept_end == 0 { live.first_lsn } else { kept_end };
            let position = std::mem::replace(&mut self.next, place);
            return Err(truncated(position, kept_end));
        }
        if self.next < live.first_lsn {
            return Err(trimmed(self.next, live.first_lsn));
        }
        if !(live.first_lsn..end).contains(&lsn) {
            return Ok(false);
        }
        let found = live.segment_and_end_for(lsn);
        let (segment, segment_end) = found.ok_or_else(|| lookup::no_segment(lsn))?;
        let until = segment_end.min(end);
        match &mut self.window {
            Some(window) => window.move_to(segment, until),
            window => *window = Some(Window::new(Arc::clone(segment), until, AHEAD_BYTES_MAX)),
        }
        (self.view.from, self.view.until) = (segment.header().first_lsn.max(live.first_lsn), until);
        Ok(true)
    }

    /// Reads the record `lsn`, which is in view, into `self.record`.
    #[inline]
    fn read(&mut self, lsn: u64, is_back: bool) -> Result<()> {
        let Some(window) = &mut self.window else { return Err(lookup::no_segment(lsn)) };
        let read = if is_back {
            window.read_back(lsn, &mut self.record)
        } else {
            window.read(lsn, &mut self.record)
        };
        if let Err(error) = read {
            return self.read_again(lsn, error);
        }
        self.uncounted += 1;
        if self.uncounted >= UNCOUNTED_MAX {
            self.count_reads();
        }
        Ok(())
    }

    /// What went wrong while segments came and went is no answer: the log is looked at again.
    #[cold]
    fn read_again(&mut self, lsn: u64, mut error: Error) -> Result<()> {
        let mut has_looked = false;
        for _ in 0..ATTEMPTS_MAX {
            if self.is_in_view(lsn) {
                // Once: what is wrong with the bytes stays wrong however often one looks.
                if has_looked || !self.tail.look_again() {
                    break;
                }
                has_looked = true;
            }
            if !self.look(lsn)? {
                return Err(error);
            }
            let Some(window) = &mut self.window else { break };
            match window.read_back(lsn, &mut self.record) {
                Ok(()) => {
                    self.uncounted += 1;
                    return Ok(());
                }
                Err(again) => error = again,
            }
        }
        Err(error)
    }

    fn count_reads(&mut self) {
        let uncounted = std::mem::take(&mut self.uncounted);
        if uncounted > 0 {
            self.tail.count_reads(uncounted);
        }
    }
}

impl Iterator for Cursor {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Result<Record>> {
        Cursor::next(self).transpose()
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.count_reads();
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("next_lsn", &self.next).finish_non_exhaustive()
    }
}

/// What one read of an unmapped segment fetches at the most.
const AHEAD_BYTES_MAX: u64 = 256 << 10;
/// The log's counter is shared by all readers: it is not touched for every record.
const UNCOUNTED_MAX: u64 = 64;
/// Every further attempt needs another publication in between.
const ATTEMPTS_MAX: u32 = 100;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
