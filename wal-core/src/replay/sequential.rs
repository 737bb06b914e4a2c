//! Replay by the calling thread.

use std::ops::ControlFlow;

use super::range::{Range, Stop};
use crate::error::Error;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::record::Record;
use crate::tail::Tail;

/// Calls back with every record from `from` up to the last one visible at the call, in order, until
/// the callback breaks or fails. The record is the callback's while it runs; a clone is its own.
/// Returns the last LSN delivered.
///
/// # Errors
/// The callback's, as they are; those of a [`crate::Cursor`], converted.
pub(crate) fn replay<E: From<Error>>(
    tail: &dyn Tail,
    from: Position,
    mut callback: impl FnMut(&Record) -> Result<ControlFlow<()>, E>,
) -> Result<Option<Lsn>, E> {
    let range = Range::new(tail, from)?;
    let mut window = None;
    let (mut next, mut ahead) = (range.from, 0);
    while next < range.end {
        // In parts, so that a replay that lost its records to a trim or a truncation hears of it.
        let piece = range.piece(next)?;
        range.read_ahead(&piece, &mut ahead);
        let part = piece.at_most(PART_RECORDS);
        let stop = part.each(&mut window, |record, _| match callback(record) {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => ControlFlow::Break(None),
            Err(error) => ControlFlow::Break(Some(error)),
        });
        let (reached, outcome) = match stop {
            Ok(()) => (part.until, None),
            Err(Stop::Asked(lsn, error)) => (lsn + 1, Some(error.map_or(Ok(()), Err))),
            Err(Stop::Failed(lsn, error)) => (lsn, Some(Err(range.explain(lsn, error).into()))),
        };
        tail.count_reads(reached - next);
        next = reached;
        if let Some(outcome) = outcome {
            outcome?;
            break;
        }
    }
    Ok((next > range.from).then(|| Lsn::new(next - 1)).flatten())
}

const PART_RECORDS: u64 = 1024;
