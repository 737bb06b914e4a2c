//! Which commit a record belongs to: the trailer after it tells.

use super::source::{Reader, Source};
use super::{DATA_START, Descriptor, Segment};
use crate::error::{Error, Result};
use crate::frame::{COMMIT_FRAME_BYTES, Commit, Frame, FrameHeader, Kind};
use crate::vfs::Access;

/// The records of a commit and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommitSpan {
    pub(crate) first_lsn: u64,
    /// LSN after the commit's final record (that is still there).
    pub(crate) next_lsn: u64,
    /// Nanoseconds since 1970.
    pub(crate) time_ns: u64,
}

impl CommitSpan {
    pub(crate) fn contains(&self, lsn: u64) -> bool {
        (self.first_lsn..self.next_lsn).contains(&lsn)
    }
}

impl Segment {
    /// The commit of a visible record, found by walking forward to its verified trailer.
    ///
    /// A truncation may have cut the commit: its trailer then stands beyond the extent's end and
    /// still tells the time, as nothing is ever written there again. In a copy it may be missing;
    /// then the commit before stands in, or the segment's start, so that times never go back.
    ///
    /// # Errors
    /// `Corrupt` when the frames between the record and its trailer are not what was written.
    pub(crate) fn commit_after(&self, lsn: u64) -> Result<CommitSpan> {
        let offset = self.offset_of(lsn)?;
        let source = &self.body()?.source;
        if let Some(commit) = Walk::new(self, source, offset).commit_of(lsn)? {
            return Ok(commit);
        }
        Walk::new(self, source, offset).verify_to_end(lsn)?;
        // What is beyond the end is not mapped.
        let beyond = self.vfs().open(self.path(), Access::Read);
        let beyond = beyond.map_err(|error| Error::io("open", self.path(), error))?;
        let beyond = Source::Sealed(Descriptor::of(beyond));
        if let Some(commit) = Walk::new(self, &beyond, offset).commit_of(lsn)? {
            return Ok(commit);
        }
        Walk::new(self, source, DATA_START).cut_commit(lsn)
    }
}

struct Walk<'a> {
    segment: &'a Segment,
    source: &'a Source,
    reader: Reader,
    offset: u64,
}

impl<'a> Walk<'a> {
    fn new(segment: &'a Segment, source: &'a Source, offset: u64) -> Walk<'a> {
        Walk { segment, source, reader: Reader::new(AHEAD_BYTES), offset }
    }

    /// The commit of record `lsn` if the next trailer is its. Frames are stepped over by their
    /// unverified lengths: a rotten one leads astray, but never to a trailer that verifies and
    /// speaks of this record.
    fn commit_of(&mut self, lsn: u64) -> Result<Option<CommitSpan>> {
        let commit = self.next_trailer()?.map(span).filter(|commit| commit.contains(lsn));
        let end = self.segment.extent().map_or(u64::MAX, |extent| extent.next_lsn);
        Ok(commit.map(|commit| CommitSpan { next_lsn: commit.next_lsn.min(end), ..commit }))
    }

    /// The next trailer, verified; none where no frame stands that could be stepped over. The walk
    /// is behind it then.
    fn next_trailer(&mut self) -> Result<Option<Commit>> {
        loop {
            let offset = self.offset;
            self.reader.hold(self.segment, self.source, offset, COMMIT_FRAME_BYTES)?;
            let bytes = self.reader.held(offset);
            let Ok(header) = FrameHeader::peek(bytes) else { return Ok(None) };
            self.offset = offset.saturating_add(header.frame_bytes());
            if header.kind == Kind::Commit {
                let frame = Frame::decode(bytes, offset, self.segment.seed_at(offset));
                return Ok(frame.ok().and_then(|frame| Commit::decode(frame.payload)));
            }
        }
    }

    /// Makes sure that nothing but whole frames stand from record `lsn` up to the end of its
    /// segment, and no trailer: a truncation cut its commit. Anything else is damage.
    fn verify_to_end(&mut self, lsn: u64) -> Result<()> {
        let end = self.segment.extent().map_or(u64::MAX, |extent| extent.end);
        while self.offset != end {
            let offset = self.offset;
            self.reader.hold_frame(self.segment, self.source, offset)?;
            let seed = self.segment.seed_at(offset);
            let frame = match Frame::decode(self.reader.held(offset), offset, seed) {
                Ok(frame) => frame,
                Err(fault) => return Err(self.segment.not_a_frame(lsn, offset, fault)),
            };
            self.offset = offset.saturating_add(frame.header.frame_bytes());
            if frame.header.kind == Kind::Commit || self.offset > end {
                let expected = format!("the trailer of the commit of record {lsn}");
                return Err(self.segment.corrupt(lsn, offset, expected, "another frame"));
            }
        }
        Ok(())
    }

    /// The commit of record `lsn`, which the segment's end cuts and whose trailer is gone.
    fn cut_commit(&mut self, lsn: u64) -> Result<CommitSpan> {
        let header = self.segment.header();
        let (mut first_lsn, mut time_ns) = (header.first_lsn, header.created_ns);
        while let Some(commit) = self.next_trailer()?.map(span) {
            if commit.next_lsn > lsn {
                break;
            }
            (first_lsn, time_ns) = (commit.next_lsn, commit.time_ns);
        }
        let next_lsn = self.segment.extent().map_or(lsn, |extent| extent.next_lsn);
        Ok(CommitSpan { first_lsn, next_lsn, time_ns })
    }
}

fn span(commit: Commit) -> CommitSpan {
    CommitSpan {
        first_lsn: commit.first_lsn,
        next_lsn: commit.first_lsn.saturating_add(u64::from(commit.count)),
        time_ns: commit.time_ns,
    }
}

const AHEAD_BYTES: u64 = 16 << 10;
