//! writeahead: asynchronous writes through a channel to one thread that syncs for all of them.

use std::path::Path;

use futures::executor::block_on;
use futures::stream::{self, StreamExt, TryStreamExt};
use writeahead::{RecordID, SimpleFile, WriteAheadOptions, WriteHandle};

use super::positions::Positions;
use super::{BATCH_BYTES, failed};
use crate::log::{Appending, Log, Result, System};

/// writeahead, with its own writer thread.
pub struct WriteAhead;

impl System for WriteAhead {
    fn name(&self) -> &'static str {
        "writeahead"
    }

    fn version(&self) -> &'static str {
        "0.4.1"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let mut wal = Manager::with_options(WriteAheadOptions {
            log_dir: directory.to_path_buf(),
            // The default suspends the 65th waiting task; none of the workloads needs that.
            queue_capacity: 1024,
            max_batch_bytes: 64 << 20,
            ..WriteAheadOptions::default()
        });
        wal.start().map_err(failed)?;
        let writer = wal.writer().map_err(failed)?;
        Ok(Box::new(OpenLog { wal, writer, positions: Positions::new() }))
    }
}

type Manager = writeahead::WriteAhead<SimpleFile>;

struct OpenLog {
    wal: Manager,
    writer: WriteHandle,
    positions: Positions<RecordID>,
}

impl OpenLog {
    fn for_each(&self, visit: &mut dyn FnMut(RecordID, &[u8])) -> Result<u64> {
        let mut count = 0;
        let mut stream = self.wal.create_stream().map_err(failed)?;
        block_on(async {
            while let Some(entry) = stream.next().await {
                let (id, record) = entry.map_err(failed)?;
                visit(id, &record);
                count += 1;
            }
            Ok(count)
        })
    }
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        block_on(self.writer.write(record.to_vec())).map(drop).map_err(failed)
    }

    fn append_async<'a>(&'a self, record: &'a [u8]) -> Appending<'a> {
        Box::pin(async { self.writer.write(record.to_vec()).await.map(drop).map_err(failed) })
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        let records = records.iter().map(|record| record.to_vec()).collect();
        block_on(self.writer.write_batch(records)).map(drop).map_err(failed)
    }

    /// In batches, and so many at once that the writer thread never waits for the next.
    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let batches = std::iter::from_fn(|| {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while bytes < BATCH_BYTES {
                let Some(record) = records.next() else { break };
                bytes += record.len();
                batch.push(record.to_vec());
            }
            (!batch.is_empty()).then_some(batch)
        });
        let writes = stream::iter(batches).map(|batch| self.writer.write_batch(batch));
        let all = writes.buffered(BATCHES_IN_FLIGHT).try_for_each(|_| async { Ok(()) });
        block_on(all).map_err(failed)
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        self.for_each(&mut |_, record| visit(record))
    }

    fn read(&self, index: u64, buffer: &mut Vec<u8>) -> Result<()> {
        let id = self.positions.of(index, || {
            let mut ids = Vec::new();
            self.for_each(&mut |id, _| ids.push(id))?;
            Ok(ids)
        })?;
        *buffer = self.wal.read(id.file_id, id.file_offset).map_err(failed)?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        // The last handle waits for the writer thread; the lock of the directory goes with it.
        Ok(())
    }
}

/// One being synced, one that follows in the next round, and two on their way.
const BATCHES_IN_FLIGHT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        let ways = [Way::Append, Way::Async, Way::Batch, Way::Pipelined];
        round_trip(&WriteAhead, &ways, true);
    }
}
