//! Trimming: records leave at the head, by order or by retention.

use crate::sync::atomic::Ordering;
use crate::sync::{Arc, MutexGuard, PoisonError};
use std::io;

use crate::append::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::live::Live;
use crate::lsn::{Lsn, SegmentId};
use crate::options::AtCapacity;
use crate::segment::Segment;

impl Engine {
    /// Drops every record before `before`.
    ///
    /// When this returns, the records do not come back after power loss. A crash before leaves all
    /// of them, a crash after may leave files that the next opening removes.
    pub(crate) fn trim(self: &Arc<Engine>, before: Lsn) -> Result<()> {
        self.check_writable()?;
        let next = self.claims().next_lsn();
        if before.get() > next {
            return Err(beyond(before, next));
        }
        if before.get() > self.marks.durable.load(Ordering::Acquire) {
            // What is dropped need not be durable, but where the log goes on must be.
            self.sync()?;
        }
        let serial = self.serial();
        // A truncation may have come in between.
        let next = self.marks.durable.load(Ordering::Acquire);
        if before.get() > next {
            return Err(beyond(before, next));
        }
        let dropped = self.trim_to(before.get(), serial)?;
        match self.options.max_bytes {
            Some(_) => self.drop_segments_now(dropped),
            None => self.drop_segments(dropped),
        }
        Ok(())
    }

    /// Trims what the options allow to be trimmed without being asked.
    pub(crate) fn retain(self: &Arc<Engine>) -> Result<()> {
        let serial = self.serial();
        let live = self.live();
        let retention = self.options.retention;
        let sealed = live.segments.len().saturating_sub(1);
        let mut bytes: u64 = live.segments.iter().map(|segment| used_bytes(segment)).sum();
        let mut records = self.marks.written.load(Ordering::Acquire).saturating_sub(live.first_lsn);
        let horizon_ns = retention.age.map(|age| {
            self.now_ns().saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX))
        });
        let mut before = live.first_lsn;
        for pair in live.segments.windows(2).take(sealed) {
            let [oldest, next] = pair else { break };
            // The next segment was started after the oldest one's last commit: when even that is
            // too long ago, every record of the oldest is.
            let is_due = retention.bytes.is_some_and(|most| bytes > most)
                || retention.records.is_some_and(|most| records > most)
                || horizon_ns.is_some_and(|horizon| next.header().created_ns < horizon);
            if !is_due {
                break;
            }
            bytes = bytes.saturating_sub(used_bytes(oldest));
            records = records.saturating_sub(next.header().first_lsn.saturating_sub(before));
            before = next.header().first_lsn;
        }
        let dropped = self.trim_to(before, serial)?;
        self.drop_segments(dropped);
        Ok(())
    }

    /// Trims the oldest segments until the files fit the capacity, where the options say so.
    pub(crate) fn trim_for_capacity(self: &Arc<Engine>) -> Result<()> {
        let Some(max_bytes) = self.options.max_bytes else { return Ok(()) };
        if self.options.at_capacity != AtCapacity::TrimOldest {
            return Ok(());
        }
        while self.segment_bytes.load(Ordering::Relaxed) > max_bytes {
            let live = self.live();
            let [_, second, ..] = &live.segments[..] else { break };
            let count = live.segments.len();
            // Here and now, not in the background: the room is needed for the next segment.
            let dropped = self.trim_to(second.header().first_lsn, self.serial())?;
            drop(live);
            self.drop_segments_now(dropped);
            if self.live().segments.len() == count {
                break;
            }
        }
        Ok(())
    }

    /// Counts the bytes of all segment files again: sealed ones as they are, those being written
    /// and those claimed ahead of the committer at the size they may reach.
    pub(crate) fn recount_segment_bytes(&self) {
        if self.options.max_bytes.is_none() {
            return;
        }
        let live = self.live();
        let sealed = live.segments.iter().filter(|segment| segment.extent().is_some());
        let sealed_bytes: u64 = sealed.map(|segment| segment.file_bytes().unwrap_or(0)).sum();
        let known = live.segments.last().map_or(0, |segment| segment.id().0);
        let active = live.segments.last().is_some_and(|segment| segment.extent().is_none());
        let ahead = self.next_segment_id().saturating_sub(known + 1) + u64::from(active);
        let bytes = sealed_bytes + ahead * self.options.segment_bytes;
        self.segment_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Removes the segments' files, or keeps them as spares, in the background.
    pub(crate) fn drop_segments(self: &Arc<Engine>, dropped: Vec<Arc<Segment>>) {
        self.tell_room();
        if !dropped.is_empty() {
            self.chore(move |engine| engine.drop_files(dropped));
        }
    }

    /// The same before it returns, where the room they take counts. Not to be called by a chore.
    fn drop_segments_now(self: &Arc<Engine>, dropped: Vec<Arc<Segment>>) {
        self.tell_room();
        if !dropped.is_empty() {
            self.beside_chores(|engine| engine.drop_files(dropped));
        }
    }

    fn drop_files(&self, dropped: Vec<Arc<Segment>>) {
        for segment in dropped {
            // A failure leaves the file behind; the next opening tries again.
            let _ = self.drop_segment(segment);
        }
        let _ = self.vfs.sync_dir(&self.path);
    }

    fn drop_segment(&self, segment: Arc<Segment>) -> io::Result<()> {
        let path = segment.path().to_owned();
        let is_pinned = Arc::strong_count(&segment) > 1 || segment.is_pinned();
        drop(segment);
        if !is_pinned {
            let next = SegmentId(self.next_segment_id());
            if self.spares.recycle(&path, next)? {
                self.meters.recycled.add(1);
                return Ok(());
            }
        }
        self.vfs.remove(&path)
    }

    fn serial(&self) -> MutexGuard<'_, ()> {
        self.maintenance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Trims to an LSN that is durable and that no truncation takes back meanwhile. Returns the
    /// segments that are no part of the log any more.
    fn trim_to(
        self: &Arc<Engine>,
        before: u64,
        serial: MutexGuard<'_, ()>,
    ) -> Result<Vec<Arc<Segment>>> {
        let live = self.live();
        if before <= live.first_lsn {
            return Ok(Vec::new());
        }
        // A segment that may be lost with the power cannot be what the log begins with: until its
        // header is durable the one before it stays, which tells where the LSNs go on.
        let durable = self.durable_segment.load(Ordering::Acquire);
        let keep_from = live
            .segments
            .iter()
            .position(|segment| {
                segment.id().0 >= durable
                    || segment.extent().is_none_or(|extent| extent.next_lsn > before)
            })
            .unwrap_or(live.segments.len().saturating_sub(1));
        let (dropped, kept) = live.segments.split_at(keep_from);
        let first_segment = kept.first().map_or(SegmentId(0), |segment| segment.id());
        self.keeper
            .update(|slot| {
                slot.first_lsn = before;
                slot.first_segment = first_segment;
                Ok(())
            })
            .inspect_err(|error| self.poison(error.clone()))?;
        self.change_live(|live| {
            let gone = |segment: &&Arc<Segment>| segment.id() >= first_segment;
            let segments = live.segments.iter().filter(gone).cloned().collect();
            Live { segments, first_lsn: before, cuts: live.cuts.clone() }
        });
        let dropped = dropped.to_vec();
        drop(live);
        self.recount_segment_bytes();
        drop(serial);
        self.meters.trimmed.add(dropped.len() as u64);
        Ok(dropped)
    }
}

#[cold]
fn beyond(before: Lsn, next: u64) -> Error {
    let message = format!("trimming before {before}: the log ends before LSN {next}");
    Error::at_lsn(ErrorKind::Invalid, Lsn::new(next), message)
}

/// Bytes of a segment in use; the active one counts when it is sealed.
fn used_bytes(segment: &Segment) -> u64 {
    segment.extent().map_or(0, |extent| extent.end)
}
