//! Memory that threads touch between their steps.

use std::ops::Range;

use super::step;

/// Makes each access a step, so that others may come in between a claim, its bytes, and their
/// publication.
pub(crate) struct Watched;

impl Watched {
    pub(crate) fn new(_bytes: usize) -> Watched {
        Watched
    }

    /// These bytes are about to be read.
    pub(crate) fn read(&self, bytes: Range<usize>) {
        if !bytes.is_empty() {
            step();
        }
    }

    /// These bytes are about to be written.
    pub(crate) fn written(&self, bytes: Range<usize>) {
        if !bytes.is_empty() {
            step();
        }
    }
}
