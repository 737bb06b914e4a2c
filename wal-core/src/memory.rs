//! Bytes in memory that stay where they are while anybody holds them: a mapping or a buffer.
#![allow(unsafe_code)]

use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

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

    /// The same bytes, held by a count of its own: clones of it and of `self` do not contend.
    pub(crate) fn with_own_count(&self) -> Memory {
        Memory { owner: Arc::new(Held(Arc::clone(&self.owner))), bytes: self.bytes }
    }

    /// Whether anybody else holds the same owner.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.owner) > 1
    }

    /// A reference that keeps nothing alive.
    pub(crate) fn downgrade(&self) -> WeakMemory {
        WeakMemory(Arc::downgrade(&self.owner))
    }

    /// Has the processor fetch these bytes into its caches, as far as they are in `self`. Where it
    /// cannot be asked to, nothing happens.
    #[inline(always)]
    pub(crate) fn prefetch(&self, start: usize, len: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let Some(bytes) = self.get(start..) else { return };
            for line in bytes.iter().take(len).step_by(CACHE_LINE_BYTES) {
                // SAFETY: a prefetch changes nothing and faults on no address; every processor of
                // this kind has it.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).cast()) };
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (start, len);
    }

    /// Has the system bring these bytes of a mapping into memory in one go, as far as they are in
    /// `self`; otherwise each run of a few pages is a fault of its own. What cannot be brought, or
    /// where the system has no such call, is left to the faults.
    pub(crate) fn populate(&self, start: usize, len: usize) {
        #[cfg(target_os = "linux")]
        {
            let end = start.saturating_add(len).min(self.len());
            let Some(bytes) = self.get(start..end).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            let before = bytes.as_ptr().addr() % PAGE_BYTES;
            let address = bytes.as_ptr().wrapping_sub(before).cast_mut().cast();
            // SAFETY: the pages hold bytes of `self`, which lives through the call, so they are
            // mapped; this advice reads them and changes none.
            unsafe { libc::madvise(address, before + bytes.len(), libc::MADV_POPULATE_READ) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (start, len);
    }

    /// Where `part` starts in `self`; `None` when it lies elsewhere.
    pub(crate) fn start_of(&self, part: &Memory) -> Option<usize> {
        let start = part.as_ptr().addr().checked_sub(self.as_ptr().addr())?;
        (Arc::ptr_eq(&self.owner, &part.owner) && start <= self.len()).then_some(start)
    }

    /// The same memory cut to `part`, which is borrowed from it.
    ///
    /// # Panics
    /// When it is not.
    #[inline(always)]
    pub(crate) fn part(&self, part: &[u8]) -> Memory {
        Memory { bytes: self.own(part), owner: Arc::clone(&self.owner) }
    }

    /// Makes `self` the part `part` of `whole`, which is borrowed from it. Costs no atomic
    /// operation when both have the same owner already, which is what makes a replay free of them.
    ///
    /// # Panics
    /// When it is not.
    #[inline(always)]
    pub(crate) fn point_at_part(&mut self, whole: &Memory, part: &[u8]) {
        let bytes = whole.own(part);
        if !Arc::ptr_eq(&self.owner, &whole.owner) {
            self.owner = Arc::clone(&whole.owner);
        }
        self.bytes = bytes;
    }

    #[inline(always)]
    fn own(&self, part: &[u8]) -> NonNull<[u8]> {
        let (whole, range) = (self.as_ptr_range(), part.as_ptr_range());
        assert!(whole.start <= range.start && range.end <= whole.end, "the part is borrowed");
        NonNull::from(part)
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

/// Tells whether anybody still holds a [`Memory`].
pub(crate) struct WeakMemory(Weak<dyn AsRef<[u8]> + Send + Sync>);

impl WeakMemory {
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Whether `memory` has the same owner.
    pub(crate) fn is_of(&self, memory: &Memory) -> bool {
        std::ptr::addr_eq(self.0.as_ptr(), Arc::as_ptr(&memory.owner))
    }
}

/// Keeps an owner alive under another reference count.
struct Held(Mapping);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
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

/// Of other page sizes this is a part, and the call refuses what does not start with a page.
#[cfg(target_os = "linux")]
const PAGE_BYTES: usize = 4096;
#[cfg(target_arch = "x86_64")]
const CACHE_LINE_BYTES: usize = 64;

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
    fn a_count_of_its_own_keeps_the_owner_as_well() {
        let whole = Memory::buffer(vec![1, 2, 3, 4]);
        let other = whole.with_own_count();
        assert!(whole.is_shared());
        let mut part = other.clone();
        assert!(part.point_at(&other, 1..3));
        drop(other);
        assert!(whole.is_shared(), "the part is still held");
        assert_eq!(&*part, &[2, 3]);
        drop(part);
        assert!(!whole.is_shared());
    }

    #[test]
    #[should_panic(expected = "the part is borrowed")]
    fn a_part_of_something_else_is_refused() {
        let _ = Memory::buffer(vec![1, 2, 3, 4]).part(&[1, 2]);
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
