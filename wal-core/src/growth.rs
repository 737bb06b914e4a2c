//! How far a segment's file has been written with zeros, ahead of the commits.
//!
//! Overwriting zeros needs no journal commit of the file system, writing into a hole or past the
//! end does: two to three times as long for a small durable commit. So files are zeroed ahead, in
//! the background, a little at first and more as the log turns out to be used.

use crate::sync::time::Instant;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::io;

use crate::append::write_all;
use crate::limits::BLOCK_BYTES;
use crate::vfs::File;

/// The zeroed extent of one segment file, shared by the committer and the background.
pub(crate) struct Growth {
    file: Arc<dyn File>,
    /// The size the file is to reach.
    bytes: u64,
    /// Everything from the start up to here is written or zeroed, or will be written by the
    /// committer before anybody zeroes it.
    zeroed_to: Mutex<u64>,
    /// The error number of a sync that failed in the background. Held while one is going on.
    failed_sync: Mutex<Option<i32>>,
}

impl Growth {
    pub(crate) fn new(file: Arc<dyn File>, bytes: u64, zeroed_to: u64) -> Growth {
        Growth { file, bytes, zeroed_to: Mutex::new(zeroed_to), failed_sync: Mutex::new(None) }
    }

    /// The committer is about to write up to `end`: nobody zeroes below it from now on. Returns
    /// how far the file is zeroed.
    pub(crate) fn reserve(&self, end: u64) -> u64 {
        let mut zeroed_to = self.zeroed_to.lock().unwrap_or_else(PoisonError::into_inner);
        *zeroed_to = (*zeroed_to).max(end.next_multiple_of(BLOCK_BYTES));
        *zeroed_to
    }

    /// Whether a file used up to `end` should be grown, and to where: by what was written so far at
    /// first, so that a log of few records stays small, and never far ahead. Zeroing takes the disk
    /// from the commits, so there is to be no more of it than they need.
    pub(crate) fn wanted(&self, end: u64, zeroed_to: u64) -> Option<u64> {
        let is_far = zeroed_to.saturating_sub(end) >= AHEAD_BYTES / 2;
        if zeroed_to >= self.bytes || end.saturating_mul(2) < zeroed_to || is_far {
            return None;
        }
        let larger = zeroed_to.saturating_mul(GROWTH_FACTOR).max(GROWTH_BYTES_MIN);
        Some(larger.min(end.saturating_add(AHEAD_BYTES)).min(self.bytes))
    }

    /// Zeroes the next step towards `target`, so that the commits that follow change no metadata
    /// once the zeros are synced; returns whether there is more to do. A crash leaves a longer or
    /// shorter file with zeros at its end, which is what it was before.
    pub(crate) fn grow(&self, target: u64) -> io::Result<bool> {
        // The committer never waits for more than one step.
        let mut zeroed_to = self.zeroed_to.lock().unwrap_or_else(PoisonError::into_inner);
        let from = *zeroed_to;
        if from >= target {
            return Ok(false);
        }
        let to = target.min(from + STEP_BYTES);
        zero(&*self.file, from, to)?;
        *zeroed_to = to;
        Ok(to < target)
    }

    /// Syncs what was zeroed, and with it whatever commits have written meanwhile.
    ///
    /// After an error the log is to be poisoned: the system tells of lost writes only once, so the
    /// next sync of a commit would succeed although its bytes are gone.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut failed_sync = self.failed_sync();
        self.file.sync().inspect_err(|error| *failed_sync = Some(errno_of(error)))
    }

    /// What a commit asks after its own sync: whether one in the background was told before that
    /// bytes were lost. Waits for one that is going on.
    pub(crate) fn check_synced(&self) -> io::Result<()> {
        self.failed_sync().map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    fn failed_sync(&self) -> MutexGuard<'_, Option<i32>> {
        self.failed_sync.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Lets the commits have the disk for as long as a step has taken it.
pub(crate) fn pause_since(start: Instant) {
    crate::sync::thread::sleep(start.elapsed());
}

/// Writes zeros to `from..to` of a file; nobody else writes there.
pub(crate) fn zero(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let len = (to - at).min(ZEROS.len() as u64);
        write_all(file, &[ZEROS.get(..len as usize).unwrap_or(&ZEROS)], at)?;
        at += len;
    }
    Ok(())
}

/// How much is zeroed and synced at a time. The disk is busy with nothing else meanwhile, so this
/// is what a commit may have to wait for.
pub(crate) const STEP_BYTES: u64 = 1 << 20;
/// What one write zeroes. The page cache makes one folio of what comes in one write, where it can,
/// and ext4 looks at every block of the folio for each small write into it: commits of single
/// records take twice as long in a file that was zeroed a step at a time (`docs/decisions/0012`).
static ZEROS: [u8; 32 << 10] = [0; 32 << 10];
/// How far ahead of the commits a file is zeroed.
pub(crate) const AHEAD_BYTES: u64 = 16 << 20;
const GROWTH_FACTOR: u64 = 4;
const GROWTH_BYTES_MIN: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::vfs::{Access, MemVfs, Vfs};

    const SEGMENT_BYTES: u64 = 64 << 20;

    #[test]
    fn a_file_is_zeroed_ahead_of_what_is_written_and_never_far() {
        let file = MemVfs::new().open(Path::new("/file"), Access::Create).expect("created");
        let growth = Growth::new(file, SEGMENT_BYTES, 0);
        let (mut zeroed_to, mut before) = (64 * 1024, 0);
        for end in (0..SEGMENT_BYTES).step_by(4096) {
            if let Some(target) = growth.wanted(end, zeroed_to) {
                assert!(target > zeroed_to && target <= SEGMENT_BYTES);
                zeroed_to = target;
            }
            let ahead = zeroed_to - end;
            assert!(ahead <= AHEAD_BYTES && ahead <= 8 * end.max(GROWTH_BYTES_MIN), "{end}");
            assert!(ahead >= (end / 2).min(AHEAD_BYTES / 2).min(SEGMENT_BYTES - end), "{end}");
            assert!(zeroed_to >= before, "{end}");
            before = zeroed_to;
        }
        assert_eq!(zeroed_to, SEGMENT_BYTES);
        assert_eq!(growth.wanted(SEGMENT_BYTES, SEGMENT_BYTES), None);
    }
}
