//! wal-db: one sequence of bytes, here striped over segments.

use std::path::Path;

use wal_db::{SegmentedStore, Wal};

use super::panics::caught;
use super::{Failed, Opened, Subject, System, failed};

/// wal-db with segments small enough to rotate; every append is synced.
pub struct WalDb;

impl System for WalDb {
    fn name(&self) -> &'static str {
        "wal-db"
    }

    fn version(&self) -> &'static str {
        "1.1.0"
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        caught(|| {
            let wal = Wal::open_segmented(directory, SEGMENT_BYTES).map_err(failed)?;
            let mut found = Vec::new();
            for record in wal.iter().map_err(failed)? {
                found.push(record.map_err(failed)?.into_data());
            }
            Ok((Box::new(Open(wal)) as Box<dyn Subject>, found))
        })
    }
}

struct Open(Wal<SegmentedStore>);

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        caught(|| self.0.append_and_sync(record).map(drop).map_err(failed))
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        caught(|| self.0.sync().map_err(failed))
    }
}

const SEGMENT_BYTES: u64 = 16 << 10;
