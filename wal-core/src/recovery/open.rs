//! Opening a log for writing.

use crate::sync::time::Instant;
use std::path::Path;
use std::sync::Arc;

use super::closed_tail;
use super::lock::{lock, read_state};
use super::report::{RecoveryCase, RecoveryReport};
use super::rewrite::{ATTEMPTS_MAX, rewrite, stands, unsteady};
use super::survey::{Found, Survey};
use super::tail::{Bytes, ScannedTail, Verdict, scan};
use crate::append::{Active, Claims, Committer, Engine, Parts, Ring, SegmentWriter, Tail};
use crate::error::{Damage, Error, ErrorKind, Result};
use crate::event::event;
use crate::frame::Seed;
use crate::growth::Growth;
use crate::keeper::Keeper;
use crate::limits::{BLOCK_BYTES, OPENINGS_PER_SEGMENT_MAX};
use crate::live::{Cuts, Live};
use crate::lsn::{FileOffset, Lsn, Place, SegmentId};
use crate::options::{Io, Options};
use crate::segment::{Extent, OpeningAt, Segment, Stop, file_name};
use crate::spares::{Spare, Spares};
use crate::state::{Slot, SlotsCase, StateFile};
use crate::vfs::{Access, Vfs, random_u64, read_full};

/// Opens the log at `path` for writing, creating it where the options allow.
///
/// When this returns, everything it serves survives power loss.
pub(crate) fn open(
    vfs: Arc<dyn Vfs>,
    path: &Path,
    options: Options,
) -> Result<(Arc<Engine>, RecoveryReport)> {
    let started = Instant::now();
    options.validate()?;
    let file = lock(&*vfs, path, &options)?;
    let mut state = read_state(&*vfs, path, file)?;
    let created = *state.case() == SlotsCase::Fresh;
    if created {
        // Also for a file that was there: whoever made it may have died before its name was
        // durable, and what is acknowledged from here on needs the name.
        vfs.sync_dir(path).map_err(|error| Error::io("syncing the directory", path, error))?;
        state.write(first_slot(&*vfs, &options)?)?;
    }
    let slot = newest(&state)?;
    let mut attempts = 0;
    let (survey, tail, mut report) = loop {
        let survey = Survey::take(&*vfs, path, Some(&slot))?;
        let tail = judged(&*vfs, &survey, Some(&slot), &options)?;
        check_numbers_left(path, &survey, &tail, &slot)?;
        let mut report = report_of(created, Some(&state), &survey, &tail, &slot);
        // Also after a clean close: the process may have died between writing the mark and syncing
        // it, and the other slot, the only durable one then, is the next to be overwritten.
        state.rewrite_newest()?;
        if report.case == RecoveryCase::Clean || created {
            if !survey.spares.is_empty() {
                // One that could be neither finished nor removed has a name in the page cache
                // alone, and the next rotation takes it as it is.
                vfs.sync_dir(path)
                    .map_err(|error| Error::io("syncing the directory", path, error))?;
            }
            break (survey, tail, report);
        }
        report.bytes_rewritten = rewrite(&*vfs, path, &tail)?;
        if stands(&*vfs, &survey, &slot, &options, &tail)? {
            break (survey, tail, report);
        }
        attempts += 1;
        if attempts == ATTEMPTS_MAX {
            return Err(unsteady(path));
        }
    };
    if vfs.is_volatile(path) {
        report.notes.push("storage-volatile: this file system is gone with the power".into());
    }
    remove_leftovers(&*vfs, path, &survey)?;
    let slot = mark_open(&mut state, &survey, &tail, &slot)?;
    let engine = publish(vfs, path, options, state, &survey, tail, slot)?;
    report.duration = started.elapsed();
    tell(path, &report);
    Ok((engine, report))
}

/// Tells those who listen what was found; what somebody should look at as a warning.
fn tell(path: &Path, report: &RecoveryReport) {
    event!(info, "opened", path = %path.display(), case = %report.case);
    if let Some(cut) = &report.cut {
        let reason = &cut.reason;
        event!(warn, "cut off a torn tail", path = %path.display(), place = %cut.place,
            bytes = %cut.bytes, reason = %reason);
    }
    for note in &report.notes {
        event!(warn, "noted", path = %path.display(), note = %note);
    }
}

/// The newest segment, scanned and judged.
pub(crate) struct Judged {
    pub(crate) found: Found,
    pub(crate) scanned: ScannedTail,
    pub(crate) verdict: Verdict,
    /// Whether whoever closed the log was still writing to this segment.
    continues: bool,
}

/// Scans and judges the newest segment; none in a log without segments.
pub(crate) fn judged(
    vfs: &dyn Vfs,
    survey: &Survey,
    slot: Option<&Slot>,
    options: &Options,
) -> Result<Option<Judged>> {
    let Some(found) = survey.newest() else { return Ok(None) };
    let file = vfs
        .open(&found.path, Access::Read)
        .map_err(|error| Error::io("opening a segment", &found.path, error))?;
    let closed = match slot {
        Some(slot) => closed_tail::of(&*file, found, slot, options.read_mode)?,
        None => None,
    };
    let (scanned, verdict) = match closed {
        Some(scanned) => (scanned, Verdict::Clean),
        None => {
            let bytes = Bytes::of(&*file, &found.path, options.read_mode)?;
            let scanned = scan(found, bytes.as_slice(), slot);
            let verdict = scanned.judge(found, bytes.as_slice(), slot)?;
            (scanned, verdict)
        }
    };
    let known_seq = survey
        .chain
        .iter()
        .map(|found| found.header.state_seq)
        .fold(scanned.scanner.state_seq, u64::max);
    if let Some(slot) = slot.filter(|slot| slot.seq < known_seq) {
        let path = found.path.with_file_name(super::STATE_FILE);
        return Err(Error::corrupt(Damage {
            path,
            segment: None,
            offset: FileOffset(0),
            lsns: None,
            expected: format!("state slot {known_seq}, which segment {} knows", found.header.id),
            found: format!("slot {} (case {})", slot.seq, RecoveryCase::StateStale),
        }));
    }
    let continues = slot.is_some_and(|slot| slot.continues);
    Ok(Some(Judged { found: found.clone(), scanned, verdict, continues }))
}

/// The report of an opening, so far.
pub(crate) fn report_of(
    created: bool,
    state: Option<&StateFile>,
    survey: &Survey,
    tail: &Option<Judged>,
    slot: &Slot,
) -> RecoveryReport {
    let (case, cut) = match tail.as_ref().map(|tail| &tail.verdict) {
        _ if created => (RecoveryCase::Created, None),
        None if slot.is_clean => (RecoveryCase::Clean, None),
        None | Some(Verdict::Whole) => (RecoveryCase::Whole, None),
        Some(Verdict::Clean) => (RecoveryCase::Clean, None),
        Some(Verdict::Torn(cut)) => (RecoveryCase::TornTail, Some(cut.clone())),
    };
    let mut notes = Vec::new();
    if let Some(SlotsCase::OneLost(fault)) = state.map(StateFile::case) {
        notes.push(format!("state-slot-torn: one of two state slots is not intact ({fault})"));
    }
    for id in &survey.torn {
        notes.push(format!("header-torn: segment {id} was being started and is removed"));
    }
    for found in &survey.chain {
        if let Some((offset, fault)) = &found.lost_copy {
            let id = found.header.id;
            notes.push(format!("header-copy-lost: segment {id} offset {offset} ({fault})"));
        }
    }
    let next_lsn = next_lsn(tail, slot);
    let first_lsn = first_lsn(survey, slot);
    let is_empty = first_lsn >= next_lsn;
    RecoveryReport {
        case,
        created,
        first_lsn: Lsn::new(first_lsn).filter(|_| !is_empty),
        last_lsn: Lsn::new(next_lsn.saturating_sub(1)).filter(|_| !is_empty),
        cut,
        notes,
        bytes_scanned: tail.as_ref().map_or(0, |tail| tail.scanned.bytes),
        commits_scanned: tail.as_ref().map_or(0, |tail| u64::from(tail.scanned.scanner.commits)),
        bytes_rewritten: 0,
        duration: std::time::Duration::ZERO,
    }
}

/// The first LSN there is. What the state says of it holds for the segments it knew: a reset since
/// then has started another chain.
pub(crate) fn first_lsn(survey: &Survey, slot: &Slot) -> u64 {
    match survey.chain.first() {
        Some(root) if root.header.id > slot.first_segment => root.header.first_lsn,
        Some(root) => slot.first_lsn.max(root.header.first_lsn),
        None => slot.first_lsn,
    }
}

/// The segments as readers see them; the newest one as sealed where it ends. `is_foreign`: another
/// process may be writing the log.
pub(crate) fn sealed_segments(
    vfs: &Arc<dyn Vfs>,
    survey: &Survey,
    tail: &Option<Judged>,
    options: &Options,
    is_foreign: bool,
) -> Vec<Arc<Segment>> {
    let successors = survey.chain.iter().skip(1).map(|found| found.header.predecessor);
    let ends = successors.map(|before| {
        before.map(|before| Extent {
            end: before.end.0,
            next_lsn: before.next_lsn,
            chain: before.chain,
            footer: before.footer.map(|footer| footer.0),
        })
    });
    let ends = ends.chain(std::iter::once(tail.as_ref().map(Judged::extent)));
    survey
        .chain
        .iter()
        .zip(ends)
        .filter_map(|(found, extent)| {
            let (vfs, path, header) = (Arc::clone(vfs), found.path.clone(), found.header);
            let (mode, extent) = (options.read_mode, extent?);
            Some(match is_foreign {
                true => Segment::foreign(vfs, path, header, mode, extent),
                false => Segment::new(vfs, path, header, mode, None, Some(extent)),
            })
        })
        .collect()
}

impl Judged {
    /// Where the newest segment ends.
    pub(crate) fn extent(&self) -> Extent {
        let scanner = &self.scanned.scanner;
        let footer = scanner.footer.as_ref().map(|(footer, _)| footer.end);
        Extent { end: scanner.end, next_lsn: scanner.next_lsn, chain: scanner.chain, footer }
    }
}

/// Refuses to write on where segment ids or epochs are at the end of their range. No log gets
/// there by itself; a made-up header does.
fn check_numbers_left(
    path: &Path,
    survey: &Survey,
    tail: &Option<Judged>,
    slot: &Slot,
) -> Result<()> {
    let id = survey.newest().map_or(0, |found| found.header.id.0);
    let epoch = slot.epoch.max(tail.as_ref().map_or(0, |tail| tail.scanned.scanner.epoch));
    if id.max(epoch) < NUMBERS_END {
        return Ok(());
    }
    let message = format!("segment {id} and epoch {epoch}: no further ones are left");
    Err(Error::at_path(ErrorKind::Full, path, message))
}

/// The slot of a new log.
fn first_slot(vfs: &dyn Vfs, options: &Options) -> Result<Slot> {
    let random =
        || random_u64().map_err(|error| Error::io("reading random numbers", Path::new("/"), error));
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&random()?.to_le_bytes());
    uuid[8..].copy_from_slice(&random()?.to_le_bytes());
    Ok(Slot {
        uuid,
        first_lsn: options.first_lsn.get(),
        next_lsn: options.first_lsn.get(),
        time_ns: crate::time::nanoseconds(vfs.now()),
        ..Slot::unknown()
    })
}

fn newest(state: &StateFile) -> Result<Slot> {
    let slot = state.newest().cloned();
    slot.ok_or_else(|| Error::plain(ErrorKind::Internal, "a state file without a slot"))
}

/// The LSN of the next record.
fn next_lsn(tail: &Option<Judged>, slot: &Slot) -> u64 {
    tail.as_ref().map_or(slot.next_lsn, |tail| tail.scanned.scanner.next_lsn)
}

/// Removes what is no part of the log: segments trimmed or truncated away, files without a whole
/// header. A crash leaves some of them, for the next opening to remove.
fn remove_leftovers(vfs: &dyn Vfs, path: &Path, survey: &Survey) -> Result<()> {
    let leftovers = || survey.dead.iter().chain(&survey.torn);
    for &id in leftovers() {
        let file = path.join(file_name(id));
        match vfs.remove(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("removing a leftover", &file, error));
            }
            _ => {}
        }
    }
    if leftovers().next().is_none() {
        return Ok(());
    }
    vfs.sync_dir(path).map_err(|error| Error::io("syncing the directory", path, error))
}

/// Tells the state file that the log is being written, under a new epoch, and where it ends.
///
/// When this returns, whatever was cut off stays cut off: the next opening knows that the log ended
/// here before this epoch began.
fn mark_open(
    state: &mut StateFile,
    survey: &Survey,
    tail: &Option<Judged>,
    slot: &Slot,
) -> Result<Slot> {
    let known = tail.as_ref().map_or(0, |tail| tail.scanned.scanner.epoch);
    let (place, chain) = match tail {
        Some(tail) => {
            let offset = FileOffset(tail.scanned.end());
            (Place { segment: tail.found.header.id, offset }, tail.scanned.scanner.chain)
        }
        None => (Place { segment: SegmentId(0), offset: FileOffset(0) }, 0),
    };
    state.write(Slot {
        epoch: slot.epoch.max(known) + 1,
        first_lsn: first_lsn(survey, slot),
        first_segment: survey.chain.first().map_or(slot.first_segment, |root| root.header.id),
        tail: place,
        next_lsn: next_lsn(tail, slot),
        tail_chain: chain,
        is_clean: false,
        continues: false,
        ..slot.clone()
    })?;
    newest(state)
}

/// Puts the engine together.
fn publish(
    vfs: Arc<dyn Vfs>,
    path: &Path,
    options: Options,
    state: StateFile,
    survey: &Survey,
    tail: Option<Judged>,
    slot: Slot,
) -> Result<Arc<Engine>> {
    let ring = Ring::new(options.ring_bytes)
        .map_err(|error| Error::io("mapping memory for the ring", path, error))?;
    let mut claims = Claims::new(slot.next_lsn, ring.capacity(), options.pad_to_block);
    let mut segments = sealed_segments(&vfs, survey, &tail, &options, false);
    let mut committer = Committer::new(end_of(&tail, &slot));
    let newest_id = survey.newest().map_or(SegmentId(0), |found| found.header.id);
    if let Some(tail) = tail.filter(|tail| tail.goes_on(&options)) {
        let active = resume(&vfs, &tail, &options, &slot, &mut claims, &ring)?;
        segments.pop();
        segments.push(Arc::clone(&active.segment));
        committer.active = Some(active);
        // Without its opening frame nothing after it is recognised: the state file is told early.
        committer.is_news = true;
    }
    let spares = found_spares(&vfs, path, survey, newest_id)?;
    let spares = Spares::new(Arc::clone(&vfs), path, options.segment_bytes, spares);
    let engine = Engine::new(Parts {
        uuid: slot.uuid,
        epoch: slot.epoch,
        live: Live { segments, first_lsn: slot.first_lsn, cuts: Cuts::new() },
        keeper: Keeper::new(state),
        next_segment: SegmentId(newest_id.0 + 1),
        path: path.to_owned(),
        vfs,
        options,
        ring,
        claims,
        committer,
        spares,
    });
    engine.recount_segment_bytes();
    Ok(engine)
}

fn end_of(tail: &Option<Judged>, slot: &Slot) -> Tail {
    let scanner = tail.as_ref().map(|tail| &tail.scanned.scanner);
    // A segment is never created before the commits of those before it.
    let created_ns = tail.as_ref().map_or(0, |tail| tail.found.header.created_ns);
    Tail {
        segment: tail.as_ref().map(|tail| tail.found.header.id),
        end: scanner.map_or(0, |scanner| scanner.end),
        next_lsn: slot.next_lsn,
        chain: slot.tail_chain,
        footer: tail.as_ref().and_then(|tail| tail.extent().footer),
        time_ns: scanner.map_or(0, |scanner| scanner.final_ns).max(created_ns),
        durable_through: slot.tail,
    }
}

/// Spares left by an earlier run. Those that the next rotations would not reach are left alone.
fn found_spares(
    vfs: &Arc<dyn Vfs>,
    path: &Path,
    survey: &Survey,
    newest: SegmentId,
) -> Result<Vec<Spare>> {
    let ids = survey.spares.iter().filter(|&&id| id > newest);
    ids.map(|&id| {
        let path = path.join(file_name(id));
        let error = |error| Error::io("opening a spare segment", &path, error);
        let file = vfs.open(&path, Access::Write).map_err(error)?;
        let len = file.len().map_err(error)?;
        Ok(Spare { id, file, zeroed_to: len / BLOCK_BYTES * BLOCK_BYTES })
    })
    .collect()
}

impl Judged {
    /// Whether writing goes on in this segment: after a clean close only, and while there is room.
    fn goes_on(&self, options: &Options) -> bool {
        self.verdict == Verdict::Clean
            && self.continues
            && self.scanned.stop != Stop::Sealed
            && self.scanned.scanner.openings.len() < OPENINGS_PER_SEGMENT_MAX
            && self.scanned.end() + RESUME_ROOM < options.segment_bytes
    }
}

/// Goes on in a cleanly closed segment, under an opening frame that comes with the next commit.
fn resume(
    vfs: &Arc<dyn Vfs>,
    tail: &Judged,
    options: &Options,
    slot: &Slot,
    claims: &mut Claims,
    ring: &Ring,
) -> Result<Active> {
    let (found, scanner) = (&tail.found, &tail.scanned.scanner);
    let error = |error| Error::io("opening the tail segment", &found.path, error);
    let plain = vfs.open(&found.path, Access::Write).map_err(error)?;
    let end = scanner.end;
    let mut writer = SegmentWriter::new(Arc::clone(&plain), end);
    if options.io == Io::Direct {
        let direct = vfs.open(&found.path, Access::WriteDirect).map_err(error)?;
        let block = end / BLOCK_BYTES * BLOCK_BYTES;
        let mut tail_bytes = vec![0; (end - block) as usize];
        read_full(&*plain, &mut tail_bytes, block).map_err(error)?;
        let bytes_min = options.io.direct_bytes_min();
        writer = writer.with_direct(direct, bytes_min, tail_bytes).map_err(error)?;
    }
    let (vfs, path) = (Arc::clone(vfs), found.path.clone());
    let reading = Some(Arc::clone(writer.reading_file()));
    let segment = Segment::new(vfs, path, found.header, options.read_mode, reading, None);
    for &opening in &scanner.openings {
        segment.push_opening(opening);
    }
    for &(delta, offset) in &tail.scanned.index {
        segment.push(delta, offset);
    }
    let salt = random_u64().map_err(error)?;
    let opening = OpeningAt { offset: end, epoch: slot.epoch, salt };
    segment.push_opening(opening);
    let seed = Seed::new(&slot.uuid, found.header.id, slot.epoch, salt);
    claims.enter(Arc::clone(&segment), options.segment_bytes, end, scanner.seed());
    if let Some((position, frame)) = claims.open_in(opening, seed) {
        // SAFETY: nobody else has the ring yet, and the position was claimed just now.
        #[allow(unsafe_code)]
        unsafe {
            ring.copy_in(position, &frame);
        }
    }
    let zeroed_to = plain.len().map_err(error)? / BLOCK_BYTES * BLOCK_BYTES;
    let growth = Arc::new(Growth::new(plain, options.segment_bytes, zeroed_to));
    let mut active = Active::new(segment, writer, growth);
    (active.commits, active.first_ns) = (scanner.commits, scanner.first_ns);
    Ok(active)
}

/// A segment with less room than this is not worth going on in.
const RESUME_ROOM: u64 = 16 * 1024;
/// Segment ids and epochs stay below, so that one run of writing cannot pass the end of a `u64`.
const NUMBERS_END: u64 = u64::MAX >> 1;
