//! What a repair does, decided from an inspection. No I/O.
//!
//! A log is a dense sequence, so a repair keeps one unbroken stretch of records. It is the first
//! one that holds any: everything up to the first damage, or, where nothing stands before the
//! damage, what follows it, up to the next. What stands behind is cut off as a truncation does it,
//! by the header of a new segment that says where the log validly ends; what stands before is
//! trimmed.

use super::checked::Piece;
use super::finding::lsns;
use super::inspection::Inspection;
use super::picture::StateCase;
use super::step::{Step, Unsynced, segment_path};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::BLOCK_BYTES;
use crate::lsn::{FileOffset, Lsn, LsnRange, Place, SegmentId};
use crate::segment::{DATA_START, Predecessor, SegmentHeader};
use crate::state::{Slot, ValueMap};

/// See the module.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) lost: Vec<LsnRange>,
    /// Segments that stay and lose records all the same.
    pub(super) evidence: Vec<SegmentId>,
}

/// What a new segment's header takes from chance and clock.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) salt: u64,
    pub(super) created_ns: u64,
}

/// The stretch that is kept.
struct Kept {
    /// The segments it lies in, by their index.
    first: usize,
    last: usize,
    first_lsn: u64,
    /// The new segment's header, when the stretch does not end where the log does.
    cut: Option<SegmentHeader>,
}

impl Kept {
    /// Whether the segment with this index stays. None does where no record is left.
    fn holds(&self, index: usize) -> bool {
        let is_empty = self.cut.is_some_and(|cut| cut.predecessor.is_none());
        !is_empty && (self.first..=self.last).contains(&index)
    }
}

impl Plan {
    /// Decides.
    ///
    /// # Errors
    /// `Corrupt` when neither a header nor a state slot is left to tell what log this was; `Full`
    /// when a made-up one leaves no number for another segment.
    pub(super) fn of(inspection: &Inspection, origin: Origin) -> Result<Plan> {
        if highest(inspection).0.max(epoch(inspection)) >= u64::MAX >> 1 {
            let message = "segment ids or epochs are at the end of their range";
            return Err(Error::plain(ErrorKind::Full, message));
        }
        let mut plan = Plan::default();
        if matches!(inspection.picture.state, StateCase::Fresh) {
            return Ok(plan);
        }
        let Some(uuid) = identity(inspection) else {
            let error = inspection.findings.first().map(|finding| finding.error.clone());
            let unknown = || Error::plain(ErrorKind::Internal, "a log without any file");
            return Err(error.unwrap_or_else(unknown));
        };
        let kept = choose(inspection, uuid, origin);
        plan.note_losses(inspection, kept.as_ref());
        plan.rewrite_copies(inspection, kept.as_ref());
        if let Some(kept) = &kept {
            plan.cut(inspection, kept);
        }
        plan.write_state(inspection, kept.as_ref(), uuid);
        plan.remove_files(inspection, kept.as_ref());
        Ok(plan)
    }

    fn note_losses(&mut self, inspection: &Inspection, kept: Option<&Kept>) {
        let Some(kept) = kept else { return };
        // Also an older one: what it says of the first record held once, and what was trimmed since
        // is called lost along with what is.
        let slot = inspection.picture.slot.as_ref().or(inspection.stale_slot.as_ref());
        let is_head_missing = inspection.picture.head_gap.is_some();
        let first = match slot.filter(|_| is_head_missing) {
            Some(slot) => slot.first_lsn.min(inspection.first_lsn),
            None => inspection.first_lsn,
        };
        self.lost.extend(lsns(first, kept.first_lsn));
        if let Some(cut) = &kept.cut {
            let from = if cut.predecessor.is_some() { cut.first_lsn } else { kept.first_lsn };
            self.lost.extend(lsns(from.max(kept.first_lsn), known_next(inspection)));
        }
    }

    /// Header copies and footers of what is kept.
    fn rewrite_copies(&mut self, inspection: &Inspection, kept: Option<&Kept>) {
        let links = inspection.picture.links.iter().zip(&inspection.segments).enumerate();
        for (index, (link, checked)) in links {
            if kept.is_some_and(|kept| !kept.holds(index)) {
                continue;
            }
            let found = &link.found;
            let id = found.header.id;
            if let Some((offset, _)) = &found.lost_copy {
                let block = found.header.encode().into_iter().take(BLOCK_BYTES as usize);
                self.steps.push(Step::Rewrite {
                    path: found.path.clone(),
                    offset: offset.0,
                    bytes: block.collect(),
                    what: format!("segment {id}: header copy at offset {offset} written anew"),
                });
            }
            let is_cut = kept.is_some_and(|kept| {
                kept.cut.is_some_and(|cut| {
                    index == kept.last && cut.predecessor.is_some_and(|end| end.footer.is_none())
                })
            });
            if let Some((offset, bytes)) = checked.lost_footer.as_ref().filter(|_| !is_cut) {
                let done = match bytes.iter().all(|&byte| byte == 0) {
                    true => "overwritten: it misleads, and readers do without one",
                    false => "written anew",
                };
                self.steps.push(Step::Rewrite {
                    path: found.path.clone(),
                    offset: *offset,
                    bytes: bytes.clone(),
                    what: format!("segment {id}: footer at offset {offset} {done}"),
                });
            }
        }
    }

    fn cut(&mut self, inspection: &Inspection, kept: &Kept) {
        let Some(header) = kept.cut else { return };
        let what = match header.predecessor {
            Some(end) => format!(
                "segment {} started: the log ends in segment {} at offset {}, before LSN {}",
                header.id, end.id, end.end, end.next_lsn
            ),
            None => format!(
                "segment {} started: no record is left, the next one gets LSN {}",
                header.id, header.first_lsn
            ),
        };
        let end = header.predecessor;
        let link = inspection.picture.links.get(kept.last);
        // The end of the newest segment is all that may not have been synced yet.
        let unsynced = link.zip(end).filter(|(link, _)| link.ending.is_none());
        let unsynced = unsynced.map(|(link, end)| Unsynced {
            path: link.found.path.clone(),
            from: DATA_START,
            to: end.end.0,
        });
        self.evidence.extend(end.map(|end| end.id));
        self.steps.push(Step::Start { header, unsynced, what });
    }

    fn write_state(&mut self, inspection: &Inspection, kept: Option<&Kept>, uuid: [u8; 16]) {
        let picture = &inspection.picture;
        let root = match kept {
            Some(kept) => picture.links.get(kept.first).filter(|_| kept.holds(kept.first)),
            None => picture.links.first(),
        };
        let first_lsn = kept.map_or(inspection.first_lsn, |kept| kept.first_lsn);
        let cut = kept.and_then(|kept| kept.cut);
        let root_id = root.map(|root| root.found.header.id).or(cut.map(|cut| cut.id));
        let first_segment = root_id.unwrap_or(SegmentId(0));
        let is_lost = matches!(picture.state, StateCase::Lost(_));
        if is_lost || inspection.is_state_stale {
            let slot = rebuilt_slot(inspection, cut, uuid, first_lsn, first_segment);
            let what = match is_lost {
                true => "state file built from the segments: every key and value is lost",
                false => {
                    "state file renewed from an older slot: later changes of keys and values are \
                     lost"
                }
            };
            self.steps.push(Step::Rebuild { slot, what: what.into() });
            return;
        }
        let Some(slot) = &picture.slot else { return };
        let is_trimmed = kept
            .is_some_and(|kept| kept.first_lsn > inspection.first_lsn || kept.first > 0)
            || picture.head_gap.is_some()
            || cut.is_some_and(|cut| cut.predecessor.is_none());
        let is_one_lost = matches!(picture.state, StateCase::OneLost(_));
        let mut slot = slot.clone();
        if is_trimmed {
            (slot.first_lsn, slot.first_segment) = (first_lsn, first_segment);
            slot.is_clean &= cut.is_none();
            let what = format!("state written: the log begins at LSN {first_lsn}");
            self.steps.push(Step::State { slot, what });
        } else if is_one_lost {
            let what = "state slot written anew from the other one".into();
            self.steps.push(Step::State { slot, what });
        }
    }

    /// What is no part of the log any more.
    fn remove_files(&mut self, inspection: &Inspection, kept: Option<&Kept>) {
        let picture = &inspection.picture;
        let is_kept = |id: SegmentId| {
            let position = picture.links.iter().position(|link| link.found.header.id == id);
            match (position, kept) {
                (Some(_), None) => true,
                (Some(at), Some(kept)) => kept.holds(at),
                // A spare is no use any more once a segment with a higher id has been started.
                (None, kept) => {
                    picture.spares.contains(&id) && kept.is_none_or(|kept| kept.cut.is_none())
                }
            }
        };
        for &id in picture.files.iter().filter(|&&id| !is_kept(id)) {
            let path = segment_path(&picture.directory, id);
            let what = format!("file of segment {id} removed: it is no part of the log any more");
            self.steps.push(Step::Remove { path, what });
        }
    }
}

/// The stretch to keep; none when the whole log is.
fn choose(inspection: &Inspection, uuid: [u8; 16], origin: Origin) -> Option<Kept> {
    let picture = &inspection.picture;
    let stretches = inspection.stretches();
    let log_first = inspection.first_lsn;
    let has_records = |stretch: &&Vec<(usize, Piece)>| {
        let (first, last) = (stretch.first(), stretch.last());
        let begin = first.map_or(log_first, |(_, piece)| piece.first_lsn.max(log_first));
        last.is_some_and(|(_, piece)| piece.next_lsn > begin)
    };
    let stretch = stretches.iter().find(has_records);
    let final_piece = stretches.last().and_then(|stretch| stretch.last());
    let is_tail_lost = match picture.links.last() {
        Some(newest) => {
            let is_read = inspection.segments.last().is_some_and(|checked| checked.is_whole);
            let pieces = inspection.segments.last().map_or(0, |checked| checked.pieces.len());
            newest.gap_after.is_some() || !is_read || pieces > 1
        }
        None => picture.head_gap.is_some(),
    };
    // Nothing of a log without records can be lost but its end.
    let stretch = stretch.or(stretches.last().filter(|_| !is_tail_lost));
    let Some((stretch, &(first, begin))) = stretch.and_then(|s| Some((s, s.first()?))) else {
        let lsn_after_all = Lsn::MAX.get() + 1;
        let first_lsn = known_next(inspection).max(log_first).clamp(1, lsn_after_all);
        let cut = new_header(inspection, uuid, origin, first_lsn, None);
        return is_tail_lost.then_some(Kept { first: 0, last: 0, first_lsn, cut: Some(cut) });
    };
    let &(last, end) = stretch.last()?;
    let is_cut = is_tail_lost || final_piece != Some(&(last, end));
    let first_lsn = begin.first_lsn.max(log_first);
    if !is_cut && picture.head_gap.is_none() && first_lsn == log_first && first == 0 {
        return None;
    }
    let predecessor = Predecessor {
        id: picture.links.get(last)?.found.header.id,
        end: FileOffset(end.end),
        next_lsn: end.next_lsn,
        chain: end.chain,
        footer: end.footer.map(FileOffset),
    };
    let cut = new_header(inspection, uuid, origin, end.next_lsn, Some(predecessor));
    Some(Kept { first, last, first_lsn, cut: is_cut.then_some(cut) })
}

/// The highest segment id that a file or the state speaks of.
fn highest(inspection: &Inspection) -> SegmentId {
    let slot = inspection.picture.slot.as_ref();
    let files = inspection.picture.files.iter().copied();
    let known = slot.map(|slot| slot.tail.segment.max(slot.first_segment));
    files.chain(known).max().unwrap_or(SegmentId(0))
}

/// The header of the segment in which the log goes on.
fn new_header(
    inspection: &Inspection,
    uuid: [u8; 16],
    origin: Origin,
    first_lsn: u64,
    predecessor: Option<Predecessor>,
) -> SegmentHeader {
    let slot = inspection.picture.slot.as_ref();
    let end = predecessor.map(|end| Place { segment: end.id, offset: end.end });
    SegmentHeader {
        uuid,
        id: SegmentId(highest(inspection).0.saturating_add(1)),
        first_lsn,
        epoch: epoch(inspection).saturating_add(1),
        salt: origin.salt,
        created_ns: origin.created_ns,
        predecessor,
        durable_through: end.unwrap_or(Place { segment: SegmentId(0), offset: FileOffset(0) }),
        state_seq: slot.map_or(inspection.known_seq, |slot| slot.contents_seq),
    }
}

/// A state made from what segments, and perhaps an older slot, tell.
fn rebuilt_slot(
    inspection: &Inspection,
    cut: Option<SegmentHeader>,
    uuid: [u8; 16],
    first_lsn: u64,
    first_segment: SegmentId,
) -> Slot {
    let durable = inspection.segments.iter().map(|checked| checked.durable_through).max();
    let nowhere = Place { segment: SegmentId(0), offset: FileOffset(0) };
    let at_cut = cut.map(|cut| Place { segment: cut.id, offset: FileOffset(DATA_START) });
    let stale = inspection.stale_slot.as_ref();
    // What an older slot says of the first record still holds if the segment is there.
    let known_first = stale.filter(|slot| slot.first_segment >= first_segment);
    let known_first = known_first.map_or(0, |slot| slot.first_lsn);
    Slot {
        uuid,
        seq: inspection.known_seq.max(1),
        epoch: cut.map_or(epoch(inspection), |cut| cut.epoch),
        first_lsn: first_lsn.max(known_first),
        first_segment,
        tail: at_cut.or(durable).unwrap_or(nowhere),
        next_lsn: cut.map_or(inspection.next_lsn(), |cut| cut.first_lsn),
        values: stale.map_or_else(ValueMap::default, |slot| slot.values.clone()),
        ..Slot::unknown()
    }
}

/// Which log this is.
fn identity(inspection: &Inspection) -> Option<[u8; 16]> {
    let slot = inspection.picture.slot.as_ref().map(|slot| slot.uuid);
    slot.or(inspection.picture.newest().map(|found| found.header.uuid))
}

/// The highest epoch there is.
fn epoch(inspection: &Inspection) -> u64 {
    let slot = inspection.picture.slot.as_ref().map_or(0, |slot| slot.epoch);
    inspection.segments.iter().map(|checked| checked.epoch).fold(slot, u64::max)
}

/// The LSN after the last record that anything tells of.
fn known_next(inspection: &Inspection) -> u64 {
    let picture = &inspection.picture;
    let newest = picture.newest().map_or(SegmentId(0), |found| found.header.id);
    // An older slot knows nothing of a truncation since.
    let slot = picture.slot.as_ref().filter(|slot| slot.tail.segment >= newest);
    let known = slot.map_or(0, |slot| slot.next_lsn);
    let pieces = inspection.segments.iter().flat_map(|checked| &checked.pieces);
    let pieces = pieces.map(|piece| piece.next_lsn);
    let headers = picture.links.iter().map(|link| link.found.header.first_lsn);
    pieces.chain(headers).fold(known, u64::max)
}
