//! The whole log, inspected: what stands where, what is wrong, and what is known all the same.

use std::path::Path;

use super::checked::{Checked, Piece};
use super::finding::{Finding, Spot};
use super::picture::{Link, Picture, StateCase};
use super::segment::{Context, check_segment};
use crate::error::Result;
use crate::recovery::{Cut, RecoveryCase};
use crate::segment::DATA_START;
use crate::state::Slot;
use crate::vfs::{Access, Vfs};

/// See the module.
pub(super) struct Inspection {
    pub(super) picture: Picture,
    /// One for each link of the picture.
    pub(super) segments: Vec<Checked>,
    pub(super) findings: Vec<Finding>,
    /// The first record that is not trimmed.
    pub(super) first_lsn: u64,
    /// The highest state slot that commits and headers know of.
    pub(super) known_seq: u64,
    /// The segments know of a newer state than both slots hold.
    pub(super) is_state_stale: bool,
    /// The newest slot of a stale state.
    pub(super) stale_slot: Option<Slot>,
}

impl Inspection {
    /// Reads everything. `progress` gets the bytes done and the bytes in total.
    pub(super) fn take(
        vfs: &dyn Vfs,
        path: &Path,
        is_live: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Inspection> {
        let trusting = Inspection::with(vfs, path, is_live, true, progress)?;
        if !trusting.is_state_stale {
            return Ok(trusting);
        }
        // What a stale slot says of the first and the last segment says nothing about the files.
        let inspection = Inspection::with(vfs, path, is_live, false, progress)?;
        // Without the slot, a hole below the end it knew passes for a torn tail. When the proof
        // that it is stale stands behind that hole, it is all there is to go by.
        Ok(if inspection.is_state_stale { inspection } else { trusting })
    }

    fn with(
        vfs: &dyn Vfs,
        path: &Path,
        is_live: bool,
        trusts_state: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Inspection> {
        let picture = Picture::take(vfs, path, trusts_state)?;
        let first_lsn = first_lsn(&picture);
        let mut inspection = Inspection {
            picture,
            segments: Vec::new(),
            findings: Vec::new(),
            first_lsn,
            known_seq: 0,
            is_state_stale: false,
            stale_slot: None,
        };
        inspection.read_segments(vfs, is_live, progress);
        inspection.report_gaps();
        inspection.judge_state(vfs)?;
        Ok(inspection)
    }

    /// LSN of the record that would come next, as far as segments tell.
    pub(super) fn next_lsn(&self) -> u64 {
        let last = self.segments.iter().rev().find_map(|checked| checked.pieces.last());
        let known = self.picture.slot.as_ref().map_or(self.first_lsn, |slot| slot.next_lsn);
        last.map_or(known, |piece| piece.next_lsn)
    }

    pub(super) fn torn(&self) -> Option<&Cut> {
        self.segments.last().and_then(|checked| checked.torn.as_ref())
    }

    /// The unbroken stretches of records over all segments: each is a list of pieces, with the
    /// index of the segment each lies in.
    pub(super) fn stretches(&self) -> Vec<Vec<(usize, Piece)>> {
        let mut stretches: Vec<Vec<(usize, Piece)>> = Vec::new();
        let mut is_broken = true;
        for (index, (link, checked)) in self.picture.links.iter().zip(&self.segments).enumerate() {
            for (at, &piece) in checked.pieces.iter().enumerate() {
                match stretches.last_mut() {
                    Some(stretch) if !is_broken && at == 0 => stretch.push((index, piece)),
                    _ => stretches.push(vec![(index, piece)]),
                }
                is_broken = false;
            }
            is_broken |= !checked.is_whole || link.gap_after.is_some();
            // A segment that no other one follows although there is one has lost what lay between.
            is_broken |= link.ending.is_none();
        }
        stretches
    }

    fn read_segments(&mut self, vfs: &dyn Vfs, is_live: bool, progress: &mut dyn FnMut(u64, u64)) {
        let context =
            Context { slot: self.picture.slot.as_ref(), first_lsn: self.first_lsn, is_live };
        let sizes: Vec<u64> =
            self.picture.links.iter().map(|link| bytes_to_read(vfs, link)).collect();
        let total = sizes.iter().sum();
        let mut done: u64 = 0;
        for (link, size) in self.picture.links.iter().zip(sizes) {
            let mut reached = |offset: u64| progress((done + offset.min(size)).min(total), total);
            let checked = check_segment(vfs, link, &context, &mut reached);
            let mut checked = checked.unwrap_or_else(|error| unread(link, error));
            self.findings.append(&mut checked.findings);
            self.known_seq = self.known_seq.max(checked.state_seq);
            self.segments.push(checked);
            done += size;
            progress(done, total);
        }
        if total == 0 {
            progress(0, 0);
        }
    }

    fn report_gaps(&mut self) {
        let slot = self.picture.slot.as_ref();
        let known = slot.map_or(0, |slot| slot.next_lsn);
        let mut next = slot.map_or(0, |slot| slot.first_lsn);
        let mut report = |error| {
            self.findings.push(Finding { error, records_at_stake: true });
        };
        if let Some(gap) = &self.picture.head_gap {
            let first = self.picture.links.first().map(|link| link.found.header.first_lsn);
            report(gap.error((next, first.unwrap_or(known))));
        }
        for (index, link) in self.picture.links.iter().enumerate() {
            let piece = self.segments.get(index).and_then(|checked| checked.pieces.last());
            next = piece.map_or(next, |piece| piece.next_lsn);
            let Some(gap) = &link.gap_after else { continue };
            let later = self.picture.links.get(index + 1);
            let later = later.map_or(known, |later| later.found.header.first_lsn);
            report(gap.error((next, later)));
        }
    }

    fn judge_state(&mut self, vfs: &dyn Vfs) -> Result<()> {
        let path = self.picture.state_path();
        let lost = match &self.picture.state {
            StateCase::Lost(error) => Some((error.clone(), true)),
            StateCase::OneLost(error) => Some((error.clone(), false)),
            StateCase::Sound | StateCase::Fresh => None,
        };
        let lost = lost.map(|(error, records_at_stake)| Finding { error, records_at_stake });
        self.findings.extend(lost);
        self.judge_staleness(vfs, &path)
    }

    fn judge_staleness(&mut self, vfs: &dyn Vfs, path: &Path) -> Result<()> {
        if matches!(self.picture.state, StateCase::Lost(_) | StateCase::Fresh) {
            return Ok(());
        }
        let state = crate::read_only::read_slots(vfs, &self.picture.directory)?;
        let Some(slot) = state.newest().filter(|slot| slot.seq < self.known_seq) else {
            return Ok(());
        };
        let seq = slot.seq;
        self.stale_slot = Some(slot.clone());
        self.is_state_stale = true;
        let spot = Spot { path, segment: None, offset: 0 };
        let expected = format!("state slot {}, which segments know", self.known_seq);
        let found = format!("slot {seq} (case {})", RecoveryCase::StateStale);
        let error = spot.wrong((0, 0), expected, found);
        self.findings.push(Finding { error, records_at_stake: true });
        Ok(())
    }
}

/// The first record that is not trimmed. What the state says of it holds for the segments it knew:
/// a reset since then has started another chain.
fn first_lsn(picture: &Picture) -> u64 {
    let slot = picture.slot.as_ref();
    let root = picture.links.first().map(|link| link.found.header);
    match (root, slot) {
        (Some(root), Some(slot)) if root.id <= slot.first_segment => {
            slot.first_lsn.max(root.first_lsn)
        }
        (Some(root), _) => root.first_lsn,
        (None, Some(slot)) => slot.first_lsn,
        (None, None) => 1,
    }
}

/// About how much of a segment's file there is to read.
fn bytes_to_read(vfs: &dyn Vfs, link: &Link) -> u64 {
    let file = vfs.open(&link.found.path, Access::Read);
    let file_bytes = file.and_then(|file| file.len()).unwrap_or(DATA_START);
    // The end stands in another file, which may say anything.
    link.ending.map_or(file_bytes, |ending| ending.end.0.min(file_bytes))
}

/// A segment that cannot be read.
fn unread(link: &Link, error: crate::Error) -> Checked {
    let header = link.found.header;
    let first_lsn = header.first_lsn;
    let piece = Piece {
        first_lsn,
        next_lsn: first_lsn,
        end: DATA_START,
        chain: header.chain(),
        footer: None,
    };
    Checked {
        pieces: vec![piece],
        is_whole: false,
        findings: vec![Finding { error, records_at_stake: true }],
        lost_footer: None,
        torn: None,
        commits: 0,
        bytes: 0,
        durable_through: header.durable_through,
        state_seq: header.state_seq,
        epoch: header.epoch,
    }
}
