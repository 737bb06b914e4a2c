//! What the threads of a case did and were told, with the order in which that happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wal_core::vfs::MemVfs;
use wal_core::{ErrorKind, Level};

use crate::record;

/// A moment of an execution: its place in the order of all moments, and how many operations had
/// changed the disk by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub clock: u64,
    pub op: usize,
}

/// Records one call has appended.
#[derive(Clone, Debug)]
pub struct Append {
    pub writer: u32,
    /// The number of its first record; the others follow.
    pub number: u64,
    pub count: u32,
    pub bytes: usize,
    pub level: Level,
    pub begun: Moment,
    /// The first LSN, once it is known, and since when.
    pub claimed: Option<(u64, Moment)>,
    pub outcome: Outcome,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody was told anything.
    Open,
    /// Acknowledged at its level.
    Done(Moment),
    /// Surely not written.
    Absent(ErrorKind, Moment),
    /// Nobody knows.
    Unknown(ErrorKind, Moment),
}

/// A call that takes records away, or a change of the values.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: ChangeKind,
    pub writer: u32,
    pub begun: Moment,
    /// When it had succeeded.
    pub done: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Nothing after this LSN stays.
    Truncate(u64),
    /// Nothing stays.
    Reset(u64),
    /// Nothing before this LSN stays.
    Trim(u64),
    /// The version the values have from now on.
    Set(u64),
    Close,
}

/// Somebody saw that everything through `lsn` is durable.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub lsn: u64,
    /// When the call began that told so.
    pub since: Moment,
    pub at: Moment,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub appends: Vec<Append>,
    pub changes: Vec<Change>,
    pub marks: Vec<Mark>,
    /// From when to when each sync took that succeeded.
    pub syncs: Vec<(Moment, Moment)>,
    pub notes: Vec<(Moment, u32, String)>,
    pub violations: Vec<String>,
    clock: u64,
}

/// The history in the making. Clones are handles to the same one.
#[derive(Clone)]
pub struct History {
    facts: Arc<Mutex<Facts>>,
    disk: MemVfs,
    level: Level,
}

impl Append {
    /// Whether these are the bytes of the record it has put at `lsn`, if that is known.
    pub fn holds(&self, lsn: u64, bytes: &[u8]) -> bool {
        let Some(index) = self.index_of(bytes) else { return false };
        self.claimed.is_none_or(|(first, _)| first + index == lsn)
    }

    /// Which of its records has these bytes.
    pub fn index_of(&self, bytes: &[u8]) -> Option<u64> {
        let number = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let index = number.checked_sub(self.number)?;
        let is_its = index < u64::from(self.count) && *bytes == record(number, self.bytes);
        is_its.then_some(index)
    }
}

impl ChangeKind {
    /// Whether a record may not be read any more because of it.
    pub fn may_hide(self) -> bool {
        !matches!(self, ChangeKind::Set(_))
    }
}

impl History {
    pub fn new(disk: MemVfs, level: Level) -> History {
        History { facts: Arc::default(), disk, level }
    }

    /// A new moment, and all there was before it. No step of the schedule comes in between.
    pub fn now(&self) -> (Moment, MutexGuard<'_, Facts>) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.clock += 1;
        (Moment { clock: facts.clock, op: self.disk.op_count() }, facts)
    }

    /// Something worth telling.
    pub fn note(&self, writer: u32, text: impl FnOnce() -> String) {
        let (at, mut facts) = self.now();
        if facts.notes.len() < NOTES_MAX {
            let text = text();
            facts.notes.push((at, writer, text));
        }
    }

    /// A promise was broken while the threads were running.
    pub fn violation(&self, text: String) {
        self.now().1.violations.push(text);
    }

    /// Somebody was told, by a call that began at `since`, that all through `lsn` is durable.
    pub fn mark(&self, lsn: u64, since: Moment) {
        let (at, mut facts) = self.now();
        facts.marks.push(Mark { lsn, since, at });
    }

    /// Everything that was submitted before `since` is durable now.
    pub fn synced(&self, since: Moment) {
        let (at, mut facts) = self.now();
        facts.syncs.push((since, at));
    }

    /// Whether readers see only what is durable.
    pub fn is_durable_only(&self) -> bool {
        self.level == Level::Disk
    }

    pub fn begin_change(&self, writer: u32, kind: ChangeKind) -> usize {
        let (begun, mut facts) = self.now();
        facts.changes.push(Change { kind, writer, begun, done: None });
        facts.changes.len() - 1
    }

    pub fn end_change(&self, change: usize) {
        let (at, mut facts) = self.now();
        if let Some(change) = facts.changes.get_mut(change) {
            change.done = Some(at);
        }
    }

    /// A change that was refused and so never happened.
    pub fn void_change(&self, change: usize) {
        let (_, mut facts) = self.now();
        if let Some(change) = facts.changes.get_mut(change) {
            change.begun = Moment { clock: u64::MAX, op: usize::MAX };
        }
    }

    /// Who holds the ticket of an append is not told `Closed` when closing has made it durable.
    pub fn check_tickets(&self) {
        let (_, mut facts) = self.now();
        let is_closed = |change: &Change| change.kind == ChangeKind::Close && change.done.is_some();
        if !facts.changes.iter().any(is_closed) {
            return;
        }
        let told = |append: &&Append| {
            let is_told = matches!(append.outcome, Outcome::Unknown(ErrorKind::Closed, _));
            is_told && append.claimed.is_some()
        };
        if let Some(append) = facts.appends.iter().find(told) {
            let text = format!("{:#x} was told Closed, and closing succeeded", append.number);
            facts.violations.push(text);
        }
    }

    /// How many appends have ended, one way or the other.
    pub fn ended_count(&self) -> usize {
        let appends = &self.now().1.appends;
        appends.iter().filter(|append| append.outcome != Outcome::Open).count()
    }

    pub fn snapshot(&self) -> Facts {
        self.now().1.clone()
    }
}

const NOTES_MAX: usize = 1000;
