//! Bytes in memory that stay where they are while anybody holds them: a mapping or a buffer.
#![allow(unsafe_code)]

use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::vfs::Mapping;

/// A run of bytes together with what keeps them alive. Cloning is one atomic increment.
#[derive(Clone)]
pub(crate) struct Memory {
    /// Never touched again after construction, only kept: `bytes` points into it.
    owner: Mapping,
    bytes: NonNull<[u8]>,
}

// SAFETY: `owner` is `Send + Sync`, and `bytes` is a shared reference into it in all but name:
// nothing ever writes through it.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory {}

impl Memory {
    /// All bytes of a mapping.
    pub(crate) fn mapped(owner: Mapping) -> Memory {
        let bytes = NonNull::from((*owner).as_ref());
        Memory { owner, bytes }
    }

    /// All bytes of a buffer, which can no longer be written.
    pub(crate) fn buffer(bytes: Vec<u8>) -> Memory {
        Memory::mapped(Arc::new(bytes))
    }

    /// Whether anybody else holds the same owner.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.owner) > 1
    }

    /// Where `part` starts in `self`; `None` when it lies elsewhere.
    pub(crate) fn start_of(&self, part: &Memory) -> Option<usize> {
        let start = part.as_ptr().addr().checked_sub(self.as_ptr().addr())?;
        (Arc::ptr_eq(&self.owner, &part.owner) && start <= self.len()).then_some(start)
    }

    /// Makes `self` the part `range` of `whole`. Costs no atomic operation when both have the same
    /// owner already, which is what makes a replay free of them. Changes nothing and returns false
    /// when `whole` ends before `range` does.
    #[inline]
    pub(crate) fn point_at(&mut self, whole: &Memory, range: Range<usize>) -> bool {
        let Some(part) = whole.get(range) else { return false };
        self.bytes = NonNull::from(part);
        if !Arc::ptr_eq(&self.owner, &whole.owner) {
            self.owner = Arc::clone(&whole.owner);
        }
        true
    }
}

impl Deref for Memory {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: `bytes` was a shared slice borrowed from the content of `owner`. The content
        // lives as long as `owner` does, its `AsRef` had to make a slice valid for as long as a
        // shared borrow of it may last, and as long as `self` holds the reference count nobody can
        // get at the content but by shared borrow.
        unsafe { self.bytes.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_outlive_everything_but_their_last_holder() {
        let whole = Memory::buffer(vec![1, 2, 3, 4]);
        let mut part = Memory::buffer(Vec::new());
        assert!(part.point_at(&whole, 1..3));
        let clone = part.clone();
        drop(whole);
        drop(part);
        assert_eq!(&*clone, &[2, 3]);
    }

    #[test]
    fn a_range_past_the_end_changes_nothing() {
        let whole = Memory::buffer(vec![1, 2, 3, 4]);
        let mut part = whole.clone();
        assert!(!part.point_at(&whole, 2..5));
        assert_eq!(&*part, &[1, 2, 3, 4]);
        assert!(part.point_at(&whole, 4..4));
        assert!(part.is_empty());
    }
}
