//! libwal as a log under test, through its public API.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wal_core::{
    AppendOptions, Error, ErrorKind, Io, Level, Lsn, Options, Position, Record, Retention,
};

use crate::log::{Appending, Failure, Log, Result, System};

/// libwal under one set of options.
pub struct Libwal {
    name: &'static str,
    options: fn() -> Options,
    reads: Reads,
}

/// How single records are read.
#[derive(Clone, Copy)]
enum Reads {
    /// One with each call.
    One,
    /// Many with one call.
    Many,
}

/// Every variant; the first one is libwal as it comes.
pub const VARIANTS: &[Libwal] = &[
    Libwal { name: "libwal", options: Options::default, reads: Reads::One },
    Libwal {
        name: "libwal (direct)",
        options: || Options { io: Io::Direct, ..Options::default() },
        reads: Reads::One,
    },
    Libwal {
        name: "libwal (buffered)",
        options: || Options { io: Io::Buffered, ..Options::default() },
        reads: Reads::One,
    },
    Libwal {
        name: "libwal (recycling)",
        options: || {
            let retention = Retention { bytes: Some(256 << 20), ..Retention::default() };
            Options { retention, ..Options::default() }
        },
        reads: Reads::One,
    },
    Libwal {
        name: "libwal (64 KiB segments)",
        options: || Options {
            segment_bytes: 64 << 10,
            record_bytes_max: 16 << 10,
            ..Options::default()
        },
        reads: Reads::One,
    },
    Libwal { name: "libwal (batch)", options: Options::default, reads: Reads::Many },
];

impl System for &'static Libwal {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Log>> {
        // The lock of a writer that was killed a moment ago goes when its process is gone.
        let options = Options { lock_wait: Duration::from_secs(5), ..(self.options)() };
        let (log, _report) = wal_core::Log::open(directory, options)?;
        Ok(Box::new(Open { log, reads: self.reads }))
    }
}

struct Open {
    log: wal_core::Log,
    reads: Reads,
}

impl Log for Open {
    fn append(&self, record: &[u8]) -> Result<()> {
        self.log.append(record)?;
        Ok(())
    }

    fn append_async<'a>(&'a self, record: &'a [u8]) -> Appending<'a> {
        Box::pin(async {
            self.log.submit(record)?.await?;
            Ok(())
        })
    }

    fn append_batch(&self, records: &[&[u8]]) -> Result<()> {
        self.log.append_batch(records)?;
        Ok(())
    }

    fn append_pipelined(&self, records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let mut last = None;
        for record in records {
            last = Some(self.log.submit(record)?);
        }
        if let Some(ticket) = last {
            ticket.wait()?;
        }
        Ok(())
    }

    fn append_buffered(&self, record: &[u8]) -> Result<()> {
        self.log.with(at(Level::Buffered)).append(record)?;
        Ok(())
    }

    fn append_to_system(&self, record: &[u8]) -> Result<()> {
        self.log.with(at(Level::Os)).append(record)?;
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.log.sync()?;
        Ok(())
    }

    fn replay(&self, visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut count = 0;
        self.log.replay(Position::First, |record| {
            count += 1;
            visit(record);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(count)
    }

    fn read(&self, index: u64, buffer: &mut Vec<u8>) -> Result<()> {
        copy(&self.log.read(lsn_of(index)?)?, buffer);
        Ok(())
    }

    fn read_run(&self, indexes: &[u64], buffer: &mut Vec<u8>) -> Result<()> {
        let lsns = indexes.iter().map(|&index| lsn_of(index));
        match self.reads {
            Reads::One => {
                for lsn in lsns {
                    copy(&self.log.read(lsn?)?, buffer);
                    black_box(&buffer);
                }
            }
            Reads::Many => {
                let lsns = lsns.collect::<Result<Vec<_>>>()?;
                self.log.read_many(&lsns, |record| {
                    copy(record, buffer);
                    black_box(&buffer);
                    Ok::<_, Error>(ControlFlow::Continue(()))
                })?;
            }
        }
        Ok(())
    }

    fn follow(&self, stop: &AtomicBool) -> Result<u64> {
        let mut follower = self.log.follow(Position::First)?;
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            if let Some(record) = follower.next_timeout(Duration::from_millis(20))? {
                std::hint::black_box(&record[..]);
                count += 1;
            }
        }
        Ok(count)
    }

    fn syncs(&self) -> Option<u64> {
        let counters = self.log.stats().ok()?.counters;
        Some(counters.syncs + counters.state_syncs)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.log.close()?)
    }
}

fn lsn_of(index: u64) -> Result<Lsn> {
    Lsn::new(index + 1).ok_or(Failure::Unsupported("no such LSN"))
}

fn copy(record: &Record, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(record);
}

fn at(level: Level) -> AppendOptions {
    AppendOptions { level: Some(level), ..AppendOptions::default() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error.kind() {
            ErrorKind::Unsupported => Failure::Unsupported("unsupported here"),
            _ => Failure::of(error),
        }
    }
}
