//! Memory beside loom's own, of which it is told who touches it.

use std::ops::Range;

use loom::cell::UnsafeCell;

/// Finds two accesses to the same bytes, one of them a write, that nothing puts in an order. Only
/// the first bytes are watched: models are small.
pub(crate) struct Watched(Vec<UnsafeCell<()>>);

impl Watched {
    pub(crate) fn new(bytes: usize) -> Watched {
        let units = bytes.div_ceil(UNIT_BYTES).min(UNITS_MAX);
        Watched((0..units).map(|_| UnsafeCell::new(())).collect())
    }

    /// These bytes are about to be read.
    pub(crate) fn read(&self, bytes: Range<usize>) {
        self.units(bytes).for_each(|unit| unit.with(|_| ()));
    }

    /// These bytes are about to be written.
    pub(crate) fn written(&self, bytes: Range<usize>) {
        self.units(bytes).for_each(|unit| unit.with_mut(|_| ()));
    }

    fn units(&self, bytes: Range<usize>) -> impl Iterator<Item = &UnsafeCell<()>> {
        let end = bytes.end.div_ceil(UNIT_BYTES).min(self.0.len());
        self.0.get(bytes.start / UNIT_BYTES..end).unwrap_or_default().iter()
    }
}

/// What belongs to a claim is a multiple of it.
const UNIT_BYTES: usize = 8;
const UNITS_MAX: usize = 128;
