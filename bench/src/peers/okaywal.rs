//! okaywal: entries of chunks in zeroed files, with a sync that committing threads share.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread;

use okaywal::{
    Configuration, Entry, EntryId, LogManager, LogPosition, ReadChunkResult, SegmentReader,
    WriteAheadLog,
};

use super::positions::Positions;
use super::{caught, failed, settle};
use crate::log::{Log, Result, System};

/// okaywal, as one zeroed file that is never checkpointed.
pub struct Okaywal;

impl System for Okaywal {
    fn name(&self) -> &'static str {
        "okaywal"
    }

    fn version(&self) -> &'static str {
        "0.3.1"
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        let wal = recover(directory, &mut |_, _| {})?;
        settle(directory)?;
        let directory = directory.to_path_buf();
        Ok(Box::new(OpenLog {
            directory,
            wal: RwLock::new(Some(wal)),
            positions: Positions::new(),
        }))
    }
}

struct OpenLog {
    directory: PathBuf,
    /// Taken out while it is recovered again, which is its only way to replay.
    wal: RwLock<Option<WriteAheadLog>>,
    positions: Positions<LogPosition>,
}

impl OpenLog {
    fn wal(&self) -> Result<WalGuard<'_>> {
        let guard = self.wal.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() { Ok(WalGuard(guard)) } else { Err(failed("not open")) }
    }

    fn commit<'a>(&self, records: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let wal = self.wal()?;
        caught(|| {
            let mut entry = wal.log()?.begin_entry().map_err(failed)?;
            for record in records {
                entry.write_chunk(record).map_err(failed)?;
            }
            entry.commit().map(drop).map_err(failed)
        })
    }

    fn for_each(&self, visit: &mut Visit<'_>) -> Result<()> {
        let mut slot = self.wal.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(wal) = slot.take() {
            wal.shutdown().map_err(failed)?;
        }
        *slot = Some(recover(&self.directory, visit)?);
        Ok(())
    }
}

impl Log for OpenLog {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.commit(std::iter::once(record))
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        self.commit(records.iter().copied())
    }

    /// As one entry: only its commit waits, and its chunks go out as its buffer fills.
    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        self.commit(records)
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut count = 0;
        self.for_each(&mut |_, record| {
            visit(record);
            count += 1;
        })?;
        Ok(count)
    }

    fn read(&self, index: u64, buffer: &mut Vec<u8>) -> Result<()> {
        let position = self.positions.of(index, || {
            let mut positions = Vec::new();
            self.for_each(&mut |position, _| positions.push(position))?;
            Ok(positions)
        })?;
        let wal = self.wal()?;
        let mut reader = wal.log()?.read_at(position).map_err(failed)?;
        buffer.clear();
        reader.read_to_end(buffer).map_err(failed)?;
        if reader.crc_is_valid().map_err(failed)? { Ok(()) } else { Err(failed("checksum")) }
    }

    fn close(self: Box<Self>) -> Result<()> {
        let wal = self.wal.into_inner().unwrap_or_else(PoisonError::into_inner);
        wal.map_or(Ok(()), |wal| wal.shutdown().map_err(failed))
    }
}

struct WalGuard<'a>(RwLockReadGuard<'a, Option<WriteAheadLog>>);

impl WalGuard<'_> {
    fn log(&self) -> Result<&WriteAheadLog> {
        self.0.as_ref().ok_or_else(|| failed("not open"))
    }
}

/// Opens the log in `directory`; `visit` meets every chunk in it.
///
/// The log only recovers into what it may keep, so it opens on a thread of its own and sends.
fn recover(directory: &Path, visit: &mut Visit<'_>) -> Result<WriteAheadLog> {
    let (to, from) = sync_channel(BLOCKS_ON_THEIR_WAY);
    let tray = Arc::new(Mutex::new(Tray { block: Block::default(), to: Some(to) }));
    thread::scope(|scope| {
        let opening = scope.spawn(|| {
            let wal = caught(|| open(directory, Recovery { tray: Arc::clone(&tray) }));
            lock(&tray).finish();
            wal
        });
        for block in from {
            block.for_each(visit);
        }
        opening.join().unwrap_or_else(|_| Err(failed("its recovery panicked")))
    })
}

fn open(directory: &Path, recovery: Recovery) -> Result<WriteAheadLog> {
    Configuration::default_for(directory)
        .preallocate_bytes(ZEROED_BYTES)
        // A checkpoint hands the records back; this log has to keep them.
        .checkpoint_after_bytes(u64::MAX)
        .buffer_bytes(BUFFER_BYTES)
        .open(recovery)
        .map_err(failed)
}

type Visit<'a> = dyn FnMut(LogPosition, &[u8]) + 'a;

#[derive(Debug)]
struct Recovery {
    tray: Arc<Mutex<Tray>>,
}

impl LogManager for Recovery {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        let mut tray = lock(&self.tray);
        while let ReadChunkResult::Chunk(mut chunk) = entry.read_chunk()? {
            let position = chunk.log_position();
            chunk.read_to_end(&mut tray.block.bytes)?;
            if !chunk.check_crc()? {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "checksum"));
            }
            let end = tray.block.bytes.len();
            tray.block.ends.push((end, position));
            if end >= BUFFER_BYTES {
                tray.send();
            }
        }
        Ok(())
    }

    fn checkpoint_to(
        &mut self,
        _last: EntryId,
        _entries: &mut SegmentReader,
        _wal: &WriteAheadLog,
    ) -> io::Result<()> {
        Err(io::Error::other("a checkpoint would hand the records back"))
    }
}

/// What was recovered and not yet sent.
#[derive(Debug)]
struct Tray {
    block: Block,
    /// Gone when the log is open: it recovers nothing after that.
    to: Option<SyncSender<Block>>,
}

impl Tray {
    fn send(&mut self) {
        if let Some(to) = &self.to {
            // Nobody receives any more when a visit has panicked.
            let _ = to.send(std::mem::take(&mut self.block));
        }
    }

    fn finish(&mut self) {
        self.send();
        self.to = None;
    }
}

/// Records one behind the other, each with its end here and its address in the log.
#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    ends: Vec<(usize, LogPosition)>,
}

impl Block {
    fn for_each(&self, visit: &mut Visit<'_>) {
        let mut start = 0;
        for (end, position) in &self.ends {
            visit(*position, &self.bytes[start..*end]);
            start = *end;
        }
    }
}

fn lock(tray: &Mutex<Tray>) -> MutexGuard<'_, Tray> {
    tray.lock().unwrap_or_else(PoisonError::into_inner)
}

const BLOCKS_ON_THEIR_WAY: usize = 4;

/// What is written and synced with zeros before the first append.
const ZEROED_BYTES: u32 = 256 << 20;

/// What one write to the file carries.
const BUFFER_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Failure;
    use crate::peers::round_trip::{Way, round_trip};

    #[test]
    fn records_come_back_equal_and_in_order() {
        round_trip(&Okaywal, &[Way::Append, Way::Batch, Way::Pipelined], true);
    }

    #[test]
    fn a_missing_level_is_named_and_not_guessed() {
        let directory = tempfile::tempdir().unwrap();
        let log = Okaywal.open(directory.path()).unwrap();
        assert!(matches!(log.append_to_system(b"x"), Err(Failure::Unsupported(_))));
        log.close().unwrap();
    }
}
