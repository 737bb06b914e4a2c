//! A record as readers get it: verified bytes and what keeps them alive.

use std::fmt;
use std::ops::{Deref, Range};

use crate::lsn::Lsn;
use crate::memory::Memory;

/// One record.
///
/// Its bytes were verified when it was read. It keeps the memory they lie in alive (the mapping of
/// its segment, or the buffer they were read into), so hold it as long as needed and copy the bytes
/// to keep them for good. Cloning copies no bytes.
///
/// ```no_run
/// use wal_core::{Log, Lsn, Options};
/// let (log, _report) = Log::open("orders", Options::default())?;
/// let record = log.read(Lsn::FIRST)?;
/// assert!(record.starts_with(b"order"));
/// # Ok::<(), wal_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Record {
    memory: Memory,
    lsn: Lsn,
    batch_continues: bool,
}

impl Record {
    /// The record's position in its log.
    #[inline]
    pub fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// Whether the next record belongs to the same batch.
    #[inline]
    pub fn batch_continues(&self) -> bool {
        self.batch_continues
    }

    /// An empty record to be pointed at others.
    pub(crate) fn empty() -> Record {
        Record { memory: Memory::buffer(Vec::new()), lsn: Lsn::FIRST, batch_continues: false }
    }

    /// Makes this the record whose verified payload is `range` of `memory`. Changes nothing and
    /// returns false when the range is not inside.
    #[inline]
    pub(crate) fn point_at(
        &mut self,
        memory: &Memory,
        range: Range<usize>,
        lsn: Lsn,
        batch_continues: bool,
    ) -> bool {
        if !self.memory.point_at(memory, range) {
            return false;
        }
        self.lsn = lsn;
        self.batch_continues = batch_continues;
        true
    }

    /// Makes this the record whose verified payload is `payload`, a part of `memory`.
    #[inline]
    pub(crate) fn point_at_part(
        &mut self,
        memory: &Memory,
        payload: &[u8],
        lsn: Lsn,
        batch_continues: bool,
    ) {
        self.memory.point_at_part(memory, payload);
        self.lsn = lsn;
        self.batch_continues = batch_continues;
    }

    /// The memory the payload lies in, cut to it.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The record whose verified payload is `payload`, a part of `memory`.
    #[inline(always)]
    pub(crate) fn at(memory: &Memory, payload: &[u8], lsn: Lsn, batch_continues: bool) -> Record {
        Record { memory: memory.part(payload), lsn, batch_continues }
    }

    /// The record whose verified payload is `range` of `memory`.
    #[inline]
    pub(crate) fn of(
        memory: &Memory,
        range: Range<usize>,
        lsn: Lsn,
        batch_continues: bool,
    ) -> Option<Record> {
        let mut record = Record { memory: memory.clone(), lsn, batch_continues };
        record.memory.point_at(memory, range).then_some(record)
    }
}

impl Deref for Record {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory
    }
}

impl AsRef<[u8]> for Record {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("lsn", &self.lsn.get())
            .field("bytes", &self.len())
            .field("batch_continues", &self.batch_continues)
            .finish()
    }
}
