//! The scan of a segment's commits: where the valid bytes end, and what ends them.

use super::footer::{Footer, OpeningAt};
use super::header::{DATA_START, SegmentHeader};
use crate::checksum::crc32;
use crate::frame::{
    COMMIT_FRAME_BYTES, Commit, FRAME_HEADER_BYTES, Fault, Frame, FrameHeader, Kind,
    OPENING_FRAME_BYTES, Opening, Seed,
};
use crate::limits::OPENINGS_PER_SEGMENT_MAX;
use crate::lsn::{FileOffset, Lsn, Place, SegmentId};

/// What stands where the valid commits end. Four different outcomes, never folded into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// No room for another frame: the file, or the bytes given, are used up.
    End,
    /// Zeroed space: nothing was written after the last commit.
    Zeroed,
    /// A seal footer: the segment was closed for good.
    Sealed,
    /// Bytes that are no whole commit: torn by a crash, left over from an earlier use of the file,
    /// or damaged. Only a watermark can tell; see `recovery`.
    Broken(Break),
}

/// Where and why a commit is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// The first byte found wrong; the commit itself starts at the scanner's `end`.
    pub(crate) offset: u64,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// A position in the scan of one segment; goes on from there when more bytes have come.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    header: SegmentHeader,
    header_seed: Seed,
    seed: Seed,
    /// Verify every frame's checksum as well, which the chain value over the commit makes
    /// redundant but for faults of our own.
    verify_frames: bool,
    /// Where the last valid commit ends.
    pub(crate) end: u64,
    pub(crate) next_lsn: u64,
    pub(crate) chain: u32,
    pub(crate) epoch: u64,
    pub(crate) commits: u32,
    pub(crate) first_ns: u64,
    pub(crate) final_ns: u64,
    pub(crate) openings: Vec<OpeningAt>,
    /// The highest durable-through of the valid commits and the header.
    pub(crate) durable_through: Place,
    /// The highest state slot number they knew of.
    pub(crate) state_seq: u64,
    /// The footer, once `Stop::Sealed` was reached, and where it ends.
    pub(crate) footer: Option<(Footer, u64)>,
    /// Offsets of the records of the commit being walked.
    records: Vec<u32>,
}

impl Scanner {
    pub(crate) fn new(header: SegmentHeader) -> Scanner {
        let seed = header.seed();
        Scanner {
            header_seed: seed,
            seed,
            verify_frames: false,
            end: DATA_START,
            next_lsn: header.first_lsn,
            chain: header.chain(),
            epoch: header.epoch,
            commits: 0,
            first_ns: 0,
            final_ns: 0,
            openings: Vec::new(),
            durable_through: header.durable_through,
            state_seq: header.state_seq,
            footer: None,
            records: Vec::new(),
            header,
        }
    }

    /// The same, verifying each frame's own checksum as readers do.
    pub(crate) fn thorough(header: SegmentHeader) -> Scanner {
        Scanner { verify_frames: true, ..Scanner::new(header) }
    }

    /// The same position, verifying each frame's own checksum from here on.
    pub(crate) fn thoroughly(&self) -> Scanner {
        Scanner { verify_frames: true, ..self.clone() }
    }

    /// Where the scan of a whole segment ends that was closed for good, told by its footer at
    /// `end` and the trailer of its last commit, which stands right before it. `bytes` are the
    /// trailer and the footer. `None` when they are not intact or do not fit each other: then only
    /// the scan tells.
    pub(crate) fn at_footer(header: SegmentHeader, bytes: &[u8], end: u64) -> Option<Scanner> {
        let (trailer, rest) = bytes.split_at_checked(COMMIT_FRAME_BYTES as usize)?;
        let mut scanner = Scanner::new(header);
        let frame = Frame::decode(rest, end, scanner.header_seed).ok()?;
        if frame.header.kind != Kind::Seal {
            return None;
        }
        let footer = Footer::decode(frame.payload, end)?;
        let mut seed = scanner.header_seed;
        if let Some(&OpeningAt { epoch, salt, .. }) = footer.openings.last() {
            seed = Seed::new(&scanner.header.uuid, scanner.header.id, epoch, salt);
            scanner.epoch = epoch;
        }
        let trailer = Frame::decode(trailer, end.checked_sub(COMMIT_FRAME_BYTES)?, seed).ok()?;
        if trailer.header.kind != Kind::Commit {
            return None;
        }
        let commit = Commit::decode(trailer.payload)?;
        scanner.resume(end, &commit, seed);
        let fits = footer.first_lsn == scanner.header.first_lsn
            && footer.first_lsn.checked_add(u64::from(footer.count)) == Some(scanner.next_lsn)
            && footer.chain == commit.chain;
        scanner.commits = footer.commits;
        scanner.first_ns = footer.first_ns;
        scanner.openings.clone_from(&footer.openings);
        scanner.footer = Some((footer, end.saturating_add(frame.header.frame_bytes())));
        fits.then_some(scanner)
    }

    /// The seed of the frames behind the opening frame that `bytes`, which lie at `end`, start
    /// with, damaged or not. A wrong one validates nothing.
    pub(crate) fn seed_of_opening(&self, bytes: &[u8]) -> Option<Seed> {
        let payload = bytes.get(FRAME_HEADER_BYTES as usize..OPENING_FRAME_BYTES as usize)?;
        let Opening { epoch, salt } = Opening::decode(payload)?;
        Some(Seed::new(&self.header.uuid, self.header.id, epoch, salt))
    }

    /// The seed of the frames at `end`.
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// Goes on behind the intact trailer that ends at `end`, whatever stands before it; the frames
    /// behind it have this seed. For a scan that reports damage and looks at the rest all the same.
    pub(crate) fn resume(&mut self, end: u64, trailer: &Commit, seed: Seed) {
        self.seed = seed;
        self.end = end;
        self.next_lsn = trailer.first_lsn.saturating_add(u64::from(trailer.count));
        self.chain = trailer.chain;
        self.final_ns = trailer.time_ns;
        self.durable_through = self.durable_through.max(trailer.durable_through);
        self.state_seq = self.state_seq.max(trailer.state_seq);
    }

    /// Scans `bytes`, which lie at `self.end` of the file, commit by commit; `visit` gets each
    /// record's LSN delta and offset once its commit is known to be whole.
    pub(crate) fn run(&mut self, bytes: &[u8], visit: &mut dyn FnMut(u32, u64)) -> Stop {
        let base = self.end;
        loop {
            let at = self.end.saturating_sub(base) as usize;
            let rest = bytes.get(at..).unwrap_or_default();
            match FrameHeader::peek(rest) {
                Err(Fault::Short) => return Stop::End,
                Err(Fault::Zeroed) => return Stop::Zeroed,
                Ok(header) if header.kind == Kind::Seal => return self.seal(rest, header),
                _ => {}
            }
            match self.commit(rest) {
                Ok(whole) => self.accept(whole, visit),
                Err(broken) => return Stop::Broken(broken),
            }
        }
    }

    /// One commit at the start of `bytes`, if it is whole.
    fn commit(&mut self, bytes: &[u8]) -> Result<Whole, Break> {
        self.records.clear();
        let mut at: u64 = 0;
        let mut seed = self.seed;
        let mut opening = None;
        loop {
            let offset = self.end.saturating_add(at);
            let rest = bytes.get(at as usize..).unwrap_or_default();
            let header = FrameHeader::peek(rest).map_err(|fault| broken(offset, fault))?;
            if header.frame_bytes() > rest.len() as u64 {
                return Err(broken(offset, Fault::Short));
            }
            let must_decode = header.kind == Kind::Commit || header.kind == Kind::Opening;
            if must_decode || self.verify_frames {
                Frame::decode(rest, offset, seed).map_err(|fault| broken(offset, fault))?;
            }
            let payload = rest.get(16..).and_then(|rest| rest.get(..header.payload_bytes as usize));
            let payload = payload.unwrap_or_default();
            match header.kind {
                Kind::Record => self.record(offset, header)?,
                Kind::Opening => {
                    let fields = Opening::decode(payload)
                        .ok_or_else(|| contradiction(offset, "an opening", "another payload"))?;
                    // Readers know of one opening in a commit, and of so many in a segment.
                    if opening.is_some() || self.openings.len() >= OPENINGS_PER_SEGMENT_MAX {
                        return Err(contradiction(offset, "no further opening", "one"));
                    }
                    let Opening { epoch, salt } = fields;
                    opening = Some(OpeningAt { offset, epoch, salt });
                    seed = Seed::new(&self.header.uuid, self.header.id, epoch, salt);
                }
                Kind::Commit => {
                    let whole = bytes.get(..at as usize).unwrap_or_default();
                    return self.trailer(payload, offset, whole, seed, opening);
                }
                Kind::Seal => {
                    return Err(contradiction(offset, "a commit trailer", "a seal footer"));
                }
                Kind::Padding | Kind::Skippable(_) => {}
            }
            at = at.saturating_add(header.frame_bytes());
        }
    }

    fn record(&mut self, offset: u64, header: FrameHeader) -> Result<(), Break> {
        let walked = self.next_lsn.saturating_add(self.records.len() as u64);
        let expected = walked.saturating_sub(self.header.first_lsn);
        if u64::from(header.lsn_delta) != expected {
            let found = self.header.first_lsn.saturating_add(u64::from(header.lsn_delta));
            return Err(contradiction(offset, &format!("LSN {walked}"), &format!("LSN {found}")));
        }
        if Lsn::new(walked).is_none() {
            return Err(contradiction(offset, "an LSN", &format!("LSN {walked}")));
        }
        self.records.push((offset >> 3) as u32);
        Ok(())
    }

    /// Holds the trailer at `offset` against the commit it ends.
    fn trailer(
        &self,
        payload: &[u8],
        offset: u64,
        covered: &[u8],
        seed: Seed,
        opening: Option<OpeningAt>,
    ) -> Result<Whole, Break> {
        let commit = Commit::decode(payload)
            .ok_or_else(|| contradiction(offset, "a commit trailer", "another payload"))?;
        let count = self.records.len() as u32;
        if commit.first_lsn != self.next_lsn || commit.count != count {
            return Err(contradiction(
                offset,
                &format!("a trailer of {count} records from LSN {}", self.next_lsn),
                &format!("one of {} records from LSN {}", commit.count, commit.first_lsn),
            ));
        }
        let chain = crc32(self.chain, covered);
        if chain != commit.chain {
            return Err(contradiction(
                self.end,
                &format!("a commit with chain value {:#010x}", commit.chain),
                &format!("{chain:#010x}"),
            ));
        }
        Ok(Whole { commit, end: offset.saturating_add(COMMIT_FRAME_BYTES), seed, opening })
    }

    fn accept(&mut self, whole: Whole, visit: &mut dyn FnMut(u32, u64)) {
        let Whole { commit, end, seed, opening } = whole;
        let first_delta = self.next_lsn.saturating_sub(self.header.first_lsn) as u32;
        for (delta, &offset) in (first_delta..).zip(&self.records) {
            visit(delta, u64::from(offset) << 3);
        }
        if self.commits == 0 {
            self.first_ns = commit.time_ns;
        }
        if let Some(opening) = opening {
            self.epoch = opening.epoch;
            self.openings.push(opening);
        }
        self.seed = seed;
        self.end = end;
        self.next_lsn = self.next_lsn.saturating_add(u64::from(commit.count));
        self.chain = commit.chain;
        self.commits = self.commits.saturating_add(1);
        self.final_ns = commit.time_ns;
        self.durable_through = self.durable_through.max(commit.durable_through);
        self.state_seq = self.state_seq.max(commit.state_seq);
    }

    fn seal(&mut self, rest: &[u8], header: FrameHeader) -> Stop {
        let frame = match Frame::decode(rest, self.end, self.header_seed) {
            Ok(frame) => frame,
            Err(fault) => return Stop::Broken(broken(self.end, fault)),
        };
        let records = self.next_lsn.saturating_sub(self.header.first_lsn);
        match Footer::decode(frame.payload, self.end) {
            Some(footer) if u64::from(footer.count) == records && footer.chain == self.chain => {
                self.footer = Some((footer, self.end.saturating_add(header.frame_bytes())));
                Stop::Sealed
            }
            _ => {
                let expected = format!("a footer of {records} records");
                Stop::Broken(contradiction(self.end, &expected, "another footer"))
            }
        }
    }
}

/// The highest durable-through that any intact trailer in `bytes` (lying at `base` of the file)
/// promises for this segment: proof that broken bytes below it were once whole.
pub(crate) fn later_durable_through(
    bytes: &[u8],
    base: u64,
    seed: Seed,
    segment: SegmentId,
) -> Option<(FileOffset, Commit)> {
    let mut best: Option<(FileOffset, Commit)> = None;
    let mut at: usize = 0;
    while let Some(rest) = bytes.get(at..) {
        // Most of what follows the last commit is zeros. A trailer's first eight bytes are not all
        // zero, its length is among them: none begins in a run of zeros.
        if let Some((run, _)) = rest.split_first_chunk::<ZEROS_RUN>()
            && run.iter().fold(0, |any, byte| any | byte) == 0
        {
            at = at.saturating_add(ZEROS_RUN);
            continue;
        }
        let offset = base.saturating_add(at as u64);
        at = at.saturating_add(8);
        match FrameHeader::peek(rest) {
            // A longer frame is no trailer, and its checksum would be taken over all of it.
            Ok(header)
                if header.kind == Kind::Commit && header.frame_bytes() == COMMIT_FRAME_BYTES => {}
            Err(Fault::Short) => break,
            _ => continue,
        }
        let Ok(frame) = Frame::decode(rest, offset, seed) else { continue };
        let Some(commit) = Commit::decode(frame.payload) else { continue };
        let place = commit.durable_through;
        if place.segment == segment && best.is_none_or(|(highest, _)| place.offset > highest) {
            best = Some((place.offset, commit));
        }
    }
    best
}

/// So many zeros are passed over at a time.
const ZEROS_RUN: usize = 512;

struct Whole {
    commit: Commit,
    end: u64,
    seed: Seed,
    opening: Option<OpeningAt>,
}

fn broken(offset: u64, fault: Fault) -> Break {
    let (expected, found) = match fault {
        Fault::Zeroed => ("a frame".into(), "zeros".into()),
        Fault::Short => ("a whole frame".into(), "a frame that passes the end of the file".into()),
        Fault::UnknownKind(kind) => ("a frame".into(), format!("unknown frame type {kind}")),
        Fault::UnknownFlags(flags) => ("a frame".into(), format!("unknown frame flags {flags:#x}")),
        Fault::Checksum { expected, found } => {
            (format!("checksum {expected:#010x}"), format!("{found:#010x}"))
        }
    };
    Break { offset, expected, found }
}

fn contradiction(offset: u64, expected: &str, found: &str) -> Break {
    Break { offset, expected: expected.to_owned(), found: found.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_behind_any_run_of_zeros_is_found() {
        let (base, segment) = (DATA_START, SegmentId(3));
        let seed = Seed::new(&[1; 16], segment, 1, 2);
        let promised = FileOffset(77_000);
        for zeros in (0..3 * ZEROS_RUN).step_by(8) {
            let trailer = Commit {
                first_lsn: 5,
                count: 0,
                chain: 0,
                time_ns: 0,
                durable_through: Place { segment, offset: promised },
                state_seq: 0,
            };
            let mut bytes = vec![0; zeros];
            bytes.extend_from_slice(&trailer.encode(1, base + zeros as u64, seed));
            bytes.extend_from_slice(&[0; ZEROS_RUN * 2]);
            let found = later_durable_through(&bytes, base, seed, segment);
            assert_eq!(found.map(|(offset, _)| offset), Some(promised), "{zeros}");
        }
    }
}
