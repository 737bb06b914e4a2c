//! Single records: by LSN, and by commit time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use crate::live::Live;
use crate::lsn::Lsn;
use crate::position::{not_appended, trimmed};
use crate::record::Record;
use crate::segment::{CommitSpan, Segment};
use crate::tail::Tail;
use crate::time::system_time;
use crate::views::Views;

/// One verified record.
///
/// # Errors
/// `Trimmed` below the first record, `NotFound` past the last visible one, `Corrupt`, `Io`,
/// `Closed`.
#[inline]
pub(crate) fn read(tail: &(impl Tail + ?Sized), lsn: Lsn) -> Result<Record> {
    tail.check_open()?;
    match tail.views().and_then(|views| views.read(tail, lsn)) {
        Some(record) => Ok(record),
        None => read_the_long_way(tail, lsn),
    }
}

/// The records of many LSNs, each lent to the callback in its turn. Returns how many.
///
/// # Errors
/// The callback's; as [`read`] for the first LSN that has one.
pub(crate) fn read_many<E: From<Error>>(
    tail: &(impl Tail + ?Sized),
    lsns: &[Lsn],
    mut callback: impl FnMut(&Record) -> std::result::Result<ControlFlow<()>, E>,
) -> std::result::Result<usize, E> {
    tail.check_open()?;
    let mut seat = tail.views().and_then(Views::take);
    if let Some(seat) = &mut seat {
        seat.prepare(tail, lsns);
    }
    for (at, &lsn) in lsns.iter().enumerate() {
        let next = lsns.get(at + 1..).unwrap_or_default();
        let flow = match seat.as_mut().and_then(|seat| seat.lend(tail, lsn, next)) {
            Some(record) => callback(record)?,
            None => callback(&read_the_long_way(tail, lsn)?)?,
        };
        if flow.is_break() {
            return Ok(at + 1);
        }
    }
    Ok(lsns.len())
}

#[inline(never)]
fn read_the_long_way(tail: &(impl Tail + ?Sized), lsn: Lsn) -> Result<Record> {
    let record = visible(tail, lsn.get(), |segment| segment.record(lsn.get()))?;
    tail.count_reads(1);
    Ok(record)
}

/// The commit time of a record.
///
/// # Errors
/// As [`read`].
pub(crate) fn time_of(tail: &dyn Tail, lsn: Lsn) -> Result<SystemTime> {
    tail.check_open()?;
    Ok(system_time(commit_of(tail, lsn.get())?.time_ns))
}

/// The commit of a record.
pub(crate) fn commit_of(tail: &dyn Tail, lsn: u64) -> Result<CommitSpan> {
    visible(tail, lsn, |segment| segment.commit_after(lsn))
}

/// The first record committed at `time_ns` or later; the LSN of the next one when there is none.
/// Commit times never go back, so a few probes of a commit each find it.
pub(crate) fn first_at(tail: &dyn Tail, time_ns: u64) -> Result<u64> {
    let (live, end) = tail.snapshot();
    let (mut low, mut high) = (live.first_lsn, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let commit = match commit_in(&live, middle) {
            Ok(commit) => commit,
            // A trim took the segment away under the search: it starts again with what is left.
            Err(_) if middle < tail.live().first_lsn => return first_at(tail, time_ns),
            Err(error) => return Err(error),
        };
        if commit.time_ns < time_ns {
            low = commit.next_lsn.max(middle + 1);
        } else {
            high = commit.first_lsn.clamp(low, middle);
        }
    }
    Ok(low.min(end))
}

/// Asks the segment of a visible record. What went wrong while segments came and went is no answer:
/// it is asked again.
#[inline]
fn visible<T>(
    tail: &(impl Tail + ?Sized),
    lsn: u64,
    ask: impl Fn(&Segment) -> Result<T>,
) -> Result<T> {
    let mut attempts_left = ATTEMPTS_MAX;
    let mut has_looked = false;
    loop {
        let end = tail.visible_end();
        let live = tail.live();
        if lsn < live.first_lsn {
            return Err(trimmed(lsn, live.first_lsn));
        }
        if lsn >= end {
            return Err(not_appended(lsn, end.max(live.first_lsn)));
        }
        let answer = match live.segment_for(lsn) {
            Some(segment) => ask(segment),
            None => Err(no_segment(lsn)),
        };
        attempts_left -= 1;
        let changed =
            || tail.live_address() != Arc::as_ptr(&live).addr() || tail.visible_end() < end;
        match answer {
            Err(_) if attempts_left > 0 && changed() => continue,
            // A truncation meanwhile may have given the LSN to a record that is not visible yet.
            Ok(_) if attempts_left > 0 && lsn >= tail.visible_end() => continue,
            Err(_) if !std::mem::replace(&mut has_looked, true) && tail.look_again() => continue,
            answer => return answer,
        }
    }
}

fn commit_in(live: &Live, lsn: u64) -> Result<CommitSpan> {
    live.segment_for(lsn).ok_or_else(|| no_segment(lsn))?.commit_after(lsn)
}

#[cold]
pub(crate) fn no_segment(lsn: u64) -> Error {
    Error::plain(ErrorKind::Internal, format!("record {lsn} is visible but in no segment"))
}

/// Every further attempt needs another publication in between.
const ATTEMPTS_MAX: u32 = 100;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
