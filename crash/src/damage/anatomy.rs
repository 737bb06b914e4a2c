//! What each byte of a log's files is for, read from the sound files by the tables of FORMAT.md.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Image;
use super::image::state_path;

/// What a run of bytes is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The used bytes of a state slot, by its number.
    Slot(usize),
    /// A copy of a segment's header, by its number.
    Header(usize),
    /// Frames up to and with a trailer.
    Commit,
    /// The seal footer.
    Footer,
    /// Nothing the log needs: the rest of a slot, what lies behind the end.
    Nothing,
}

/// A run of bytes of one file with one purpose.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it lies.
    pub range: Range<u64>,
    /// What it is for.
    pub kind: PartKind,
    /// Its records: of a commit its own, of a header all of the segment's.
    pub lsns: Range<u64>,
}

/// All parts of all files of a log.
#[derive(Clone, Debug, Default)]
pub struct Anatomy {
    parts: BTreeMap<PathBuf, Vec<Part>>,
    /// The newest segment.
    pub newest: Option<PathBuf>,
}

impl Anatomy {
    /// Reads sound files of a log with these LSNs: the first, and the one after the last. What is
    /// trimmed has no purpose, nor has what a crash has torn.
    pub fn of(image: &Image, (first_lsn, next_lsn): (u64, u64)) -> Anatomy {
        let mut anatomy = Anatomy::default();
        let state = state_path();
        for (path, bytes) in image {
            let mut parts =
                if *path == state { state_parts(bytes) } else { segment_parts(bytes, image, path) };
            let is_dead = |part: &Part| part.lsns.end <= first_lsn && !part.lsns.is_empty();
            let is_dead =
                parts.iter().any(|part| matches!(part.kind, PartKind::Header(_)) && is_dead(part));
            for part in &mut parts {
                let is_torn = part.kind == PartKind::Commit && part.lsns.end > next_lsn;
                if is_dead || is_torn {
                    part.kind = PartKind::Nothing;
                }
            }
            let is_segment = parts.iter().any(|part| matches!(part.kind, PartKind::Header(_)));
            if is_segment {
                anatomy.newest = Some(path.clone());
            }
            anatomy.parts.insert(path.clone(), parts);
        }
        anatomy
    }

    /// The parts of a file, in order; they cover it without a gap.
    pub fn parts(&self, path: &Path) -> &[Part] {
        self.parts.get(path).map_or(&[], Vec::as_slice)
    }

    /// The parts that these bytes of a file belong to.
    pub fn touched<'a>(
        &'a self,
        path: &Path,
        bytes: &'a [Range<u64>],
    ) -> impl Iterator<Item = &'a Part> {
        self.parts(path).iter().filter(|part| {
            bytes.iter().any(|run| run.start < part.range.end && part.range.start < run.end)
        })
    }

    /// The part that a place belongs to.
    pub fn at(&self, path: &Path, offset: u64) -> Option<&Part> {
        self.parts(path).iter().find(|part| part.range.contains(&offset))
    }
}

fn state_parts(bytes: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, at) in [0, SLOT_BYTES].into_iter().enumerate() {
        let used = u64::from(u32_at(bytes, at + 24)).min(SLOT_BYTES as u64);
        let at = at as u64;
        push(&mut parts, at..at + used, PartKind::Slot(number), 0..0);
        push(&mut parts, at + used..at + SLOT_BYTES as u64, PartKind::Nothing, 0..0);
    }
    parts
}

fn segment_parts(bytes: &[u8], image: &Image, path: &Path) -> Vec<Part> {
    let len = bytes.len() as u64;
    let mut parts = Vec::new();
    if bytes.len() < DATA_START || bytes[..DATA_START].iter().all(|&byte| byte == 0) {
        push(&mut parts, 0..len, PartKind::Nothing, 0..0);
        return parts;
    }
    let first_lsn = u64_at(bytes, 48);
    let end = valid_end(image, path).unwrap_or(len);
    let mut at = DATA_START;
    let (mut start, mut next, mut first) = (at, first_lsn, first_lsn);
    let mut frames = Vec::new();
    while let Some((kind, frame_bytes)) = frame_at(bytes, at).filter(|_| (at as u64) < end) {
        let frame_end = at + frame_bytes;
        match kind {
            RECORD => next += 1,
            COMMIT => {
                push(&mut frames, start as u64..frame_end as u64, PartKind::Commit, first..next);
                (start, first) = (frame_end, next);
            }
            FOOTER => {
                push(&mut frames, at as u64..frame_end as u64, PartKind::Footer, 0..0);
                start = frame_end;
            }
            _ => {}
        }
        at = frame_end;
        if kind == FOOTER {
            break;
        }
    }
    if at > start && end < len {
        // A truncation has put the end inside a commit, which has lost its trailer.
        push(&mut frames, start as u64..at as u64, PartKind::Commit, first..next);
        start = at;
    }
    for copy in 0..2 {
        let block = copy as u64 * BLOCK_BYTES;
        let kind = PartKind::Header(copy);
        push(&mut parts, block..block + BLOCK_BYTES, kind, first_lsn..next);
    }
    parts.extend(frames);
    push(&mut parts, start as u64..len, PartKind::Nothing, 0..0);
    parts
}

/// Where the header of the segment after this one says that it ends.
fn valid_end(image: &Image, path: &Path) -> Option<u64> {
    let id = u64_at(&image[path], 40);
    image.iter().filter(|(other, _)| other.as_path() > path && **other != state_path()).find_map(
        |(_, bytes)| {
            let has_header = bytes.len() >= DATA_START && u64_at(bytes, 40) != 0;
            (has_header && u64_at(bytes, 80) == id).then(|| u64_at(bytes, 88))
        },
    )
}

/// Kind and length of the frame that a sound file has here.
fn frame_at(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let header = bytes.get(at..at + 16)?;
    let len = (16 + u32_at(header, 4) as usize).next_multiple_of(8);
    let is_frame = header.iter().any(|&byte| byte != 0) && at + len <= bytes.len();
    is_frame.then_some((header[8], len))
}

fn push(parts: &mut Vec<Part>, range: Range<u64>, kind: PartKind, lsns: Range<u64>) {
    if !range.is_empty() {
        parts.push(Part { range, kind, lsns });
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
}

const DATA_START: usize = 8192;
const BLOCK_BYTES: u64 = 4096;
const SLOT_BYTES: usize = 131_072;
const RECORD: u8 = 1;
const COMMIT: u8 = 2;
const FOOTER: u8 = 5;
