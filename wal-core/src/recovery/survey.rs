//! Which segment files there are, and how they follow each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::report::RecoveryCase;
use crate::error::{Damage, Error, ErrorKind, Result};
use crate::limits::BLOCK_BYTES;
use crate::lsn::{FileOffset, Lsn, LsnRange, SegmentId};
use crate::segment::{DATA_START, HeaderFault, SegmentHeader, file_name, parse_file_name};
use crate::state::Slot;
use crate::vfs::{Access, File, Vfs, read_full};

/// The segment files of a log, sorted by what they are.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The log, oldest segment first.
    pub(crate) chain: Vec<Found>,
    /// Files without a header, waiting to become segments.
    pub(crate) spares: Vec<SegmentId>,
    /// Segments that are no part of the log any more: trimmed or truncated away.
    pub(crate) dead: Vec<SegmentId>,
    /// Files whose header was being written when everything stopped.
    pub(crate) torn: Vec<SegmentId>,
}

/// A segment of the log.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) header: SegmentHeader,
    pub(crate) path: PathBuf,
    /// What is wrong with one of the header's two copies, and where that copy stands.
    pub(crate) lost_copy: Option<(FileOffset, String)>,
}

/// What the start of a file says.
pub(crate) enum Start {
    Spare,
    Segment(SegmentHeader, Option<(FileOffset, String)>),
    Torn { expected: u32, found: u32 },
    Unsupported(String),
}

impl Survey {
    /// Lists the directory and follows the chain of headers from the newest segment back.
    ///
    /// `slot` is the newest state; without one the chain is taken as far as it goes.
    pub(crate) fn take(vfs: &dyn Vfs, directory: &Path, slot: Option<&Slot>) -> Result<Survey> {
        let starts = read_starts(vfs, directory, &segment_files(vfs, directory)?)?;
        let mut survey = Survey::default();
        let newest = starts.iter().rev().find_map(|(&id, start)| match start {
            Start::Segment(..) | Start::Unsupported(_) => Some(id),
            Start::Spare | Start::Torn { .. } => None,
        });
        if let Some(newest) = newest {
            survey.follow(directory, &starts, newest, slot)?;
        }
        survey.check_known_tail(directory, &starts, slot)?;
        let is_live = |id| survey.chain.iter().any(|found| found.header.id == id);
        let rest: Vec<_> = starts.iter().filter(|&(&id, _)| !is_live(id)).collect();
        for (&id, start) in rest {
            let is_after = newest.is_none_or(|newest| id > newest);
            match start {
                Start::Spare if is_after => survey.spares.push(id),
                Start::Torn { .. } if is_after => survey.torn.push(id),
                _ => survey.dead.push(id),
            }
        }
        Ok(survey)
    }

    /// The segment the log ends in.
    pub(crate) fn newest(&self) -> Option<&Found> {
        self.chain.last()
    }

    /// Walks from the newest segment back to the first one the log still needs.
    fn follow(
        &mut self,
        directory: &Path,
        starts: &BTreeMap<SegmentId, Start>,
        newest: SegmentId,
        slot: Option<&Slot>,
    ) -> Result<()> {
        let first_segment = slot.map_or(0, |slot| slot.first_segment.0);
        let uuid = slot.map(|slot| slot.uuid);
        let mut id = newest;
        // Ids only fall along the chain, so this ends.
        loop {
            let path = directory.join(file_name(id));
            let found = need(starts.get(&id), id, &path, self.chain.last())?;
            let uuid = uuid.or(self.chain.last().map(|later| later.header.uuid));
            check_identity(&found, id, uuid, self.chain.last())?;
            let predecessor = found.header.predecessor;
            self.chain.push(found);
            match predecessor {
                Some(before) if before.id >= id => {
                    let message = format!("a predecessor with a lower id than {id}");
                    return Err(bad(&path, id, &message, &format!("id {}", before.id)));
                }
                Some(before) if before.id.0 >= first_segment => {
                    // Without a state there is no telling whether it was trimmed.
                    if slot.is_none() && !starts.contains_key(&before.id) {
                        break;
                    }
                    id = before.id;
                }
                _ => break,
            }
        }
        self.chain.reverse();
        Ok(())
    }

    /// Holds the survey against the place the state knows to be durable.
    fn check_known_tail(
        &self,
        directory: &Path,
        starts: &BTreeMap<SegmentId, Start>,
        slot: Option<&Slot>,
    ) -> Result<()> {
        let Some(slot) = slot else { return Ok(()) };
        let known = slot.tail.segment;
        if self.chain.is_empty() && !slot_begins_a_log(slot) {
            return Err(Error::corrupt(Damage {
                path: directory.join(super::STATE_FILE),
                segment: None,
                offset: FileOffset(0),
                lsns: lsns_before(slot.next_lsn),
                expected: format!("a segment with the records from LSN {} on", slot.first_lsn),
                found: format!("none (case {})", RecoveryCase::MissingSegment),
            }));
        }
        if known.0 == 0 || self.newest().is_some_and(|newest| newest.header.id >= known) {
            return Ok(());
        }
        let path = directory.join(file_name(known));
        match starts.get(&known) {
            Some(&Start::Torn { expected, found }) => Err(corrupt(
                RecoveryCase::BadHeader,
                &path,
                known,
                None,
                format!("a segment header with checksum {expected:#010x}"),
                format!("{found:#010x}"),
            )),
            _ => Err(corrupt(
                RecoveryCase::MissingSegment,
                &path,
                known,
                None,
                format!("segment {known}, which was durable up to offset {}", slot.tail.offset),
                "no such segment".into(),
            )),
        }
    }
}

/// Whether a log may have this state and no segment: no record, and an LSN for the next one.
pub(crate) fn slot_begins_a_log(slot: &Slot) -> bool {
    let is_known = slot.tail.segment.0 != 0;
    let has_next = (1..=Lsn::MAX.get() + 1).contains(&slot.next_lsn);
    is_known || (has_next && slot.first_lsn >= slot.next_lsn)
}

/// The ids of all files named like segments, ascending; every other file is left alone.
pub(crate) fn segment_files(vfs: &dyn Vfs, directory: &Path) -> Result<Vec<SegmentId>> {
    let names =
        vfs.list(directory).map_err(|error| Error::io("listing the log", directory, error))?;
    let mut ids: Vec<_> = names.iter().filter_map(|name| parse_file_name(name.to_str()?)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// What the files of these segments start with. Of many files at a time the first blocks are asked
/// for before any is waited for, so that the device has them all to do at once.
fn read_starts(
    vfs: &dyn Vfs,
    directory: &Path,
    ids: &[SegmentId],
) -> Result<BTreeMap<SegmentId, Start>> {
    let mut starts = BTreeMap::new();
    for ids in ids.chunks(FILES_AT_ONCE) {
        let files = ids.iter().map(|&id| {
            let path = directory.join(file_name(id));
            let file = vfs.open(&path, Access::Read);
            if let Ok(file) = &file {
                file.will_read(0, DATA_START);
            }
            (id, path, file)
        });
        for (id, path, file) in files.collect::<Vec<_>>() {
            let file = match file {
                // Those before it are closed by now.
                Err(error) if is_out_of_descriptors(&error) => vfs.open(&path, Access::Read),
                file => file,
            };
            match file.and_then(|file| start_of(&*file)) {
                Ok(start) => drop(starts.insert(id, start)),
                // A live writer may have removed it since the listing.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("reading a segment header", &path, error)),
            }
        }
    }
    Ok(starts)
}

fn is_out_of_descriptors(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Reads both copies of a segment file's header.
pub(crate) fn read_start(vfs: &dyn Vfs, path: &Path) -> std::io::Result<Start> {
    start_of(&*vfs.open(path, Access::Read)?)
}

fn start_of(file: &dyn File) -> std::io::Result<Start> {
    let mut bytes = vec![0; DATA_START as usize];
    read_full(file, &mut bytes, 0)?;
    let (first, second) = bytes.split_at(BLOCK_BYTES as usize);
    let copies = [SegmentHeader::decode(first), SegmentHeader::decode(second)];
    Ok(match copies {
        [Ok(first), Ok(second)] if first == second => Start::Segment(first, None),
        [Ok(first), second] => {
            let fault = second.err().map_or("another header".into(), |fault| describe(&fault));
            Start::Segment(first, Some((FileOffset(BLOCK_BYTES), fault)))
        }
        [Err(first), Ok(second)] => Start::Segment(second, Some((FileOffset(0), describe(&first)))),
        [Err(HeaderFault::Unsupported(what)), _] | [_, Err(HeaderFault::Unsupported(what))] => {
            Start::Unsupported(what)
        }
        [Err(HeaderFault::Zeroed), Err(HeaderFault::Zeroed)] => Start::Spare,
        [Err(HeaderFault::Checksum { expected, found }), _]
        | [_, Err(HeaderFault::Checksum { expected, found })] => Start::Torn { expected, found },
    })
}

/// The segment that has to be there.
fn need(start: Option<&Start>, id: SegmentId, path: &Path, later: Option<&Found>) -> Result<Found> {
    let lsns = later.and_then(|later| lsns_before(later.header.first_lsn));
    match start {
        Some(Start::Segment(header, lost_copy)) => {
            Ok(Found { header: *header, path: path.to_owned(), lost_copy: lost_copy.clone() })
        }
        Some(Start::Unsupported(what)) => Err(Error::at_segment(
            ErrorKind::Unsupported,
            path,
            id,
            format!("{what}; upgrade to read it (case {})", RecoveryCase::NewerVersion),
        )),
        Some(&Start::Torn { expected, found }) => Err(corrupt(
            RecoveryCase::BadHeader,
            path,
            id,
            lsns,
            format!("a segment header with checksum {expected:#010x}"),
            format!("{found:#010x}"),
        )),
        Some(Start::Spare) => Err(corrupt(
            RecoveryCase::BadHeader,
            path,
            id,
            lsns,
            "a segment header".into(),
            "zeros".into(),
        )),
        None => Err(corrupt(
            RecoveryCase::MissingSegment,
            path,
            id,
            lsns,
            format!("segment {id}"),
            "no such file".into(),
        )),
    }
}

/// Whether the file is the segment it is taken for, and ends where the later one begins.
fn check_identity(
    found: &Found,
    id: SegmentId,
    uuid: Option<[u8; 16]>,
    later: Option<&Found>,
) -> Result<()> {
    let header = &found.header;
    if header.id != id {
        return Err(bad(&found.path, id, &format!("segment {id}"), &format!("{}", header.id)));
    }
    if uuid.is_some_and(|uuid| uuid != header.uuid) {
        return Err(bad(&found.path, id, "a segment of this log", "one of another log"));
    }
    if !header.begins_at_an_lsn() {
        let found_text = format!("one that begins at LSN {}", header.first_lsn);
        return Err(bad(&found.path, id, "a segment that begins at an LSN", &found_text));
    }
    let Some(later) = later else { return Ok(()) };
    if header.goes_on_in(&later.header) {
        return Ok(());
    }
    let expected = format!("a segment that ends before LSN {}", later.header.first_lsn);
    let found_text = format!("one that begins at LSN {}", header.first_lsn);
    Err(bad(&found.path, id, &expected, &found_text))
}

fn lsns_before(next_lsn: u64) -> Option<LsnRange> {
    let last = Lsn::new(next_lsn.checked_sub(1)?)?;
    Some(LsnRange { first: last, final_: last })
}

fn bad(path: &Path, id: SegmentId, expected: &str, found: &str) -> Error {
    let (expected, found) = (expected.to_owned(), found.to_owned());
    corrupt(RecoveryCase::ForeignSegment, path, id, None, expected, found)
}

fn corrupt(
    case: RecoveryCase,
    path: &Path,
    id: SegmentId,
    lsns: Option<LsnRange>,
    expected: String,
    found: String,
) -> Error {
    Error::corrupt(Damage {
        path: path.to_owned(),
        segment: Some(id),
        offset: FileOffset(0),
        lsns,
        expected,
        found: format!("{found} (case {case})"),
    })
}

fn describe(fault: &HeaderFault) -> String {
    match fault {
        HeaderFault::Zeroed => "zeros".into(),
        HeaderFault::Checksum { found, .. } => format!("checksum {found:#010x}"),
        HeaderFault::Unsupported(what) => what.clone(),
    }
}

/// As many descriptors are open for a moment; more in flight than a device takes at once.
const FILES_AT_ONCE: usize = 64;
