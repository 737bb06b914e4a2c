//! walrus-rust: topics in blocks of large sparse files; its schedule of syncs is set when it opens.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{fs, io, thread};

use walrus_rust::{FsyncSchedule, ReadConsistency};

use super::{caught, failed, settle};
use crate::log::{Log, Result, System};

/// walrus-rust, one topic.
pub struct Walrus;

impl System for Walrus {
    fn name(&self) -> &'static str {
        "walrus-rust"
    }

    fn version(&self) -> &'static str {
        "0.2.0"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let durable = Part::new(directory, "durable", FsyncSchedule::SyncEach)?;
        let system = Part::new(directory, "system", FsyncSchedule::NoFsync)?;
        Ok(Box::new(OpenLog { durable, system, batch: Mutex::new(()) }))
    }
}

struct OpenLog {
    durable: Part,
    system: Part,
    /// A second batch at the same time is refused instead of waiting.
    batch: Mutex<()>,
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.durable.append(record)
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        let _turn = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        records.chunks(BATCH_RECORDS_MAX).try_for_each(|batch| self.durable.append_batch(batch))
    }

    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let mut batch = Vec::with_capacity(BATCH_RECORDS_MAX);
        loop {
            batch.clear();
            batch.extend((&mut *records).take(BATCH_RECORDS_MAX));
            if batch.is_empty() {
                return Ok(());
            }
            self.append_batch(&batch)?;
        }
    }

    fn append_to_system(&self, record: &[u8]) -> Result<()> {
        self.system.append(record)
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        Ok(self.durable.replay(visit)? + self.system.replay(visit)?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// The records of one schedule, in a directory of their own; opened with the first use.
struct Part {
    directory: PathBuf,
    key: &'static str,
    schedule: FsyncSchedule,
    wal: OnceLock<walrus_rust::Walrus>,
    opening: Mutex<()>,
}

impl Part {
    fn new(directory: &Path, key: &'static str, schedule: FsyncSchedule) -> Result<Part> {
        let directory = directory.to_path_buf();
        let (wal, opening) = (OnceLock::new(), Mutex::new(()));
        let part = Part { directory, key, schedule, wal, opening };
        if part.path().is_dir() {
            part.wal()?;
        }
        Ok(part)
    }

    fn path(&self) -> PathBuf {
        self.directory.join(self.key)
    }

    fn wal(&self) -> Result<&walrus_rust::Walrus> {
        if let Some(wal) = self.wal.get() {
            return Ok(wal);
        }
        let _turn = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wal.get().is_none() {
            let wal = open(&self.directory, self.key, self.schedule)?;
            settle(&self.path())?;
            settle(&self.directory)?;
            // Nobody else sets it: the lock is held.
            let _ = self.wal.set(wal);
        }
        self.wal.get().ok_or_else(|| failed("not open"))
    }

    fn append(&self, record: &[u8]) -> Result<()> {
        let wal = self.wal()?;
        caught(|| patiently(|| wal.append_for_topic(TOPIC, record)))
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        let wal = self.wal()?;
        caught(|| patiently(|| wal.batch_append_for_topic(TOPIC, records)))
    }

    /// Reads move a cursor of the topic that never goes back, so a log is opened for each replay.
    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        if !self.path().is_dir() {
            return Ok(0);
        }
        let cursors = self.path().join("read_offset_idx_index.db");
        if cursors.exists() {
            fs::remove_file(cursors).map_err(failed)?;
        }
        let reader = caught(|| open(&self.directory, self.key, self.schedule))?;
        let mut count = 0;
        loop {
            let entries = caught(|| {
                reader.batch_read_for_topic(TOPIC, BYTES_READ_AT_ONCE, true).map_err(failed)
            })?;
            if entries.is_empty() {
                return Ok(count);
            }
            entries.iter().for_each(|entry| visit(&entry.data));
            count += entries.len() as u64;
        }
    }
}

/// An append during a batch is refused, and has to come again.
fn patiently(mut append: impl FnMut() -> io::Result<()>) -> Result<()> {
    loop {
        match append() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            other => return other.map_err(failed),
        }
    }
}

fn open(directory: &Path, key: &str, schedule: FsyncSchedule) -> Result<walrus_rust::Walrus> {
    static ENVIRONMENT: Mutex<()> = Mutex::new(());
    let _turn: MutexGuard<'_, ()> = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the environment is read here by the standard library alone, which locks it against
    // this; walrus takes its directory from nowhere else, and prints every call without the other.
    unsafe {
        std::env::set_var("WALRUS_DATA_DIR", directory);
        std::env::set_var("WALRUS_QUIET", "1");
    }
    // Measured faster than the default, which makes a system call for each record.
    walrus_rust::disable_fd_backend();
    // The cursor of a replay need not survive.
    let reads = ReadConsistency::AtLeastOnce { persist_every: u32::MAX };
    walrus_rust::Walrus::with_consistency_and_schedule_for_key(key, reads, schedule).map_err(failed)
}

const TOPIC: &str = "log";

/// What a batch may hold.
const BATCH_RECORDS_MAX: usize = 2000;

const BYTES_READ_AT_ONCE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        let ways = [Way::Append, Way::Batch, Way::Pipelined, Way::System];
        round_trip(&Walrus, &ways, false);
    }
}
