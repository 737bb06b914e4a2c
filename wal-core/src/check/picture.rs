//! What stands in a log's directory: the state, and how the segments follow each other, as far as
//! headers tell. Unlike the survey of an opening it goes on behind what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::finding::Spot;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::SegmentId;
use crate::read_only::read_slots;
use crate::recovery::{
    Found, RecoveryCase, STATE_FILE, Start, read_start, segment_files, slot_begins_a_log,
};
use crate::segment::{Predecessor, SegmentHeader, file_name};
use crate::state::{Slot, SlotsCase};
use crate::vfs::Vfs;

/// See the module.
pub(super) struct Picture {
    pub(super) directory: PathBuf,
    /// What is wrong with the state file.
    pub(super) state: StateCase,
    /// The newest state slot, if there is one and it is to be believed.
    pub(super) slot: Option<Slot>,
    /// The segments of the log, oldest first.
    pub(super) links: Vec<Link>,
    /// Why nothing stands before the oldest one, although something should.
    pub(super) head_gap: Option<Gap>,
    /// Every segment file there is, ascending.
    pub(super) files: Vec<SegmentId>,
    /// Files without a header behind the newest segment.
    pub(super) spares: Vec<SegmentId>,
}

/// What is wrong with the state file.
pub(super) enum StateCase {
    /// Nothing.
    Sound,
    /// Nothing to be wrong with: the log was never completely created.
    Fresh,
    /// One of the two slots is not intact.
    OneLost(Error),
    /// Both are not.
    Lost(Error),
}

/// A segment of the log.
pub(super) struct Link {
    pub(super) found: Found,
    /// Where it ends, as the next segment's header says. None for the newest one, and where the
    /// next one is missing.
    pub(super) ending: Option<Predecessor>,
    /// Why the next one does not stand behind it, although something should.
    pub(super) gap_after: Option<Gap>,
}

/// A segment that should be there.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub(super) path: PathBuf,
    pub(super) segment: SegmentId,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Picture {
    /// Looks at the directory. Without `trusts_state` the chain is taken as far as it goes,
    /// whatever the state says of it.
    pub(super) fn take(vfs: &dyn Vfs, directory: &Path, trusts_state: bool) -> Result<Picture> {
        let (state, slot) = read_state(vfs, directory)?;
        let slot = slot.filter(|_| trusts_state);
        let mut starts = BTreeMap::new();
        for id in segment_files(vfs, directory)? {
            let path = directory.join(file_name(id));
            match read_start(vfs, &path) {
                Ok(Start::Unsupported(what)) => {
                    let message = format!("{what}; upgrade to read it");
                    return Err(Error::at_segment(ErrorKind::Unsupported, &path, id, message));
                }
                Ok(start) => drop(starts.insert(id, start)),
                // A live writer may have removed it since the listing.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("reading a segment header", &path, error)),
            }
        }
        let files: Vec<_> = starts.keys().copied().collect();
        let is_segment = |id: &&SegmentId| matches!(starts.get(id), Some(Start::Segment(..)));
        let newest = files.iter().rev().find(is_segment).copied();
        let spares = files.iter().copied().filter(|&id| {
            newest.is_none_or(|newest| id > newest) && matches!(starts.get(&id), Some(Start::Spare))
        });
        let spares = spares.collect();
        let mut walk = Walk {
            directory,
            starts: &starts,
            first_segment: slot.as_ref().map(|slot| slot.first_segment),
            uuid: slot.as_ref().map(|slot| slot.uuid),
            links: Vec::new(),
            gap: known_tail_gap(directory, &starts, newest, slot.as_ref()),
        };
        walk.follow(newest);
        let Walk { mut links, gap: head_gap, .. } = walk;
        links.reverse();
        let directory = directory.to_owned();
        Ok(Picture { directory, state, slot, links, head_gap, files, spares })
    }

    pub(super) fn state_path(&self) -> PathBuf {
        self.directory.join(STATE_FILE)
    }

    pub(super) fn newest(&self) -> Option<&Found> {
        self.links.last().map(|link| &link.found)
    }
}

/// The way along the headers from the newest segment back.
struct Walk<'a> {
    directory: &'a Path,
    starts: &'a BTreeMap<SegmentId, Start>,
    /// The oldest segment the state knows of; none without a state.
    first_segment: Option<SegmentId>,
    uuid: Option<[u8; 16]>,
    /// Newest first.
    links: Vec<Link>,
    /// What is missing between the last link and what comes next.
    gap: Option<Gap>,
}

impl Walk<'_> {
    fn follow(&mut self, newest: Option<SegmentId>) {
        let (mut next, mut later) = (newest, None);
        // Ids only fall, so this ends.
        while let Some(id) = next {
            match self.claim(id, later) {
                Ok(found) => {
                    let header = found.header;
                    self.uuid = self.uuid.or(Some(header.uuid));
                    let ending = later.and_then(|later: SegmentHeader| later.predecessor);
                    self.links.push(Link { found, ending, gap_after: self.gap.take() });
                    let Some(before) = header.predecessor else { return };
                    if before.id < id {
                        let is_known = self.starts.contains_key(&before.id);
                        let is_needed = match self.first_segment {
                            Some(first) => before.id >= first,
                            // Without a state there is no telling whether it was trimmed.
                            None => is_known,
                        };
                        if !is_needed {
                            return;
                        }
                        (next, later) = (Some(before.id), Some(header));
                        continue;
                    }
                    let expected = format!("a predecessor with a lower id than {id}");
                    self.gap = Some(self.gap_at(id, expected, format!("id {}", before.id)));
                }
                Err(gap) => self.gap = self.gap.take().or(Some(gap)),
            }
            (next, later) = (self.candidate(id), None);
        }
    }

    /// The segment that has to stand here, before `later`.
    fn claim(
        &self,
        id: SegmentId,
        later: Option<SegmentHeader>,
    ) -> std::result::Result<Found, Gap> {
        let path = self.directory.join(file_name(id));
        let wrong = |case: RecoveryCase, expected: String, found: String| {
            Err(self.gap_at(id, expected, format!("{found} (case {case})")))
        };
        let (header, lost_copy) = match self.starts.get(&id) {
            Some(Start::Segment(header, lost_copy)) => (*header, lost_copy.clone()),
            Some(start) => {
                let (expected, found) = bad_start(start);
                return wrong(RecoveryCase::BadHeader, expected, found);
            }
            None => {
                let expected = format!("segment {id}");
                return wrong(RecoveryCase::MissingSegment, expected, "no such file".into());
            }
        };
        let foreign = RecoveryCase::ForeignSegment;
        if header.id != id {
            return wrong(foreign, format!("segment {id}"), format!("segment {}", header.id));
        }
        if self.uuid.is_some_and(|uuid| uuid != header.uuid) {
            let expected = "a segment of this log".into();
            return wrong(foreign, expected, "one of another log".into());
        }
        if !header.begins_at_an_lsn() {
            let found = format!("one that begins at LSN {}", header.first_lsn);
            return wrong(foreign, "a segment that begins at an LSN".into(), found);
        }
        let continues = later.is_none_or(|later| header.goes_on_in(&later));
        if !continues {
            let next = later.map_or(0, |later| later.first_lsn);
            let expected = format!("a segment that ends before LSN {next}");
            let found = format!("one that begins at LSN {}", header.first_lsn);
            return wrong(foreign, expected, found);
        }
        Ok(Found { header, path, lost_copy })
    }

    /// Where the log goes on before a gap: the newest segment below it that can be part of it.
    fn candidate(&self, below: SegmentId) -> Option<SegmentId> {
        let later = self.links.last().map(|link| link.found.header.first_lsn);
        self.starts.range(..below).rev().map(|(&id, _)| id).find(|&id| {
            self.first_segment.is_none_or(|first| id >= first)
                && self
                    .claim(id, None)
                    .is_ok_and(|found| later.is_none_or(|later| found.header.first_lsn <= later))
        })
    }

    fn gap_at(&self, segment: SegmentId, expected: String, found: String) -> Gap {
        Gap { path: self.directory.join(file_name(segment)), segment, expected, found }
    }
}

impl Gap {
    /// These records are missing because of it.
    pub(super) fn error(&self, lsns: (u64, u64)) -> Error {
        let spot = Spot { path: &self.path, segment: Some(self.segment), offset: 0 };
        spot.wrong(lsns, self.expected.clone(), self.found.clone())
    }
}

/// The newest slot, and what is wrong with the state file.
fn read_state(vfs: &dyn Vfs, directory: &Path) -> Result<(StateCase, Option<Slot>)> {
    let path = directory.join(STATE_FILE);
    let state = match read_slots(vfs, directory) {
        Ok(state) => state,
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            return Ok((StateCase::Lost(error), None));
        }
        Err(error) => return Err(error),
    };
    let case = match state.case() {
        SlotsCase::Both => StateCase::Sound,
        SlotsCase::Fresh => StateCase::Fresh,
        SlotsCase::OneLost(fault) => {
            let offset = state.other_offset().map_or(0, |offset| offset.0);
            let found = format!("{fault} (state-slot-torn)");
            let spot = Spot { path: &path, segment: None, offset };
            StateCase::OneLost(spot.wrong((0, 0), "a state slot", found))
        }
    };
    Ok((case, state.newest().cloned()))
}

/// The segment that the state knows to have been durable, when it is not there.
fn known_tail_gap(
    directory: &Path,
    starts: &BTreeMap<SegmentId, Start>,
    newest: Option<SegmentId>,
    slot: Option<&Slot>,
) -> Option<Gap> {
    let slot = slot?;
    let (id, offset) = (slot.tail.segment, slot.tail.offset);
    if newest.is_none() && !slot_begins_a_log(slot) {
        let expected = format!("a segment with the records from LSN {} on", slot.first_lsn);
        let path = directory.join(STATE_FILE);
        return Some(Gap { path, segment: id, expected, found: "none".into() });
    }
    if id.0 == 0 || newest.is_some_and(|newest| newest >= id) {
        return None;
    }
    let (expected, found) = match starts.get(&id) {
        Some(start) => bad_start(start),
        None => (format!("segment {id}"), "no such file".into()),
    };
    let expected = format!("{expected}, durable up to offset {offset}");
    Some(Gap { path: directory.join(file_name(id)), segment: id, expected, found })
}

/// What should stand at the start of a file, and what does.
fn bad_start(start: &Start) -> (String, String) {
    match start {
        Start::Torn { expected, found } => {
            (format!("a segment header with checksum {expected:#010x}"), format!("{found:#010x}"))
        }
        Start::Spare => ("a segment header".into(), "zeros".into()),
        Start::Unsupported(what) => ("a segment header".into(), what.clone()),
        Start::Segment(header, _) => {
            ("another segment header".into(), format!("that of segment {}", header.id))
        }
    }
}
