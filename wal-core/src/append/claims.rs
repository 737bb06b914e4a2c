//! Claims: which bytes of the file and of the ring the next records get. Touched only under its
//! lock, for some tens of nanoseconds at a time, never across I/O.

use crate::sync::{Arc, OnceLock};
use std::collections::VecDeque;

use super::batch::{Batch, Destination};
use super::group::Group;
use crate::frame::{COMMIT_FRAME_BYTES, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, Opening, Seed};
use crate::limits::{BLOCK_BYTES, OPENINGS_PER_SEGMENT_MAX};
use crate::lsn::Lsn;
use crate::segment::{DATA_START, OpeningAt, Segment, footer_bytes};

/// How many commits may be between their first claim and their last byte in the kernel.
pub(crate) const GENERATIONS: usize = 8;

/// Records that nobody waits for are written when so many bytes of them have come, or by the timer.
pub(crate) const FLUSH_BYTES: u64 = 128 * 1024;

/// The most closed commits a claim may find: it closes two at the most, one is with the committer
/// and one is open.
const CLOSED_MAX: usize = GENERATIONS - 4;

/// The bookkeeping of claims.
pub(crate) struct Claims {
    next_lsn: u64,
    /// Ring position of the next byte. Position and file offset agree modulo a block.
    position: u64,
    /// Ring position below which the ring is free again.
    freed: u64,
    capacity: u64,
    /// The segment new claims go to; none before the first record, and after a discontinuity.
    segment: Option<OpenSegment>,
    /// The commit being formed.
    open: Group,
    /// Commits that take no more records and wait for the committer.
    closed: VecDeque<Group>,
    /// Everything before this LSN is wanted on stable storage.
    pub(crate) sync_wanted: u64,
    /// Counts the times LSNs were taken back, so that old tickets are told apart.
    pub(crate) incarnation: u64,
    /// Claims older than this incarnation that were not taken back are complete: a truncation
    /// flushed them.
    completed_incarnation: u64,
    /// How many appenders wait for room: waking nobody costs a system call, too.
    pub(super) waiting_for_room: u32,
    /// A truncation is at work: claims wait.
    is_paused: bool,
    /// A claim that ends at or before this ring position fits for certain; 0 when that has to be
    /// looked into. Every change that makes less room sets it back.
    quick_until: u64,
    /// The same as far as ring and segment are concerned, whichever commit the claim falls in.
    certain_until: u64,
    /// The bytes of a commit from which on a claim goes to the next one.
    group_bytes_max: u64,
    /// Room each commit keeps for its padding and trailer.
    trailer_room: u64,
    pad_to_block: bool,
}

/// A segment as claims see it.
struct OpenSegment {
    segment: Arc<Segment>,
    first_lsn: u64,
    /// Size its file may reach.
    bytes: u64,
    /// File offset of the next frame.
    offset: u64,
    seed: Seed,
}

/// What an append gets.
pub(crate) struct Claim {
    pub(crate) first_lsn: u64,
    pub(crate) position: u64,
    pub(crate) destination: Destination,
    pub(crate) generation: u64,
    pub(crate) incarnation: u64,
    pub(crate) large: Option<Arc<OnceLock<Vec<u8>>>>,
    /// Bytes claimed in the commit being formed, this claim included.
    pub(crate) group_bytes: u64,
}

/// What a claim asks for beyond the records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) wants_sync: bool,
    pub(crate) acknowledged: bool,
    pub(crate) time_ns: Option<u64>,
}

/// Whether a batch can be claimed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Yes.
    Here,
    /// Not before a segment of at least this size was started.
    NeedsSegment(u64),
    /// Not before the committer has made room.
    NeedsRoom,
    /// Never: the LSNs are used up.
    OutOfLsns,
}

impl Claims {
    pub(crate) fn new(next_lsn: u64, capacity: u64, pad_to_block: bool) -> Claims {
        let padding_room = if pad_to_block { BLOCK_BYTES + FRAME_HEADER_BYTES } else { 0 };
        Claims {
            next_lsn,
            position: 0,
            freed: 0,
            capacity,
            segment: None,
            open: Group::empty(0, next_lsn),
            closed: VecDeque::with_capacity(GENERATIONS),
            sync_wanted: 0,
            incarnation: 0,
            completed_incarnation: 0,
            waiting_for_room: 0,
            is_paused: false,
            quick_until: 0,
            certain_until: 0,
            group_bytes_max: 0,
            trailer_room: COMMIT_FRAME_BYTES + padding_room,
            pad_to_block,
        }
    }

    pub(crate) fn next_lsn(&self) -> u64 {
        self.next_lsn
    }

    pub(crate) fn completed_incarnation(&self) -> u64 {
        self.completed_incarnation
    }

    /// Bytes of the ring that are not free.
    pub(crate) fn ring_bytes_used(&self) -> u64 {
        self.position - self.freed
    }

    /// Whether there is nothing to flush.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.count == 0 && self.closed.is_empty()
    }

    /// Whether a commit is to be written now: one that is full or wanted, or in the way.
    pub(crate) fn is_flush_due(&self) -> bool {
        let is_due = |open: &Group| {
            open.is_wanted || self.waiting_for_room > 0 || self.open_bytes() >= FLUSH_BYTES
        };
        !self.closed.is_empty() || self.open.count > 0 && is_due(&self.open)
    }

    /// The commit being formed is to be written now.
    pub(crate) fn want_open(&mut self) {
        self.open.is_wanted = true;
    }

    /// Whether nothing at all is in the ring, not even an opening frame that waits for a record.
    pub(crate) fn is_ring_empty(&self) -> bool {
        self.is_idle() && self.open.start == self.position
    }

    /// Whether a commit waits that takes no more records.
    pub(crate) fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Bytes waiting in the commit being formed.
    pub(crate) fn open_bytes(&self) -> u64 {
        self.position - self.open.start
    }

    /// From now on claims wait, or no longer.
    pub(crate) fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        (self.quick_until, self.certain_until) = (0, 0);
    }

    /// Claims the batch if it is known to fit without looking into it; as `claim` otherwise.
    #[inline(always)]
    pub(crate) fn claim_quickly(&mut self, batch: &Batch<'_>, terms: Terms) -> Option<Claim> {
        if self.position + batch.frame_bytes > self.quick_until || terms.time_ns.is_some() {
            return None;
        }
        debug_assert_eq!(self.fit(batch, 0), Fit::Here, "what is certain is so");
        debug_assert!(self.open_bytes() + batch.frame_bytes <= self.group_bytes_max);
        Some(self.add(batch, terms))
    }

    /// Whether `batch` can be claimed now.
    pub(crate) fn fit(&self, batch: &Batch<'_>, segment_bytes: u64) -> Fit {
        if self.next_lsn.saturating_add(u64::from(batch.count)) > Lsn::MAX.get() + 1 {
            return Fit::OutOfLsns;
        }
        if self.is_paused || self.closed.len() > CLOSED_MAX {
            return Fit::NeedsRoom;
        }
        let alone = self.bytes_in_new_segment(batch).max(segment_bytes);
        let Some(open) = &self.segment else { return Fit::NeedsSegment(alone) };
        let records = self.next_lsn - open.first_lsn + u64::from(batch.count);
        let end = open.offset + batch.frame_bytes + self.trailer_room;
        if end + footer_bytes(records, OPENINGS_PER_SEGMENT_MAX as u64) > open.bytes {
            return Fit::NeedsSegment(alone);
        }
        let used = self.position - self.freed;
        if self.is_large(batch) || used + batch.frame_bytes + self.trailer_room <= self.capacity {
            Fit::Here
        } else {
            Fit::NeedsRoom
        }
    }

    /// Claims the batch; `fit` has said `Here`.
    pub(crate) fn claim(&mut self, batch: &Batch<'_>, terms: Terms, group_bytes_max: u64) -> Claim {
        self.group_bytes_max = group_bytes_max;
        let large = self.is_large(batch);
        let is_full = self.open_bytes() + batch.frame_bytes > group_bytes_max;
        if large || is_full || terms.time_ns.is_some() {
            self.close_open();
        }
        let mut claim = self.add(batch, terms);
        self.open.time_ns = terms.time_ns;
        if large {
            // It brings its frames itself.
            self.position = claim.position;
            claim.large = Some(Arc::default());
            self.open.large.clone_from(&claim.large);
        }
        if large || terms.time_ns.is_some() {
            self.close_open();
        } else {
            self.certain_until = self.certain_room();
            self.quick_until = self.quick_room();
        }
        claim
    }

    /// Puts the batch into the open commit.
    #[inline(always)]
    fn add(&mut self, batch: &Batch<'_>, terms: Terms) -> Claim {
        let Some(open) = &mut self.segment else { unreachable!("fit asked for a segment first") };
        let lsn_delta = (self.next_lsn - open.first_lsn) as u32;
        let offset = open.offset;
        let mut delta = lsn_delta;
        batch.each_offset(|at| {
            open.segment.push(delta, offset + at);
            delta += 1;
        });
        open.offset += batch.frame_bytes;
        let position = self.position;
        self.position += batch.frame_bytes;
        let first_lsn = self.next_lsn;
        self.next_lsn += u64::from(batch.count);
        if terms.wants_sync {
            self.sync_wanted = self.next_lsn;
        }
        self.open.count += batch.count;
        self.open.payload_bytes += batch.payload_bytes;
        self.open.wants_sync |= terms.wants_sync;
        self.open.is_wanted |= !terms.acknowledged;
        self.open.acknowledged |= terms.acknowledged;
        Claim {
            first_lsn,
            position,
            destination: Destination { offset, lsn_delta, seed: open.seed },
            generation: self.open.generation,
            incarnation: self.incarnation,
            large: None,
            group_bytes: position - self.open.start + batch.frame_bytes,
        }
    }

    /// Up to which ring position claims fit the open commit as well.
    fn quick_room(&self) -> u64 {
        if self.is_paused || self.closed.len() > CLOSED_MAX {
            return 0;
        }
        self.certain_until.min(self.open.start + self.group_bytes_max)
    }

    /// Up to which ring position claims fit whatever they are made of: in the ring, and in the
    /// segment together with what the footer says of their records.
    ///
    /// That goes on being true when the commit is closed: its padding and trailer take as much of
    /// the ring as of the segment, and add nothing to the footer.
    fn certain_room(&self) -> u64 {
        let Some(open) = &self.segment else { return 0 };
        // A record takes at least a header in the file, and at most a quarter of that in the
        // footer, which is padded like every frame.
        let records = self.next_lsn - open.first_lsn;
        let footer = footer_bytes(records, OPENINGS_PER_SEGMENT_MAX as u64);
        let taken = open.offset + self.trailer_room + footer + FRAME_ALIGNMENT;
        let in_segment = open.bytes.saturating_sub(taken);
        if self.next_lsn.saturating_add(in_segment) > Lsn::MAX.get() {
            return 0;
        }
        let in_ring = (self.freed + self.capacity).saturating_sub(self.trailer_room);
        (self.position + in_segment / 5 * 4).min(in_ring).min(self.position + self.capacity / 4)
    }

    /// Goes on in `segment` at its start (a new one) or where it was cleanly closed.
    pub(crate) fn enter(&mut self, segment: Arc<Segment>, bytes: u64, offset: u64, seed: Seed) {
        self.close_open();
        self.certain_until = 0;
        let first_lsn = segment.header().first_lsn;
        self.segment = Some(OpenSegment { segment, first_lsn, bytes, offset, seed });
        self.align_to(offset);
        self.open = Group::empty(self.open.generation, self.next_lsn);
        self.begin_open();
    }

    /// Puts an opening frame in front of the next record; returns its bytes and their position. The
    /// ring has never been used.
    pub(crate) fn open_in(&mut self, opening: OpeningAt, seed: Seed) -> Option<(u64, Vec<u8>)> {
        let open = self.segment.as_mut()?;
        let OpeningAt { offset, epoch, salt } = opening;
        let lsn_delta = (self.next_lsn - open.first_lsn) as u32;
        let frame = Opening { epoch, salt }.encode(lsn_delta, offset, open.seed);
        let position = self.position;
        self.position += frame.len() as u64;
        open.offset += frame.len() as u64;
        open.seed = seed;
        self.open.seed = Some(seed);
        Some((position, frame))
    }

    /// The next commit to write; closes the open one when it is the only one.
    pub(crate) fn take(&mut self) -> Option<Group> {
        self.closed.pop_front().or_else(|| self.end_open())
    }

    /// The ring below `position` is free again.
    pub(crate) fn free(&mut self, position: u64) {
        self.freed = self.freed.max(position);
        if self.is_ring_empty() {
            self.rewind();
            self.freed = self.position;
        }
    }

    /// Goes on at the start of the ring's memory, where that was left some way behind: a log of
    /// small commits uses the same memory again and again, which is near, instead of all of it.
    /// Nothing is in the ring.
    fn rewind(&mut self) {
        if self.position % self.capacity < REWIND_BYTES {
            return;
        }
        let in_block = self.position % BLOCK_BYTES;
        self.position = self.position.next_multiple_of(self.capacity) + in_block;
        (self.open.start, self.open.end) = (self.position, self.position);
        (self.quick_until, self.certain_until) = (0, 0);
    }

    /// Whether anything from `group` on was acknowledged already, though none of it was written.
    pub(crate) fn is_acknowledged_from(&self, group: &Group) -> bool {
        group.acknowledged
            || self.open.acknowledged
            || self.closed.iter().any(|group| group.acknowledged)
    }

    /// Takes back every claim from `group` on: none of it was written, nor acknowledged. All of it
    /// has been published.
    pub(crate) fn take_back(&mut self, group: &Group) {
        self.closed.clear();
        self.next_lsn = group.first_lsn;
        self.incarnation += 1;
        self.restart();
    }

    /// Goes on at `next_lsn` in a segment to be entered; everything claimed before is complete.
    pub(crate) fn restart_at(&mut self, next_lsn: u64) {
        self.next_lsn = next_lsn;
        self.incarnation += 1;
        self.completed_incarnation = self.incarnation;
        self.restart();
    }

    /// The commits that were claimed but not taken, and what each of them still has to publish.
    pub(crate) fn untaken(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let groups = self.closed.iter().chain(std::iter::once(&self.open));
        groups.map(|group| (group.generation, group.count))
    }

    fn restart(&mut self) {
        (self.quick_until, self.certain_until) = (0, 0);
        self.segment = None;
        self.sync_wanted = self.sync_wanted.min(self.next_lsn);
        self.freed = self.position;
        self.open = Group::empty(self.open.generation + 1, self.next_lsn);
        self.open.start = self.position;
    }

    fn is_large(&self, batch: &Batch<'_>) -> bool {
        batch.frame_bytes + self.trailer_room > self.capacity / 2
    }

    fn bytes_in_new_segment(&self, batch: &Batch<'_>) -> u64 {
        let footer = footer_bytes(u64::from(batch.count), OPENINGS_PER_SEGMENT_MAX as u64);
        (DATA_START + batch.frame_bytes + self.trailer_room + footer).next_multiple_of(BLOCK_BYTES)
    }

    /// Ends the open commit, if it has records; it waits for the committer.
    fn close_open(&mut self) {
        if let Some(group) = self.end_open() {
            self.closed.push_back(group);
            self.quick_until = self.quick_room();
        }
    }

    /// Ends the open commit, if it has records, behind the room of its trailer.
    fn end_open(&mut self) -> Option<Group> {
        if self.open.count == 0 {
            return None;
        }
        let segment = self.segment.as_mut()?;
        let padding = if self.pad_to_block { padding_before_trailer(segment.offset) } else { 0 };
        let room = padding + COMMIT_FRAME_BYTES;
        self.open.end = self.position;
        self.open.padding = padding;
        segment.offset += room;
        let offset = segment.offset;
        self.position += room;
        if self.open.large.is_some() {
            self.certain_until = 0;
            self.align_to(offset);
        }
        self.open.after = self.position;
        let next = Group::empty(self.open.generation + 1, self.next_lsn);
        let group = std::mem::replace(&mut self.open, next);
        self.begin_open();
        Some(group)
    }

    /// Starts the open commit at the current place of the current segment.
    fn begin_open(&mut self) {
        self.open.start = self.position;
        self.open.end = self.position;
        if let Some(open) = &self.segment {
            self.open.segment = Some(Arc::clone(&open.segment));
            self.open.segment_bytes = open.bytes;
            self.open.seed = Some(open.seed);
            self.open.offset = open.offset;
        }
        self.quick_until = self.quick_room();
    }

    /// Skips to the next position that agrees with `offset` modulo a block.
    fn align_to(&mut self, offset: u64) {
        self.position += offset.wrapping_sub(self.position) % BLOCK_BYTES;
    }
}

/// Bytes of a padding frame that let a trailer at `offset` end with its block: none, or at least a
/// frame header.
fn padding_before_trailer(offset: u64) -> u64 {
    let end = offset + COMMIT_FRAME_BYTES;
    match end.next_multiple_of(BLOCK_BYTES) - end {
        0 => 0,
        short if short < FRAME_HEADER_BYTES => short + BLOCK_BYTES,
        enough => enough,
    }
}

/// A log that empties its ring at every commit keeps to about as much of it.
const REWIND_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests;
