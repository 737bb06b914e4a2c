//! A log under test: libwal, a floor, or a peer.

use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;

/// What a call of a log under test gives; the text of an error goes into the report.
pub type Result<T> = std::result::Result<T, Failure>;

/// A durable append in flight.
pub type Appending<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Why a call of a log under test gave nothing.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The log has no such call: the row says so instead of guessing a number.
    Unsupported(&'static str),
    /// The call failed.
    Failed(String),
}

/// Opens logs of one kind.
pub trait System: Sync {
    /// As the report names it.
    fn name(&self) -> &'static str;

    /// The version measured.
    fn version(&self) -> &'static str;

    /// Why its durable appends are not comparable, if its sync does not reach the disk.
    fn is_not_durable(&self) -> Option<&'static str> {
        None
    }

    /// Creates the log in `directory`, which is empty, or opens the one that is there.
    fn open(&self, directory: &Path) -> Result<Box<dyn Log>>;
}

/// An open log. What a log cannot do stays as it is here: unsupported.
pub trait Log: Send + Sync {
    /// When this returns, the record survives power loss. Called from many threads.
    fn append(&self, _record: &[u8]) -> Result<()> {
        Err(Failure::Unsupported("no append that waits for the disk"))
    }

    /// The same as a future of an asynchronous task.
    fn append_async<'a>(&'a self, _record: &'a [u8]) -> Appending<'a> {
        Box::pin(async { Err(Failure::Unsupported("no asynchronous append")) })
    }

    /// Appends all `records` with one durability point at the end.
    ///
    /// When this returns, they survive power loss.
    fn append_batch(&self, _records: &[&[u8]]) -> Result<()> {
        Err(Failure::Unsupported("no batches"))
    }

    /// Appends `records` one by one as fast as the log takes them from one thread, then waits.
    ///
    /// When this returns, they all survive power loss; the log is free to sync in between.
    fn append_pipelined(&self, _records: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        Err(Failure::Unsupported("no pipelined appends"))
    }

    /// Appends a record that is acknowledged from the memory of the process.
    fn append_buffered(&self, _record: &[u8]) -> Result<()> {
        Err(Failure::Unsupported("no append from memory"))
    }

    /// Appends a record that survives the end of the process, but not power loss.
    fn append_to_system(&self, _record: &[u8]) -> Result<()> {
        Err(Failure::Unsupported("no append to the page cache"))
    }

    /// When this returns, every record appended so far survives power loss.
    fn sync(&self) -> Result<()> {
        Err(Failure::Unsupported("no sync"))
    }

    /// Reads every record from the first, verified as far as the log can; returns how many.
    fn replay(&self, _visit: &mut dyn FnMut(&[u8])) -> Result<u64> {
        Err(Failure::Unsupported("no replay"))
    }

    /// Reads the record of this index (from 0, in the order of appending) into `buffer`.
    fn read(&self, _index: u64, _buffer: &mut Vec<u8>) -> Result<()> {
        Err(Failure::Unsupported("no read by position"))
    }

    /// Reads the records of these indexes one after the other, each into `buffer`: in the way that
    /// is fastest when they are all known beforehand.
    fn read_run(&self, indexes: &[u64], buffer: &mut Vec<u8>) -> Result<()> {
        indexes.iter().try_for_each(|&index| {
            self.read(index, buffer)?;
            std::hint::black_box(&buffer);
            Ok(())
        })
    }

    /// Delivers records from the first on, and those that arrive, until `stop` is set; returns how
    /// many it delivered. Called from other threads while appends go on.
    fn follow(&self, _stop: &AtomicBool) -> Result<u64> {
        Err(Failure::Unsupported("no follower"))
    }

    /// Data syncs made since the log was opened, when the log itself counts them.
    fn syncs(&self) -> Option<u64> {
        None
    }

    /// Closes the log.
    fn close(self: Box<Self>) -> Result<()>;
}

impl Failure {
    /// A call that failed, by what its error says.
    pub fn of(error: impl std::fmt::Display) -> Failure {
        Failure::Failed(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::of(error)
    }
}
