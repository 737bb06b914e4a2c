//! Claims: which bytes of the file and of the ring the next records get. Touched only under its
//! lock, for some tens of nanoseconds at a time, never across I/O.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

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
        self.quick_until = 0;
    }

    /// Claims the batch if it is known to fit without looking into it; as `claim` otherwise.
    #[inline(always)]
    pub(crate) fn claim_quickly(&mut self, batch: &Batch<'_>, terms: Terms) -> Option<Claim> {
        if self.position + batch.frame_bytes > self.quick_until || terms.time_ns.is_some() {
            return None;
        }
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
            self.quick_until = self.certain_room(group_bytes_max);
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

    /// Up to which ring position claims fit whatever they are made of: in the open commit, in the
    /// ring, and in the segment together with what the footer says of their records.
    fn certain_room(&self, group_bytes_max: u64) -> u64 {
        let Some(open) = &self.segment else { return 0 };
        if self.is_paused || self.closed.len() > CLOSED_MAX {
            return 0;
        }
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
        (self.position + in_segment / 5 * 4)
            .min(in_ring)
            .min(self.open.start + group_bytes_max)
            .min(self.position + self.capacity / 4)
    }

    /// Goes on in `segment` at its start (a new one) or where it was cleanly closed.
    pub(crate) fn enter(&mut self, segment: Arc<Segment>, bytes: u64, offset: u64, seed: Seed) {
        self.close_open();
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
        if self.closed.is_empty() {
            self.close_open();
        }
        self.closed.pop_front()
    }

    /// The ring below `position` is free again.
    pub(crate) fn free(&mut self, position: u64) {
        self.freed = self.freed.max(position);
        if self.is_idle() && self.open.start == self.position {
            self.freed = self.position;
        }
    }

    /// Takes back every claim from `group` on: none of it was written. Returns whether anything of
    /// it was acknowledged already. All of it has been published.
    pub(crate) fn take_back(&mut self, group: &Group) -> bool {
        let acknowledged = group.acknowledged
            || self.open.acknowledged
            || self.closed.iter().any(|group| group.acknowledged);
        self.closed.clear();
        self.next_lsn = group.first_lsn;
        self.incarnation += 1;
        self.restart();
        acknowledged
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
        self.quick_until = 0;
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

    /// Ends the open commit, if it has records, behind the room of its trailer.
    fn close_open(&mut self) {
        if self.open.count == 0 {
            return;
        }
        let Some(segment) = &mut self.segment else { return };
        let padding = if self.pad_to_block { padding_before_trailer(segment.offset) } else { 0 };
        let room = padding + COMMIT_FRAME_BYTES;
        self.open.end = self.position;
        self.open.padding = padding;
        segment.offset += room;
        let offset = segment.offset;
        self.position += room;
        if self.open.large.is_some() {
            self.align_to(offset);
        }
        self.open.after = self.position;
        let next = Group::empty(self.open.generation + 1, self.next_lsn);
        self.closed.push_back(std::mem::replace(&mut self.open, next));
        self.begin_open();
    }

    /// Starts the open commit at the current place of the current segment.
    fn begin_open(&mut self) {
        self.quick_until = 0;
        self.open.start = self.position;
        self.open.end = self.position;
        if let Some(open) = &self.segment {
            self.open.segment = Some(Arc::clone(&open.segment));
            self.open.segment_bytes = open.bytes;
            self.open.seed = Some(open.seed);
            self.open.offset = open.offset;
        }
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::limits::SEGMENT_BYTES_MAX;
    use crate::lsn::{FileOffset, Place, SegmentId};
    use crate::options::{Options, ReadMode};
    use crate::segment::SegmentHeader;
    use crate::vfs::MemVfs;

    fn segment() -> Arc<Segment> {
        let header = SegmentHeader {
            uuid: [3; 16],
            id: SegmentId(1),
            first_lsn: 1,
            epoch: 1,
            salt: 1,
            created_ns: 0,
            predecessor: None,
            durable_through: Place { segment: SegmentId(0), offset: FileOffset(0) },
            state_seq: 0,
        };
        let path = PathBuf::from("/log/1");
        Segment::new(Arc::new(MemVfs::new()), path, header, ReadMode::Map, None, None)
    }

    #[test]
    fn offsets_up_to_the_end_of_the_largest_segment_are_exact() {
        let segment = segment();
        let seed = segment.header().seed();
        let mut claims = Claims::new(1, 1 << 20, false);
        let start = SEGMENT_BYTES_MAX - 64 * 1024;
        claims.enter(Arc::clone(&segment), SEGMENT_BYTES_MAX, start, seed);
        let record = [0; 1000];
        let batch = Batch::one(&record, &Options::default()).expect("within limits");
        let terms = Terms { wants_sync: true, acknowledged: false, time_ns: None };
        let mut offsets = Vec::new();
        while claims.fit(&batch, SEGMENT_BYTES_MAX) == Fit::Here {
            let claim = claims.claim(&batch, terms, 1 << 20);
            assert_eq!(claim.destination.offset % BLOCK_BYTES, claim.position % BLOCK_BYTES);
            offsets.push(claim.destination.offset);
        }
        assert!(matches!(claims.fit(&batch, SEGMENT_BYTES_MAX), Fit::NeedsSegment(_)));
        assert!(offsets.len() > 50, "{} records fitted", offsets.len());
        assert!(offsets.iter().all(|&offset| offset > u64::from(u32::MAX) - 64 * 1024));
        let indexed = segment.index_entries(offsets.len() as u32).map(|entry| u64::from(entry) * 8);
        assert!(indexed.eq(offsets.iter().copied()));
        let records = offsets.len() as u64;
        let end = offsets.last().expect("some") + batch.frame_bytes + COMMIT_FRAME_BYTES;
        let footer = footer_bytes(records, OPENINGS_PER_SEGMENT_MAX as u64);
        assert!(end + footer <= SEGMENT_BYTES_MAX, "the footer still fits");
    }
}
