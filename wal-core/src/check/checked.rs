//! What is known of one segment once it was read.

use super::finding::Finding;
use crate::lsn::Place;
use crate::recovery::Cut;

/// What reading one segment found.
pub(super) struct Checked {
    /// The unbroken stretches of records, in order; between two of them something is wrong.
    pub(super) pieces: Vec<Piece>,
    /// Whether the last piece reaches to where the segment ends.
    pub(super) is_whole: bool,
    pub(super) findings: Vec<Finding>,
    /// A rotten footer, as it should be: where it stands and its bytes; zeros for none.
    pub(super) lost_footer: Option<(u64, Vec<u8>)>,
    /// What follows the last commit of the newest segment and is no part of the log.
    pub(super) torn: Option<Cut>,
    pub(super) commits: u64,
    /// Bytes of intact commits, headers and footers.
    pub(super) bytes: u64,
    pub(super) durable_through: Place,
    pub(super) state_seq: u64,
    pub(super) epoch: u64,
}

/// An unbroken stretch of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) first_lsn: u64,
    /// LSN of the record that would come next at `end`.
    pub(super) next_lsn: u64,
    pub(super) end: u64,
    /// Chain value at `end`; 0 when that is inside a commit.
    pub(super) chain: u32,
    /// Where the footer stands, if the piece reaches up to one.
    pub(super) footer: Option<u64>,
}
