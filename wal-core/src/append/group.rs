//! A group: the records of one commit, from their claims to the kernel.

use crate::sync::{Arc, OnceLock};

use crate::frame::{FRAME_HEADER_BYTES, Frame, Kind, Seed};
use crate::segment::Segment;

/// Everything one flush takes: the frames of a commit.
#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) generation: u64,
    pub(crate) segment: Option<Arc<Segment>>,
    /// Size the segment's file may reach.
    pub(crate) segment_bytes: u64,
    /// The seed of the trailer.
    pub(crate) seed: Option<Seed>,
    /// Ring range of the frames.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// File offset of the first frame.
    pub(crate) offset: u64,
    pub(crate) first_lsn: u64,
    /// Records in it, and how many of them must be published before it can be written.
    pub(crate) count: u32,
    /// Sum of their payloads.
    pub(crate) payload_bytes: u64,
    /// Bytes of padding before the trailer.
    pub(crate) padding: u64,
    /// Ring position after the trailer, free once the commit is written.
    pub(crate) after: u64,
    /// Somebody wants these records on stable storage.
    pub(crate) wants_sync: bool,
    /// Somebody waits for them to be written; otherwise they may wait for more.
    pub(crate) is_wanted: bool,
    /// Some of the records were acknowledged already, at `Buffered`.
    pub(crate) acknowledged: bool,
    /// The commit time to record, instead of the clock's.
    pub(crate) time_ns: Option<u64>,
    /// A batch too large for the ring, which brings its frames itself.
    pub(crate) large: Option<Arc<OnceLock<Vec<u8>>>>,
}

impl Group {
    pub(super) fn empty(generation: u64, first_lsn: u64) -> Group {
        Group {
            generation,
            segment: None,
            segment_bytes: 0,
            seed: None,
            start: 0,
            end: 0,
            offset: 0,
            first_lsn,
            count: 0,
            payload_bytes: 0,
            padding: 0,
            after: 0,
            wants_sync: false,
            is_wanted: false,
            acknowledged: false,
            time_ns: None,
            large: None,
        }
    }

    /// The LSN after its last record.
    pub(crate) fn next_lsn(&self) -> u64 {
        self.first_lsn + u64::from(self.count)
    }

    /// The padding frame before its trailer, as it stands at `offset`; empty when none is wanted.
    pub(super) fn padding_frame(&self, offset: u64) -> Vec<u8> {
        let (Some(segment), Some(seed)) = (&self.segment, self.seed) else { return Vec::new() };
        if self.padding == 0 {
            return Vec::new();
        }
        let payload = vec![0; (self.padding - FRAME_HEADER_BYTES) as usize];
        let delta = (self.next_lsn() - segment.header().first_lsn) as u32;
        Frame::build(Kind::Padding, delta, &payload, offset, seed)
    }
}
