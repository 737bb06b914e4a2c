//! The state file: two slots, overwritten in turn, each with one sync.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Damage, Error, ErrorKind, Result};
use crate::limits::{BLOCK_BYTES, STATE_SLOT_BYTES};
use crate::lsn::FileOffset;
use crate::state::slot::{ENTRIES, Slot, SlotFault, claims_newer_version, used_bytes};
use crate::vfs::{File, read_full, write_full};

/// What the two slots were found to be.
///
/// | case | slots | file length | what follows |
/// |---|---|---|---|
/// | `Fresh` | none readable, each empty or torn | short | creation never finished: create it |
/// | `Both` | both readable, same log | any | the higher sequence number counts |
/// | `OneLost` | one readable | any | it counts; the other is the next to be written |
/// | both lost | none readable | full, or foreign bytes | `Corrupt`: nothing is guessed |
/// | newer | one of a later version or with unknown features | any | `Unsupported` |
///
/// The file gets its full length only after both slots are durable, in a step of its own. That is
/// how a creation that a crash interrupted is told from two slots that were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotsCase {
    /// The file was never completely created; no log can have relied on it.
    Fresh,
    /// Both slots are readable.
    Both,
    /// One slot is readable. After a crash during a write that is the rule, after a clean close it
    /// is damage; the fault is the other slot's.
    OneLost(SlotFault),
}

/// The open state file of a writer. Whoever opens it for writing holds its lock.
pub(crate) struct StateFile {
    file: Arc<dyn File>,
    path: PathBuf,
    case: SlotsCase,
    newest: Option<Newest>,
    /// How many bytes of each slot surely have room on the disk. A slot is overwritten within it.
    room: [usize; 2],
    /// Whether the last step of the creation is still to be done.
    is_short: bool,
    /// The first failure. What a failed write or sync left is not known before the file is opened
    /// again, so nothing is written on top of it.
    failure: Option<Error>,
}

/// The slot that counts.
struct Newest {
    slot: Slot,
    index: usize,
    /// Its bytes as they were found or written, also those of unknown compatible features.
    bytes: Vec<u8>,
}

impl StateFile {
    /// Reads both slots and finds the one that counts. Writes nothing.
    ///
    /// # Errors
    ///
    /// `Corrupt` if both slots are lost or belong to different logs, `Unsupported` if one is of a
    /// later version, `Io` if they cannot be read.
    pub(crate) fn open(file: Arc<dyn File>, path: &Path) -> Result<StateFile> {
        let len = file.len().map_err(|error| Error::io("ask for the length", path, error))?;
        let is_short = len < FILE_BYTES;
        let bytes = [read_slot(&*file, path, 0)?, read_slot(&*file, path, 1)?];
        let slots = [Slot::decode(&bytes[0]), Slot::decode(&bytes[1])];
        if let Some(error) = unsupported(&slots, &bytes, path) {
            return Err(error);
        }
        let (case, index) = judge(&slots, is_short, path)?;
        let room = bytes.each_ref().map(|bytes| whole_blocks(bytes.len()));
        let newest = index.and_then(|index| {
            let [first, second] = slots;
            let [first_bytes, second_bytes] = bytes;
            let (slot, bytes) =
                if index == 0 { (first, first_bytes) } else { (second, second_bytes) };
            let slot = slot.ok()?;
            Some(Newest { slot, index, bytes })
        });
        Ok(StateFile { file, path: path.to_owned(), case, newest, room, is_short, failure: None })
    }

    /// What the slots were when the file was opened.
    pub(crate) fn case(&self) -> &SlotsCase {
        &self.case
    }

    /// The slot that counts; `None` while the file is fresh.
    pub(crate) fn newest(&self) -> Option<&Slot> {
        self.newest.as_ref().map(|newest| &newest.slot)
    }

    /// Writes the newest slot once more, byte by byte the same. Does nothing to a fresh file.
    ///
    /// After an unclean stop it may be in the page cache alone: a failed sync leaves it there, and
    /// no later sync of unchanged pages brings it to the disk.
    ///
    /// What a torn write left in the other slot is destroyed: the next slot goes there and may hold
    /// the very bytes that are missing, so that a crash during its write could complete it.
    ///
    /// When this returns, the newest slot survives power loss.
    pub(crate) fn rewrite_newest(&mut self) -> Result<()> {
        self.check()?;
        let Some(Newest { index, bytes, .. }) = &self.newest else { return Ok(()) };
        let mut result = self.write_slot(*index, bytes).and_then(|()| self.sync());
        if matches!(self.case, SlotsCase::OneLost(SlotFault::Torn { .. })) {
            let other = usize::from(*index == 0);
            // The header alone: zeros behind it could be what is missing.
            result = result
                .and_then(|()| self.write_at(slot_offset(other), &[0; ENTRIES]))
                .and_then(|()| self.sync());
        }
        self.finish(result)
    }

    /// Writes the next slot: these facts, with the next sequence number and the mirror mark set.
    /// A fresh file gets both slots. A crash leaves the slot before or this one.
    ///
    /// When this returns, the slot survives power loss, and [`StateFile::newest`] is it.
    ///
    /// # Errors
    ///
    /// `Full` if the values do not fit the slot or the disk; then nothing was done. After any other
    /// error the file refuses all writes with `Poisoned`.
    pub(crate) fn write(&mut self, slot: Slot) -> Result<()> {
        self.check()?;
        if slot.values.slot_bytes() as u64 > STATE_SLOT_BYTES {
            return Err(Error::at_path(ErrorKind::Full, &self.path, "the state is too large"));
        }
        let Some(newest) = &self.newest else { return self.create(slot) };
        let Some(seq) = newest.slot.seq.checked_add(1) else {
            return Err(Error::at_path(ErrorKind::Full, &self.path, "no sequence number left"));
        };
        let is_mirrored =
            newest.slot.first_lsn == slot.first_lsn && newest.slot.values == slot.values;
        let index = usize::from(newest.index == 0);
        let contents_seq = if is_mirrored { newest.slot.contents_seq } else { seq };
        let slot = Slot { seq, is_mirrored, contents_seq, ..slot };
        let bytes = slot.encode();
        self.make_room(whole_blocks(bytes.len()))?;
        let result = self.write_slot(index, &bytes).and_then(|()| self.sync());
        self.finish(result)?;
        self.newest = Some(Newest { slot, index, bytes });
        Ok(())
    }

    /// Takes room for slots of this size, for both of them: what one could be written with, the
    /// next one must be as well, or a full disk would stop the next opening. Nothing that counts is
    /// written to, only what lies behind both slots.
    fn make_room(&mut self, wanted: usize) -> Result<()> {
        for (index, room) in self.room.iter_mut().enumerate() {
            while let Some(missing) = wanted.checked_sub(*room).filter(|&missing| missing > 0) {
                let zeros = vec![0; missing];
                let offset = slot_offset(index).saturating_add(*room as u64);
                match self.file.write_at(&[IoSlice::new(&zeros)], offset) {
                    Ok(written) if (1..=zeros.len()).contains(&written) => {
                        *room = room.saturating_add(written);
                    }
                    Ok(_) => {
                        let message = "a write of no bytes, or of more than there are";
                        return Err(Error::at_path(ErrorKind::Internal, &self.path, message));
                    }
                    Err(error) => {
                        let error = Error::io("make room for a slot", &self.path, error);
                        if error.kind() != ErrorKind::Full {
                            self.failure = Some(error.clone());
                        }
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Where the slot stands that is not the newest one: the lost one, when one is lost.
    pub(crate) fn other_offset(&self) -> Option<FileOffset> {
        let newest = self.newest.as_ref()?;
        Some(FileOffset(slot_offset(usize::from(newest.index == 0))))
    }

    /// Overwrites whatever the file holds with these facts, under the slot's own sequence number
    /// and the one after it. For a state that is lost, or older than what segments remember of it.
    /// A crash leaves lost slots or one of these.
    ///
    /// When this returns, both slots survive power loss.
    ///
    /// # Errors
    ///
    /// As [`StateFile::write`].
    pub(crate) fn rebuild(file: Arc<dyn File>, path: &Path, slot: Slot) -> Result<()> {
        let path = path.to_owned();
        let case = SlotsCase::Fresh;
        let (newest, room) = (None, [0; 2]);
        let state = StateFile { file, path, case, newest, room, is_short: true, failure: None };
        if slot.values.slot_bytes() as u64 > STATE_SLOT_BYTES {
            return Err(Error::at_path(ErrorKind::Full, &state.path, "the state is too large"));
        }
        let Some(next) = slot.seq.checked_add(1) else {
            return Err(Error::at_path(ErrorKind::Full, &state.path, "no sequence number left"));
        };
        let first = Slot { is_mirrored: true, contents_seq: slot.seq, ..slot };
        let second = Slot { seq: next, ..first.clone() };
        state.write_slot(0, &first.encode())?;
        state.file.sync().map_err(|error| Error::io("sync the state", &state.path, error))?;
        state.write_slot(1, &second.encode())?;
        state.sync()
    }

    /// Writes both slots of a new file, and its length last.
    fn create(&mut self, slot: Slot) -> Result<()> {
        let first = Slot { seq: 1, is_mirrored: true, contents_seq: 1, ..slot };
        let second = Slot { seq: 2, ..first.clone() };
        let bytes = second.encode();
        let result = self
            .write_slot(0, &first.encode())
            .and_then(|()| self.write_slot(1, &bytes))
            .and_then(|()| self.sync());
        self.finish(result)?;
        self.room = [whole_blocks(bytes.len()); 2];
        self.newest = Some(Newest { slot: second, index: 1, bytes });
        Ok(())
    }

    /// Writes one slot, filled up to whole blocks.
    fn write_slot(&self, index: usize, used: &[u8]) -> Result<()> {
        let mut bytes = used.to_vec();
        bytes.resize(whole_blocks(bytes.len()), 0);
        self.write_at(slot_offset(index), &bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        // Even a full disk leaves the slot undone by halves here, unlike in `make_room`.
        write_full(&*self.file, bytes, offset)
            .map_err(|error| Error::io("write a slot", &self.path, error).with_kind(ErrorKind::Io))
    }

    /// Syncs what was written, and the full length after it if that is missing.
    fn sync(&self) -> Result<()> {
        let failed =
            |error| Error::io("sync the state", &self.path, error).with_kind(ErrorKind::Io);
        self.file.sync().map_err(failed)?;
        if self.is_short {
            self.file.set_len(FILE_BYTES).map_err(failed)?;
            self.file.sync().map_err(failed)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.failure.as_ref().map_or(Ok(()), |cause| Err(Error::poisoned(cause)))
    }

    fn finish(&mut self, result: Result<()>) -> Result<()> {
        match &result {
            Ok(()) => self.is_short = false,
            Err(error) => self.failure = Some(error.clone()),
        }
        result
    }
}

/// Which of the decodable slots counts; see [`SlotsCase`].
fn judge(
    slots: &[std::result::Result<Slot, SlotFault>; 2],
    is_short: bool,
    path: &Path,
) -> Result<(SlotsCase, Option<usize>)> {
    match slots {
        [Ok(first), Ok(second)] if first.uuid != second.uuid => {
            let expected = format!("a slot of the log {}", hexadecimal(&first.uuid));
            let found = format!("one of the log {}", hexadecimal(&second.uuid));
            Err(corrupt(path, 1, expected, found))
        }
        [Ok(first), Ok(second)] if first.seq == second.seq => {
            let expected = format!("a sequence number other than {}", first.seq);
            Err(corrupt(path, 1, expected, "the same".to_owned()))
        }
        [Ok(first), Ok(second)] => Ok((SlotsCase::Both, Some(usize::from(second.seq > first.seq)))),
        [Ok(_), Err(fault)] => Ok((SlotsCase::OneLost(fault.clone()), Some(0))),
        [Err(fault), Ok(_)] => Ok((SlotsCase::OneLost(fault.clone()), Some(1))),
        [Err(first), Err(second)] => {
            if is_short && is_unfinished(first) && is_unfinished(second) {
                return Ok((SlotsCase::Fresh, None));
            }
            let expected = match first {
                SlotFault::Torn { expected, .. } => format!("a state slot with {expected}"),
                _ => "a state slot".to_owned(),
            };
            let found = format!("{first}, and in the other slot {second} (case state-lost)");
            Err(corrupt(path, 0, expected, found))
        }
    }
}

/// Whether a creation that was interrupted can have left this.
fn is_unfinished(fault: &SlotFault) -> bool {
    matches!(fault, SlotFault::Empty | SlotFault::Torn { .. })
}

/// The refusal of a file that a later version has written to. An older slot beside the newer one
/// does not count any more, so it is not used.
fn unsupported(
    slots: &[std::result::Result<Slot, SlotFault>; 2],
    bytes: &[Vec<u8>; 2],
    path: &Path,
) -> Option<Error> {
    let sealed = slots.iter().find_map(|slot| match slot {
        Err(fault @ (SlotFault::Newer { .. } | SlotFault::UnknownFeature { .. })) => {
            Some(fault.clone())
        }
        _ => None,
    });
    // One wrong bit does not make a later version; two slots that agree do.
    let [first, second] = bytes.each_ref().map(|bytes| claims_newer_version(bytes));
    let claimed = first.filter(|_| first == second).map(|version| SlotFault::Newer { version });
    sealed.or(claimed).map(|fault| {
        let message =
            format!("the state file has {fault}; upgrade to open it (case newer-version)");
        Error::at_path(ErrorKind::Unsupported, path, message)
    })
}

/// The bytes of one slot: its first block, and the rest if it says it has more.
fn read_slot(file: &dyn File, path: &Path, index: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_up_to(file, path, index, &mut bytes, BLOCK_BYTES as usize)?;
    let used = used_bytes(&bytes);
    read_up_to(file, path, index, &mut bytes, used)?;
    Ok(bytes)
}

/// Extends what was read of a slot to `len` bytes, or to the end of the file.
fn read_up_to(
    file: &dyn File,
    path: &Path,
    index: usize,
    bytes: &mut Vec<u8>,
    len: usize,
) -> Result<()> {
    let held = bytes.len();
    bytes.resize(len.max(held), 0);
    let offset = slot_offset(index).saturating_add(held as u64);
    let rest = bytes.get_mut(held..).unwrap_or_default();
    let read =
        read_full(file, rest, offset).map_err(|error| Error::io("read a slot", path, error))?;
    bytes.truncate(held.saturating_add(read));
    Ok(())
}

fn corrupt(path: &Path, index: usize, expected: String, found: String) -> Error {
    let offset = FileOffset(slot_offset(index));
    Error::corrupt(Damage {
        path: path.to_owned(),
        segment: None,
        offset,
        lsns: None,
        expected,
        found,
    })
}

/// What a slot of so many bytes takes: blocks are written whole.
fn whole_blocks(bytes: usize) -> usize {
    bytes.next_multiple_of(BLOCK_BYTES as usize)
}

fn slot_offset(index: usize) -> u64 {
    if index == 0 { 0 } else { STATE_SLOT_BYTES }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The length of a complete state file.
const FILE_BYTES: u64 = STATE_SLOT_BYTES * 2;

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
