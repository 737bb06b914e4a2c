//! The end of the log: scanned in the newest segment, judged by the watermark.

use std::path::Path;

use super::report::{Cut, RecoveryCase};
use super::survey::Found;
use crate::error::{Damage, Error, Result};
use crate::lsn::{FileOffset, Lsn, LsnRange, Place};
use crate::options::ReadMode;
use crate::segment::{Break, DATA_START, Scanner, Stop, later_durable_through};
use crate::state::Slot;
use crate::vfs::{File, Mapping, read_full};

/// What the scan of the newest segment found.
pub(crate) struct ScannedTail {
    pub(crate) scanner: Scanner,
    pub(crate) stop: Stop,
    /// Delta and offset of every record.
    pub(crate) index: Vec<(u32, u64)>,
    /// Everything of the segment before this offset is known to have been on stable storage.
    pub(crate) watermark: u64,
    /// Bytes looked at.
    pub(crate) bytes: u64,
}

/// What becomes of a tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The clean-close mark and the scan agree.
    Clean,
    /// Everything there is whole.
    Whole,
    /// What follows the last commit is cut off.
    Torn(Cut),
}

/// A file's bytes, mapped or read.
pub(crate) enum Bytes {
    Mapped(Mapping),
    Read(Vec<u8>),
}

impl Bytes {
    pub(crate) fn of(file: &dyn File, path: &Path, mode: ReadMode) -> Result<Bytes> {
        Bytes::until(file, path, mode, u64::MAX)
    }

    /// The first `end` bytes of the file, or as many as it has.
    pub(crate) fn until(file: &dyn File, path: &Path, mode: ReadMode, end: u64) -> Result<Bytes> {
        let error = |error| Error::io("reading a segment", path, error);
        let len = file.len().map_err(error)?.min(end);
        if mode == ReadMode::Map
            && let Some(mapping) = file.map(len).map_err(error)?
        {
            return Ok(Bytes::Mapped(mapping));
        }
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(len as usize)
            .map_err(|_| error(std::io::ErrorKind::OutOfMemory.into()))?;
        bytes.resize(len as usize, 0);
        let read = read_full(file, &mut bytes, 0).map_err(error)?;
        bytes.truncate(read);
        Ok(Bytes::Read(bytes))
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Mapped(mapping) => (**mapping).as_ref(),
            Bytes::Read(bytes) => bytes,
        }
    }
}

/// Scans the newest segment from its start.
pub(crate) fn scan(found: &Found, bytes: &[u8], slot: Option<&Slot>) -> ScannedTail {
    let mut scanner = Scanner::new(found.header);
    let mut index = Vec::new();
    let frames = bytes.get(DATA_START as usize..).unwrap_or_default();
    let stop = scanner.run(frames, &mut |delta, offset| index.push((delta, offset)));
    let id = found.header.id;
    let mut watermark = 0;
    if scanner.durable_through.segment == id {
        watermark = scanner.durable_through.offset.0;
    }
    if let Some(slot) = slot.filter(|slot| slot.tail.segment == id) {
        watermark = watermark.max(slot.tail.offset.0);
    }
    if stop != Stop::Sealed {
        let rest = bytes.get(scanner.end as usize..).unwrap_or_default();
        let opening = if stop == Stop::Zeroed { None } else { scanner.seed_of_opening(rest) };
        for seed in [Some(scanner.seed()), opening].into_iter().flatten() {
            let later = later_durable_through(rest, scanner.end, seed, id);
            watermark = watermark.max(later.map_or(0, |(offset, _)| offset.0));
        }
    }
    ScannedTail { scanner, stop, index, watermark, bytes: frames.len() as u64 }
}

impl ScannedTail {
    /// Where the segment's bytes end, its footer included.
    pub(crate) fn end(&self) -> u64 {
        self.scanner.footer.as_ref().map_or(self.scanner.end, |&(_, end)| end)
    }

    /// Judges the tail: what is broken below the watermark is corruption, at or after it a torn
    /// write, whatever may follow. Nothing else is looked at.
    ///
    /// # Errors
    /// `Corrupt`, rows `hole-below-watermark` and `state-stale`.
    pub(crate) fn judge(
        &self,
        found: &Found,
        bytes: &[u8],
        slot: Option<&Slot>,
    ) -> Result<Verdict> {
        if self.watermark > self.end() {
            return Err(self.hole(found, bytes));
        }
        // A mark that is not at the very end is an old one: the slot after it is gone.
        let is_clean = slot.is_some_and(|slot| {
            slot.is_clean
                && slot.tail.segment == found.header.id
                && slot.tail.offset.0 == self.end()
        });
        if is_clean {
            return Ok(Verdict::Clean);
        }
        let Stop::Broken(broken) = &self.stop else { return Ok(Verdict::Whole) };
        let rest = bytes.get(self.scanner.end as usize..).unwrap_or_default();
        let used = rest.len() - zeros_at_the_end(rest);
        let Break { offset, expected, found: seen } = broken;
        Ok(Verdict::Torn(Cut {
            place: Place { segment: found.header.id, offset: FileOffset(self.scanner.end) },
            bytes: used as u64,
            reason: format!("at offset {offset}: expected {expected}, found {seen}"),
        }))
    }

    fn hole(&self, found: &Found, bytes: &[u8]) -> Error {
        // The quick scan notices a wrong length only where it has led; the first frame that is
        // wrong by its own checksum is the place to tell of.
        let rest = bytes.get(self.scanner.end as usize..).unwrap_or_default();
        let (offset, expected, seen) = match &self.scanner.thoroughly().run(rest, &mut |_, _| {}) {
            Stop::Broken(Break { offset, expected, found }) => {
                (*offset, expected.clone(), found.clone())
            }
            Stop::Zeroed => (self.scanner.end, "a commit".into(), "zeros".into()),
            Stop::End | Stop::Sealed => (self.scanner.end, "a commit".into(), "no bytes".into()),
        };
        let first = Lsn::new(self.scanner.next_lsn);
        Error::corrupt(Damage {
            path: found.path.clone(),
            segment: Some(found.header.id),
            offset: FileOffset(offset),
            lsns: first.map(|first| LsnRange { first, final_: first }),
            expected,
            found: format!(
                "{seen}, below the watermark at offset {} (case {})",
                self.watermark,
                RecoveryCase::HoleBelowWatermark
            ),
        })
    }
}

/// How many bytes of zeros `bytes` ends with.
fn zeros_at_the_end(bytes: &[u8]) -> usize {
    // By runs first: there may be a whole segment of them.
    let is_zero = |run: &&[u8]| run.iter().fold(0, |any, byte| any | byte) == 0;
    let runs = bytes.rchunks(512).take_while(is_zero).map(<[u8]>::len).sum();
    let rest = bytes.get(..bytes.len().saturating_sub(runs)).unwrap_or_default();
    runs + rest.iter().rev().take_while(|&&byte| byte == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_are_counted_to_the_byte() {
        for len in [0, 1, 511, 512, 513, 5000] {
            assert_eq!(zeros_at_the_end(&vec![0; len]), len);
            for last in (0..len).step_by(97) {
                let mut bytes = vec![0; len];
                bytes[last] = 1;
                assert_eq!(zeros_at_the_end(&bytes), len - last - 1, "{last} of {len}");
            }
        }
    }
}
