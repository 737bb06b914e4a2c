//! The file of an active segment as readers see it: mapped as far as that is to be had.

use crate::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::Pins;
use crate::memory::Memory;
use crate::vfs::File;

/// The writer's open file, and a mapping of as much of it as there was at the latest look.
///
/// The writer writes to what is mapped, but never to a byte that readers were told of: those stay
/// as they are. Nor does it cut the file but beyond the last of them. So a reader is safe as long
/// as it looks at nothing but visible records.
pub(crate) struct ActiveFile {
    /// There is none yet while the first records are on their way.
    file: OnceLock<Arc<dyn File>>,
    is_mappable: bool,
    /// Written by readers that found it too short.
    mapping: RwLock<Option<Memory>>,
}

impl ActiveFile {
    pub(crate) fn new(file: OnceLock<Arc<dyn File>>, is_mappable: bool) -> ActiveFile {
        ActiveFile { file, is_mappable, mapping: RwLock::new(None) }
    }

    pub(crate) fn set(&self, file: Arc<dyn File>) {
        let _ = self.file.set(file);
    }

    pub(crate) fn file(&self) -> Option<&Arc<dyn File>> {
        self.file.get()
    }

    /// A mapping that reaches to `end` at least. None where it is better to read: from a file
    /// written past the page cache, which would have to drop what is mapped with every write; and
    /// where the file has grown by too little to be mapped anew.
    pub(crate) fn mapping(&self, end: u64, pins: &Pins) -> Option<Memory> {
        if !self.is_mappable {
            return None;
        }
        let mapped = self.mapping.read().unwrap_or_else(PoisonError::into_inner).clone();
        match mapped {
            Some(mapping) if mapping.len() as u64 >= end => Some(mapping),
            _ => self.map(end, pins),
        }
    }

    #[cold]
    fn map(&self, end: u64, pins: &Pins) -> Option<Memory> {
        let file = self.file.get().filter(|file| file.alignment() == 1)?;
        let file_bytes = file.len().ok().filter(|&bytes| bytes >= end)?;
        let mut mapping = self.mapping.write().unwrap_or_else(PoisonError::into_inner);
        let mapped_bytes = mapping.as_ref().map_or(0, |mapping| mapping.len() as u64);
        if mapped_bytes >= end {
            return mapping.clone();
        }
        let is_worth_it = mapped_bytes.saturating_add(mapped_bytes / 8).max(MAP_BYTES_MIN);
        if file_bytes < is_worth_it {
            return None;
        }
        let memory = Memory::mapped(file.map(file_bytes).ok().flatten()?);
        pins.add(&memory);
        *mapping = Some(memory.clone());
        Some(memory)
    }

    /// The mapping there is.
    pub(crate) fn mapped(&self) -> Option<Memory> {
        self.mapping.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a record lies in a mapping.
    pub(crate) fn is_pinned(&self, pins: &Pins) -> bool {
        let mapping = self.mapping.read().unwrap_or_else(PoisonError::into_inner);
        pins.are_held(mapping.as_ref())
    }
}

/// Less is read.
const MAP_BYTES_MIN: u64 = 64 << 10;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use crate::cursor::Cursor;
    use crate::fixture::TestLog;
    use crate::lookup;
    use crate::lsn::Lsn;
    use crate::options::ReadMode;
    use crate::position::Position;
    use crate::tail::Tail;

    fn payload(number: u64) -> Vec<u8> {
        (0..300 + number % 50).map(|at| (number * 7 + at) as u8).collect()
    }

    fn append(log: &TestLog, from: u64, to: u64) {
        let payloads: Vec<_> = (from..to).map(payload).collect();
        log.append(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>(), from);
    }

    #[test]
    fn records_of_a_growing_segment_are_read_mapped_or_not() {
        let log = TestLog::new(ReadMode::Map, 1);
        let mut cursor = Cursor::new(log.tail(), Position::First).unwrap();
        let mut held = Vec::new();
        for round in 0..200 {
            let (from, to) = (1 + round * 10, 11 + round * 10);
            append(&log, from, to);
            for number in from..to {
                assert_eq!(*cursor.next().unwrap().unwrap(), payload(number));
                let random = 1 + number * 7919 % (to - 1);
                let record = lookup::read(&*log, Lsn::new(random).unwrap()).unwrap();
                assert_eq!(*record, payload(random));
                held.push((random, record));
            }
            assert!(cursor.next().unwrap().is_none());
        }
        let active = log.active();
        assert!(active.is_pinned(), "600 KiB are mapped by now");
        log.rotate();
        append(&log, 2001, 2011);
        for (number, record) in &held {
            assert_eq!(**record, payload(*number));
        }
    }

    #[test]
    fn a_record_read_while_its_segment_was_active_pins_the_sealed_one() {
        let log = TestLog::new(ReadMode::Map, 1);
        append(&log, 1, 1000);
        let read = |number| lookup::read(&*log, Lsn::new(number).unwrap()).unwrap();
        let record = read(5);
        log.rotate();
        let sealed = log.live().segments[0].clone();
        assert!(sealed.is_pinned());
        assert_eq!(*read(6), payload(6));
        assert!(sealed.is_pinned());
        drop(record);
        log.views.forget();
        assert!(!sealed.is_pinned(), "nobody holds anything of it");
        let other = read(7);
        log.views.forget();
        drop(sealed);
        log.truncate(900);
        let cut_short = log.live().segments[0].clone();
        assert!(cut_short.is_pinned());
        drop(other);
        assert!(!cut_short.is_pinned());
    }
}
