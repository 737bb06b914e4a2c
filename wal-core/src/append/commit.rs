//! Committing: one group's frames and its trailer to the file, in order, with at most one sync.

use crate::sync::atomic::Ordering;
use crate::sync::time::Instant;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Claims, GENERATIONS};
use super::engine::Engine;
use super::group::Group;
use super::pace::Pace;
use super::tail::Tail;
use super::writer::SegmentWriter;
use crate::checksum::crc32;
use crate::error::{Error, ErrorKind, Result};
use crate::event::event;
use crate::frame::Commit;
use crate::growth::Growth;
use crate::lsn::{FileOffset, Place};
use crate::options::{Io, Retention};
use crate::segment::{DATA_START, Footer, Segment, SegmentHeader};
use crate::vfs::File;

/// What only the flushing thread touches: the end of the log and the file it is in.
pub(crate) struct Committer {
    pub(crate) tail: Tail,
    /// The segment being written; none before the first commit and after a discontinuity.
    pub(crate) active: Option<Active>,
    pub(super) pace: Pace,
    /// Whether the state file has yet to hear of the active segment, or of its newest opening.
    pub(crate) is_news: bool,
    /// Up to where the ring could be given back to the claims, but was not yet.
    unfreed: Option<u64>,
}

/// The segment being written.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    pub(crate) writer: SegmentWriter,
    pub(crate) growth: Arc<Growth>,
    /// How far the file is known to be zeroed.
    pub(crate) zeroed_to: u64,
    /// How far it is being zeroed in the background.
    pub(crate) growing_to: u64,
    /// Up to where the system was asked to write back what is not synced.
    pub(crate) written_back_to: u64,
    /// Whether a spare for the segment after it was asked for.
    pub(crate) has_asked_for_spare: bool,
    pub(crate) commits: u32,
    pub(crate) first_ns: u64,
}

impl Committer {
    /// Goes on after `tail`, with no segment active.
    pub(crate) fn new(tail: Tail) -> Committer {
        Committer { tail, active: None, pace: Pace::default(), is_news: false, unfreed: None }
    }

    /// Whether this segment is the one being written.
    fn is_in(&self, segment: &Arc<Segment>) -> bool {
        self.active.as_ref().is_some_and(|active| Arc::ptr_eq(&active.segment, segment))
    }

    /// Gives back what was written of the ring; returns whether somebody waits for room.
    pub(super) fn free_ring(&mut self, claims: &mut Claims) -> bool {
        let Some(position) = self.unfreed.take() else { return false };
        claims.free(position);
        claims.waiting_for_room > 0
    }

    /// Whether the active segment is written past the page cache.
    pub(crate) fn is_direct(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.writer.is_direct())
    }
}

impl Active {
    pub(crate) fn new(segment: Arc<Segment>, writer: SegmentWriter, growth: Arc<Growth>) -> Active {
        Active {
            segment,
            writer,
            growth,
            zeroed_to: 0,
            growing_to: 0,
            written_back_to: 0,
            has_asked_for_spare: false,
            commits: 0,
            first_ns: 0,
        }
    }

    /// When this returns, everything written so far survives power loss.
    fn sync(&self) -> io::Result<()> {
        self.writer.sync()?;
        self.growth.check_synced()
    }
}

impl Engine {
    /// Writes the next commit, if there is one, and syncs if somebody wants it.
    ///
    /// Inline, the caller is itself one of those who wait for it, flushes nothing that is not due,
    /// and gives back with `Committer::free_ring` what is left to give back. Returns whether there
    /// was anything to do.
    pub(super) fn flush(
        self: &Arc<Engine>,
        committer: &mut Committer,
        is_inline: bool,
    ) -> Result<bool> {
        // Whoever had the committer before may have lost bytes: a sync that succeeded now would
        // not mean that they are safe.
        if let Some(cause) = self.poisoned() {
            return Err(cause.clone());
        }
        let started = Instant::now();
        let mut claims = self.claims();
        if is_inline && !self.is_due(&claims) {
            return Ok(false);
        }
        let (group, sync_wanted) = (claims.take(), claims.sync_wanted);
        drop(claims);
        self.gather.start(self.marks.submitted.load(Ordering::Acquire));
        let mut time = Duration::ZERO;
        if let Some(group) = &group {
            self.wait_published(group)?;
            self.commit(committer, group).map_err(|error| self.fail(committer, group, error))?;
            time = started.elapsed();
            self.meters.write_latency.record(time);
        }
        let durable = self.marks.durable.load(Ordering::Relaxed);
        let count = group.as_ref().map_or(0, |group| u64::from(group.count));
        let wants_sync = group.is_some_and(|group| group.wants_sync);
        let is_owed = sync_wanted > durable && committer.tail.next_lsn >= sync_wanted;
        let is_alone = self.waiters.is_empty();
        let is_awaited = || !is_alone && self.waiters.awaits_sync(durable, committer.tail.next_lsn);
        let syncs = wants_sync || is_owed || self.is_sync_due(committer) || is_awaited();
        if syncs || !is_inline {
            // Others may need the room meanwhile.
            self.give_room(committer);
        }
        if syncs {
            committer.pace.synced();
            let sync = self.sync_tail(committer, started + time);
            time += sync.inspect_err(|error| self.poison(error.clone()))?;
        }
        let written = self.marks.written.load(Ordering::Relaxed);
        let durable = self.marks.durable.load(Ordering::Relaxed);
        if !is_alone || syncs && !self.waiters.is_empty() {
            self.waiters.wake(written, durable);
        }
        let submitted = self.marks.submitted.load(Ordering::Acquire);
        // A stream is bound by bandwidth, and whoever feeds it does not wait for its commits.
        let count = if committer.pace.is_stream() { 0 } else { count };
        self.gather.committed(time, count, written, submitted);
        self.after_flush(committer, written > durable);
        Ok(true)
    }

    /// Gives back what was written of the ring, now.
    fn give_room(&self, committer: &mut Committer) {
        if committer.unfreed.is_some() && committer.free_ring(&mut self.claims()) {
            self.room.notify_all();
        }
    }

    /// Waits until every claim of the group has been published. Appenders are only copying and
    /// checksumming here, so this is short.
    fn wait_published(&self, group: &Group) -> Result<()> {
        let published = &self.published[group.generation as usize % GENERATIONS].0;
        let mut rounds = 0u32;
        while published.load(Ordering::Acquire) != group.count {
            if let Some(cause) = self.poisoned() {
                return Err(cause.clone());
            }
            rounds += 1;
            if rounds < 64 {
                std::hint::spin_loop();
            } else {
                crate::sync::thread::yield_now();
            }
        }
        published.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Gives the group's bytes to the kernel and makes them readable where the level allows.
    fn commit(self: &Arc<Engine>, committer: &mut Committer, group: &Group) -> Result<()> {
        let (Some(segment), Some(seed)) = (&group.segment, group.seed) else {
            return Err(Error::plain(ErrorKind::Internal, "a commit without a segment"));
        };
        let header =
            if committer.is_in(segment) { None } else { Some(self.rotate(committer, group)?) };
        let time_ns = group.time_ns.unwrap_or_else(|| self.now_ns()).max(committer.tail.time_ns);
        let header_bytes = header.as_ref().map(SegmentHeader::encode).unwrap_or_default();
        let chain_before = header.as_ref().map_or(committer.tail.chain, SegmentHeader::chain);
        // SAFETY: every claim of the group was published, and the range is freed only below.
        #[allow(unsafe_code)]
        let [head, rest] = unsafe { self.ring.slices(group.start..group.end) };
        // A batch that brings its frames itself may still have an opening frame in the ring before
        // it.
        let large = group.large.as_ref().and_then(|slot| slot.get());
        let large = large.map(Vec::as_slice).unwrap_or_default();
        let padding_offset = group.offset + (head.len() + rest.len() + large.len()) as u64;
        let padding = group.padding_frame(padding_offset);
        let covered = [head, rest, large, &padding].into_iter().filter(|piece| !piece.is_empty());
        let chain = covered.fold(chain_before, crc32);
        let trailer = Commit {
            first_lsn: group.first_lsn,
            count: group.count,
            chain,
            time_ns,
            durable_through: committer.tail.durable_through,
            state_seq: self.keeper.contents_seq(),
        };
        let first_lsn = segment.header().first_lsn;
        let trailer_offset = padding_offset + padding.len() as u64;
        let trailer = trailer.encode(first_lsn, trailer_offset, seed);
        let Some(active) = &mut committer.active else {
            return Err(Error::plain(ErrorKind::Internal, "a commit without an active segment"));
        };
        let end = trailer_offset + trailer.len() as u64;
        if end > active.zeroed_to {
            active.zeroed_to = active.growth.reserve(end);
        }
        let written = self
            .write_group(active, group, [&header_bytes, head, rest, large, &padding, &trailer])
            .map_err(|error| Error::io("writing a commit", active.segment.path(), error))?;
        if active.commits == 0 {
            active.first_ns = time_ns;
        }
        active.commits += 1;
        let tail = &mut committer.tail;
        (tail.end, tail.next_lsn, tail.chain) = (end, group.next_lsn(), chain);
        (tail.segment, tail.footer, tail.time_ns) = (Some(segment.id()), None, time_ns);
        self.marks.tail_end.store(end, Ordering::Relaxed);
        if header.is_some() {
            committer.is_news = true;
            self.publish_segment(segment);
        }
        committer.pace.written(written);
        self.meters.bytes_written.add_alone(written);
        self.meters.commits.add_alone(1);
        self.meters.records.add_alone(u64::from(group.count));
        self.meters.record_bytes.add_alone(group.payload_bytes);
        self.marks.time_ns.store(time_ns, Ordering::Relaxed);
        self.marks.written.store(group.next_lsn(), Ordering::Release);
        committer.unfreed = Some(group.after);
        Ok(())
    }

    /// Writes a commit's header, frames (in one or two pieces), own frames, padding and trailer.
    ///
    /// What it ends with has its room in the ring, right behind the frames: put there, it is one
    /// piece with them for the kernel. A batch that brought its own frames has it apart.
    fn write_group(
        &self,
        active: &mut Active,
        group: &Group,
        pieces: [&[u8]; 6],
    ) -> io::Result<u64> {
        let [header, _, _, large, padding, trailer] = pieces;
        if !large.is_empty() {
            return active.writer.write(&pieces);
        }
        let trailer_at = group.end + padding.len() as u64;
        // SAFETY: the range from `group.start` to `group.after` was claimed for this group, all of
        // its frames were published, and only the committer touches what is behind them. It is
        // freed after this.
        #[allow(unsafe_code)]
        let [head, rest] = unsafe {
            if !padding.is_empty() {
                self.ring.copy_in(group.end, padding);
            }
            self.ring.copy_in(trailer_at, trailer);
            self.ring.slices(group.start..trailer_at + trailer.len() as u64)
        };
        active.writer.write(&[header, head, rest])
    }

    /// Closes the active segment for good and makes the group's segment the active one. Its header
    /// is returned, to be written with its first commit.
    ///
    /// A barrier: the segment before is on stable storage before anything of the new one is
    /// written, so that a header always tells the truth about its predecessor.
    fn rotate(
        self: &Arc<Engine>,
        committer: &mut Committer,
        group: &Group,
    ) -> Result<SegmentHeader> {
        let Some(segment) = &group.segment else {
            return Err(Error::plain(ErrorKind::Internal, "a rotation to no segment"));
        };
        self.seal(committer)?;
        self.trim_for_capacity()?;
        let is_direct = match self.options.io {
            Io::Auto => committer.pace.is_stream(),
            Io::Buffered => false,
            Io::Direct => true,
        };
        let acquired = self.spares.acquire(segment.id(), group.segment_bytes, is_direct)?;
        if acquired.missed {
            self.meters.spare_misses.add_alone(1);
        }
        let tail = &committer.tail;
        let header = SegmentHeader {
            predecessor: tail.as_predecessor(),
            durable_through: tail.durable_through,
            state_seq: self.keeper.contents_seq(),
            created_ns: segment.header().created_ns.max(tail.time_ns),
            ..*segment.header()
        };
        let writer = self.writer_of(segment, acquired.file, acquired.direct)?;
        segment.activate(Arc::clone(writer.reading_file()));
        committer.active = Some(Active::new(Arc::clone(segment), writer, acquired.growth));
        self.marks.is_direct.store(committer.is_direct(), Ordering::Relaxed);
        self.meters.rotations.add_alone(u64::from(header.predecessor.is_some()));
        if header.predecessor.is_some() {
            event!(info, "rotated", path = %self.path.display(), segment = %segment.id());
        }
        Ok(header)
    }

    /// The writing end of a segment that begins.
    pub(crate) fn writer_of(
        &self,
        segment: &Segment,
        file: Arc<dyn File>,
        direct: Option<Arc<dyn File>>,
    ) -> Result<SegmentWriter> {
        let writer = SegmentWriter::new(file, 0);
        let Some(direct) = direct else { return Ok(writer) };
        let bytes_min = self.options.io.direct_bytes_min();
        writer
            .with_direct(direct, bytes_min, Vec::new())
            .map_err(|error| Error::io("mapping memory for writes", segment.path(), error))
    }

    /// Writes the active segment's footer and syncs it; afterwards there is no active segment.
    ///
    /// When this returns, everything written so far survives power loss. A crash before leaves a
    /// segment with or without its footer, which recovery takes as it finds it. On a full disk the
    /// segment goes without.
    pub(crate) fn seal(&self, committer: &mut Committer) -> Result<()> {
        let Some(mut active) = committer.active.take() else { return Ok(()) };
        let tail = &mut committer.tail;
        let header = *active.segment.header();
        let footer = Footer {
            first_lsn: header.first_lsn,
            count: (tail.next_lsn - header.first_lsn) as u32,
            commits: active.commits,
            first_ns: active.first_ns,
            final_ns: tail.time_ns,
            end: tail.end,
            chain: tail.chain,
            openings: active.segment.openings(),
            index_at: 0,
        };
        let bytes = footer.encode(active.segment.index_entries(footer.count), header.seed());
        active.growth.reserve(tail.end + bytes.len() as u64);
        let error = |error| Error::io("sealing a segment", active.segment.path(), error);
        match active.writer.write(&[&bytes]).map_err(error) {
            // The footer is a convenience: the segment is sealed without one, and readers rebuild
            // its index.
            Err(full) if full.kind() == ErrorKind::Full => {
                return self
                    .abandon(committer, &active)
                    .inspect_err(|error| self.poison(error.clone()));
            }
            written => written.map(drop),
        }
        .and_then(|()| active.sync().map_err(|source| error(source).with_kind(ErrorKind::Io)))
        .inspect_err(|error| self.poison(error.clone()))?;
        self.meters.syncs.add_alone(1);
        self.meters.bytes_written.add_alone(bytes.len() as u64);
        tail.footer = Some(tail.end);
        tail.durable_through = Place {
            segment: active.segment.id(),
            offset: FileOffset(tail.end + bytes.len() as u64),
        };
        self.marks.durable.fetch_max(tail.next_lsn, Ordering::AcqRel);
        self.durable_segment.store(active.segment.id().0, Ordering::Release);
        let extent = tail.extent();
        let sealed = active.segment.ended(header, extent);
        self.change_live(|live| live.with_newest_replaced(sealed));
        self.listeners.tell(|| Ok(self.durable_lsn()));
        Ok(())
    }

    /// When this returns, everything written so far survives power loss. Tells how long it has
    /// taken since `started`.
    pub(super) fn sync_tail(
        &self,
        committer: &mut Committer,
        started: Instant,
    ) -> Result<Duration> {
        let Some(active) = &committer.active else { return Ok(Duration::ZERO) };
        if self.marks.durable.load(Ordering::Relaxed) >= committer.tail.next_lsn {
            return Ok(Duration::ZERO);
        }
        let path = active.segment.path();
        active.sync().map_err(|error| {
            Error::io("syncing a segment", path, error).with_kind(ErrorKind::Io)
        })?;
        let time = started.elapsed();
        self.meters.syncs.add_alone(1);
        self.meters.sync_latency.record(time);
        committer.tail.durable_through =
            Place { segment: active.segment.id(), offset: FileOffset(committer.tail.end) };
        self.marks.durable.store(committer.tail.next_lsn, Ordering::Release);
        self.durable_segment.store(active.segment.id().0, Ordering::Release);
        self.listeners.tell(|| Ok(self.durable_lsn()));
        Ok(time)
    }

    /// What a failed commit leaves: a full disk takes the claims back, anything else poisons.
    #[cold]
    fn fail(&self, committer: &mut Committer, group: &Group, error: Error) -> Error {
        if error.kind() != ErrorKind::Full || self.poisoned().is_some() {
            self.poison(error.clone());
            return error;
        }
        if !self.take_back(group, &error) {
            self.poison(error.clone());
            return error;
        }
        // The active segment may hold part of the failed commit: it is left as it is, and the next
        // segment's header says where it validly ends.
        if let Some(active) = committer.active.take()
            && let Err(error) = self.abandon(committer, &active)
        {
            self.poison(error.clone());
            return error;
        }
        self.waiters.wake_all();
        self.tell_room();
        error
    }

    /// Leaves the active segment without a footer; nothing of it is written any more.
    ///
    /// When this returns, everything written so far survives power loss, as it must before the next
    /// segment's header speaks of it.
    fn abandon(&self, committer: &mut Committer, active: &Active) -> Result<()> {
        let path = active.segment.path();
        if committer.tail.segment != Some(active.segment.id()) {
            // Its first commit failed, so nothing of it is part of the log; the header of a
            // truncation would be. Whether its header reached the disk is not known. A crash here
            // leaves an empty segment that ends where it begins.
            return self
                .vfs
                .remove(path)
                .map_err(|error| Error::io("removing a segment", path, error));
        }
        active.sync().map_err(|error| {
            Error::io("syncing a segment", path, error).with_kind(ErrorKind::Io)
        })?;
        self.meters.syncs.add_alone(1);
        let tail = &mut committer.tail;
        tail.durable_through = Place { segment: active.segment.id(), offset: FileOffset(tail.end) };
        self.marks.durable.fetch_max(tail.next_lsn, Ordering::AcqRel);
        self.durable_segment.store(active.segment.id().0, Ordering::Release);
        let sealed = active.segment.ended(*active.segment.header(), tail.extent());
        self.change_live(|live| live.with_newest_replaced(sealed));
        Ok(())
    }

    /// Shows readers a segment that has become active; the one before it may be due for trimming.
    fn publish_segment(self: &Arc<Engine>, segment: &Arc<Segment>) {
        self.change_live(|live| live.with_newest(Arc::clone(segment)));
        if self.options.retention != Retention::default() {
            self.chore(|engine| {
                if let Err(error) = engine.retain() {
                    engine.poison(error);
                }
            });
        }
    }
}

const _: () = assert!(DATA_START.is_multiple_of(8));

#[cfg(test)]
mod tests;
