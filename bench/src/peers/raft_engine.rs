//! raft-engine: the logs of many Raft groups in one; threads that write at once share a sync.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protobuf::descriptor::UninterpretedOption;
use raft_engine::{Config, Engine, LogBatch, MessageExt, ReadableSize};

use super::positions::Positions;
use super::{BATCH_BYTES, caught, failed, settle};
use crate::log::{Log, Result, System};

/// raft-engine, where every thread that waits writes for a Raft group of its own.
pub struct RaftEngine;

impl System for RaftEngine {
    fn name(&self) -> &'static str {
        "raft-engine"
    }

    fn version(&self) -> &'static str {
        "0.4.2"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let is_new = std::fs::read_dir(directory).map_err(failed)?.next().is_none();
        let config = Config {
            dir: directory.to_str().ok_or_else(|| failed("the path is not UTF-8"))?.to_owned(),
            // No other log here compresses.
            batch_compression_threshold: ReadableSize(0),
            target_file_size: ReadableSize(FILE_BYTES as u64),
            prefill_for_recycle: true,
            // It prepares half as many files again, rounded down: four.
            prefill_limit: Some(ReadableSize(3 * FILE_BYTES as u64)),
            ..Config::default()
        };
        let engine = caught(|| Engine::open(config).map_err(failed))?;
        if is_new {
            fill_first_file(&engine)?;
        }
        settle(directory)?;
        let groups = Groups::of(&engine);
        let numbers = Positions::new();
        Ok(Box::new(OpenLog { engine, groups: Mutex::new(groups), numbers }))
    }
}

/// The first file of a log is never one of those that were zeroed, so nothing measured goes there.
fn fill_first_file(engine: &Engine) -> Result<()> {
    let bytes = vec![0; FILE_BYTES];
    let mut filler = Group::new(GROUP_OF_SYNCS, 1);
    caught(|| filler.write(engine, std::iter::once(bytes.as_slice()), false))?;
    caught(|| sync(engine))
}

/// Its own `sync` writes an empty batch, which returns before it reaches any file.
fn sync(engine: &Engine) -> Result<()> {
    let mut batch = LogBatch::default();
    batch.put(GROUP_OF_SYNCS, b"sync".to_vec(), Vec::new()).map_err(failed)?;
    engine.write(&mut batch, true).map(drop).map_err(failed)
}

struct OpenLog {
    engine: Engine,
    groups: Mutex<Groups>,
    /// The group and the number in it of each record.
    numbers: Positions<(u64, u64)>,
}

impl OpenLog {
    fn write<'a>(&self, records: impl Iterator<Item = &'a [u8]>, is_synced: bool) -> Result<()> {
        let mut group = self.groups().take();
        let result = caught(|| group.write(&self.engine, records, is_synced));
        // A group whose write failed is not used again: its next index is not known.
        if result.is_ok() {
            self.groups().idle.push(group);
        }
        result
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.write(std::iter::once(record), true)
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        self.write(records.iter().copied(), true)
    }

    /// In batches of one megabyte, of which only the last is synced.
    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let mut records = records.peekable();
        while records.peek().is_some() {
            let mut bytes = 0;
            let batch = std::iter::from_fn(|| {
                let record = if bytes < BATCH_BYTES { records.next() } else { None };
                bytes += record.map_or(0, <[u8]>::len);
                record
            });
            self.write(batch, false)?;
        }
        self.sync()
    }

    fn append_to_system(&self, record: &[u8]) -> Result<()> {
        self.write(std::iter::once(record), false)
    }

    fn sync(&self) -> Result<()> {
        caught(|| sync(&self.engine))
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut count = 0;
        let mut entries = Vec::new();
        for group in ids(&self.engine) {
            let end = self.engine.last_index(group).map_or(0, |last| last + 1);
            let mut next = self.engine.first_index(group).unwrap_or(end);
            while next < end {
                let upto = end.min(next + ENTRIES_FETCHED);
                entries.clear();
                self.engine
                    .fetch_entries_to::<Record>(group, next, upto, None, &mut entries)
                    .map_err(failed)?;
                entries.iter().for_each(|entry| visit(entry.get_string_value()));
                count += upto - next;
                next = upto;
            }
        }
        Ok(count)
    }

    fn read(&self, index: u64, buffer: &mut Vec<u8>) -> Result<()> {
        let (group, number) = self.numbers.of(index, || {
            let bounds = ids(&self.engine).into_iter().filter_map(|group| {
                let first = self.engine.first_index(group)?;
                Some((group, first..=self.engine.last_index(group)?))
            });
            Ok(bounds.flat_map(|(group, all)| all.map(move |number| (group, number))).collect())
        })?;
        let entry = self.engine.get_entry::<Record>(group, number).map_err(failed)?;
        *buffer = entry.ok_or_else(|| failed("no entry"))?.take_string_value();
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        caught(|| {
            drop(self.engine);
            Ok(())
        })
    }
}

/// The groups nobody writes for now. The indexes of a group have to follow each other, so one
/// thread at a time has it; a single thread gets the same one always and keeps its order.
struct Groups {
    idle: Vec<Group>,
    next_id: u64,
}

impl Groups {
    fn of(engine: &Engine) -> Groups {
        let mut idle: Vec<Group> =
            ids(engine).into_iter().map(|id| Group::of(engine, id)).collect();
        let next_id = idle.last().map_or(1, |group| group.id + 1);
        // The last is taken first: the oldest group goes on.
        idle.reverse();
        Groups { idle, next_id }
    }

    fn take(&mut self) -> Group {
        self.idle.pop().unwrap_or_else(|| {
            self.next_id += 1;
            Group::new(self.next_id - 1, 1)
        })
    }
}

struct Group {
    id: u64,
    next_index: u64,
    /// Reused, as a writer of its own would.
    batch: LogBatch,
    entries: Vec<UninterpretedOption>,
}

impl Group {
    fn new(id: u64, next_index: u64) -> Group {
        Group { id, next_index, batch: LogBatch::default(), entries: Vec::new() }
    }

    fn of(engine: &Engine, id: u64) -> Group {
        Group::new(id, engine.last_index(id).map_or(1, |last| last + 1))
    }

    fn write<'a>(
        &mut self,
        engine: &Engine,
        records: impl Iterator<Item = &'a [u8]>,
        is_synced: bool,
    ) -> Result<()> {
        self.entries.clear();
        for record in records {
            let mut entry = UninterpretedOption::new();
            entry.set_positive_int_value(self.next_index);
            entry.set_string_value(record.to_vec());
            self.entries.push(entry);
            self.next_index += 1;
        }
        self.batch.add_entries::<Record>(self.id, &self.entries).map_err(failed)?;
        engine.write(&mut self.batch, is_synced).map(drop).map_err(failed)
    }
}

/// A record is a message with a number and bytes, like the entry of a Raft log; this one comes
/// with the crate of the messages.
struct Record;

impl MessageExt for Record {
    type Entry = UninterpretedOption;

    fn index(entry: &UninterpretedOption) -> u64 {
        entry.get_positive_int_value()
    }
}

/// The groups that have records, the oldest first.
fn ids(engine: &Engine) -> Vec<u64> {
    let mut ids = engine.raft_groups();
    ids.retain(|id| *id != GROUP_OF_SYNCS);
    ids.sort_unstable();
    ids
}

/// Holds what the adapter itself writes, and no record.
const GROUP_OF_SYNCS: u64 = u64::MAX;

const FILE_BYTES: usize = 64 << 20;

const ENTRIES_FETCHED: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        let ways = [Way::Append, Way::Batch, Way::Pipelined, Way::System];
        round_trip(&RaftEngine, &ways, true);
    }

    #[test]
    fn threads_at_once_write_for_different_groups_and_lose_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let log = RaftEngine.open(directory.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let log = &log;
                scope.spawn(move || {
                    for count in 0..50 {
                        log.append(&[thread, count]).unwrap();
                    }
                });
            }
        });
        log.close().unwrap();
        let log = RaftEngine.open(directory.path()).unwrap();
        let mut found = Vec::new();
        assert_eq!(log.replay(&mut |record| found.push(record.to_vec())).unwrap(), 200);
        found.sort_unstable();
        let expected = (0..4).flat_map(|thread| (0..50).map(move |count| vec![thread, count]));
        assert!(found.into_iter().eq(expected));
        log.close().unwrap();
    }
}
