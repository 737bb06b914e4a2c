//! Records that were verified ahead of their delivery.

use std::ops::ControlFlow;

use super::range::{Piece, Range, Stop};
use crate::error::Error;
use crate::lsn::Lsn;
use crate::memory::Memory;
use crate::record::Record;

/// A piece's records up to its end or to the first that could not be read. Keeping places instead
/// of records costs no atomic operation for each.
pub(super) struct Verified {
    from: u64,
    runs: Vec<Run>,
    failed: Option<Error>,
}

/// Records that lie in the same memory.
struct Run {
    memory: Memory,
    places: Vec<Place>,
}

struct Place {
    start: usize,
    len: usize,
    batch_continues: bool,
}

impl Verified {
    /// Reads and verifies a piece.
    pub(super) fn of(range: &Range<'_>, piece: &Piece) -> Verified {
        let mut verified = Verified { from: piece.from, runs: Vec::new(), failed: None };
        let records = piece.until.saturating_sub(piece.from) as usize;
        let stop = piece.each(&mut None, |record, memory| {
            verified.push(memory, record, records);
            ControlFlow::<()>::Continue(())
        });
        if let Err(Stop::Failed(lsn, error)) = stop {
            verified.failed = Some(range.explain(lsn, error));
        }
        verified
    }

    /// A piece that could not even be found.
    pub(super) fn failed(from: u64, error: Error) -> Verified {
        Verified { from, runs: Vec::new(), failed: Some(error) }
    }

    /// Delivers the records in order, then the failure if there was one. Returns how many were
    /// delivered, and why it stopped if it did.
    pub(super) fn deliver<E: From<Error>>(
        self,
        callback: &impl Fn(&Record) -> Result<ControlFlow<()>, E>,
    ) -> (u64, Option<Result<(), E>>) {
        let mut delivered = 0;
        let mut record = Record::empty();
        for run in &self.runs {
            for place in &run.places {
                let range = place.start..place.start + place.len;
                let Some(lsn) = Lsn::new(self.from + delivered) else { continue };
                record.point_at(&run.memory, range, lsn, place.batch_continues);
                delivered += 1;
                match callback(&record) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => return (delivered, Some(Ok(()))),
                    Err(error) => return (delivered, Some(Err(error))),
                }
            }
        }
        (delivered, self.failed.map(|error| Err(error.into())))
    }

    #[inline]
    fn push(&mut self, memory: &Memory, record: &Record, records: usize) {
        let start_in = |run: &Run| run.memory.start_of(record.memory());
        let (run, start) = match self.runs.last().and_then(start_in) {
            Some(start) => (self.runs.last_mut(), start),
            None => {
                let places = Vec::with_capacity(if self.runs.is_empty() { records } else { 0 });
                self.runs.push(Run { memory: memory.clone(), places });
                (self.runs.last_mut(), memory.start_of(record.memory()).unwrap_or(0))
            }
        };
        if let Some(run) = run {
            let batch_continues = record.batch_continues();
            run.places.push(Place { start, len: record.len(), batch_continues });
        }
    }
}
