//! Writing to the active segment's file, aligned where the file asks for it.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

use memmap2::MmapMut;

use crate::limits::BLOCK_BYTES;
use crate::vfs::File;

/// The writing end of one segment. Writes are contiguous: each starts where the one before ended.
///
/// A write through the page cache gets the bytes as they are. One past it gets whole blocks: those
/// that lie aligned in the caller's memory go from there, the others through a staging buffer. The
/// block the last write ended in is kept and written again with what follows, zero-padded, so that
/// neither the ring's other contents nor a reader's view of them ever reaches the disk.
pub(crate) struct SegmentWriter {
    file: Arc<dyn File>,
    direct: Option<Direct>,
    /// Where the next write starts.
    end: u64,
}

/// The way past the page cache, to the same file.
struct Direct {
    file: Arc<dyn File>,
    /// Smaller writes go through the page cache.
    bytes_min: u64,
    /// The bytes of the block the segment's end lies in, up to the end.
    tail: Vec<u8>,
    staging: Staging,
}

impl SegmentWriter {
    /// Goes on at `end`, through the page cache.
    pub(crate) fn new(file: Arc<dyn File>, end: u64) -> SegmentWriter {
        SegmentWriter { file, direct: None, end }
    }

    /// Writes of `bytes_min` and more go past the page cache, through `direct`, which is the same
    /// file. `tail` are its bytes from the start of the end's block to the end.
    pub(crate) fn with_direct(
        self,
        direct: Arc<dyn File>,
        bytes_min: u64,
        tail: Vec<u8>,
    ) -> io::Result<SegmentWriter> {
        if direct.alignment() == 1 {
            return Ok(self);
        }
        let staging = Staging::new(STAGING_BYTES)?;
        let direct = Some(Direct { file: direct, bytes_min, tail, staging });
        Ok(SegmentWriter { direct, ..self })
    }

    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// The file to read from meanwhile. It says whether it may be written past the page cache:
    /// then it must not be mapped, for a mapping may go on showing what a page held before.
    pub(crate) fn reading_file(&self) -> &Arc<dyn File> {
        self.direct.as_ref().map_or(&self.file, |direct| &direct.file)
    }

    pub(crate) fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// Writes the pieces one after the other at the end. After an error the end has not moved, and
    /// what the file holds beyond it is unknown.
    pub(crate) fn write(&mut self, pieces: &[&[u8]]) -> io::Result<u64> {
        let len: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        match &mut self.direct {
            Some(direct) if len >= direct.bytes_min => direct.write(pieces, self.end)?,
            Some(direct) => {
                write_all(&*self.file, pieces, self.end)?;
                direct.follow(pieces);
            }
            None => write_all(&*self.file, pieces, self.end)?,
        }
        self.end += len;
        Ok(len)
    }

    /// When this returns, everything written so far survives power loss, whichever way it went.
    pub(crate) fn sync(&self) -> io::Result<()> {
        // A sync is of the inode, and each open file hears of every write-back that failed since it
        // was opened.
        self.reading_file().sync()
    }
}

impl Direct {
    /// Writes the pieces at `end`, the blocks they begin and end in as a whole.
    fn write(&mut self, pieces: &[&[u8]], end: u64) -> io::Result<()> {
        let Direct { file, tail, staging, .. } = self;
        let mut at = end - tail.len() as u64;
        let mut parts = Parts::default();
        let (mut staged, mut filled) = (0, staging.put(0, tail));
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                if filled % BLOCK == 0 && rest.len() >= BLOCK && rest.as_ptr().addr() % BLOCK == 0 {
                    let (whole, later) = rest.split_at(rest.len() / BLOCK * BLOCK);
                    parts.push(Part::Staged(staged, filled));
                    parts.push(Part::Outside(whole));
                    (staged, rest) = (filled, later);
                }
                if filled == STAGING_BYTES || parts.is_full() {
                    parts.push(Part::Staged(staged, filled));
                    at += staging.write_out(&**file, &parts, at)?;
                    parts = Parts::default();
                    (staged, filled) = (0, 0);
                }
                let (now, later) = rest.split_at(rest.len().min(BLOCK - filled % BLOCK));
                filled += staging.put(filled, now);
                rest = later;
            }
        }
        let padded = filled.next_multiple_of(BLOCK);
        staging.zero(filled, padded);
        parts.push(Part::Staged(staged, padded));
        staging.write_out(&**file, &parts, at)?;
        tail.clear();
        tail.extend_from_slice(staging.bytes(filled / BLOCK * BLOCK..filled));
        Ok(())
    }

    /// Keeps the end's block of what was written through the page cache.
    fn follow(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            let len = self.tail.len() + piece.len();
            if len >= BLOCK {
                self.tail.clear();
                self.tail.extend_from_slice(&piece[piece.len() - len % BLOCK..]);
            } else {
                self.tail.extend_from_slice(piece);
            }
        }
    }
}

/// A run of bytes of one write: in the staging buffer, or where the caller has them.
#[derive(Clone, Copy)]
enum Part<'a> {
    Staged(usize, usize),
    Outside(&'a [u8]),
}

/// The runs of one write.
#[derive(Default)]
struct Parts<'a> {
    parts: [Option<Part<'a>>; PIECES_FEW],
    count: usize,
}

impl<'a> Parts<'a> {
    /// Adds a run; there is room for it.
    fn push(&mut self, part: Part<'a>) {
        self.parts[self.count] = Some(part);
        self.count += 1;
    }

    /// Whether another step of a write might not find room.
    fn is_full(&self) -> bool {
        self.count + 3 > PIECES_FEW
    }
}

/// Writes the pieces at `offset`, however short the single writes are.
pub(crate) fn write_all(file: &dyn File, pieces: &[&[u8]], mut offset: u64) -> io::Result<()> {
    let mut filled = pieces.iter().filter(|piece| !piece.is_empty());
    if let (Some(piece), None) = (filled.next(), filled.next()) {
        return write_one(file, piece, offset);
    }
    let mut few = [IoSlice::new(&[]); PIECES_FEW];
    let mut many = Vec::new();
    let slices = match few.get_mut(..pieces.len()) {
        Some(slices) => slices,
        None => {
            many.resize(pieces.len(), IoSlice::new(&[]));
            &mut many[..]
        }
    };
    let mut count = 0;
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        slices[count] = IoSlice::new(piece);
        count += 1;
    }
    let mut rest = &mut slices[..count];
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

/// The same of one piece, which most commits are.
fn write_one(file: &dyn File, mut piece: &[u8], mut offset: u64) -> io::Result<()> {
    while !piece.is_empty() {
        let written = file.write_at(&[IoSlice::new(piece)], offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        offset += written as u64;
        piece = piece.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// As many pieces as a commit has.
const PIECES_FEW: usize = 12;

/// Block-aligned memory; pages of it are taken as they are used.
struct Staging {
    memory: MmapMut,
}

const BLOCK: usize = BLOCK_BYTES as usize;
/// Room for the footer of a usual segment.
const STAGING_BYTES: usize = 1 << 20;

impl Staging {
    fn new(bytes: usize) -> io::Result<Staging> {
        Ok(Staging { memory: MmapMut::map_anon(bytes)? })
    }

    /// Copies `bytes` to `at`, which has room for them; returns how many.
    fn put(&mut self, at: usize, bytes: &[u8]) -> usize {
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    fn zero(&mut self, from: usize, to: usize) {
        self.memory[from..to].fill(0);
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.memory[range]
    }

    /// Writes the runs one after the other at `offset`; returns how many bytes.
    fn write_out(&self, file: &dyn File, parts: &Parts<'_>, offset: u64) -> io::Result<u64> {
        let mut pieces: [&[u8]; PIECES_FEW] = [&[]; PIECES_FEW];
        let mut len = 0;
        for (piece, part) in pieces.iter_mut().zip(parts.parts.iter().flatten()) {
            *piece = match *part {
                Part::Staged(from, to) => self.bytes(from..to),
                Part::Outside(bytes) => bytes,
            };
            len += piece.len() as u64;
        }
        write_all(file, &pieces, offset)?;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::vfs::{Access, FaultVfs, MemVfs, Operation, Vfs};

    /// Every way of cutting bytes into aligned and unaligned pieces, through the page cache and
    /// past it, leaves the same file.
    #[test]
    fn whatever_the_pieces_and_the_way_the_file_holds_the_bytes() {
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        for round in 0..60 {
            let vfs = MemVfs::new();
            let mut source = Staging::new(200 * BLOCK).expect("memory");
            source.memory.iter_mut().for_each(|byte| *byte = next(256) as u8);
            let path = Path::new("/file");
            let file = vfs.open(path, Access::Create).expect("created");
            let direct = vfs.open(path, Access::WriteDirect).expect("opened");
            let bytes_min = [0, 20_000, u64::MAX][round % 3];
            let writer = SegmentWriter::new(file, 0).with_direct(direct, bytes_min, Vec::new());
            let mut writer = writer.expect("memory");
            let mut expected = Vec::new();
            for _ in 0..12 {
                let pieces: Vec<&[u8]> = (0..next(20))
                    .map(|_| {
                        let from =
                            if next(2) == 0 { next(100) * BLOCK_BYTES } else { next(400_000) };
                        let len = if next(3) == 0 { next(300_000) } else { next(5000) };
                        source.bytes(from as usize..(from + len) as usize)
                    })
                    .collect();
                writer.write(&pieces).expect("written");
                pieces.iter().for_each(|piece| expected.extend_from_slice(piece));
            }
            let mut found = vfs.file_bytes(path).expect("there");
            assert!(found.len() - expected.len() < BLOCK, "padded to a block at most");
            assert!(found.split_off(expected.len()).iter().all(|&byte| byte == 0));
            assert!(found == expected, "round {round}");
        }
    }

    #[test]
    fn aligned_memory_goes_past_the_page_cache_in_one_call_and_is_not_copied() {
        let vfs = FaultVfs::over_memory(MemVfs::new());
        let path = Path::new("/file");
        let file = vfs.open(path, Access::Create).expect("created");
        let direct = vfs.open(path, Access::WriteDirect).expect("opened");
        let writer = SegmentWriter::new(file, 0).with_direct(direct, 0, Vec::new());
        let mut writer = writer.expect("memory");
        let ring = Staging::new(100 * BLOCK).expect("memory");
        writer.write(&[&ring.bytes(0..5000)[..100]]).expect("written");
        vfs.clear_calls();
        let [head, rest] = [ring.bytes(100..300_000), ring.bytes(0..9000)];
        writer.write(&[head, rest, &[1; 64]]).expect("written");
        assert_eq!(vfs.count(Operation::Write), 1, "{:?}", vfs.calls());
    }
}
