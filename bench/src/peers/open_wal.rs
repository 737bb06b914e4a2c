//! open-wal: appends into the memory of one writer, and a commit that writes and syncs them.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use open_wal::{Lsn, Wal, WalConfig};

use super::commit_group::CommitGroup;
use super::{BATCH_BYTES, failed};
use crate::log::{Failure, Log, Result, System};

/// open-wal, with a group commit in front of its one writer.
pub struct OpenWal;

impl System for OpenWal {
    fn name(&self) -> &'static str {
        "open-wal"
    }

    fn version(&self) -> &'static str {
        "0.2.1"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let config = WalConfig { max_record_size: 8 << 20, ..WalConfig::default() };
        let (wal, _) = Wal::open(directory, config).map_err(failed)?;
        let writer = Mutex::new(Writer { wal, staged_bytes: 0 });
        Ok(Box::new(OpenLog { writer, group: CommitGroup::new() }))
    }
}

struct OpenLog {
    writer: Mutex<Writer>,
    group: CommitGroup,
}

impl OpenLog {
    fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        self.writer.lock().map_err(|_| Failure::Failed("the writer panicked".to_owned()))
    }
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.group.append(record, |records| {
            let mut writer = self.writer()?;
            for record in records.iter() {
                writer.wal.append(record).map_err(failed)?;
            }
            writer.commit()
        })
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        let mut writer = self.writer()?;
        for record in records {
            writer.wal.append(record).map_err(failed)?;
        }
        writer.commit()
    }

    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let mut writer = self.writer()?;
        for record in records {
            writer.stage(record, BATCH_BYTES)?;
        }
        writer.commit()
    }

    fn append_buffered(&self, record: &[u8]) -> Result<()> {
        self.writer()?.stage(record, STAGED_BYTES_MAX)
    }

    fn sync(&self) -> Result<()> {
        self.writer()?.commit()
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let writer = self.writer()?;
        let mut reader = writer.wal.reader_from(Lsn(0)).map_err(failed)?;
        let mut count = 0;
        while let Some(record) = reader.next() {
            visit(record.map_err(failed)?.1);
            count += 1;
        }
        Ok(count)
    }

    fn read(&self, _index: u64, _buffer: &mut Vec<u8>) -> Result<()> {
        Err(Failure::Unsupported("reader_from scans the segment from its start to the record"))
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.sync()
    }
}

struct Writer {
    wal: Wal,
    /// What was appended since the last commit: the log itself sets no bound to it.
    staged_bytes: usize,
}

impl Writer {
    fn stage(&mut self, record: &[u8], staged_bytes_max: usize) -> Result<()> {
        self.wal.append(record).map_err(failed)?;
        self.staged_bytes += record.len();
        if self.staged_bytes >= staged_bytes_max {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.staged_bytes = 0;
        self.wal.commit().map(drop).map_err(failed)
    }
}

/// How much may wait in memory before a buffered append commits.
const STAGED_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        let ways = [Way::Append, Way::Batch, Way::Pipelined, Way::Buffered];
        round_trip(&OpenWal, &ways, false);
    }
}
