//! writeahead: writes that go through a channel to one thread.

use std::path::Path;

use futures::executor::block_on;
use futures::stream::StreamExt;
use writeahead::{SimpleFile, WriteAheadOptions, WriteHandle};

use super::panics::caught;
use super::{Failed, Opened, Subject, System, failed};

/// writeahead with files small enough to rotate.
pub struct WriteAhead;

impl System for WriteAhead {
    fn name(&self) -> &'static str {
        "writeahead"
    }

    fn version(&self) -> &'static str {
        "0.4.1"
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        let mut wal = Manager::with_options(WriteAheadOptions {
            log_dir: directory.to_path_buf(),
            max_file_size: FILE_BYTES,
            preallocation_chunk_size: Some(ZEROED_BYTES),
            ..WriteAheadOptions::default()
        });
        caught(|| {
            wal.start().map_err(failed)?;
            let writer = wal.writer().map_err(failed)?;
            let mut found = Vec::new();
            let mut stream = wal.create_stream().map_err(failed)?;
            block_on(async {
                while let Some(entry) = stream.next().await {
                    found.push(entry.map_err(failed)?.1);
                }
                Ok(())
            })?;
            Ok((Box::new(Open { writer, _wal: wal }) as Box<dyn Subject>, found))
        })
    }
}

type Manager = writeahead::WriteAhead<SimpleFile>;

struct Open {
    writer: WriteHandle,
    /// Holds the lock of the directory.
    _wal: Manager,
}

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        caught(|| block_on(self.writer.write(record.to_vec())).map(drop).map_err(failed))
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        // The last handle waits for the writer thread.
        Ok(())
    }
}

const FILE_BYTES: u64 = 32 << 10;

const ZEROED_BYTES: u64 = 16 << 10;
