//! okaywal: entries of chunks in preallocated files.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use okaywal::{Configuration, Entry, EntryId, LogManager, SegmentReader, WriteAheadLog};

use super::panics::caught;
use super::{Failed, Opened, Subject, System, failed};

/// okaywal, one chunk to an entry, never checkpointed: a checkpoint hands the records back to its
/// user, and this user has nowhere else to keep them.
pub struct Okaywal;

impl System for Okaywal {
    fn name(&self) -> &'static str {
        "okaywal"
    }

    fn version(&self) -> &'static str {
        "0.3.1"
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        let found = Found::default();
        let wal = caught(|| {
            Configuration::default_for(directory)
                .preallocate_bytes(FILE_BYTES)
                .checkpoint_after_bytes(u64::MAX)
                .open(found.clone())
                .map_err(failed)
        })?;
        let records = found.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((Box::new(Open(wal)), records))
    }
}

struct Open(WriteAheadLog);

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        caught(|| {
            let mut entry = self.0.begin_entry().map_err(failed)?;
            entry.write_chunk(record).map_err(failed)?;
            entry.commit().map(drop).map_err(failed)
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        caught(|| self.0.shutdown().map_err(failed))
    }
}

/// The chunks of the entries that are whole.
#[derive(Clone, Debug, Default)]
struct Found(Arc<Mutex<Vec<Vec<u8>>>>);

impl LogManager for Found {
    /// An entry that was aborted, or ends with the file, is to be ignored, says the documentation.
    /// Its reader has other errors for the same as well, and none of them is the system's.
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        match entry.read_all_chunks() {
            Ok(Some(chunks)) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(chunks);
                Ok(())
            }
            Err(error) if error.raw_os_error().is_some() => Err(error),
            Ok(None) | Err(_) => Ok(()),
        }
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

/// What a file is made with; it grows when it is full.
const FILE_BYTES: u32 = 64 << 10;
