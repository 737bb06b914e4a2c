//! A medium that does not keep what it was given: bits rot, writes that were acknowledged are not
//! there, or are somewhere else.

use std::path::{Path, PathBuf};

use wal_core::ErrorKind;
use wal_core::vfs::{MemVfs, Vfs};

use super::loss::Loss;
use super::player::Player;
use super::probe::{begin, opened, same};
use crate::Rng;
use crate::model::{Found, Refusal, open};

/// Damages what the history has come to and looks at it. Returns how many states were judged.
///
/// # Errors
///
/// The promise that is broken: what was closed in order is the same or is refused as corrupt; what
/// was not may end earlier, but never has other bytes.
pub(super) fn look(player: &mut Player<'_>, seed: u64) -> Result<u64, String> {
    let mut rng = Rng::new(seed);
    let options = &player.history.options;
    let op = player.vfs.op_count();
    let left = Loss::All.of(&player.vfs, op);
    let closed = match rng.chance(50) {
        true => {
            begin(&mut rng);
            let (log, found) = opened(&left, options)?;
            let result = log.close();
            drop(log);
            result.map_err(|error| format!("closing says {error}"))?;
            Some(found)
        }
        false => None,
    };
    let Some(story) = damage(&left, &player.vfs, closed.is_some(), &mut rng) else { return Ok(0) };
    begin(&mut rng);
    let result = open(std::sync::Arc::new(left.clone()), options);
    left.power_off();
    let judged = match (&result, &closed) {
        (Err(Refusal::Error(error)), _) if error.kind() == ErrorKind::Corrupt => Ok(()),
        (Err(refusal), _) => Err(format!("opening says {refusal}")),
        (Ok((_, found)), Some(expected)) => same(found, expected),
        (Ok((_, found)), None) => player.knows(found),
    };
    drop(result);
    let was = if closed.is_some() { "closed in order" } else { "left open" };
    judged.map_err(|text| format!("the log was {was}; {story}; then {text}"))?;
    Ok(1)
}

impl Player<'_> {
    /// Whether every record and value is one that was there under its LSN at some time.
    fn knows(&self, found: &Found) -> Result<(), String> {
        for (lsn, record) in (found.first..).zip(&found.records) {
            if !self.ever.get(&lsn).is_some_and(|ever| ever.contains(record)) {
                return Err(format!("record {lsn} has bytes that were never appended there"));
            }
        }
        match found.values.values().find(|value| !self.values.contains(value)) {
            Some(_) => Err("a value has bytes that were never set".into()),
            None => Ok(()),
        }
    }
}

/// Changes bytes, and says which. What was written before a close is not told from later writes, so
/// a closed log only rots.
fn damage(left: &MemVfs, vfs: &MemVfs, is_closed: bool, rng: &mut Rng) -> Option<String> {
    if is_closed || rng.chance(40) {
        return rot(left, rng);
    }
    let count = vfs.op_count();
    let writes = (0..40).find_map(|_| {
        let op = 1 + rng.below(count);
        vfs.written_by(op).map(|write| (op, write))
    });
    let (op, (path, offset, bytes)) = writes?;
    // A write that was long enough loses a part of its sectors, as a rule.
    let sectors = bytes.len().div_ceil(512);
    let first = rng.below(sectors) * 512;
    let end = if rng.chance(50) { bytes.len() } else { (first + 512).min(bytes.len()) };
    let old = vfs.kill_at(op - 1).file_bytes(&path).unwrap_or_default();
    let lost: Vec<u8> =
        (first..end).map(|at| old.get(offset as usize + at).copied().unwrap_or_default()).collect();
    let start = offset + first as u64;
    let len = left.file_bytes(&path).ok()?.len() as u64;
    if start + lost.len() as u64 > len {
        return None;
    }
    left.overwrite(&path, start, &lost).ok()?;
    let story = format!(
        "of the write of operation {op} to {} the {} bytes at {start} never arrived",
        path.display(),
        lost.len()
    );
    if rng.chance(50) {
        return Some(story);
    }
    let (other, other_len) = file(left, rng)?;
    let place = rng.below(other_len as usize / 512) as u64 * 512;
    let astray = &bytes[first..end.min(first + (other_len - place) as usize)];
    left.overwrite(&other, place, astray).ok()?;
    Some(format!("{story}, but at {place} of {}", other.display()))
}

/// Flips a bit, or loses a sector, where there is something.
fn rot(left: &MemVfs, rng: &mut Rng) -> Option<String> {
    let (path, _) = file(left, rng)?;
    let bytes = left.file_bytes(&path).ok()?;
    let used: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    let offset = *used.get(rng.below(used.len()))? as u64;
    if rng.chance(70) {
        let mask = 1 << rng.below(8);
        left.corrupt(&path, offset, mask).ok()?;
        return Some(format!("bit {mask:#04x} of {} at {offset} flips", path.display()));
    }
    let start = offset / 512 * 512;
    let len = (bytes.len() as u64 - start).min(512) as usize;
    let garbage: Vec<u8> = match rng.chance(50) {
        true => vec![0; len],
        false => (0..len).map(|_| rng.next() as u8).collect(),
    };
    left.overwrite(&path, start, &garbage).ok()?;
    Some(format!("the sector of {} at {start} is lost", path.display()))
}

/// Any file with something in it, and its length.
fn file(vfs: &MemVfs, rng: &mut Rng) -> Option<(PathBuf, u64)> {
    let dir = Path::new("/log");
    let mut names = vfs.list(dir).ok()?;
    names.sort();
    let name = names.get(rng.below(names.len()))?;
    let path = dir.join(name);
    let len = vfs.file_bytes(&path).ok()?.len() as u64;
    (len >= 512).then_some((path, len))
}
