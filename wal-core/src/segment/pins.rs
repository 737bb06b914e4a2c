//! Who still holds bytes of a segment's file in place.

use crate::sync::{Arc, Mutex, PoisonError};

use crate::memory::{Memory, WeakMemory};

/// The mappings of one file, whichever of the objects that stand for its segment one after the
/// other (active, sealed, cut short) made them. As long as a record lies in any, the file must not
/// be used again. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Pins(Arc<Mutex<Vec<WeakMemory>>>);

impl Pins {
    /// Enters a new mapping. Bounded by the mappings that are in use.
    pub(crate) fn add(&self, mapping: &Memory) {
        let mut mappings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mappings.retain(WeakMemory::is_held);
        mappings.push(mapping.downgrade());
    }

    /// Whether anybody holds a mapping, not counting that `own` is held once, by its segment; or
    /// another object that stands for the segment, and may make one any time.
    pub(crate) fn are_held(&self, own: Option<&Memory>) -> bool {
        let mappings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = |mapping: &WeakMemory| own.is_some_and(|own| mapping.is_of(own));
        Arc::strong_count(&self.0) > 1
            || own.is_some_and(Memory::is_shared)
            || mappings.iter().any(|mapping| mapping.is_held() && !is_own(mapping))
    }
}
