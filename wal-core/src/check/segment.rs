//! One segment, read from its first byte to its last and on behind whatever is wrong.

use std::time::Duration;

use super::bytes::{Bytes, WINDOW_BYTES};
use super::checked::{Checked, Piece};
use super::finding::{Finding, Spot};
use super::footer::FoundFooter;
use super::picture::Link;
use crate::error::Result;
use crate::frame::{
    Commit, FRAME_HEADER_BYTES, Frame, FrameHeader, Kind, OPENING_FRAME_BYTES, Opening, Seed,
};
use crate::limits::OPENINGS_PER_SEGMENT_MAX;
use crate::lsn::{FileOffset, Place};
use crate::recovery::{Cut, Found, RecoveryCase};
use crate::segment::{Break, Footer, Scanner, Stop};
use crate::state::Slot;
use crate::vfs::Vfs;

/// What else is known while a segment is read.
pub(super) struct Context<'a> {
    pub(super) slot: Option<&'a Slot>,
    /// The first record that is not trimmed.
    pub(super) first_lsn: u64,
    /// A writer is at work: what is broken at the tail may only be on its way.
    pub(super) is_live: bool,
}

/// Reads one segment. `progress` gets the offset reached.
///
/// # Errors
/// Only if the file cannot be read.
pub(super) fn check_segment(
    vfs: &dyn Vfs,
    link: &Link,
    context: &Context<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Checked> {
    let header = link.found.header;
    let bytes = Bytes::open(vfs, &link.found.path)?;
    let mut check = Check {
        link,
        context,
        bytes,
        scanner: Scanner::thorough(header),
        index: Vec::new(),
        first_lsn: header.first_lsn,
        retries_left: if context.is_live && link.ending.is_none() { RETRIES_MAX } else { 0 },
        progress,
        checked: Checked {
            pieces: Vec::new(),
            is_whole: false,
            findings: Vec::new(),
            lost_footer: None,
            torn: None,
            commits: 0,
            bytes: crate::segment::DATA_START,
            durable_through: header.durable_through,
            state_seq: header.state_seq,
            epoch: header.epoch,
        },
    };
    check.header_copies();
    check.run()?;
    Ok(check.checked)
}

struct Check<'a> {
    link: &'a Link,
    context: &'a Context<'a>,
    bytes: Bytes,
    scanner: Scanner,
    /// Offsets of the records in units of eight, as a footer has them.
    index: Vec<u32>,
    /// Where the present piece begins.
    first_lsn: u64,
    retries_left: u32,
    progress: &'a mut dyn FnMut(u64),
    checked: Checked,
}

impl Check<'_> {
    fn header_copies(&mut self) {
        let Some((offset, fault)) = &self.link.found.lost_copy else { return };
        let expected = "the same header as in the other copy";
        let error = self.spot(offset.0).wrong((0, 0), expected, fault.clone());
        self.checked.findings.push(Finding { error, records_at_stake: false });
    }

    fn run(&mut self) -> Result<()> {
        loop {
            let from = self.scanner.end;
            let stop = self.advance()?;
            self.checked.bytes += self.scanner.end - from;
            let is_over = match self.link.ending {
                Some(_) => self.is_at_named_end()?,
                None => self.is_at_open_end(&stop)?,
            };
            if is_over {
                break;
            }
            if self.retries_left > 0 {
                self.retries_left -= 1;
                crate::sync::thread::sleep(RETRY_PAUSE);
                self.bytes.refresh()?;
                continue;
            }
            if !self.go_on_behind(&stop)? {
                self.note_knowledge();
                return Ok(());
            }
        }
        self.note_knowledge();
        // Records that only the next segment speaks of are not there: the log breaks off here.
        let next_lsn = self.link.ending.map_or(0, |ending| ending.next_lsn);
        self.checked.is_whole = next_lsn <= self.scanner.next_lsn;
        self.end_piece(None);
        self.check_footer()
    }

    /// Scans on as far as commits are whole.
    fn advance(&mut self) -> Result<Stop> {
        let limit = self.link.ending.map_or(u64::MAX, |ending| ending.end.0);
        let mut want = WINDOW_BYTES;
        loop {
            let from = self.scanner.end;
            let to = limit.min(from.saturating_add(want));
            let window = self.bytes.range(from, to)?;
            let is_all = to == limit || (window.len() as u64) < to.saturating_sub(from);
            let index = &mut self.index;
            let stop = self.scanner.run(window, &mut |_, offset| index.push((offset >> 3) as u32));
            (self.progress)(self.scanner.end);
            let has_moved = self.scanner.end > from;
            match stop {
                Stop::Sealed | Stop::Zeroed => return Ok(stop),
                _ if is_all => return Ok(stop),
                // The window may have ended inside a commit, or the commit be longer than it.
                _ => want = if has_moved { WINDOW_BYTES } else { want.saturating_mul(2) },
            }
        }
    }

    /// Whether the scan has come to where the next segment's header says that this one ends.
    fn is_at_named_end(&mut self) -> Result<bool> {
        let Some(ending) = self.link.ending else { return Ok(false) };
        if self.scanner.end < ending.end.0 {
            // A truncation cuts inside a commit: its frames are verified one by one.
            return Ok(ending.chain == 0 && self.walk_cut_commit(ending.end.0)?);
        }
        let (end, chain) = (self.scanner.end, self.scanner.chain);
        if self.scanner.next_lsn != ending.next_lsn {
            let lsns = sorted(self.scanner.next_lsn, ending.next_lsn);
            let expected = format!("the end before LSN {}, as the next segment says", lsns.1);
            let found = format!("the end before LSN {}", self.scanner.next_lsn);
            self.report(self.spot(end).wrong(lsns, expected, found));
        } else if ending.chain != 0 && ending.chain != chain {
            let expected = format!("chain value {:#010x}, as the next segment says", ending.chain);
            let lsns = (self.first_lsn, ending.next_lsn);
            self.report(self.spot(end).wrong(lsns, expected, format!("{chain:#010x}")));
        }
        Ok(true)
    }

    /// Verifies the frames of a commit that the segment's end cuts; returns whether they are whole.
    fn walk_cut_commit(&mut self, end: u64) -> Result<bool> {
        let header = self.link.found.header;
        let (mut at, mut next_lsn, mut seed) =
            (self.scanner.end, self.scanner.next_lsn, self.scanner.seed());
        while at < end {
            let peeked = self.bytes.range(at, end.min(at + FRAME_HEADER_BYTES))?;
            let Ok(frame) = FrameHeader::peek(peeked) else { break };
            let frame_end = at.saturating_add(frame.frame_bytes());
            if frame_end > end {
                break;
            }
            let bytes = self.bytes.range(at, frame_end)?;
            let Ok(frame) = Frame::decode(bytes, at, seed) else { break };
            let used = FRAME_HEADER_BYTES as usize + frame.payload.len();
            let is_padded = bytes.get(used..).unwrap_or_default().iter().all(|&byte| byte == 0);
            let delta = next_lsn.saturating_sub(header.first_lsn);
            match (frame.header.kind, Opening::decode(frame.payload)) {
                _ if !is_padded => break,
                (Kind::Record, _) if u64::from(frame.header.lsn_delta) == delta => next_lsn += 1,
                (Kind::Padding | Kind::Skippable(_), _) => {}
                (Kind::Opening, Some(Opening { epoch, salt }))
                    if at == self.scanner.end
                        && self.scanner.openings.len() < OPENINGS_PER_SEGMENT_MAX =>
                {
                    seed = Seed::new(&header.uuid, header.id, epoch, salt);
                }
                _ => break,
            }
            at = frame_end;
        }
        self.checked.bytes += at - self.scanner.end;
        let is_whole = at == end;
        if next_lsn > self.scanner.next_lsn {
            (self.scanner.end, self.scanner.next_lsn, self.scanner.chain) = (at, next_lsn, 0);
        }
        Ok(is_whole)
    }

    /// Whether the scan has come to the end of a segment that no other one follows.
    fn is_at_open_end(&mut self, stop: &Stop) -> Result<bool> {
        let id = self.link.found.header.id;
        let end = self.scanner.footer.as_ref().map_or(self.scanner.end, |&(_, end)| end);
        let slot = self.context.slot.filter(|slot| slot.tail.segment == id);
        let known = slot.map_or(0, |slot| slot.tail.offset.0);
        let promised = Some(self.scanner.durable_through).filter(|place| place.segment == id);
        let promised = promised.map_or(0, |place| place.offset.0);
        if *stop == Stop::Sealed {
            return Ok(known.max(promised) <= end);
        }
        let seeds = self.seeds_behind()?;
        let proof = |commit: &Commit| {
            commit.durable_through.segment == id && commit.durable_through.offset.0 > end
        };
        let has_proof = self.bytes.trailer(end, u64::MAX, &seeds, proof)?.is_some();
        if promised <= end && !has_proof {
            let is_footer_lost = slot.is_some_and(|slot| {
                known > end
                    && slot.next_lsn == self.scanner.next_lsn
                    && slot.tail_chain == self.scanner.chain
            });
            if known <= end || is_footer_lost {
                let is_clean = slot.is_some_and(|slot| slot.is_clean && known == end);
                if !is_clean && !is_footer_lost {
                    self.checked.torn = self.torn(stop)?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What follows the last commit, when it is neither nothing nor a footer.
    fn torn(&mut self, stop: &Stop) -> Result<Option<Cut>> {
        let Stop::Broken(Break { offset, expected, found }) = stop else { return Ok(None) };
        let segment = self.link.found.header.id;
        Ok(Some(Cut {
            place: Place { segment, offset: FileOffset(self.scanner.end) },
            bytes: self.bytes.used_after(self.scanner.end)?,
            reason: format!("at offset {offset}: expected {expected}, found {found}"),
        }))
    }

    /// Reports what is broken where the scan has stopped and goes on behind the next intact
    /// trailer; returns whether there is one.
    fn go_on_behind(&mut self, stop: &Stop) -> Result<bool> {
        let (from, first) = (self.scanner.end, self.scanner.next_lsn);
        self.end_piece(None);
        let ending = self.link.ending;
        let (limit, most) = ending.map_or((u64::MAX, u64::MAX), |end| (end.end.0, end.next_lsn));
        let mut seeds = self.seeds_behind()?;
        let segment = self.link.found.header;
        let openings = self.footer()?.map(|found| found.footer.openings).unwrap_or_default();
        let behind = openings.iter().filter(|opening| opening.offset >= from);
        let behind = behind.take(OPENINGS_PER_SEGMENT_MAX);
        seeds.extend(behind.map(|at| Seed::new(&segment.uuid, segment.id, at.epoch, at.salt)));
        let limit = if self.bytes.is_worn_out() { from } else { limit };
        let found = self.bytes.trailer(from, limit, &seeds, |commit| {
            let next = commit.first_lsn.saturating_add(u64::from(commit.count));
            commit.first_lsn >= first && next <= most
        })?;
        let known = self.context.slot.filter(|slot| slot.tail.segment == segment.id);
        let next = match (&found, ending) {
            (Some(found), _) => found.commit.first_lsn.saturating_add(found.commit.count.into()),
            (None, Some(ending)) => ending.next_lsn,
            (None, None) => known.map_or(0, |slot| slot.next_lsn).max(first.saturating_add(1)),
        };
        let (offset, expected, seen) = describe(stop, from);
        let seen = format!("{seen} (case {})", RecoveryCase::HoleBelowWatermark);
        // Bytes of trimmed records are no part of the log, unless an opening would scan them.
        if next > self.context.first_lsn || ending.is_none() {
            let lsns = (first.max(self.context.first_lsn).min(next), next);
            self.report(self.spot(offset).wrong(lsns, expected, seen));
        }
        let Some(found) = found else { return Ok(false) };
        self.scanner.resume(found.end, &found.commit, found.seed);
        self.first_lsn = next;
        Ok(true)
    }

    /// The seeds that frames behind the end of the scan may have: the present one, or that of an
    /// opening frame that begins the broken commit and may itself be damaged.
    fn seeds_behind(&mut self) -> Result<Vec<Seed>> {
        let from = self.scanner.end;
        let start = self.bytes.range(from, from + OPENING_FRAME_BYTES)?;
        let opening = self.scanner.seed_of_opening(start);
        Ok([Some(self.scanner.seed()), opening].into_iter().flatten().collect())
    }

    /// Takes down the stretch that ends where the scan is.
    fn end_piece(&mut self, footer: Option<u64>) {
        let Scanner { end, next_lsn, chain, .. } = self.scanner;
        let first_lsn = self.first_lsn;
        self.checked.pieces.push(Piece { first_lsn, next_lsn, end, chain, footer });
    }

    /// Holds the footer against what was scanned. Behind a cut it is no part of the log: readers
    /// make do without it.
    fn check_footer(&mut self) -> Result<()> {
        let header = self.link.found.header;
        let at = self.scanner.end;
        let is_expected = match self.link.ending {
            Some(ending) => ending.footer == Some(FileOffset(at)) && ending.chain != 0,
            None => self.context.slot.is_some_and(|slot| {
                let is_known = slot.tail.segment == header.id && slot.tail.offset.0 > at;
                is_known || self.scanner.footer.is_some()
            }),
        };
        let found = self.footer()?;
        let is_elsewhere = !is_expected && self.scanner.footer.is_none();
        if let Some(piece) = self.checked.pieces.last_mut().filter(|_| !is_elsewhere) {
            piece.footer = Some(at);
        }
        if is_elsewhere || self.checked.pieces.len() > 1 {
            return match found {
                Some(found) => self.check_misleading(&found),
                None if is_elsewhere => Ok(()),
                None => {
                    self.report_footer(at, "another frame, or none");
                    Ok(())
                }
            };
        }
        let expected = Footer {
            first_lsn: header.first_lsn,
            count: self.index.len() as u32,
            commits: self.scanner.commits,
            first_ns: self.scanner.first_ns,
            final_ns: self.scanner.final_ns,
            end: at,
            chain: self.scanner.chain,
            openings: self.scanner.openings.clone(),
            index_at: 0,
        };
        let bytes = expected.encode(self.index.iter().copied(), header.seed());
        match found {
            Some(found) if found.is(&expected, &self.index) => {
                self.checked.bytes += bytes.len() as u64;
            }
            found => {
                let text = if found.is_some() { "another footer" } else { "no intact footer" };
                self.report_footer(at, text);
                self.checked.lost_footer = Some((at, bytes));
            }
        }
        Ok(())
    }

    /// Holds a footer that cannot be built again, as it speaks of records that are gone, against
    /// those that are there.
    fn check_misleading(&mut self, found: &FoundFooter) -> Result<()> {
        let header = self.link.found.header;
        let (end, next_lsn) = match self.link.ending {
            Some(ending) => (ending.end.0, ending.next_lsn),
            None => (self.scanner.end, self.scanner.next_lsn),
        };
        let pieces = &self.checked.pieces;
        if found.is_believed(&header, end, next_lsn)
            && !found.leads_to(&mut self.bytes, &header, end, pieces)?
        {
            let at = found.footer.end;
            self.report_footer(at, "one that leads elsewhere");
            self.checked.lost_footer = Some((at, vec![0; FRAME_HEADER_BYTES as usize]));
        }
        Ok(())
    }

    fn report_footer(&mut self, at: u64, found: &str) {
        let expected = format!("the footer of {} records", self.index.len());
        let error = self.spot(at).wrong((0, 0), expected, found);
        self.checked.findings.push(Finding { error, records_at_stake: false });
    }

    /// The footer where it should stand, if its checksum is right.
    fn footer(&mut self) -> Result<Option<FoundFooter>> {
        let at = match self.link.ending {
            Some(ending) => ending.footer.map(|footer| footer.0),
            None => Some(self.scanner.end),
        };
        let Some(at) = at else { return Ok(None) };
        FoundFooter::read(&mut self.bytes, &self.link.found.header, at)
    }

    fn note_knowledge(&mut self) {
        self.checked.commits = u64::from(self.scanner.commits);
        self.checked.durable_through = self.scanner.durable_through;
        self.checked.state_seq = self.scanner.state_seq;
        self.checked.epoch = self.scanner.epoch;
    }

    fn report(&mut self, error: crate::Error) {
        self.checked.findings.push(Finding { error, records_at_stake: true });
    }

    fn spot(&self, offset: u64) -> Spot<'_> {
        let Found { header, path, .. } = &self.link.found;
        Spot { path, segment: Some(header.id), offset }
    }
}

/// Where a scan found what instead of what.
fn describe(stop: &Stop, end: u64) -> (u64, String, String) {
    match stop {
        Stop::Broken(Break { offset, expected, found }) => {
            (*offset, expected.clone(), found.clone())
        }
        Stop::Zeroed => (end, "a commit".into(), "zeros".into()),
        Stop::Sealed => (end, "a commit".into(), "the end of the segment".into()),
        Stop::End => (end, "a commit".into(), "no bytes".into()),
    }
}

fn sorted(one: u64, other: u64) -> (u64, u64) {
    (one.min(other), one.max(other))
}

/// How often, beside a live writer, a tail that makes no sense is looked at again.
const RETRIES_MAX: u32 = 20;
const RETRY_PAUSE: Duration = Duration::from_millis(1);
