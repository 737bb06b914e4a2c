//! How a segment's bytes come into memory: out of a mapping, or with `pread` into a buffer.

use std::ops::Range;
use std::sync::Arc;

use super::{ActiveFile, Descriptor, Segment};
use crate::error::{Error, Result};
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::memory::Memory;
use crate::vfs::{File, read_full};

/// Where a segment's bytes are read from.
#[cfg_attr(
    feature = "shuttle",
    expect(clippy::large_enum_variant, reason = "locks of the scheduler are large")
)]
pub(crate) enum Source {
    /// The whole file of a sealed segment, mapped.
    Mapped(Memory),
    /// The writer's file of an active segment.
    Active(ActiveFile),
    /// The file of a sealed segment, opened when needed.
    Sealed(Descriptor),
}

/// Bytes of a segment in memory.
pub(crate) struct Chunk {
    memory: Memory,
    /// Where in the file they start.
    base: u64,
    /// The buffer `memory` is, unless it is a mapping.
    buffer: Option<Arc<Vec<u8>>>,
}

/// The chunk a reader is in.
pub(crate) struct Reader {
    chunk: Option<Chunk>,
    /// The buffer of the chunk before. Once its records are gone it serves again: fresh memory
    /// costs more than what is read into it.
    retired: Option<Arc<Vec<u8>>>,
    /// How much one `pread` fetches when nobody asks for more.
    pub(crate) ahead_bytes: u64,
}

impl Source {
    /// Behind the last byte there is.
    pub(super) fn end(&self, segment: &Segment) -> Result<u64> {
        let failed = |error| Error::io("take the length of", segment.path(), error);
        match self {
            Source::Mapped(memory) => Ok(memory.len() as u64),
            Source::Active(active) => {
                active.file().map_or(Ok(0), |file| file.len()).map_err(failed)
            }
            Source::Sealed(descriptor) => {
                let file = descriptor.file(segment.vfs(), segment.path())?;
                file.len().map_err(failed)
            }
        }
    }

    /// A chunk that starts at `offset` or before it and holds `least_bytes` from there, or as many
    /// as the file has; `len` bytes if they are to be read. `buffer` is memory to read into,
    /// whatever it holds and how long it is.
    fn chunk(
        &self,
        segment: &Segment,
        offset: u64,
        least_bytes: u64,
        len: u64,
        buffer: Vec<u8>,
    ) -> Result<Chunk> {
        match self {
            Source::Mapped(memory) => Ok(Chunk::mapped(memory.clone())),
            Source::Active(active) => {
                let end = offset.saturating_add(least_bytes);
                if let Some(mapping) = active.mapping(end, segment.pins()) {
                    return Ok(Chunk::mapped(mapping));
                }
                let Some(file) = active.file() else {
                    return Err(segment.not_here(segment.header().first_lsn));
                };
                read(&**file, segment, offset, len.max(least_bytes), buffer)
            }
            Source::Sealed(descriptor) => {
                let file = descriptor.file(segment.vfs(), segment.path())?;
                read(&*file, segment, offset, len.max(least_bytes), buffer)
            }
        }
    }
}

impl Chunk {
    fn mapped(memory: Memory) -> Chunk {
        Chunk { memory, base: 0, buffer: None }
    }

    /// The bytes from `offset` on; none when the chunk starts after it or ends before it.
    #[inline]
    pub(crate) fn bytes_from(&self, offset: u64) -> &[u8] {
        let from = offset.checked_sub(self.base).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.memory.get(from..)).unwrap_or_default()
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Where in the chunk's memory the payload of the frame at `offset` lies.
    #[inline]
    pub(crate) fn payload_range(&self, offset: u64, payload_bytes: u32) -> Range<usize> {
        let start = offset.saturating_sub(self.base).saturating_add(FRAME_HEADER_BYTES) as usize;
        start..start.saturating_add(payload_bytes as usize)
    }
}

impl Reader {
    pub(crate) fn new(ahead_bytes: u64) -> Reader {
        Reader { chunk: None, retired: None, ahead_bytes }
    }

    #[inline]
    pub(crate) fn chunk(&self) -> Option<&Chunk> {
        self.chunk.as_ref()
    }

    /// Drops the chunk, so that the next bytes come from the file again.
    pub(crate) fn forget(&mut self) {
        if let Some(buffer) = self.chunk.take().and_then(|chunk| chunk.buffer) {
            self.retired = Some(buffer);
        }
    }

    /// Makes sure that the chunk holds `least_bytes` from `offset` on, as far as the file does.
    /// Returns whether it had to be fetched.
    pub(crate) fn hold(
        &mut self,
        segment: &Segment,
        source: &Source,
        offset: u64,
        least_bytes: u64,
    ) -> Result<bool> {
        if self.held(offset).len() as u64 >= least_bytes {
            return Ok(false);
        }
        self.fetch(segment, source, offset, least_bytes, self.ahead_bytes)?;
        Ok(true)
    }

    /// Fetches `least_bytes` from `offset` on, whatever is held; `len` if they are to be read.
    pub(crate) fn fetch(
        &mut self,
        segment: &Segment,
        source: &Source,
        offset: u64,
        least_bytes: u64,
        len: u64,
    ) -> Result<()> {
        let free = self.retired.take().and_then(|buffer| Arc::try_unwrap(buffer).ok());
        self.forget();
        let chunk = source.chunk(segment, offset, least_bytes, len, free.unwrap_or_default())?;
        self.chunk = Some(chunk);
        Ok(())
    }

    /// Makes sure that the chunk holds the whole frame at `offset`, as far as its unverified header
    /// tells and the file goes. Returns whether anything had to be fetched.
    pub(crate) fn hold_frame(
        &mut self,
        segment: &Segment,
        source: &Source,
        offset: u64,
    ) -> Result<bool> {
        let fetched = self.hold(segment, source, offset, FRAME_HEADER_BYTES)?;
        let Ok(header) = FrameHeader::peek(self.held(offset)) else { return Ok(fetched) };
        let least_bytes = FRAME_HEADER_BYTES.saturating_add(u64::from(header.payload_bytes));
        Ok(self.hold(segment, source, offset, least_bytes)? || fetched)
    }

    /// What the chunk holds from `offset` on.
    #[inline]
    pub(crate) fn held(&self, offset: u64) -> &[u8] {
        self.chunk.as_ref().map_or(&[], |chunk| chunk.bytes_from(offset))
    }
}

/// Reads until `len` bytes are there or the file ends. A length that may come from unverified bytes
/// is held against the file's before memory is taken for it.
fn read(
    file: &dyn File,
    segment: &Segment,
    offset: u64,
    len: u64,
    mut buffer: Vec<u8>,
) -> Result<Chunk> {
    let failed = |error| Error::io("read", segment.path(), error);
    let len = if len > TRUSTED_BYTES {
        len.min(file.len().map_err(failed)?.saturating_sub(offset))
    } else {
        len
    };
    buffer.resize(len as usize, 0);
    let filled = read_full(file, &mut buffer, offset).map_err(failed)?;
    buffer.truncate(filled);
    let buffer = Arc::new(buffer);
    Ok(Chunk { memory: Memory::mapped(buffer.clone()), base: offset, buffer: Some(buffer) })
}

/// A read up to this long is made without asking for the file's length first.
const TRUSTED_BYTES: u64 = 64 << 10;
