//! Writing to the active segment's file, aligned where the file asks for it.

use std::io::{self, IoSlice};
use std::sync::Arc;

use crate::limits::BLOCK_BYTES;
use crate::vfs::File;

/// The writing end of one segment. Writes are contiguous: each starts where the one before ended.
///
/// A file without alignment gets the bytes as they are. A direct file gets whole blocks: the block
/// the last write ended in is kept here and written again with what follows, zero-padded, so that
/// neither the ring's other contents nor a reader's view of them ever reaches the disk.
pub(crate) struct SegmentWriter {
    file: Arc<dyn File>,
    /// Where the next write starts.
    end: u64,
    /// The bytes of the block `end` lies in, up to `end`; only kept for direct files.
    tail: Vec<u8>,
    /// Aligned memory that direct writes go through when the caller's is not aligned to the file.
    staging: Option<Staging>,
}

impl SegmentWriter {
    /// Goes on at `end`; `tail` are the file's bytes from the start of that block to `end`.
    pub(crate) fn new(file: Arc<dyn File>, end: u64, tail: Vec<u8>) -> SegmentWriter {
        let staging = (file.alignment() > 1).then(Staging::new);
        SegmentWriter { file, end, tail, staging }
    }

    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    pub(crate) fn is_direct(&self) -> bool {
        self.staging.is_some()
    }

    /// Writes the pieces one after the other at the end. After an error the end has not moved, and
    /// what the file holds beyond it is unknown.
    pub(crate) fn write(&mut self, pieces: &[&[u8]]) -> io::Result<u64> {
        let len: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        if self.staging.is_some() {
            self.write_blocks(pieces, len)?;
        } else {
            write_all(&*self.file, pieces, self.end)?;
        }
        self.end += len;
        Ok(len)
    }

    /// When this returns, everything written so far survives power loss.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write_blocks(&mut self, pieces: &[&[u8]], len: u64) -> io::Result<()> {
        let Some(staging) = &mut self.staging else { return Ok(()) };
        let mut at = self.end - self.tail.len() as u64;
        let mut filled = staging.put(0, &self.tail);
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(STAGING_BYTES - filled));
                filled += staging.put(filled, now);
                rest = later;
                if filled == STAGING_BYTES {
                    write_all(&*self.file, &[staging.bytes(filled)], at)?;
                    at += filled as u64;
                    filled = 0;
                }
            }
        }
        let padded = filled.next_multiple_of(BLOCK_BYTES as usize);
        staging.zero(filled, padded);
        if padded > 0 {
            write_all(&*self.file, &[staging.bytes(padded)], at)?;
        }
        let end = self.end + len;
        let tail_len = (end % BLOCK_BYTES) as usize;
        let tail_start = filled - tail_len;
        let tail = staging.bytes(filled).get(tail_start..).unwrap_or_default().to_vec();
        self.tail = tail;
        Ok(())
    }
}

/// Writes the pieces at `offset`, however short the single writes are.
pub(crate) fn write_all(file: &dyn File, pieces: &[&[u8]], mut offset: u64) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> =
        pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| IoSlice::new(piece)).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        let written = file.write_at(rest, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        offset += written as u64;
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(())
}

/// Block-aligned memory.
struct Staging {
    memory: Vec<Block>,
}

#[repr(C, align(4096))]
#[derive(Clone, Copy)]
struct Block([u8; BLOCK_BYTES as usize]);

const STAGING_BYTES: usize = 256 * 1024;

impl Staging {
    fn new() -> Staging {
        let blocks = STAGING_BYTES / BLOCK_BYTES as usize;
        Staging { memory: vec![Block([0; BLOCK_BYTES as usize]); blocks] }
    }

    /// Copies `bytes` to `at`, which has room for them; returns how many.
    fn put(&mut self, at: usize, bytes: &[u8]) -> usize {
        let memory = self.memory.as_flattened_mut();
        memory[at..at + bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    fn zero(&mut self, from: usize, to: usize) {
        self.memory.as_flattened_mut()[from..to].fill(0);
    }

    fn bytes(&self, len: usize) -> &[u8] {
        &self.memory.as_flattened()[..len]
    }
}

/// Views of the blocks as plain bytes.
trait Flattened {
    fn as_flattened(&self) -> &[u8];
    fn as_flattened_mut(&mut self) -> &mut [u8];
}

#[allow(unsafe_code)]
impl Flattened for Vec<Block> {
    fn as_flattened(&self) -> &[u8] {
        // SAFETY: `Block` is its 4096 bytes and nothing else (size and alignment are both 4096), so
        // the blocks are one contiguous run of initialised bytes.
        unsafe {
            std::slice::from_raw_parts(self.as_ptr().cast(), self.len() * BLOCK_BYTES as usize)
        }
    }

    fn as_flattened_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.as_mut_ptr().cast(),
                self.len() * BLOCK_BYTES as usize,
            )
        }
    }
}

const _: () = assert!(size_of::<Block>() == BLOCK_BYTES as usize);
