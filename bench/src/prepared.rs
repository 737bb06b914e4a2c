//! Logs that are filled once and read or opened in every round.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::kernel;
use crate::log::{Failure, Log, Result};
use crate::measure::BATCH_BYTES;
use crate::records::Records;
use crate::task::Task;

/// The directory that `fill` has filled for this task, in this round or in an earlier one.
pub fn prepared(task: &Task, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let system: String = task.system.chars().map(plain).collect();
    let name = format!("{system}-{}-{}-{}", task.workload, task.record_bytes, task.bytes);
    let directory = task.prepared.join(&name);
    let mark = task.prepared.join(name + ".filled");
    if !mark.exists() {
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        fill(&directory)?;
        fs::write(mark, "")?;
    }
    Ok(directory)
}

/// Appends records in the fastest way the log has and makes them durable.
pub fn fill(log: &dyn Log, record_bytes: usize, count: u64) -> Result<()> {
    let records = Records::new(record_bytes);
    let batch = (BATCH_BYTES / record_bytes as u64).max(1);
    let mut ways: Vec<Way> = vec![Way::Pipelined, Way::Batches, Way::Unsynced, Way::Appends];
    while let Some(way) = ways.first() {
        match way.fill(log, &records, count, batch) {
            // Only a call that did nothing may be followed by another way.
            Err(Failure::Unsupported(_)) if ways.len() > 1 => drop(ways.remove(0)),
            outcome => return outcome,
        }
    }
    Ok(())
}

enum Way {
    Batches,
    Pipelined,
    Unsynced,
    Appends,
}

impl Way {
    fn fill(&self, log: &dyn Log, records: &Records, count: u64, batch: u64) -> Result<()> {
        match self {
            Way::Batches => {
                for start in (0..count).step_by(batch as usize) {
                    let end = (start + batch).min(count);
                    let batch: Vec<&[u8]> = (start..end).map(|index| records.at(index)).collect();
                    log.append_batch(&batch)?;
                }
                Ok(())
            }
            Way::Pipelined => log.append_pipelined(&mut (0..count).map(|index| records.at(index))),
            Way::Unsynced => {
                (0..count).try_for_each(|index| log.append_to_system(records.at(index)))?;
                log.sync()
            }
            Way::Appends => (0..count).try_for_each(|index| log.append(records.at(index))),
        }
    }
}

/// Takes everything below a directory out of the page cache: all caches of the system where that is
/// allowed, otherwise the pages of the files.
pub fn chill(directory: &Path) -> io::Result<()> {
    forget(directory)?;
    // Directories, inodes and what the forgetting left; only root may.
    let _ = fs::write("/proc/sys/vm/drop_caches", "3");
    Ok(())
}

fn forget(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else {
            let file = fs::File::open(&path)?;
            // A dirty page cannot be forgotten.
            file.sync_all()?;
            kernel::forget_pages(&file);
        }
    }
    Ok(())
}
