//! The index of a sealed segment without a footer, rebuilt by walking its frames once.

use super::body::Entries;
use super::source::{Reader, Source};
use super::{DATA_START, Extent, OpeningAt, Segment};
use crate::error::Result;
use crate::frame::{
    COMMIT_FRAME_BYTES, Commit, FRAME_HEADER_BYTES, Fault, Frame, FrameHeader, Kind,
    OPENING_FRAME_BYTES, Opening, Seed,
};
use crate::limits::OPENINGS_PER_SEGMENT_MAX;

/// The index and the openings of everything below the extent's end. Every frame is verified.
///
/// Damage costs the records it lies in and no others: the walk goes on behind the next trailer that
/// verifies, as a check does, and looks for what is whole before it; the offset in each checksum
/// makes that a proof.
pub(super) fn rebuild(
    segment: &Segment,
    source: &Source,
    extent: Extent,
) -> Result<(Entries, Vec<OpeningAt>)> {
    let header = segment.header();
    // The end comes from another file, and this one may have been cut: no byte stands behind it.
    let end = extent.end.min(source.end(segment)?);
    let count = extent.next_lsn.saturating_sub(header.first_lsn);
    let count = count.min(end.saturating_sub(DATA_START) / FRAME_HEADER_BYTES);
    let mut walk = Walk {
        segment,
        source,
        reader: Reader::new(AHEAD_BYTES),
        end,
        start: DATA_START,
        seed: header.seed(),
        next: 0,
        pending: Vec::new(),
        opened: Vec::new(),
        entries: vec![0; usize::try_from(count).unwrap_or(0)],
        openings: Vec::new(),
        waste_bytes_left: end.saturating_mul(WASTE_FACTOR),
    };
    let mut damage = None;
    while walk.start < end {
        let Err((offset, fault)) = walk.commit()? else { continue };
        damage = damage.or(fault.map(|fault| (offset, fault)));
        if !walk.go_on_behind(offset)? {
            break;
        }
    }
    if end < extent.end {
        damage.get_or_insert((end, Fault::Short));
    }
    Ok((Entries::Rebuilt { entries: walk.entries, damage }, walk.openings))
}

struct Walk<'a> {
    segment: &'a Segment,
    source: &'a Source,
    reader: Reader,
    end: u64,
    /// Where the commit starts that is being walked, and the seed of the frames there.
    start: u64,
    seed: Seed,
    /// The delta of the first record that no trailer before has spoken of.
    next: u64,
    /// Deltas and places of the records since then.
    pending: Vec<(u32, u64)>,
    /// The opening frames among them.
    opened: Vec<(u64, Opening)>,
    entries: Vec<u32>,
    openings: Vec<OpeningAt>,
    /// Bounds what is checksummed in vain: bytes can be made to look like the start of a long frame
    /// at every offset.
    waste_bytes_left: u64,
}

/// A trailer behind damage.
struct Trailer {
    offset: u64,
    seed: Seed,
    first: u64,
    next: u64,
}

impl Walk<'_> {
    /// Walks one commit, or what an end inside it has left of it. Otherwise: where it is wrong, and
    /// how, unless by a whole frame that does not belong there.
    fn commit(&mut self) -> Result<std::result::Result<(), (u64, Option<Fault>)>> {
        self.pending.clear();
        self.opened.clear();
        let (mut offset, mut seed) = (self.start, self.seed);
        while offset < self.end {
            let frame = match self.frame(offset, seed)? {
                Ok(frame) => frame,
                Err(fault) => return Ok(Err((offset, Some(fault)))),
            };
            let frame_end = offset.saturating_add(frame.header.frame_bytes());
            let walked = self.next.saturating_add(self.pending.len() as u64);
            match (frame.header.kind, frame.opening) {
                (Kind::Record, _) if u64::from(frame.header.lsn_delta) == walked => {
                    self.pending.push((frame.header.lsn_delta, offset));
                }
                (Kind::Opening, Some(opening)) => {
                    seed = self.seed_of(opening);
                    self.opened.push((offset, opening));
                }
                (Kind::Commit, _) if frame.trailer == Some((self.next, walked)) => {
                    self.take_pending(self.next, walked);
                    self.take_opening();
                    (self.start, self.seed, self.next) = (frame_end, seed, walked);
                    return Ok(Ok(()));
                }
                (Kind::Padding | Kind::Skippable(_), _) => {}
                (Kind::Record | Kind::Opening | Kind::Commit | Kind::Seal, _) => {
                    return Ok(Err((offset, None)));
                }
            }
            offset = frame_end;
        }
        self.take_pending(self.next, u64::MAX);
        self.take_opening();
        self.start = self.end;
        Ok(Ok(()))
    }

    /// Takes down what is whole of the damaged commit, and goes on behind the next trailer that
    /// verifies. Returns whether there is one. `fault` is how far the walk has come.
    fn go_on_behind(&mut self, fault: u64) -> Result<bool> {
        let verified = self.opened.last().map(|&(_, opening)| self.seed_of(opening));
        self.read_opening_at_start()?;
        let opened = self.opened.last().map(|&(_, opening)| self.seed_of(opening));
        let trailer = self.next_trailer()?;
        let until = trailer.as_ref().map_or(self.end, |trailer| trailer.offset);
        let seed = trailer.as_ref().map(|trailer| trailer.seed).or(verified).unwrap_or(self.seed);
        self.salvage(until, seed)?;
        if opened == Some(seed) {
            self.take_opening();
        }
        let Some(Trailer { offset, seed, first, next }) = trailer else {
            self.take_ascending();
            return Ok(false);
        };
        self.take_salvaged(first, next);
        self.waste(fault.saturating_sub(offset));
        (self.start, self.seed, self.next) =
            (offset.saturating_add(COMMIT_FRAME_BYTES), seed, next);
        Ok(self.waste_bytes_left > 0)
    }

    /// The first trailer behind the commit's start that speaks of records not spoken of yet.
    fn next_trailer(&mut self) -> Result<Option<Trailer>> {
        let opened = self.opened.last().map(|&(_, opening)| self.seed_of(opening));
        let mut offset = self.start;
        while offset.saturating_add(COMMIT_FRAME_BYTES) <= self.end {
            self.reader.hold(self.segment, self.source, offset, COMMIT_FRAME_BYTES)?;
            let bytes = self.reader.held(offset);
            let is_trailer = FrameHeader::peek(bytes).is_ok_and(|header| {
                header.kind == Kind::Commit && header.frame_bytes() == COMMIT_FRAME_BYTES
            });
            for seed in [Some(self.seed), opened].into_iter().flatten().filter(|_| is_trailer) {
                let Ok(frame) = Frame::decode(bytes, offset, seed) else { continue };
                let Some((first, next)) = self.deltas(frame.payload) else { continue };
                if first >= self.next && next <= self.entries.len() as u64 {
                    return Ok(Some(Trailer { offset, seed, first, next }));
                }
            }
            offset = offset.saturating_add(8);
        }
        Ok(None)
    }

    /// The records that verify between the commit's start and `until`.
    fn salvage(&mut self, until: u64, seed: Seed) -> Result<()> {
        self.pending.clear();
        let mut offset = self.start;
        while offset < until && self.waste_bytes_left > 0 {
            let step = match self.frame(offset, seed)? {
                Ok(frame) => {
                    let delta = frame.header.lsn_delta;
                    if frame.header.kind == Kind::Record && u64::from(delta) >= self.next {
                        self.pending.push((delta, offset));
                    }
                    frame.header.frame_bytes()
                }
                Err(Fault::Checksum { .. }) => {
                    let header = FrameHeader::peek(self.reader.held(offset));
                    self.waste(header.map_or(0, |header| header.frame_bytes()));
                    8
                }
                Err(_) => 8,
            };
            offset = offset.saturating_add(step);
        }
        Ok(())
    }

    /// The frame at `offset` if it verifies and ends where the segment does or before.
    fn frame(
        &mut self,
        offset: u64,
        seed: Seed,
    ) -> Result<std::result::Result<WalkedFrame, Fault>> {
        self.reader.hold(self.segment, self.source, offset, FRAME_HEADER_BYTES)?;
        let header = match FrameHeader::peek(self.reader.held(offset)) {
            Ok(header) => header,
            Err(fault) => return Ok(Err(fault)),
        };
        if offset.saturating_add(header.frame_bytes()) > self.end {
            return Ok(Err(Fault::Short));
        }
        self.reader.hold_frame(self.segment, self.source, offset)?;
        Ok(Frame::decode(self.reader.held(offset), offset, seed).map(|frame| WalkedFrame {
            header,
            opening: Opening::decode(frame.payload).filter(|_| header.kind == Kind::Opening),
            trailer: self.deltas(frame.payload).filter(|_| header.kind == Kind::Commit),
        }))
    }

    /// Takes the frame at the commit's start for its opening if no whole one was met: it may be
    /// damaged. A wrong one validates nothing.
    fn read_opening_at_start(&mut self) -> Result<()> {
        self.reader.hold(self.segment, self.source, self.start, OPENING_FRAME_BYTES)?;
        let bytes = self.reader.held(self.start);
        let payload = bytes.get(FRAME_HEADER_BYTES as usize..OPENING_FRAME_BYTES as usize);
        let opening = payload.and_then(Opening::decode).map(|opening| (self.start, opening));
        if self.opened.is_empty() {
            self.opened.extend(opening);
        }
        Ok(())
    }

    fn seed_of(&self, opening: Opening) -> Seed {
        let header = self.segment.header();
        Seed::new(&header.uuid, header.id, opening.epoch, opening.salt)
    }

    /// The deltas of the first record that a trailer speaks of and of the one after the last.
    fn deltas(&self, payload: &[u8]) -> Option<(u64, u64)> {
        let commit = Commit::decode(payload)?;
        let first = commit.first_lsn.checked_sub(self.segment.header().first_lsn)?;
        Some((first, first.saturating_add(u64::from(commit.count))))
    }

    /// Enters the records found whose deltas are among these.
    fn take_pending(&mut self, first: u64, next: u64) {
        for (delta, offset) in self.pending.drain(..) {
            let entry = self.entries.get_mut(delta as usize);
            if let Some(entry) = entry.filter(|_| (first..next).contains(&u64::from(delta))) {
                *entry = u32::try_from(offset >> 3).unwrap_or(0);
            }
        }
    }

    /// Enters the records found as far as their deltas go up.
    fn take_ascending(&mut self) {
        let mut least = self.next;
        self.pending.retain(|&(delta, _)| {
            let goes_up = u64::from(delta) >= least;
            if goes_up {
                least = u64::from(delta).saturating_add(1);
            }
            goes_up
        });
        self.take_pending(self.next, u64::MAX);
    }

    /// Enters the records found before a trailer: from it back those it speaks of, and by
    /// themselves those of commits that have lost their trailers, so that a delta which does not
    /// belong there costs no record of the others.
    fn take_salvaged(&mut self, first: u64, next: u64) {
        let (mut own_end, mut lost_end) = (next, first);
        let mut found = std::mem::take(&mut self.pending);
        found.reverse();
        found.retain(|&(delta, _)| {
            let delta = u64::from(delta);
            let end = if delta >= first { &mut own_end } else { &mut lost_end };
            let goes_down = delta < *end;
            if goes_down {
                *end = delta;
            }
            goes_down
        });
        self.pending = found;
        self.take_pending(self.next, next);
    }

    fn take_opening(&mut self) {
        for (offset, Opening { epoch, salt }) in self.opened.drain(..) {
            if self.openings.len() < OPENINGS_PER_SEGMENT_MAX {
                self.openings.push(OpeningAt { offset, epoch, salt });
            }
        }
    }

    fn waste(&mut self, bytes: u64) {
        self.waste_bytes_left = self.waste_bytes_left.saturating_sub(bytes);
    }
}

/// A verified frame, less its bytes.
struct WalkedFrame {
    header: FrameHeader,
    opening: Option<Opening>,
    /// Of a trailer: the deltas it speaks of.
    trailer: Option<(u64, u64)>,
}

const AHEAD_BYTES: u64 = 1 << 20;
const WASTE_FACTOR: u64 = 16;
