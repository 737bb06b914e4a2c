//! One segment as readers see it, and as the writer tells them of its growth.

use crate::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::path::{Path, PathBuf};

use super::body::{Body, Entries};
use super::source::{Reader, Source};
use super::{ActiveFile, OpeningAt, Pins, Seeds, SegmentHeader, footer_bytes};
use crate::error::{Error, Result};
use crate::frame::{FLAG_BATCH_CONTINUES, FRAME_HEADER_BYTES, Frame, Kind, Seed};
use crate::lsn::{Lsn, SegmentId};
use crate::memory::Memory;
use crate::options::ReadMode;
use crate::record::Record;
use crate::vfs::{Access, File, Vfs};

/// Where a sealed segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Its frames are valid up to here and nowhere beyond, whatever stands there.
    pub(crate) end: u64,
    /// LSN of the record that would come next at `end`.
    pub(crate) next_lsn: u64,
    /// Chain value at `end`.
    pub(crate) chain: u32,
    /// Where the footer stands, if there is one.
    pub(crate) footer: Option<u64>,
}

/// A segment: active (the writer pushes, readers look) or sealed (nothing changes any more).
pub(crate) struct Segment {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    header: SegmentHeader,
    mode: ReadMode,
    extent: Option<Extent>,
    /// Whether another process may be writing the log: its files are then locked while they are
    /// used, so that the writer does not use them again.
    is_foreign: bool,
    /// The mappings of the file, shared with the objects that stood for the segment before.
    pins: Pins,
    /// Grown by the writer of an active segment; set once, before `body`, in a sealed one.
    seeds: Seeds,
    /// Set from the start in an active segment, by the first reader in a sealed one.
    body: OnceLock<Body>,
    /// Held while the first reader loads, so that the others wait for it instead of doing the same.
    loading: Mutex<()>,
}

impl Segment {
    /// With an extent the segment is sealed: its file is opened, mapped and indexed by the first
    /// read. Without one it is active, the index grows by [`Segment::push`], and `file` is the
    /// writer's; it may come later, by [`Segment::activate`].
    pub(crate) fn new(
        vfs: Arc<dyn Vfs>,
        path: PathBuf,
        header: SegmentHeader,
        mode: ReadMode,
        file: Option<Arc<dyn File>>,
        extent: Option<Extent>,
    ) -> Arc<Segment> {
        Arc::new(Segment::build(vfs, path, header, mode, file, extent))
    }

    /// A sealed segment of a log that another process may be writing.
    pub(crate) fn foreign(
        vfs: Arc<dyn Vfs>,
        path: PathBuf,
        header: SegmentHeader,
        mode: ReadMode,
        extent: Extent,
    ) -> Arc<Segment> {
        let segment = Segment::build(vfs, path, header, mode, None, Some(extent));
        Arc::new(Segment { is_foreign: true, ..segment })
    }

    fn build(
        vfs: Arc<dyn Vfs>,
        path: PathBuf,
        header: SegmentHeader,
        mode: ReadMode,
        file: Option<Arc<dyn File>>,
        extent: Option<Extent>,
    ) -> Segment {
        let body = OnceLock::new();
        if extent.is_none() {
            let file = file.map_or_else(OnceLock::new, OnceLock::from);
            let _ = body.set(Body::active(ActiveFile::new(file, mode == ReadMode::Map)));
        }
        let seeds = Seeds::new(&header);
        let loading = Mutex::new(());
        let is_foreign = false;
        let pins = Pins::default();
        Segment { vfs, path, header, mode, extent, is_foreign, pins, seeds, body, loading }
    }

    /// The same segment once it is sealed or cut shorter: another object for readers from now on.
    /// Its file is not used again as long as a record read through this one is held.
    pub(crate) fn ended(&self, header: SegmentHeader, extent: Extent) -> Arc<Segment> {
        let (vfs, path) = (Arc::clone(&self.vfs), self.path.clone());
        let segment = Segment::build(vfs, path, header, self.mode, None, Some(extent));
        let (is_foreign, pins) = (self.is_foreign, self.pins.clone());
        Arc::new(Segment { is_foreign, pins, ..segment })
    }

    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.header.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn mode(&self) -> ReadMode {
        self.mode
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    pub(crate) fn vfs(&self) -> &dyn Vfs {
        &*self.vfs
    }

    /// None while the segment is active.
    pub(crate) fn extent(&self) -> Option<Extent> {
        self.extent
    }

    /// The size of the file. Opens it when no reader has yet.
    pub(crate) fn file_bytes(&self) -> Result<u64> {
        let failed = |error| Error::io("take the length of", &self.path, error);
        match self.body.get().map(|body| &body.source) {
            Some(Source::Active(active)) => {
                active.file().map_or(Ok(0), |file| file.len()).map_err(failed)
            }
            Some(Source::Mapped(_) | Source::Sealed(_)) | None => {
                let file = self.vfs.open(&self.path, Access::Read);
                file.and_then(|file| file.len()).map_err(failed)
            }
        }
    }

    /// Whether a record somewhere still lies in a mapping of this segment. Meaningful for a segment
    /// that nobody else can reach any more: then false stays false and the file may be reused.
    pub(crate) fn is_pinned(&self) -> bool {
        match self.body.get().map(|body| &body.source) {
            Some(Source::Mapped(memory)) => self.pins.are_held(Some(memory)),
            Some(Source::Active(active)) => active.is_pinned(&self.pins),
            Some(Source::Sealed(_)) | None => self.pins.are_held(None),
        }
    }

    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }
}

/// The writer's side of an active segment: one caller at a time, readers beside it without locks.
impl Segment {
    /// Gives the segment its file, before anything of it becomes visible.
    pub(crate) fn activate(&self, file: Arc<dyn File>) {
        if let Some(Body { source: Source::Active(active), .. }) = self.body.get() {
            active.set(file);
        }
    }

    /// Tells where the frame of the record `delta` after the first stands. A smaller delta than the
    /// one before overwrites: what was rolled back was never visible.
    #[inline]
    pub(crate) fn push(&self, delta: u32, offset: u64) {
        if let Some(Body { entries: Entries::Growing(index), .. }) = self.body.get() {
            index.push(delta, (offset >> 3) as u32);
        }
    }

    /// Tells that the frames after the opening frame at this place have its seed.
    pub(crate) fn push_opening(&self, opening: OpeningAt) {
        self.seeds.push(&self.header, opening);
    }

    /// The openings pushed so far; of a sealed segment, those known once it was read from.
    pub(crate) fn openings(&self) -> Vec<OpeningAt> {
        self.seeds.openings()
    }

    /// The first `count` entries of the index of an active segment, as a footer holds them.
    pub(crate) fn index_entries(&self, count: u32) -> impl Iterator<Item = u32> + '_ {
        let index = match self.body.get().map(|body| &body.entries) {
            Some(Entries::Growing(index)) => Some(index),
            _ => None,
        };
        (0..count).map(move |delta| index.and_then(|index| index.entry(delta)).unwrap_or(0))
    }
}

/// The readers' side.
impl Segment {
    /// The seed of the frame at `offset` (of a sealed segment: once it was read from).
    #[inline]
    pub(crate) fn seed_at(&self, offset: u64) -> Seed {
        self.seeds.at(offset)
    }

    /// The seeds by offset.
    #[inline]
    pub(crate) fn seeds(&self) -> &Seeds {
        &self.seeds
    }

    /// One verified record. The caller checked that it is visible.
    ///
    /// # Errors
    /// `Corrupt` when its bytes are not what was written; `Io` when they cannot be read.
    pub(crate) fn record(&self, lsn: u64) -> Result<Record> {
        let body = self.body()?;
        let mut index = Reader::new(0);
        let offset = self.offset(body, lsn, &mut index)?;
        match &body.source {
            Source::Mapped(memory) => self.record_mapped(memory, lsn, offset),
            _ => self.record_read(body, &mut index, lsn, offset),
        }
    }

    fn record_mapped(&self, memory: &Memory, lsn: u64, offset: u64) -> Result<Record> {
        let frame = self.verify(lsn, offset, memory.get(offset as usize..).unwrap_or_default())?;
        let start = offset.saturating_add(FRAME_HEADER_BYTES) as usize;
        let range = start..start.saturating_add(frame.payload.len());
        let continues = self.batch_continues(lsn, frame.header.flags);
        let record = Lsn::new(lsn).and_then(|lsn| Record::of(memory, range, lsn, continues));
        record.ok_or_else(|| self.not_here(lsn))
    }

    /// The body, if a reader has loaded it.
    pub(crate) fn loaded(&self) -> Option<&Body> {
        self.body.get()
    }

    /// Where the frame of this record stands.
    ///
    /// # Errors
    /// As [`Segment::record`].
    pub(crate) fn offset_of(&self, lsn: u64) -> Result<u64> {
        self.offset(self.body()?, lsn, &mut Reader::new(0))
    }

    /// Has the system read the footer and the first `bytes` from the disk, for a reader that comes
    /// here soon. Does nothing once anybody has read from the segment.
    pub(crate) fn read_ahead(&self, bytes: u64) {
        let (None, Some(extent)) = (self.body.get(), self.extent) else { return };
        let Ok(file) = self.vfs.open(&self.path, Access::Read) else { return };
        if let Some(footer) = extent.footer {
            let records = extent.next_lsn.saturating_sub(self.header.first_lsn);
            file.will_read(footer, footer_bytes(records, 0));
        }
        file.will_read(0, bytes.min(extent.end));
    }

    /// The body, loaded by the first caller.
    #[inline]
    pub(crate) fn body(&self) -> Result<&Body> {
        match self.body.get() {
            Some(body) => Ok(body),
            None => self.load(),
        }
    }

    /// Where the frame of this record stands.
    #[inline]
    pub(crate) fn offset(&self, body: &Body, lsn: u64, cache: &mut Reader) -> Result<u64> {
        let delta = self.delta(lsn).ok_or_else(|| self.not_here(lsn))?;
        match body.offset(self, delta, cache)? {
            Some(offset) => Ok(offset),
            None => Err(self.no_entry(body, lsn)),
        }
    }

    /// Its number from the first, `None` for a record of another segment.
    #[inline]
    pub(crate) fn delta(&self, lsn: u64) -> Option<u32> {
        if self.extent.is_some_and(|extent| lsn >= extent.next_lsn) {
            return None;
        }
        u32::try_from(lsn.checked_sub(self.header.first_lsn)?).ok()
    }

    /// Whether the next record belongs to the same batch. A truncation inside a batch ends it, and
    /// what its frame says of a record that is gone counts no more.
    #[inline]
    pub(crate) fn batch_continues(&self, lsn: u64, flags: u8) -> bool {
        flags & FLAG_BATCH_CONTINUES != 0
            && self.extent.is_none_or(|extent| lsn.saturating_add(1) < extent.next_lsn)
    }

    /// The frame of record `lsn` if it is what `bytes`, which lie at `offset`, start with.
    #[inline]
    pub(crate) fn verify<'a>(&self, lsn: u64, offset: u64, bytes: &'a [u8]) -> Result<Frame<'a>> {
        match Frame::decode(bytes, offset, self.seed_at(offset)) {
            Ok(frame)
                if frame.header.kind == Kind::Record
                    && self.delta(lsn) == Some(frame.header.lsn_delta) =>
            {
                Ok(frame)
            }
            Ok(frame) => Err(self.another_frame(lsn, offset, frame.header)),
            Err(fault) => Err(self.not_a_frame(lsn, offset, fault)),
        }
    }

    /// One record with `pread`, into memory of its own. The next entry of the index, if there is
    /// one, tells how much to read; the frame itself corrects the guess.
    fn record_read(
        &self,
        body: &Body,
        index: &mut Reader,
        lsn: u64,
        offset: u64,
    ) -> Result<Record> {
        let next = self.delta(lsn.saturating_add(1));
        let next = next.and_then(|delta| body.offset(self, delta, index).ok().flatten());
        let guess = next.and_then(|next| next.checked_sub(offset)).unwrap_or(FRAME_BYTES_GUESS);
        let mut reader = Reader::new(guess.min(FRAME_BYTES_GUESS_MAX));
        reader.hold_frame(self, &body.source, offset)?;
        let frame = self.verify(lsn, offset, reader.held(offset))?;
        let continues = self.batch_continues(lsn, frame.header.flags);
        let payload_bytes = frame.header.payload_bytes;
        let record = reader.chunk().zip(Lsn::new(lsn)).and_then(|(chunk, lsn)| {
            Record::of(chunk.memory(), chunk.payload_range(offset, payload_bytes), lsn, continues)
        });
        record.ok_or_else(|| self.not_here(lsn))
    }

    #[cold]
    fn load(&self) -> Result<&Body> {
        let Some(extent) = self.extent else { return Err(self.not_here(self.header.first_lsn)) };
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = self.body.get() {
            return Ok(body);
        }
        let (body, openings) = Body::load(self, extent)?;
        for opening in openings {
            self.seeds.push(&self.header, opening);
        }
        Ok(self.body.get_or_init(|| body))
    }

    #[cold]
    fn no_entry(&self, body: &Body, lsn: u64) -> Error {
        match &body.entries {
            Entries::Rebuilt { damage: Some((offset, fault)), .. } => {
                self.not_a_frame(lsn, *offset, *fault)
            }
            Entries::Rebuilt { damage: None, .. } => {
                let end = self.extent.map_or(0, |extent| extent.end);
                self.corrupt(lsn, end, format!("record {lsn} below this offset"), "no such frame")
            }
            Entries::InFooter(_) => {
                let footer = self.extent.and_then(|extent| extent.footer).unwrap_or(0);
                self.corrupt(lsn, footer, format!("an index entry of record {lsn}"), "none")
            }
            Entries::Growing(_) => self.not_here(lsn),
        }
    }
}

/// What is read for a record when nothing tells how long it is.
const FRAME_BYTES_GUESS: u64 = 4096;
/// The distance to the next record may be padding or stale: more than this is read only when the
/// frame itself asks for it.
const FRAME_BYTES_GUESS_MAX: u64 = 64 << 10;
