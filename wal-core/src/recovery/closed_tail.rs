//! The end of a log that was closed in order: it stands where the state says, so that most of the
//! newest segment need not be read to find it.

use super::survey::Found;
use super::tail::{Bytes, ScannedTail, scan};
use crate::error::Result;
use crate::frame::COMMIT_FRAME_BYTES;
use crate::limits::{BLOCK_BYTES, OPENINGS_PER_SEGMENT_MAX};
use crate::options::ReadMode;
use crate::segment::{DATA_START, Scanner, Stop, footer_bytes};
use crate::state::Slot;
use crate::vfs::{File, read_full};

/// The end of the newest segment where `slot` says that the log was closed there in order, and the
/// segment agrees. `None` when anything does not fit: then the whole segment is scanned.
pub(super) fn of(
    file: &dyn File,
    found: &Found,
    slot: &Slot,
    mode: ReadMode,
) -> Result<Option<ScannedTail>> {
    if !slot.is_clean || slot.tail.segment != found.header.id {
        return Ok(None);
    }
    if slot.continues {
        open_end(file, found, slot, mode)
    } else {
        Ok(sealed_end(file, found, slot))
    }
}

/// A segment that is gone on with is short up to its end. Behind it the file may have been zeroed
/// for the whole size of a segment: one block of that is looked at. A later run of writing whose
/// own slot was lost would begin there, with the opening frame without which nothing of it
/// validates.
fn open_end(
    file: &dyn File,
    found: &Found,
    slot: &Slot,
    mode: ReadMode,
) -> Result<Option<ScannedTail>> {
    let end = slot.tail.offset.0;
    let bytes = Bytes::until(file, &found.path, mode, end.saturating_add(BLOCK_BYTES))?;
    let Some(behind) = bytes.as_slice().get(end as usize..) else { return Ok(None) };
    if behind.iter().any(|&byte| byte != 0) {
        return Ok(None);
    }
    let scanned = scan(found, bytes.as_slice(), Some(slot));
    let agrees = scanned.end() == end && agrees(&scanned.scanner, slot);
    Ok(Some(scanned).filter(|_| agrees))
}

/// The last trailer and the footer of a sealed segment say what the scan would find. The commits
/// before them are not looked at: damage to those is met by whoever reads them, as in every other
/// sealed segment.
fn sealed_end(file: &dyn File, found: &Found, slot: &Slot) -> Option<ScannedTail> {
    let end = slot.tail.offset.0;
    let records = slot.next_lsn.checked_sub(found.header.first_lsn)?;
    let mut bytes = Vec::new();
    // How many openings it has is not known beforehand; nearly always there are none.
    (0..=OPENINGS_PER_SEGMENT_MAX as u64).find_map(|openings| {
        let footer_at = end.checked_sub(footer_bytes(records, openings))?;
        let start = footer_at.checked_sub(COMMIT_FRAME_BYTES).filter(|&at| at >= DATA_START)?;
        prepend(file, start, end, &mut bytes)?;
        let scanner = Scanner::at_footer(found.header, &bytes, footer_at)?;
        let ends_there = scanner.footer.as_ref().is_some_and(|&(_, behind)| behind == end);
        (ends_there && agrees(&scanner, slot)).then(|| ScannedTail {
            stop: Stop::Sealed,
            index: Vec::new(),
            watermark: end,
            bytes: bytes.len() as u64,
            scanner,
        })
    })
}

fn agrees(scanner: &Scanner, slot: &Slot) -> bool {
    scanner.next_lsn == slot.next_lsn
        && scanner.chain == slot.tail_chain
        && scanner.durable_through <= slot.tail
}

/// Makes `bytes`, which end at `end` of the file, start at `start`.
fn prepend(file: &dyn File, start: u64, end: u64, bytes: &mut Vec<u8>) -> Option<()> {
    // The place comes from the state: it is held against the file before memory is taken for it.
    if end > file.len().ok()? {
        return None;
    }
    let missing = end.checked_sub(start)?.checked_sub(bytes.len() as u64)?;
    let mut longer = vec![0; usize::try_from(missing).ok()?];
    let read = read_full(file, &mut longer, start).ok()?;
    let is_whole = read == longer.len();
    longer.append(bytes);
    *bytes = longer;
    is_whole.then_some(())
}
