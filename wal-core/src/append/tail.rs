//! Where the log ends, as whoever writes it knows.

use crate::lsn::{FileOffset, Place, SegmentId};
use crate::segment::{Extent, Predecessor};

/// The end of the log as far as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    /// The newest segment, whether or not it is still being written; none in an empty log.
    pub(crate) segment: Option<SegmentId>,
    pub(crate) end: u64,
    pub(crate) next_lsn: u64,
    pub(crate) chain: u32,
    /// Where the newest segment's footer stands, once it has one.
    pub(crate) footer: Option<u64>,
    /// Time of the last commit.
    pub(crate) time_ns: u64,
    /// Everything before this place is on stable storage.
    pub(crate) durable_through: Place,
}

impl Tail {
    /// The tail as the header of the segment after it describes it.
    pub(crate) fn as_predecessor(&self) -> Option<Predecessor> {
        Some(Predecessor {
            id: self.segment?,
            end: FileOffset(self.end),
            next_lsn: self.next_lsn,
            chain: self.chain,
            footer: self.footer.map(FileOffset),
        })
    }

    /// The tail as the end of a segment that is not written any more.
    pub(crate) fn extent(&self) -> Extent {
        let Tail { end, next_lsn, chain, footer, .. } = *self;
        Extent { end, next_lsn, chain, footer }
    }
}
