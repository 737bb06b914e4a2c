//! What reading a segment needs beside its header: a source of bytes and the index of its records.
//! A sealed segment's is loaded by the first reader, from the footer or without one.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::rebuild::rebuild;
use super::source::{Reader, Source};
use super::{
    ActiveFile, DATA_START, Descriptor, Extent, Footer, Index, OpeningAt, Segment, SegmentHeader,
};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{FRAME_HEADER_BYTES, Fault, Frame, FrameHeader, Kind};
use crate::le;
use crate::limits::{BLOCK_BYTES, OPENINGS_PER_SEGMENT_MAX};
use crate::memory::Memory;
use crate::options::ReadMode;
use crate::vfs::{Access, File, Lock, read_full};

/// See the module.
pub(crate) struct Body {
    pub(crate) source: Source,
    pub(crate) entries: Entries,
    /// How far a reader that goes through a mapping in order has had it brought into memory. Any
    /// reader moves it on; it is a hint.
    populated: AtomicU64,
    /// The file with its shared lock, where another process writes the log.
    _locked: Option<Arc<dyn File>>,
}

/// Where the index of a segment is.
pub(crate) enum Entries {
    /// In memory, still growing: an active segment.
    Growing(Box<Index>),
    /// In the verified footer, at this offset of the file.
    InFooter(u64),
    /// In memory, rebuilt from the frames. Zero stands for a record that was not found; the damage
    /// is the first that was met.
    Rebuilt { entries: Vec<u32>, damage: Option<(u64, Fault)> },
}

impl Body {
    pub(crate) fn active(file: ActiveFile) -> Body {
        Body {
            source: Source::Active(file),
            entries: Entries::Growing(Box::default()),
            populated: AtomicU64::new(0),
            _locked: None,
        }
    }

    /// The body of a sealed segment, and its openings. A footer that is rotten or says something
    /// else than the extent is as good as none.
    pub(crate) fn load(segment: &Segment, extent: Extent) -> Result<(Body, Vec<OpeningAt>)> {
        let locked = if segment.is_foreign() { Some(lock(segment)?) } else { None };
        let source = open(segment, extent)?;
        // No frame of the segment is taken for its footer, whatever the header after it says.
        let footer = match extent.footer.filter(|&offset| offset >= extent.end) {
            Some(offset) => footer(segment, &source, extent, offset)?,
            None => None,
        };
        let (entries, openings) = match footer {
            Some(footer) => (Entries::InFooter(footer.entry_offset(0)), footer.openings),
            None => rebuild(segment, &source, extent)?,
        };
        let populated = AtomicU64::new(0);
        Ok((Body { source, entries, populated, _locked: locked }, openings))
    }

    /// Has the system bring what a reader in order comes to next into memory, once for a mapping:
    /// what was there and was dropped since comes back by faults.
    pub(crate) fn populate(&self, offset: u64) {
        let Source::Mapped(memory) = &self.source else { return };
        let populated = self.populated.load(Ordering::Relaxed);
        if offset.saturating_add(POPULATE_BYTES / 2) < populated {
            return;
        }
        let start = populated.max(offset);
        self.populated.store(start.saturating_add(POPULATE_BYTES), Ordering::Relaxed);
        memory.populate(start as usize, POPULATE_BYTES as usize);
    }

    /// Where the frame of the record `delta` after the first stands. `cache` keeps index entries
    /// that had to be read from the file.
    #[inline]
    pub(crate) fn offset(
        &self,
        segment: &Segment,
        delta: u32,
        cache: &mut Reader,
    ) -> Result<Option<u64>> {
        let Entries::InFooter(first) = &self.entries else {
            return Ok(self.offset_in_memory(delta));
        };
        let at = entry_at(*first, delta);
        let entry = match &self.source {
            Source::Mapped(memory) => le::u32_at(memory, at as usize),
            source => read_entry(segment, source, at, cache)?,
        };
        Ok(entry.and_then(offset_of_entry))
    }

    /// The same where the index is in memory of its own.
    #[inline]
    pub(crate) fn offset_in_memory(&self, delta: u32) -> Option<u64> {
        let entry = match &self.entries {
            Entries::Growing(index) => index.entry(delta),
            Entries::Rebuilt { entries, .. } => entries.get(delta as usize).copied(),
            Entries::InFooter(_) => None,
        };
        entry.and_then(offset_of_entry)
    }
}

/// Holds the writer of another process off using the file again, and makes sure that it has not.
fn lock(segment: &Segment) -> Result<Arc<dyn File>> {
    let failed = |error| Error::io("lock", segment.path(), error);
    let file = segment.vfs().open(segment.path(), Access::Read).map_err(failed)?;
    let mut block = vec![0; DATA_START as usize];
    // Where no lock is to be had (a file system that is read-only, say), no writer has one either.
    let is_locked = file.try_lock(Lock::Shared).unwrap_or(true);
    let read = read_full(&*file, &mut block, 0).map_err(failed)?;
    let copies = block.get(..read).unwrap_or_default().chunks(BLOCK_BYTES as usize);
    let is_same = copies
        .filter_map(|copy| SegmentHeader::decode(copy).ok())
        .any(|header| header.id == segment.id() && header.uuid == segment.header().uuid);
    if is_locked && is_same {
        return Ok(file);
    }
    Err(Error::at_path(
        ErrorKind::Trimmed,
        segment.path(),
        "the segment was trimmed meanwhile: look for the first record again",
    ))
}

/// A mapping where one is wanted and to be had, a kept descriptor otherwise.
///
/// Nothing beyond the footer is mapped: the writer may still cut off what the segment does not use.
fn open(segment: &Segment, extent: Extent) -> Result<Source> {
    let failed = |doing| move |error| Error::io(doing, segment.path(), error);
    let file = segment.vfs().open(segment.path(), Access::Read).map_err(failed("open"))?;
    let file_bytes = file.len().map_err(failed("take the length of"))?;
    let source = Source::Sealed(Descriptor::of(Arc::clone(&file)));
    if segment.mode() != ReadMode::Map {
        return Ok(source);
    }
    let mut end = extent.end;
    if let Some(footer) = extent.footer {
        let mut reader = Reader::new(0);
        reader.hold(segment, &source, footer, FRAME_HEADER_BYTES)?;
        if let Ok(header) = FrameHeader::peek(reader.held(footer)) {
            end = end.max(footer.saturating_add(header.frame_bytes()));
        }
    }
    // A system that refuses the mapping (there is a limit of how many) can still be read from.
    match file.map(end.min(file_bytes)) {
        Ok(Some(mapping)) => {
            let memory = Memory::mapped(mapping);
            segment.pins().add(&memory);
            Ok(Source::Mapped(memory))
        }
        Ok(None) | Err(_) => Ok(source),
    }
}

/// The footer, if it verifies and covers the extent. Openings of a part that was cut are left out.
fn footer(
    segment: &Segment,
    source: &Source,
    extent: Extent,
    offset: u64,
) -> Result<Option<Footer>> {
    let mut reader = Reader::new(FOOTER_AHEAD_BYTES);
    reader.hold_frame(segment, source, offset)?;
    let Ok(frame) = Frame::decode(reader.held(offset), offset, segment.header().seed()) else {
        return Ok(None);
    };
    if frame.header.kind != Kind::Seal {
        return Ok(None);
    }
    let Some(mut footer) = Footer::decode(frame.payload, offset) else { return Ok(None) };
    footer.openings.retain(|opening| opening.offset < extent.end);
    let covered = footer.first_lsn.saturating_add(u64::from(footer.count));
    let fits = footer.first_lsn == segment.header().first_lsn
        && covered >= extent.next_lsn
        && footer.openings.len() <= OPENINGS_PER_SEGMENT_MAX;
    Ok(fits.then_some(footer))
}

#[cold]
fn read_entry(
    segment: &Segment,
    source: &Source,
    offset: u64,
    cache: &mut Reader,
) -> Result<Option<u32>> {
    if (cache.held(offset).len() as u64) < ENTRY_BYTES {
        // Entries before it are fetched, too, for readers on their way back. A reader of one record
        // asks for that one and the next.
        let before = (cache.ahead_bytes / 2) & !(ENTRY_BYTES - 1);
        let start = if before < BLOCK_BYTES / 2 { offset } else { offset.saturating_sub(before) };
        let least_bytes = offset.saturating_sub(start).saturating_add(ENTRY_BYTES);
        cache.fetch(segment, source, start, least_bytes, cache.ahead_bytes.max(2 * ENTRY_BYTES))?;
    }
    Ok(le::u32_at(cache.held(offset), 0))
}

/// Zero stands for no entry.
#[inline]
fn offset_of_entry(entry: u32) -> Option<u64> {
    (entry != 0).then(|| u64::from(entry).saturating_mul(8))
}

/// Where the footer whose first entry stands at `first` has that of the record `delta`.
#[inline]
pub(super) fn entry_at(first: u64, delta: u32) -> u64 {
    first.saturating_add(u64::from(delta).saturating_mul(ENTRY_BYTES))
}

/// Bytes of an entry in a footer.
const ENTRY_BYTES: u64 = 4;
const FOOTER_AHEAD_BYTES: u64 = 64 << 10;
const POPULATE_BYTES: u64 = 2 << 20;
