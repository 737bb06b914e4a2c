//! The ring: memory between appenders and the kernel, addressed by a position that only grows.
#![allow(unsafe_code)]

use crate::sync::Watched;
use crate::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::ops::Range;

use memmap2::UncheckedAdvice;

use super::pages::Pages;

/// Memory that appenders fill side by side and the committer writes out.
///
/// A position is a count of bytes since the log was opened; it lies at `position % capacity`. Who
/// may touch which bytes is decided by claims, not here: an appender writes only to the range it
/// claimed and only until it has published it, the committer reads a group's range only after all
/// of it was published, and a range is claimed again only after it was freed.
pub(crate) struct Ring {
    memory: Pages,
    base: *mut u8,
    mask: u64,
    has_large_pages: AtomicBool,
    /// Told of every access, by place in the memory.
    watched: Watched,
}

// SAFETY: `base` points into `memory`, which lives as long as the ring and never moves; all access
// through it goes through the functions below, whose callers keep ranges apart.
unsafe impl Send for Ring {}
// SAFETY: as above; shared access writes disjoint ranges only.
unsafe impl Sync for Ring {}

impl Ring {
    /// A ring of at least `bytes`, rounded up to a power of two. Pages are taken as they are used.
    pub(crate) fn new(bytes: u64) -> io::Result<Ring> {
        let capacity = bytes.next_power_of_two();
        let mut memory = Pages::new(capacity as usize)?;
        let base = memory.base();
        let watched = Watched::new(capacity as usize);
        let has_large_pages = AtomicBool::new(false);
        Ok(Ring { memory, base, mask: capacity - 1, has_large_pages, watched })
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.mask + 1
    }

    /// Copies `bytes` to `position`.
    ///
    /// # Safety
    /// The caller has claimed `position..position + bytes.len()`, nobody else writes there, and the
    /// committer does not read there before the caller publishes.
    #[inline]
    pub(crate) unsafe fn copy_in(&self, position: u64, bytes: &[u8]) {
        let at = (position & self.mask) as usize;
        let head = bytes.len().min(self.capacity() as usize - at);
        self.watched.written(at..at + head);
        self.watched.written(0..bytes.len() - head);
        // SAFETY: `at < capacity` and `head <= capacity - at`, so both destinations lie inside the
        // mapping; the caller owns the range, and `bytes` is foreign memory.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(at), head);
            if head < bytes.len() {
                assert!(bytes.len() - head <= at, "a claim never laps itself");
                std::ptr::copy_nonoverlapping(
                    bytes.as_ptr().add(head),
                    self.base,
                    bytes.len() - head,
                );
            }
        }
    }

    /// Where the bytes of `position..position + len` lie, if they lie in one piece. To be written
    /// only by who has claimed them.
    #[inline]
    pub(crate) fn piece(&self, position: u64, len: u64) -> Option<*mut u8> {
        let at = position & self.mask;
        if at + len > self.capacity() {
            return None;
        }
        self.watched.written(at as usize..(at + len) as usize);
        // SAFETY: `at` is less than the capacity, so the address lies inside the mapping.
        Some(unsafe { self.base.add(at as usize) })
    }

    /// The bytes of `range`: one piece, or two where it passes the end of the memory.
    ///
    /// # Safety
    /// Nobody writes to the range while the slices live: the caller has claimed it, or it belongs
    /// to a group that was published whole.
    #[inline]
    pub(crate) unsafe fn slices(&self, range: Range<u64>) -> [&[u8]; 2] {
        let len = (range.end - range.start) as usize;
        let at = (range.start & self.mask) as usize;
        assert!(len <= self.capacity() as usize, "a range fits the ring");
        let head = len.min(self.capacity() as usize - at);
        self.watched.read(at..at + head);
        self.watched.read(0..len - head);
        // SAFETY: both pieces lie inside the memory, as in `copy_in`; initialised because it starts
        // zeroed.
        unsafe {
            [
                std::slice::from_raw_parts(self.base.add(at), head),
                std::slice::from_raw_parts(self.base, len - head),
            ]
        }
    }

    /// Asks the system to back the memory with large pages, until it is given back: what a device
    /// fetches past the page cache is then one piece instead of one for every 4 KiB, of which a
    /// request takes a limited number. Where the system does not, nothing is lost but time.
    pub(crate) fn prefer_large_pages(&self) {
        #[cfg(target_os = "linux")]
        if let Pages::Mapped(memory) = &self.memory
            && !self.has_large_pages.swap(true, Ordering::Relaxed)
        {
            let _ = memory.advise(memmap2::Advice::HugePage);
            // What was touched already keeps its small pages otherwise.
            // SAFETY: the range is the mapping; the advice moves pages and changes no contents.
            unsafe {
                libc::madvise(self.base.cast(), memory.len(), libc::MADV_COLLAPSE);
            }
        }
    }

    /// Whether that was asked for.
    pub(crate) fn has_large_pages(&self) -> bool {
        self.has_large_pages.load(Ordering::Relaxed)
    }

    /// Gives the memory back to the system, if it is much; it reads as zeros afterwards.
    ///
    /// # Safety
    /// No range is claimed or being read.
    pub(crate) unsafe fn release(&self) -> io::Result<()> {
        let Pages::Mapped(memory) = &self.memory else {
            // SAFETY: all of it is the ring's, and nobody is in it, as the caller promises.
            unsafe { self.base.write_bytes(0, self.capacity() as usize) };
            return Ok(());
        };
        #[cfg(target_os = "linux")]
        if self.has_large_pages.swap(false, Ordering::Relaxed) {
            // A log that was quiet may go on with single records, and those with little memory.
            let _ = memory.advise(memmap2::Advice::NoHugePage);
        }
        // SAFETY: the contents are not needed, as the caller promises; the mapping is anonymous and
        // private, so it stays valid.
        unsafe { memory.unchecked_advise(UncheckedAdvice::DontNeed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_also_across_the_end_of_the_memory() {
        let ring = Ring::new(4096).expect("memory");
        for position in [0u64, 8, 4090, 4096 * 7 - 3] {
            let bytes: Vec<u8> = (0..100).collect();
            // SAFETY: a single thread owns the whole ring.
            let slices = unsafe {
                ring.copy_in(position, &bytes);
                ring.slices(position..position + 100)
            };
            assert_eq!(slices.concat(), bytes);
        }
    }

    #[test]
    fn released_memory_reads_as_zeros() {
        for capacity in [1 << 12, 1 << 16, 1 << 20] {
            let ring = Ring::new(capacity).expect("memory");
            // SAFETY: a single thread owns the whole ring.
            unsafe {
                ring.copy_in(5, b"x");
                ring.release().expect("advice is taken");
                assert_eq!(ring.slices(5..6).concat(), b"\0");
            }
        }
    }

    #[test]
    fn large_pages_change_no_contents_whenever_they_are_asked_for() {
        let ring = Ring::new(8 << 20).expect("memory");
        let bytes: Vec<u8> = (0..3_000_000u32).map(|at| (at / 7) as u8).collect();
        let position = (8 << 20) - 1_000_000;
        // SAFETY: a single thread owns the whole ring.
        unsafe { ring.copy_in(position, &bytes) };
        for _ in 0..2 {
            ring.prefer_large_pages();
            // SAFETY: as above.
            unsafe {
                assert!(ring.slices(position..position + 3_000_000).concat() == bytes);
                ring.release().expect("advice is taken");
                assert_eq!(ring.slices(position..position + 1).concat(), b"\0");
                ring.copy_in(position, &bytes);
            }
        }
    }
}
