//! The logs that are damaged: small ones, with every feature that leaves its own kind of bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wal_core::vfs::MemVfs;
use wal_core::{Error, Io, Log, Lsn, Options, Position};

use super::anatomy::Anatomy;
use super::image::{DIRECTORY, Image, copy_of, image_of, storage_of};
use crate::record;

/// A log with a history, and what is in it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// As reports name it.
    pub name: &'static str,
    /// Its files.
    pub image: Image,
    /// The same files, ready to be copied.
    pub storage: MemVfs,
    /// Its records.
    pub records: Vec<(u64, Vec<u8>)>,
    /// The value of the key `term`.
    pub term: Option<Vec<u8>>,
    /// Whether it was closed in order: then no loss goes unnoticed.
    pub is_clean: bool,
    /// How it is opened.
    pub options: Options,
    /// What its bytes are for.
    pub anatomy: Anatomy,
    /// Another history of the same log, with the same identity; none for some shapes.
    pub fork: Option<Image>,
}

impl Shape {
    /// All shapes, in the order of their names' list.
    ///
    /// # Errors
    ///
    /// If a sound log does not work.
    pub fn all() -> Result<Vec<Shape>, String> {
        let builders: [Build; 6] = [closed, killed, truncated, recycled, reopened, padded];
        let names = ["closed", "killed", "truncated", "recycled", "reopened", "padded"];
        names
            .into_iter()
            .zip(builders)
            .map(|(name, build)| {
                Shape::made(name, build).map_err(|error| format!("making `{name}`: {error}"))
            })
            .collect()
    }

    fn made(name: &'static str, build: Build) -> Result<Shape, Box<dyn std::error::Error>> {
        let mut maker = Maker::new(name)?;
        // Both histories begin with the same log: that gives them its identity.
        let origin = copy_of(&maker.vfs);
        let left = build(&maker)?;
        let image = without_spares(image_of(&left.vfs, DIRECTORY.as_ref())?);
        (maker.vfs, maker.salt) = (origin, 1 << 32);
        let fork = without_spares(image_of(&build(&maker)?.vfs, DIRECTORY.as_ref())?);
        let storage = storage_of(&image)?;
        let vfs = Arc::new(copy_of(&storage));
        let (log, _) = Log::open_read_only_with(vfs, DIRECTORY, maker.options.clone())?;
        let records = log.cursor(Position::First)?;
        let records = records
            .map(|record| record.map(|record| (record.lsn().get(), record.to_vec())))
            .collect::<Result<Vec<_>, _>>()?;
        let first = records.first().map_or(1, |(lsn, _)| *lsn);
        let lsns = (first, first + records.len() as u64);
        Ok(Shape {
            name,
            anatomy: Anatomy::of(&image, lsns),
            image,
            storage,
            records,
            term: log.values().get(b"term")?,
            is_clean: left.is_clean,
            options: maker.options.clone(),
            fork: Some(fork),
        })
    }

    /// The LSNs of the log: the first one, and the one after the last.
    pub fn lsns(&self) -> (u64, u64) {
        let first = self.records.first().map_or(1, |(lsn, _)| *lsn);
        (first, self.records.last().map_or(first, |(lsn, _)| *lsn + 1))
    }
}

/// Writes one.
type Build = fn(&Maker) -> Result<Left, Error>;

/// What is left of a history.
struct Left {
    vfs: MemVfs,
    is_clean: bool,
}

/// Writes a history.
struct Maker {
    vfs: MemVfs,
    options: Options,
    /// Added to the numbers of the records, so that two histories differ.
    salt: u64,
}

impl Maker {
    fn new(name: &str) -> Result<Maker, Error> {
        let is_padded = name == "padded";
        let options = Options {
            segment_bytes: 64 * 1024,
            ring_bytes: 64 * 1024,
            pad_to_block: is_padded,
            io: if is_padded { Io::Direct } else { Io::Buffered },
            ..Options::default()
        };
        let maker = Maker { vfs: MemVfs::new(), options, salt: 0 };
        maker.open()?.close()?;
        Ok(maker)
    }

    fn open(&self) -> Result<Log, Error> {
        let vfs = Arc::new(self.vfs.clone());
        Ok(Log::open_with(vfs, DIRECTORY, self.options.clone())?.0)
    }

    fn append(&self, log: &Log, sizes: &[usize]) -> Result<(), Error> {
        for &size in sizes {
            let number = log.next_lsn().get() + self.salt;
            log.append(&record(number, size))?;
        }
        Ok(())
    }

    /// Values that take more than a sector, so that no sector is a slot of its own.
    fn set_values(&self, log: &Log) -> Result<(), Error> {
        log.values().set(b"notes", &record(self.salt + 7, 900))?;
        log.values().set(b"term", &record(self.salt + 12, 8))
    }

    fn closed(&self, log: Log) -> Result<Left, Error> {
        log.close()?;
        Ok(Left { vfs: self.vfs.clone(), is_clean: true })
    }

    /// The process dies.
    fn killed(&self, log: Log) -> Left {
        let vfs = copy_of(&self.vfs);
        drop(log);
        Left { vfs, is_clean: false }
    }
}

/// Three segments, sealed in order; batches, an empty record, values; closed.
fn closed(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    maker.append(&log, &[20, 300, 20_000, 9, 25_000, 9000])?;
    log.append_batch(&[&record(maker.salt + 90, 700)[..], b"", b"of a batch"])?;
    maker.append(&log, &[30_000, 15_000, 600, 12_000, 40, 8, 8])?;
    maker.closed(log)
}

/// The process died; then the machine did, amid a commit that nobody was told of.
fn killed(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    maker.append(&log, &[40_000, 10_000, 20_000, 8, 100])?;
    log.append_batch(&[record(maker.salt + 91, 500), record(maker.salt + 92, 50)])?;
    maker.append(&log, &[16, 900, 8])?;
    let before = maker.vfs.op_count();
    maker.append(&log, &[3000])?;
    let mut is_kept = false;
    let vfs = maker.vfs.crash_at(before + 1, &mut |choices| {
        is_kept = !is_kept;
        if is_kept { choices - 1 } else { 0 }
    });
    drop(log);
    Ok(Left { vfs, is_clean: false })
}

/// Cut inside a batch, gone on with, trimmed, cut again, and the process died.
fn truncated(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    maker.append(&log, &[200, 3000, 60_000, 500])?;
    let batch = [record(maker.salt + 93, 100), record(maker.salt + 94, 200), vec![7; 30]];
    let range = log.append_batch(&batch)?;
    log.truncate(range.first)?;
    maker.append(&log, &[700, 80])?;
    if let Some(second) = Lsn::new(2) {
        log.trim(second)?;
    }
    maker.append(&log, &[1200, 8, 64])?;
    Ok(maker.killed(log))
}

/// The newest segment's file was one of the log's before: old frames lie behind its end.
fn recycled(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    for _ in 0..3 {
        maker.append(&log, &[9000, 9000, 9000, 9000, 9000, 9000, 9000])?;
        let last = log.last_lsn().and_then(Lsn::previous);
        if let Some(last) = last {
            log.trim(last)?;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while log.stats()?.spares == 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    maker.append(&log, &[100, 5000, 8, 800])?;
    maker.closed(log)
}

/// Closed and gone on with in the same segment twice, killed, and gone on with in another one.
fn reopened(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    maker.append(&log, &[300, 5000, 8])?;
    log.close()?;
    let log = maker.open()?;
    maker.append(&log, &[900, 60])?;
    log.close()?;
    let log = maker.open()?;
    maker.append(&log, &[1000, 8])?;
    let died =
        Maker { vfs: maker.killed(log).vfs, options: maker.options.clone(), salt: maker.salt };
    let log = died.open()?;
    died.append(&log, &[2000, 8, 400])?;
    died.closed(log)
}

/// Every commit ends with a block, written past the page cache; the process died.
fn padded(maker: &Maker) -> Result<Left, Error> {
    let log = maker.open()?;
    maker.set_values(&log)?;
    maker.append(&log, &[20, 300, 20_000, 9, 25_000, 9000, 700, 8])?;
    Ok(maker.killed(log))
}

/// A spare may be there or not, as the background had time for it, and is not part of the log; one
/// with old bytes in it is kept.
fn without_spares(mut image: Image) -> Image {
    image.retain(|_, bytes| bytes.iter().any(|&byte| byte != 0));
    image
}
