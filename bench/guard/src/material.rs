//! The logs that readers and openings are counted on. They are made outside valgrind, which would
//! take most of the time otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use wal_core::{Io, Log, Options};

use crate::Outcome;

/// Logs below a directory, by what they are for.
pub struct Material;

impl Material {
    /// Makes them all; what was there before goes.
    ///
    /// # Errors
    /// A directory or a log that cannot be written.
    pub fn prepare(directory: &Path) -> Outcome<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
        fill(&Material::readable(directory), RECORDS)?.close()?;
        fill(&Material::clean(directory), OPENED_RECORDS)?.close()?;
        let scratch = directory.join("killed");
        let log = fill(&scratch, OPENED_RECORDS)?;
        copy_files(&scratch, &Material::crashed(directory))?;
        log.close()?;
        Ok(())
    }

    /// Several segments of [`RECORDS`] records, closed.
    pub fn readable(directory: &Path) -> PathBuf {
        directory.join("readable")
    }

    /// A closed log for an opening.
    pub fn clean(directory: &Path) -> PathBuf {
        directory.join("clean")
    }

    /// The same as a kill leaves it.
    pub fn crashed(directory: &Path) -> PathBuf {
        directory.join("crashed")
    }
}

/// The options of every log here. How it is written is fixed: the engine's own choice is made by
/// measuring time, and would differ from run to run.
pub fn options() -> Options {
    Options { segment_bytes: 8 << 20, io: Io::Buffered, ..Options::default() }
}

/// The payload of a record: all the goals are for this size, and no two neighbours are alike.
pub fn record(number: u64) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (number as usize * 31 + at * 7) as u8;
    }
    bytes
}

fn fill(path: &Path, records: u64) -> Outcome<Log> {
    let (log, _) = Log::open(path, Options { segment_bytes: 1 << 20, ..options() })?;
    let numbers: Vec<u64> = (0..records).collect();
    for numbers in numbers.chunks(500) {
        let batch: Vec<_> = numbers.iter().map(|&number| record(number)).collect();
        log.append_batch(&batch)?;
    }
    Ok(log)
}

fn copy_files(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Bytes of a record.
pub const RECORD_BYTES: usize = 256;
/// Records of the log that is read.
pub const RECORDS: u64 = 20_000;
/// Records of the logs that are opened: a good half of a segment, which an opening after a crash
/// has to scan.
const OPENED_RECORDS: u64 = 2_000;
