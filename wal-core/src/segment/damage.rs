//! What is said of a segment whose bytes are not what was written.

use super::Segment;
use crate::error::{Damage, Error, ErrorKind};
use crate::frame::{Fault, FrameHeader};
use crate::lsn::{FileOffset, Lsn, LsnRange};

impl Segment {
    /// The bytes at `offset`, where record `lsn` should stand, are not a frame.
    #[cold]
    pub(crate) fn not_a_frame(&self, lsn: u64, offset: u64, fault: Fault) -> Error {
        let (expected, found) = match fault {
            Fault::Checksum { expected, found } => {
                (format!("checksum {expected:#010x}"), format!("{found:#010x}"))
            }
            Fault::Zeroed => (format!("a frame at LSN {lsn}"), "zeros".to_owned()),
            Fault::Short => (
                format!("a frame at LSN {lsn}"),
                "one that goes on past the end of the segment".to_owned(),
            ),
            Fault::UnknownKind(code) => {
                (format!("a frame at LSN {lsn}"), format!("an unknown kind of frame ({code})"))
            }
            Fault::UnknownFlags(flags) => {
                (format!("a frame at LSN {lsn}"), format!("unknown flags ({flags:#04x})"))
            }
        };
        self.corrupt(lsn, offset, expected, found)
    }

    /// A valid frame stands at `offset`, but not the one of record `lsn`.
    #[cold]
    pub(crate) fn another_frame(&self, lsn: u64, offset: u64, header: FrameHeader) -> Error {
        let found = self.header().first_lsn.saturating_add(u64::from(header.lsn_delta));
        let found = format!("a frame of kind {:?} at LSN {found}", header.kind);
        self.corrupt(lsn, offset, format!("the frame of record {lsn}"), found)
    }

    /// Anything else that is wrong with record `lsn`.
    #[cold]
    pub(crate) fn corrupt(
        &self,
        lsn: u64,
        offset: u64,
        expected: String,
        found: impl Into<String>,
    ) -> Error {
        Error::corrupt(Damage {
            path: self.path().to_owned(),
            segment: Some(self.id()),
            offset: FileOffset(offset),
            lsns: Lsn::new(lsn).map(|lsn| LsnRange { first: lsn, final_: lsn }),
            expected,
            found: found.into(),
        })
    }

    /// A record the caller holds to be visible has no place in this segment.
    #[cold]
    pub(crate) fn not_here(&self, lsn: u64) -> Error {
        Error::at_path(
            ErrorKind::Internal,
            self.path(),
            format!("record {lsn} is visible but not in the index of its segment"),
        )
    }
}
