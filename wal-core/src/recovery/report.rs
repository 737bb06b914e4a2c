//! What an opening found and did, in the words of the decision table.

use std::fmt;
use std::time::Duration;

use crate::lsn::{Lsn, Place};

/// The rows of the decision table: what an opening can find. `docs/DURABILITY.md` has the table;
/// the labels are the same there, in messages and in tests.
///
/// | row | what stands on disk | what opening does |
/// |---|---|---|
/// | `created` | no log | makes one |
/// | `clean` | the log ends exactly where its clean-close mark says | goes on there |
/// | `whole` | no clean-close mark; nothing after the last commit | goes on in a new segment |
/// | `torn-tail` | broken bytes, none of them below the watermark | cuts them off for good |
/// | `hole-below-watermark` | broken or missing bytes below the watermark | refuses: `Corrupt` |
/// | `bad-header` | a segment the log needs has no intact header | refuses: `Corrupt` |
/// | `missing-segment` | a segment the log needs is not there | refuses: `Corrupt` |
/// | `foreign-segment` | a file holds a segment of another log or id | refuses: `Corrupt` |
/// | `state-stale` | the segments know of a newer state than both slots hold | refuses: `Corrupt` |
/// | `state-lost` | segments, but no intact state slot | refuses: `Corrupt` |
/// | `newer-version` | a header or slot of a newer format | refuses: `Unsupported` |
///
/// Four findings go with any of the rows that open the log, as notes: `state-slot-torn` (one of
/// the two slots is not intact and the other one serves), `header-torn` (a file whose header was
/// being written; it held nothing acknowledged and is removed), `header-copy-lost` (one of a
/// header's two copies is not intact) and `storage-volatile` (a writer's opening alone: the file
/// system is kept in memory, so that nothing survives power loss, whatever the level says).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecoveryCase {
    /// There was no log; now there is.
    Created,
    /// The log was closed in order.
    Clean,
    /// The log was not closed in order and nothing of it was torn.
    Whole,
    /// The log was not closed in order and its last, unacknowledged bytes were cut off.
    TornTail,
    /// Bytes that were durable are wrong or gone.
    HoleBelowWatermark,
    /// A segment's header is gone, both copies of it.
    BadHeader,
    /// A segment is gone.
    MissingSegment,
    /// A segment file is not this log's, or not the segment its name says.
    ForeignSegment,
    /// The newest state slot is gone, and the other one is too old to stand in for it.
    StateStale,
    /// Both state slots are gone.
    StateLost,
    /// Something of a newer format.
    NewerVersion,
}

impl RecoveryCase {
    /// The row's label.
    pub const fn label(self) -> &'static str {
        match self {
            RecoveryCase::Created => "created",
            RecoveryCase::Clean => "clean",
            RecoveryCase::Whole => "whole",
            RecoveryCase::TornTail => "torn-tail",
            RecoveryCase::HoleBelowWatermark => "hole-below-watermark",
            RecoveryCase::BadHeader => "bad-header",
            RecoveryCase::MissingSegment => "missing-segment",
            RecoveryCase::ForeignSegment => "foreign-segment",
            RecoveryCase::StateStale => "state-stale",
            RecoveryCase::StateLost => "state-lost",
            RecoveryCase::NewerVersion => "newer-version",
        }
    }
}

impl fmt::Display for RecoveryCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Bytes at the end of the log that belong to no whole commit and are not part of it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the valid bytes end.
    pub place: Place,
    /// How many bytes after it are not zero-filled to the end.
    pub bytes: u64,
    /// What was found there.
    pub reason: String,
}

/// What an opening found and did.
#[derive(Clone, Debug)]
pub struct RecoveryReport {
    /// The row of the decision table.
    pub case: RecoveryCase,
    /// Whether the log was created by this opening.
    pub created: bool,
    /// The first record.
    pub first_lsn: Option<Lsn>,
    /// The last record.
    pub last_lsn: Option<Lsn>,
    /// The tail that was cut off, if one was.
    pub cut: Option<Cut>,
    /// Anything else worth knowing, a sentence each.
    pub notes: Vec<String>,
    /// Bytes of commits looked at.
    pub bytes_scanned: u64,
    /// Commits looked at.
    pub commits_scanned: u64,
    /// Bytes written again and synced before anything was served, because a sync that failed
    /// unseen may have left them in the page cache alone.
    pub bytes_rewritten: u64,
    /// How long opening took.
    pub duration: Duration,
}
