//! Parallel replay in LSN order: all threads read and verify ahead, one at a time delivers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::range::{Piece, Range};
use super::verified::Verified;
use crate::error::Error;
use crate::record::Record;
use crate::segment::{DATA_START, Segment};

/// See the module.
pub(super) struct InOrder<'a, E, F> {
    range: Range<'a>,
    callback: &'a F,
    /// How many pieces may be taken and not delivered: bounds what is held in memory.
    ahead_max: u64,
    state: Mutex<State<E>>,
    /// Signalled when a piece was delivered or the replay stopped.
    delivered_or_stopped: Condvar,
}

struct State<E> {
    /// The first record no thread has taken.
    next: u64,
    /// Pieces taken so far: the number of the next one.
    taken: u64,
    /// Pieces delivered so far: the number of the next one.
    due: u64,
    /// Verified pieces by number, waiting for their turn.
    ready: BTreeMap<u64, Verified>,
    /// Whether a thread is delivering. The others do not wait for it but go on verifying.
    is_delivering: bool,
    stopped: bool,
    records_delivered: u64,
    outcome: Option<Result<(), E>>,
}

impl<'a, E, F> InOrder<'a, E, F>
where
    E: From<Error> + Send,
    F: Fn(&Record) -> Result<ControlFlow<()>, E> + Sync,
{
    pub(super) fn new(range: Range<'a>, callback: &'a F, threads: usize) -> InOrder<'a, E, F> {
        let state = State {
            next: range.from,
            taken: 0,
            due: 0,
            ready: BTreeMap::new(),
            is_delivering: false,
            stopped: false,
            records_delivered: 0,
            outcome: None,
        };
        InOrder {
            range,
            callback,
            ahead_max: (threads as u64).saturating_mul(2).max(2),
            state: Mutex::new(state),
            delivered_or_stopped: Condvar::new(),
        }
    }

    /// What each thread does: verify pieces, and deliver those whose turn it is when nobody else is
    /// about it.
    pub(super) fn work(&self) {
        while let Some((number, piece)) = self.take() {
            let verified = match piece {
                Ok(piece) => Verified::of(&self.range, &piece),
                Err((from, error)) => Verified::failed(from, error),
            };
            self.deliver_due(number, verified);
        }
    }

    /// How many records were delivered, or the error that stopped the replay.
    pub(super) fn outcome(self) -> Result<u64, E> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.outcome.unwrap_or(Ok(())).map(|()| state.records_delivered)
    }

    /// The next piece and its number. A record that is gone takes its turn like a piece, so that
    /// what stands before it is delivered before the error.
    #[allow(clippy::type_complexity)]
    fn take(&self) -> Option<(u64, Result<Piece, (u64, Error)>)> {
        let mut state = self.state();
        while !state.stopped && state.taken - state.due >= self.ahead_max {
            let waited = self.delivered_or_stopped.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped || state.next >= self.range.end {
            return None;
        }
        let number = state.taken;
        state.taken += 1;
        match self.range.piece(state.next) {
            Ok(piece) => {
                let piece_records = piece_records(&piece.segment);
                let piece = piece.at_most(piece_records);
                state.next = piece.until;
                Some((number, Ok(piece)))
            }
            Err(error) => {
                let from = std::mem::replace(&mut state.next, u64::MAX);
                Some((number, Err((from, error))))
            }
        }
    }

    fn deliver_due(&self, number: u64, verified: Verified) {
        let mut state = self.state();
        state.ready.insert(number, verified);
        if state.is_delivering {
            return;
        }
        state.is_delivering = true;
        while !state.stopped {
            let due = state.due;
            let Some(verified) = state.ready.remove(&due) else { break };
            drop(state);
            let stopping = StopOnPanic(self);
            let (delivered, outcome) = verified.deliver(self.callback);
            drop(stopping);
            self.range.tail().count_reads(delivered);
            state = self.state();
            state.due += 1;
            state.records_delivered += delivered;
            state.stopped |= outcome.is_some();
            state.outcome = outcome;
            self.delivered_or_stopped.notify_all();
        }
        state.is_delivering = false;
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A callback that panics stops the replay, too, or the other threads would wait for ever; the
/// panic goes on in the caller.
struct StopOnPanic<'r, 'a, E, F>(&'r InOrder<'a, E, F>);

impl<E, F> Drop for StopOnPanic<'_, '_, E, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
            self.0.delivered_or_stopped.notify_all();
        }
    }
}

/// How many records of this segment are about a piece's worth of bytes.
fn piece_records(segment: &Segment) -> u64 {
    let Some(extent) = segment.extent() else { return ACTIVE_PIECE_RECORDS };
    let bytes = extent.end.saturating_sub(DATA_START).max(1);
    let records = extent.next_lsn.saturating_sub(segment.header().first_lsn).max(1);
    (PIECE_BYTES / (bytes / records).max(1)).max(1)
}

const PIECE_BYTES: u64 = 1 << 20;
/// An active segment does not know its bytes; its records are taken to be of 256 bytes.
const ACTIVE_PIECE_RECORDS: u64 = 4096;
