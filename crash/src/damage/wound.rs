//! What may happen to a log's files while nobody looks.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Image, Shape};

/// What becomes of one sector of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sector {
    /// Nothing but zeros.
    Zeros,
    /// Nothing but ones.
    Ones,
    /// The same bytes as the sector before it.
    Duplicate,
    /// Exchanged with the sector at the same place of the log's next file.
    Swapped,
    /// The sector at the same place of another log.
    Foreign,
    /// The sector at the same place of another history of this log.
    Forked,
}

/// One damage, or several at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wound {
    /// One bit of one byte.
    Flip(PathBuf, u64, u8),
    /// One sector, by its number.
    Sector(PathBuf, u64, Sector),
    /// The file is gone.
    Missing(PathBuf),
    /// The file ends early.
    Cut(PathBuf, u64),
    /// The file goes on with bytes of this value.
    Extended(PathBuf, u64, u8),
    /// Another log's file under this name.
    Foreign(PathBuf),
    /// Two files under each other's names.
    Exchanged(PathBuf, PathBuf),
    /// A copy of the first file under the second name.
    Copied(PathBuf, PathBuf),
    /// One after the other.
    Both(Box<Wound>, Box<Wound>),
}

/// The bytes that a wound has changed, by file; a file that is gone or was not there is all of it.
pub type Changed = BTreeMap<PathBuf, Vec<Range<u64>>>;

impl Wound {
    /// Damages the files. `other` is another log.
    pub fn inflict(&self, image: &mut Image, shape: &Shape, other: &Image) {
        match self {
            Wound::Flip(path, at, bit) => {
                if let Some(byte) =
                    image.get_mut(path).and_then(|bytes| bytes.get_mut(*at as usize))
                {
                    *byte ^= 1 << bit;
                }
            }
            Wound::Sector(path, number, sector) => {
                sector.inflict(path, *number as usize * SECTOR_BYTES, image, shape, other);
            }
            Wound::Missing(path) => drop(image.remove(path)),
            Wound::Cut(path, len) => {
                if let Some(bytes) = image.get_mut(path) {
                    bytes.truncate(*len as usize);
                }
            }
            Wound::Extended(path, by, byte) => {
                if let Some(bytes) = image.get_mut(path) {
                    bytes.resize(bytes.len() + *by as usize, *byte);
                }
            }
            Wound::Foreign(path) => {
                if let Some(bytes) = other.get(path) {
                    image.insert(path.clone(), bytes.clone());
                }
            }
            Wound::Exchanged(one, two) => {
                if let (Some(first), Some(second)) = (image.remove(one), image.remove(two)) {
                    image.insert(one.clone(), second);
                    image.insert(two.clone(), first);
                }
            }
            Wound::Copied(from, to) => {
                if let Some(bytes) = image.get(from).cloned() {
                    image.insert(to.clone(), bytes);
                }
            }
            Wound::Both(one, two) => {
                one.inflict(image, shape, other);
                two.inflict(image, shape, other);
            }
        }
    }
}

impl Sector {
    /// Every kind.
    pub const ALL: [Sector; 6] = [
        Sector::Zeros,
        Sector::Ones,
        Sector::Duplicate,
        Sector::Swapped,
        Sector::Foreign,
        Sector::Forked,
    ];

    fn inflict(self, path: &Path, at: usize, image: &mut Image, shape: &Shape, other: &Image) {
        let of = |bytes: Option<&Vec<u8>>| {
            bytes.and_then(|bytes| bytes.get(at..at + SECTOR_BYTES)).map(<[u8]>::to_vec)
        };
        let next = image.keys().find(|other| other.as_path() > path).cloned();
        let found = match self {
            Sector::Zeros => Some(vec![0; SECTOR_BYTES]),
            Sector::Ones => Some(vec![0xff; SECTOR_BYTES]),
            Sector::Duplicate => image
                .get(path)
                .and_then(|bytes| bytes.get(at.checked_sub(SECTOR_BYTES)?..at).map(<[u8]>::to_vec)),
            Sector::Swapped => of(next.as_ref().and_then(|next| image.get(next))),
            Sector::Foreign => of(other.get(path)),
            Sector::Forked => of(shape.fork.as_ref().and_then(|fork| fork.get(path))),
        };
        let Some(found) = found else { return };
        let Some(place) = image.get_mut(path).and_then(|b| b.get_mut(at..at + SECTOR_BYTES)) else {
            return;
        };
        let before = place.to_vec();
        place.copy_from_slice(&found);
        if self == Sector::Swapped
            && let Some(next) = next.and_then(|next| image.get_mut(&next))
        {
            next[at..at + SECTOR_BYTES].copy_from_slice(&before);
        }
    }
}

/// Where two images differ.
pub(super) fn changed(before: &Image, after: &Image) -> Changed {
    let mut changed = Changed::new();
    for path in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(path), after.get(path));
        if old == new || changed.contains_key(path) {
            continue;
        }
        let runs = match (old, new) {
            (Some(old), Some(new)) => runs_between(old, new),
            (old, new) => {
                let len = old.or(new).map_or(0, Vec::len).max(1) as u64;
                std::iter::once(0..len).collect()
            }
        };
        changed.insert(path.clone(), runs);
    }
    changed
}

fn runs_between(old: &[u8], new: &[u8]) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    let mut add = |from: u64, to: u64| match runs.last_mut() {
        Some(last) if last.end == from => last.end = to,
        _ => runs.push(from..to),
    };
    let sectors = old.chunks(SECTOR_BYTES).zip(new.chunks(SECTOR_BYTES)).enumerate();
    for (number, _) in sectors.filter(|(_, (old, new))| old != new) {
        let at = number * SECTOR_BYTES;
        for at in at..(at + SECTOR_BYTES).min(old.len()).min(new.len()) {
            if old[at] != new[at] {
                add(at as u64, at as u64 + 1);
            }
        }
    }
    let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
    if short < long {
        add(short as u64, long as u64);
    }
    runs
}

impl fmt::Display for Wound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.unwrap_or_default().trim_start_matches('0').to_owned()
        };
        match self {
            Wound::Flip(path, at, bit) => write!(f, "flip {} {at}.{bit}", name(path)),
            Wound::Sector(path, at, sector) => {
                write!(f, "sector {} {at} {sector:?}", name(path))
            }
            Wound::Missing(path) => write!(f, "missing {}", name(path)),
            Wound::Cut(path, len) => write!(f, "cut {} {len}", name(path)),
            Wound::Extended(path, by, byte) => write!(f, "extended {} {by} {byte}", name(path)),
            Wound::Foreign(path) => write!(f, "foreign {}", name(path)),
            Wound::Exchanged(one, two) => write!(f, "exchanged {} {}", name(one), name(two)),
            Wound::Copied(from, to) => write!(f, "copied {} {}", name(from), name(to)),
            Wound::Both(one, two) => write!(f, "{one} and {two}"),
        }
    }
}

pub(super) const SECTOR_BYTES: usize = 512;
