//! The judgement of a damaged log: the same content, or `Corrupt` with the place.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use wal_core::vfs::MemVfs;
use wal_core::{Error, ErrorKind, Log, check};

use super::image::{DIRECTORY, copy_of, image_of, state_path};
use super::readers::{Read, all_agree, forward, open_to_read};
use super::wound::Changed;
use super::{Image, PartKind, Shape, readers, salvage};

/// Judges everybody who can be asked about these files. `thoroughly` asks all of them; otherwise
/// the opening for reading and a cursor alone.
///
/// # Errors
///
/// The promise that is broken, in words.
pub fn judge(
    shape: &Shape,
    damaged: &MemVfs,
    changed: &Changed,
    thoroughly: bool,
) -> Result<(), String> {
    let opened = open_to_read(damaged, shape);
    let is_state_lost = opened
        .as_ref()
        .is_ok_and(|(_, report)| report.notes.iter().any(|note| note.starts_with("state-lost")));
    let is_state_lost = is_state_lost || has_no_slot(shape, changed);
    let case = Case { shape, changed, is_state_lost };
    if case.may_forget_a_truncation() {
        // What was cut off may be seen again: the one header that knew of the cut is gone, which
        // is N3. Nothing is left to compare with.
        return match &opened {
            Ok((log, _)) => readers::drain(log),
            Err(_) => Ok(()),
        };
    }
    let read = match &opened {
        Ok((log, _)) => {
            case.values_are_right(log)?;
            forward(log, shape)?
        }
        Err(error) => Read { first: None, next: 0, error: Some(error.clone()) },
    };
    case.is_explained(&read)?;
    if !thoroughly {
        return Ok(());
    }
    if let Ok((log, _)) = &opened {
        all_agree(log, shape, &read, &|error| case.blames(error))?;
    }
    drop(opened);
    let before = image_of(damaged, DIRECTORY.as_ref()).map_err(|error| error.to_string())?;
    case.verify_agrees(damaged, &read)?;
    let after = image_of(damaged, DIRECTORY.as_ref()).map_err(|error| error.to_string())?;
    if before != after {
        return Err("reading or verifying changed a file".into());
    }
    case.writer_agrees(&copy_of(damaged), &read)?;
    salvage::judge(&case, &copy_of(damaged), &before)
}

/// A log and what was done to it.
pub(super) struct Case<'a> {
    pub(super) shape: &'a Shape,
    pub(super) changed: &'a Changed,
    /// The opening for reading has said that there is no state any more: where the log begins, and
    /// that nothing was after its end, is known to nobody then.
    pub(super) is_state_lost: bool,
}

impl Case<'_> {
    /// The end the log may have without a word, apart from its own: what was lost after an unclean
    /// stop cannot be told from what was never written, as DURABILITY.md says in N1 and N3.
    ///
    /// The damage may reach back over several commits: then each of them is the last one when those
    /// behind it are gone.
    pub(super) fn silent_end(&self) -> Option<u64> {
        // The mark of a clean close is in one slot alone.
        if self.shape.is_clean && !self.changed.contains_key(&state_path()) {
            return None;
        }
        let newest = self.shape.anatomy.newest.as_ref()?;
        let runs = self.changed.get(newest)?;
        let touched: Vec<_> = self.shape.anatomy.touched(newest, runs).collect();
        let headers: Vec<_> =
            touched.iter().filter(|part| matches!(part.kind, PartKind::Header(_))).collect();
        if let [header, _] = headers[..] {
            return Some(header.lsns.start);
        }
        let commits = self.shape.anatomy.parts(newest).iter();
        let commits = commits.filter(|part| part.kind == PartKind::Commit).rev();
        let is_touched = |range: &Range<u64>| touched.iter().any(|part| part.range == *range);
        commits.take_while(|part| is_touched(&part.range)).last().map(|part| part.lsns.start)
    }

    /// Whether what was trimmed may be seen again: the state that knew is gone, and nothing tells
    /// of it, which is N2.
    pub(super) fn may_forget_a_trim(&self) -> bool {
        // In every shape commits follow the changes of the state, and tell of them.
        let is_told = self.changed.len() == 1;
        !self.shape.is_clean && !is_told && self.changed.contains_key(&state_path())
    }

    /// Whether the newest segment is gone altogether, and with it what it knew of a truncation.
    fn may_forget_a_truncation(&self) -> bool {
        let newest = self.shape.anatomy.newest.as_ref();
        let header = newest.and_then(|path| self.shape.anatomy.parts(path).first());
        let is_silent = header.is_some_and(|header| self.silent_end() == Some(header.lsns.start));
        self.shape.name == "truncated" && is_silent
    }

    /// Whether what a reader met is the same content, a stated exception, or damage well described.
    fn is_explained(&self, read: &Read) -> Result<(), String> {
        if let Some(error) = &read.error {
            return self.blames(error);
        }
        let (first, next) = self.shape.lsns();
        if self.is_state_lost {
            return Ok(());
        }
        let is_whole = read.next == next || Some(read.next) == self.silent_end();
        let is_empty = read.first.is_none() && self.silent_end() == Some(first);
        let begins = read.first == Some(first)
            || (self.may_forget_a_trim() && read.first.is_some_and(|found| found < first));
        if is_empty || (is_whole && begins) {
            return Ok(());
        }
        Err(format!(
            "nothing is reported, and the records are {:?} up to {}, not {first} up to {next}{}",
            read.first,
            read.next,
            self.silent_end().map_or(String::new(), |end| format!(" or up to {end}"))
        ))
    }

    /// Whether an error says `Corrupt` and names a place that the damage has reached.
    pub(super) fn blames(&self, error: &Error) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {error:?}"));
        if error.kind() != ErrorKind::Corrupt {
            return wrong("damage is reported, but not as `Corrupt`");
        }
        if self.changed.contains_key(&state_path()) && error.message().contains("foreign-segment") {
            // Which of the two is another log's is not known.
            return Ok(());
        }
        let Some((path, runs)) = error.path().and_then(|path| self.changed.get_key_value(path))
        else {
            return wrong("the file that is blamed is not one that was damaged");
        };
        let Some(offset) = error.offset().map(|offset| offset.0) else {
            return wrong("no offset is named");
        };
        let is_segment = *path != state_path();
        if is_segment && error.segment().is_none_or(|id| !names(path, id.0)) {
            return wrong("the segment that is named is not the file's");
        }
        if !is_segment && matches!(offset, 0 | SLOT_BYTES) {
            // Which of two slots that contradict each other is the wrong one is not known.
            return Ok(());
        }
        let touched: Vec<_> = self.shape.anatomy.touched(path, runs).collect();
        let is_there = touched.iter().any(|part| {
            part.range.contains(&offset)
                // A header or slot that is gone is told of by the beginning of its file.
                || (offset == 0 && !matches!(part.kind, PartKind::Commit | PartKind::Footer))
        });
        if !is_there {
            return wrong("the place that is named is none that was damaged");
        }
        let Some(lsns) = error.lsns() else { return Ok(()) };
        let has_header = touched.iter().any(|part| matches!(part.kind, PartKind::Header(_)));
        let commits = touched.iter().filter(|part| part.kind == PartKind::Commit);
        let hull = commits
            .map(|part| part.lsns.clone())
            .reduce(|one, other| one.start.min(other.start)..one.end.max(other.end));
        // Behind a trailer the next record is named as well: it cannot be reached, and without a
        // footer nothing up to the next segment can where an opening frame follows. Of records that
        // are trimmed nobody speaks.
        let has_footer =
            self.shape.anatomy.parts(path).iter().any(|part| part.kind == PartKind::Footer);
        if let Some(hull) = hull.filter(|hull| !has_header && hull.end > self.shape.lsns().0)
            && (lsns.final_.get() < hull.start || (has_footer && lsns.first.get() > hull.end))
        {
            return wrong("the LSNs that are named are not those at this place");
        }
        Ok(())
    }

    fn values_are_right(&self, log: &Log) -> Result<(), String> {
        match log.values().get(b"term") {
            Ok(term) if term == self.shape.term => Ok(()),
            Ok(_) if self.may_forget_a_trim() || self.changed.len() > 1 => Ok(()),
            Ok(term) => Err(format!("the value is {term:?}, not {:?}", self.shape.term)),
            Err(error) => self.blames(&error),
        }
    }

    /// A verification finds what readers meet, and every change of a byte that has a purpose.
    fn verify_agrees(&self, damaged: &MemVfs, read: &Read) -> Result<(), String> {
        let vfs = Arc::new(damaged.clone());
        let report = match check::verify_with(vfs, DIRECTORY, |_, _| {}) {
            Ok(report) => report,
            Err(error) => return Err(format!("verify fails: {error:?}")),
        };
        for finding in &report.findings {
            self.blames(&finding.error).map_err(|what| format!("verify: {what}"))?;
        }
        let is_at_stake = report.findings.iter().any(|finding| finding.records_at_stake);
        if read.error.is_some() && !is_at_stake {
            return Err(format!(
                "a reader meets {:?}, verify finds nothing at stake: {report:?}",
                read.error
            ));
        }
        let (_, next) = self.shape.lsns();
        let is_cut = self.silent_end().is_some() && read.next < next;
        let has_purpose = self.changed.iter().any(|(path, runs)| {
            let mut touched = self.shape.anatomy.touched(path, runs);
            let first = self.shape.lsns().0;
            touched.any(|part| {
                let is_trimmed = part.lsns.end <= first && !part.lsns.is_empty();
                part.kind != PartKind::Nothing && !is_trimmed
            })
        });
        if has_purpose && !is_cut && report.findings.is_empty() {
            return Err(format!("verify finds nothing: {report:?}"));
        }
        Ok(())
    }

    /// A writer opens what a reader opens, sees the same, appends, and has it when it comes again.
    fn writer_agrees(&self, vfs: &MemVfs, read: &Read) -> Result<(), String> {
        let open = || Log::open_with(Arc::new(vfs.clone()), DIRECTORY, self.shape.options.clone());
        let before = image_of(vfs, DIRECTORY.as_ref()).map_err(|error| error.to_string())?;
        let log = match open() {
            Ok((log, _)) => log,
            Err(error) => {
                self.blames(&error).map_err(|what| format!("the opening: {what}"))?;
                let after = image_of(vfs, DIRECTORY.as_ref()).map_err(|error| error.to_string())?;
                if before != after {
                    return Err("an opening that refused has changed a file".into());
                }
                // Records can be read without a state, but not written.
                let reads = open_to_read(vfs, self.shape).is_ok();
                return match reads && error.path() != Some(&state_path()) {
                    true => Err(format!("a reader opens it, a writer does not: {error:?}")),
                    false => Ok(()),
                };
            }
        };
        if self.is_state_lost {
            return Err("a writer opens a log whose state is lost".into());
        }
        let seen = forward(&log, self.shape)?;
        let has_error = (seen.error.is_some(), read.error.is_some());
        if has_error.0 != has_error.1
            || (!has_error.0 && (seen.first, seen.next) != (read.first, read.next))
        {
            return Err(format!("a writer sees {seen:?}, a reader {read:?}"));
        }
        let appended = log.append(AFTER).map_err(|error| format!("append: {error:?}"))?;
        log.close().map_err(|error| format!("close: {error:?}"))?;
        drop(log);
        let (log, _) = open().map_err(|error| format!("opening it again: {error:?}"))?;
        match log.read(appended) {
            Ok(record) if record[..] == *AFTER => {}
            other => return Err(format!("what was appended after the damage is {other:?}")),
        }
        let seen = forward_before(&log, self.shape, appended.get())?;
        if seen.is_some() != read.error.is_some() {
            return Err(format!("writing on has hidden {:?}: {seen:?}", read.error));
        }
        log.close().map_err(|error| format!("close: {error:?}"))
    }

    /// Whether the state file was damaged.
    pub(super) fn is_state_touched(&self) -> bool {
        self.changed.contains_key(&state_path())
    }
}

/// Whether neither state slot is what it was.
fn has_no_slot(shape: &Shape, changed: &Changed) -> bool {
    let state = state_path();
    let runs = changed.get(&state).map_or(&[][..], Vec::as_slice);
    let touched = shape.anatomy.touched(&state, runs);
    touched.filter(|part| matches!(part.kind, PartKind::Slot(_))).count() == 2
}

/// Reads up to a record that the shape does not know; returns what was in the way.
fn forward_before(log: &Log, shape: &Shape, end: u64) -> Result<Option<Error>, String> {
    let cursor = log.cursor(wal_core::Position::First).map_err(|error| error.to_string())?;
    for record in cursor {
        match record {
            Ok(record) if record.lsn().get() >= end => return Ok(None),
            Ok(record) => super::readers::is_right(shape, &record)?,
            Err(error) => return Ok(Some(error)),
        }
    }
    Ok(None)
}

/// Whether a segment file's name says this id.
fn names(path: &Path, id: u64) -> bool {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .is_some_and(|stem| stem.parse().is_ok_and(|named: u64| named == id))
}

/// The files of a case, for its salvage.
pub(super) type Before = Image;

/// Where the second state slot stands.
const SLOT_BYTES: u64 = 131_072;
/// What is appended to a log that opened.
const AFTER: &[u8] = b"after the damage";
