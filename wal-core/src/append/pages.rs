//! Zeroed memory that starts at a block: of the system where it is large, of the allocator where
//! it is small.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;

use memmap2::MmapMut;

use crate::limits::BLOCK_BYTES;

/// Memory of a fixed size and place, all zeros at first.
pub(crate) enum Pages {
    /// Pages are taken from the system as they are used, and can be given back.
    Mapped(MmapMut),
    /// Taking a mapping down costs more than the rest of closing a small log: every processor that
    /// runs a thread of the process is interrupted for it.
    Allocated(Allocated),
}

/// What the allocator gave.
pub(crate) struct Allocated {
    base: NonNull<u8>,
    layout: Layout,
}

impl Pages {
    /// `bytes` of memory, one at least.
    pub(crate) fn new(bytes: usize) -> io::Result<Pages> {
        if bytes > ALLOCATED_MAX {
            return Ok(Pages::Mapped(MmapMut::map_anon(bytes)?));
        }
        let layout = Layout::from_size_align(bytes.max(1), BLOCK_BYTES as usize)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        // SAFETY: the layout has a size.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) });
        let base = base.ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages::Allocated(Allocated { base, layout }))
    }

    /// Where it starts; it stays there.
    pub(crate) fn base(&mut self) -> *mut u8 {
        match self {
            Pages::Mapped(memory) => memory.as_mut_ptr(),
            Pages::Allocated(memory) => memory.base.as_ptr(),
        }
    }
}

impl Drop for Allocated {
    fn drop(&mut self) {
        // SAFETY: it came from the allocator with this layout and is given back once.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}

const ALLOCATED_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_every_size_is_zeroed_and_starts_at_a_block() {
        for bytes in [1, 4096, ALLOCATED_MAX, ALLOCATED_MAX + 1, 1 << 20] {
            let mut pages = Pages::new(bytes).expect("memory");
            assert_eq!(matches!(pages, Pages::Allocated(_)), bytes <= ALLOCATED_MAX);
            let base = pages.base();
            assert_eq!(base as u64 % BLOCK_BYTES, 0, "{bytes}");
            // SAFETY: the memory has this many bytes and nobody else has it.
            let contents = unsafe { std::slice::from_raw_parts_mut(base, bytes) };
            assert!(contents.iter().all(|byte| *byte == 0), "{bytes}");
            contents.fill(1);
        }
    }
}
