//! libwal as its users open it.

use std::path::Path;

use wal_core::{Log, Options, Position};

use super::{Failed, Opened, Subject, System, failed};

/// libwal with these options, at whatever level they say.
pub struct Libwal(pub Options);

impl System for Libwal {
    fn name(&self) -> &'static str {
        "libwal"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        let (log, _) = Log::open(directory, self.0.clone()).map_err(failed)?;
        let mut found = Vec::new();
        for record in log.cursor(Position::First).map_err(failed)? {
            found.push(record.map_err(failed)?.to_vec());
        }
        Ok((Box::new(Open(log)), found))
    }
}

struct Open(Log);

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        self.0.append(record).map(drop).map_err(failed)
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        self.0.close().map_err(failed)
    }
}
