//! What may be in the page cache alone is written again and synced, and looked at once more.

use std::path::Path;

use super::open::{Judged, judged};
use super::survey::Survey;
use crate::append::write_all;
use crate::error::{Error, Result};
use crate::limits::BLOCK_BYTES;
use crate::options::Options;
use crate::segment::DATA_START;
use crate::state::Slot;
use crate::vfs::{Access, Vfs, read_full};

/// Writes again and syncs what may be in the page cache alone: the tail above the watermark.
/// Returns how many bytes of it.
///
/// A crash leaves the same bytes as before, or part of them twice.
pub(super) fn rewrite(vfs: &dyn Vfs, path: &Path, tail: &Option<Judged>) -> Result<u64> {
    vfs.sync_dir(path).map_err(|error| Error::io("syncing the directory", path, error))?;
    let Some(tail) = tail else { return Ok(0) };
    let segment_path = &tail.found.path;
    let error = |error| Error::io("rewriting the tail", segment_path, error);
    let file = vfs.open(segment_path, Access::Write).map_err(error)?;
    let mut at = tail.scanned.watermark / BLOCK_BYTES * BLOCK_BYTES;
    let end = tail.scanned.end();
    if at < DATA_START {
        // The header itself is above the watermark, and of its two copies one may be lost.
        write_all(&*file, &[&tail.found.header.encode()], 0).map_err(error)?;
        at = DATA_START;
    }
    let mut rewritten = 0;
    let mut buffer = vec![0; end.saturating_sub(at).min(REWRITE_BYTES as u64) as usize];
    while at < end {
        let len = (end - at).min(REWRITE_BYTES as u64) as usize;
        let piece = buffer.get_mut(..len).unwrap_or_default();
        let read = read_full(&*file, piece, at).map_err(error)?;
        if read < len {
            return Err(error(std::io::ErrorKind::UnexpectedEof.into()));
        }
        write_all(&*file, &[piece], at).map_err(error)?;
        at += len as u64;
        rewritten += len as u64;
    }
    file.sync().map_err(error)?;
    Ok(rewritten)
}

/// Whether the tail is what was judged, now that it was written again and synced.
///
/// A page whose write has failed is clean, and the kernel may drop it at any moment. Dropped
/// between the scan and the reading here, it comes back with what the disk holds, and that was
/// written again then: the commit is gone, and nothing may call it durable.
pub(super) fn stands(
    vfs: &dyn Vfs,
    survey: &Survey,
    slot: &Slot,
    options: &Options,
    tail: &Option<Judged>,
) -> Result<bool> {
    let Some(tail) = tail else { return Ok(true) };
    let Some(again) = judged(vfs, survey, Some(slot), options)? else { return Ok(false) };
    let (before, now) = (&tail.scanned, &again.scanned);
    Ok((now.end(), now.scanner.next_lsn, now.scanner.chain)
        == (before.end(), before.scanner.next_lsn, before.scanner.chain))
}

/// The tail never was the same twice.
pub(super) fn unsteady(path: &Path) -> Error {
    let error = std::io::Error::other("the log's end changes from one look to the next");
    Error::io("rewriting the tail", path, error)
}

/// How often an opening looks at the tail anew. Every time but the last takes a page that was
/// dropped in the very moment.
pub(super) const ATTEMPTS_MAX: u32 = 5;
const REWRITE_BYTES: usize = 1 << 20;
