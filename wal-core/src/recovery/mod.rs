//! Opening: from whatever stands on disk to a log that goes on, in named phases.
//!
//! `lock -> read state -> survey segments -> scan tail -> judge -> rewrite and sync above the
//! watermark, look again -> publish`. Only the last two write, and each of them can be interrupted
//! and done again: recovering, appending and recovering again gives what the first recovery gave
//! and what was appended.

mod closed_tail;
mod lock;
mod open;
mod report;
mod rewrite;
mod survey;
mod tail;

pub(crate) use lock::{STATE_FILE, is_writer_alive, lock_existing, state_lost};
pub(crate) use open::{Judged, first_lsn, judged, open, report_of, sealed_segments};
pub use report::{Cut, RecoveryCase, RecoveryReport};
pub(crate) use survey::{Found, Start, Survey, read_start, segment_files, slot_begins_a_log};
pub(crate) use tail::Verdict;
