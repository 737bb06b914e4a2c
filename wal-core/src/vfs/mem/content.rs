//! The bytes of a file in memory, shared between as many snapshots as there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file's bytes as pages that copies share until one of them writes. Pages never written take no
/// memory and read as zeros, like the holes of a sparse file. Bytes past the length are zero.
#[derive(Clone, Default)]
pub(super) struct Content {
    len: u64,
    pages_count: u64,
    chunks: Arc<Vec<Option<Arc<Chunk>>>>,
}

#[derive(Clone)]
struct Chunk {
    pages: [Option<Arc<Page>>; CHUNK_PAGES],
}

struct Page {
    bytes: [u8; PAGE_BYTES],
    /// What the bytes come to, once somebody has asked; 0 before. Copies do not take it along.
    digest: AtomicU64,
}

impl Clone for Page {
    fn clone(&self) -> Page {
        Page { bytes: self.bytes, digest: AtomicU64::new(0) }
    }
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// What the file takes on the medium; holes take nothing.
    pub(super) fn allocated_bytes(&self) -> u64 {
        self.pages_count * PAGE_BYTES as u64
    }

    /// How many of `len` bytes from `offset` on can be written before `room_bytes` more are taken.
    pub(super) fn fits(&self, offset: u64, len: u64, room_bytes: u64) -> u64 {
        let mut room_pages = room_bytes / PAGE_BYTES as u64;
        let end = offset + len;
        let mut at = offset;
        while at < end {
            let number = at / PAGE_BYTES as u64;
            if self.page(number).is_none() {
                if room_pages == 0 {
                    break;
                }
                room_pages -= 1;
            }
            at = (number + 1) * PAGE_BYTES as u64;
        }
        at.min(end) - offset
    }

    /// Copies what there is at `offset`; returns how many bytes.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        let len = self.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        self.read_padded(&mut buf[..len], offset);
        len
    }

    /// Fills `buf`, with zeros past the end.
    pub(super) fn read_padded(&self, buf: &mut [u8], offset: u64) {
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let (number, start, len) = piece(at, rest.len());
            let (this, next) = rest.split_at_mut(len);
            match self.page(number) {
                Some(page) => this.copy_from_slice(&page.bytes[start..start + len]),
                None => this.fill(0),
            }
            at += len as u64;
            rest = next;
        }
    }

    /// Writes, extending the file with zeros before `offset` if it ends there.
    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        self.len = self.len.max(offset + bytes.len() as u64);
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (number, start, len) = piece(at, rest.len());
            self.page_mut(number).bytes[start..start + len].copy_from_slice(&rest[..len]);
            at += len as u64;
            rest = &rest[len..];
        }
    }

    /// Cuts or extends; what comes back after a cut is zero.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let (number, start, _) = piece(len, 1);
            if start != 0 && self.page(number).is_some() {
                self.page_mut(number).bytes[start..].fill(0);
            }
            self.remove_pages_from(len.div_ceil(PAGE_BYTES as u64));
        }
        self.len = len;
    }

    fn remove_pages_from(&mut self, first: u64) {
        let chunks = Arc::make_mut(&mut self.chunks);
        for number in first..(chunks.len() * CHUNK_PAGES) as u64 {
            let (chunk, page) = place(number);
            // Whole chunks go below; only the one that is cut through is looked at page by page.
            if let Some(chunk) = &mut chunks[chunk]
                && chunk.pages[page].is_some()
            {
                Arc::make_mut(chunk).pages[page] = None;
                self.pages_count -= 1;
            }
        }
        chunks.truncate(first.div_ceil(CHUNK_PAGES as u64) as usize);
    }

    fn page(&self, number: u64) -> Option<&Page> {
        let (chunk, page) = place(number);
        self.chunks.get(chunk)?.as_ref()?.pages[page].as_deref()
    }

    fn page_mut(&mut self, number: u64) -> &mut Page {
        let (chunk, page) = place(number);
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.len() <= chunk {
            chunks.resize_with(chunk + 1, || None);
        }
        let chunk = chunks[chunk]
            .get_or_insert_with(|| Arc::new(Chunk { pages: [const { None }; CHUNK_PAGES] }));
        let page = &mut Arc::make_mut(chunk).pages[page];
        self.pages_count += u64::from(page.is_none());
        let page = page.get_or_insert_with(|| {
            Arc::new(Page { bytes: [0; PAGE_BYTES], digest: AtomicU64::new(0) })
        });
        let page = Arc::make_mut(page);
        *page.digest.get_mut() = 0;
        page
    }

    /// A number that other contents have with a probability of one in 2^64. Zeros that were written
    /// and holes are the same.
    pub(super) fn digest(&self) -> u64 {
        let mut sum = mix(self.len ^ LENGTH_SEED);
        for (at, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            for (place, page) in chunk.pages.iter().enumerate() {
                let Some(page) = page else { continue };
                let number = (at * CHUNK_PAGES + place) as u64;
                match page.digest() {
                    ZEROS_DIGEST => {}
                    digest => sum = sum.wrapping_add(mix(digest ^ mix(number))),
                }
            }
        }
        sum
    }
}

impl Page {
    fn digest(&self) -> u64 {
        // Two threads that both find none compute the same.
        let known = self.digest.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        let mut lanes = [0_u64; 4];
        let mut any = 0;
        for block in self.bytes.as_chunks::<64>().0 {
            for (lane, pair) in lanes.iter_mut().zip(block.as_chunks::<16>().0) {
                let pair = u128::from_le_bytes(*pair);
                let (low, high) = (pair as u64, (pair >> 64) as u64);
                any |= low | high;
                let product = u128::from(*lane ^ low ^ MULTIPLIER) * u128::from(high ^ LANE_SEED);
                *lane = product as u64 ^ (product >> 64) as u64 ^ lane.rotate_left(23);
            }
        }
        let digest = match any {
            0 => ZEROS_DIGEST,
            _ => lanes.iter().fold(0, |sum, lane| mix(sum ^ lane)).max(ZEROS_DIGEST + 1),
        };
        self.digest.store(digest, Ordering::Relaxed);
        digest
    }
}

/// Spreads every bit over all of them.
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The page at `offset`, where in it that is, and how many of `len` bytes lie in it.
fn piece(offset: u64, len: usize) -> (u64, usize, usize) {
    let start = (offset % PAGE_BYTES as u64) as usize;
    (offset / PAGE_BYTES as u64, start, len.min(PAGE_BYTES - start))
}

/// The chunk of a page and its place in there.
fn place(number: u64) -> (usize, usize) {
    ((number / CHUNK_PAGES as u64) as usize, (number % CHUNK_PAGES as u64) as usize)
}

const PAGE_BYTES: usize = 4096;
/// Two levels keep the first write after a snapshot cheap for large files.
const CHUNK_PAGES: usize = 16;
/// The digest of a page of zeros.
const ZEROS_DIGEST: u64 = 1;
const MULTIPLIER: u64 = 0xD6E8_FEB8_6659_FD93;
const LANE_SEED: u64 = 0xA076_1D64_78BD_642F;
const LENGTH_SEED: u64 = 0x6C65_6E67_7468;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let mut content = Content::default();
        content.write(&[7; 10_000], 0);
        content.set_len(100);
        content.set_len(10_000);
        let mut bytes = vec![1; 10_000];
        content.read_padded(&mut bytes, 0);
        assert!(bytes[..100].iter().all(|&byte| byte == 7));
        assert!(bytes[100..].iter().all(|&byte| byte == 0));
        assert_eq!(content.allocated_bytes(), 4096);
    }

    proptest! {
        /// A vector is the oracle, also for a snapshot taken in the middle.
        #[test]
        fn a_content_is_a_vector(
            ops in proptest::collection::vec(
                (any::<bool>(), 0_u64..600_000, 1_usize..9000, any::<u8>()), 1..20),
        ) {
            let (mut content, mut model) = (Content::default(), Vec::new());
            let (mut snapshot, mut snapshot_model) = (content.clone(), model.clone());
            for (number, (cuts, offset, len, byte)) in ops.into_iter().enumerate() {
                if cuts {
                    content.set_len(offset);
                    model.resize(offset as usize, 0);
                } else {
                    content.write(&vec![byte; len], offset);
                    let end = offset as usize + len;
                    model.resize(model.len().max(end), 0);
                    model[offset as usize..end].fill(byte);
                }
                if number == 5 {
                    (snapshot, snapshot_model) = (content.clone(), model.clone());
                }
            }
            for (content, model) in [(content, model), (snapshot, snapshot_model)] {
                let mut bytes = vec![1; model.len() + 10];
                prop_assert_eq!(content.read(&mut bytes, 0), model.len());
                prop_assert!(bytes[..model.len()] == model[..]);
            }
        }
    }
}
