//! wal-db: positioned writes of many threads into one file, and a sync they share.

use std::path::Path;

use wal_db::{Lsn, Wal};

use super::positions::Positions;
use super::{failed, settle};
use crate::log::{Failure, Log, Result, System};

/// wal-db, as one file.
pub struct WalDb;

impl System for WalDb {
    fn name(&self) -> &'static str {
        "wal-db"
    }

    fn version(&self) -> &'static str {
        "1.1.0"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let wal = Wal::open(directory.join("log.wal")).map_err(failed)?;
        // It never syncs the name of the file it makes.
        settle(directory)?;
        Ok(Box::new(OpenLog { wal, positions: Positions::new() }))
    }
}

struct OpenLog {
    wal: Wal,
    positions: Positions<Lsn>,
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.wal.append_and_sync(record).map(drop).map_err(failed)
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        self.append_pipelined(&mut records.iter().copied())
    }

    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        for record in records {
            let _lsn = self.wal.append(record).map_err(failed)?;
        }
        self.sync()
    }

    fn append_to_system(&self, record: &[u8]) -> Result<()> {
        self.wal.append(record).map(drop).map_err(failed)
    }

    fn sync(&self) -> Result<()> {
        self.wal.sync().map_err(failed)
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut count = 0;
        for record in self.wal.iter().map_err(failed)? {
            visit(record.map_err(failed)?.data());
            count += 1;
        }
        Ok(count)
    }

    fn read(&self, index: u64, buffer: &mut Vec<u8>) -> Result<()> {
        let lsn = self.positions.of(index, || {
            let records = self.wal.iter().map_err(failed)?;
            records.map(|record| record.map(|record| record.lsn()).map_err(failed)).collect()
        })?;
        let record = self.wal.iter_from(lsn).map_err(failed)?.next();
        let record = record.ok_or_else(|| Failure::Failed(format!("no record at {lsn:?}")))?;
        buffer.clear();
        buffer.extend_from_slice(record.map_err(failed)?.data());
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.wal.sync().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        let ways = [Way::Append, Way::Batch, Way::Pipelined, Way::System];
        round_trip(&WalDb, &ways, true);
    }
}
