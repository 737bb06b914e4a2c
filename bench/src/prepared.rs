//! Logs that are filled once and read or opened in every round.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::kernel;
use crate::log::{Failure, Log, Result};
use crate::measure::BATCH_BYTES;
use crate::records::Records;
use crate::task::Task;

/// What is in a prepared directory. Workloads that read the same share it.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A log that was closed.
    Closed,
    /// A log that is appended to in every round, by a writer that is killed or by one that is
    /// measured.
    Grown,
    /// The frames of a floor.
    Frames,
    /// The empty segments of a floor.
    Files,
}

/// The directory that `fill` has filled for tasks like this one, in this round or in an earlier
/// one.
pub fn prepared(
    task: &Task,
    kind: Kind,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let (directory, mark) = place(task, kind);
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

/// Makes `directory`, which is empty, the log that was closed, where there is one; nobody else may
/// read that one again.
pub fn take_closed(task: &Task, directory: &Path) -> Result<bool> {
    let (closed, mark) = place(task, Kind::Closed);
    if !mark.exists() {
        return Ok(false);
    }
    fs::remove_file(mark)?;
    fs::remove_dir(directory)?;
    fs::rename(closed, directory)?;
    Ok(true)
}

/// The directory, and the mark beside it that says that it is filled.
fn place(task: &Task, kind: Kind) -> (PathBuf, PathBuf) {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let system: String = task.system.chars().map(plain).collect();
    let name = format!("{system}-{kind:?}-{}-{}", task.record_bytes, task.bytes);
    (task.prepared.join(&name), task.prepared.join(name + ".filled"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn task(scratch: &Path) -> Task {
        Task {
            system: "libwal (direct)".into(),
            workload: "P8-closed".into(),
            directory: scratch.join("log"),
            prepared: scratch.to_path_buf(),
            output: scratch.join("outcome"),
            record_bytes: 256,
            parallel: 1,
            bytes: 1024,
            filled: 0,
            followers: 0,
            seconds: 0.1,
            warm_up: 0.0,
        }
    }

    #[test]
    fn a_log_is_filled_once_for_all_workloads_that_read_it_and_again_after_a_failure() {
        let scratch = tempfile::tempdir().unwrap();
        let task = task(scratch.path());
        let failed = prepared(&task, Kind::Closed, |directory| {
            fs::write(directory.join("half"), "")?;
            Err(Failure::Unsupported("no room"))
        });
        assert!(failed.is_err());
        let directory = prepared(&task, Kind::Closed, |directory| {
            assert!(!directory.join("half").exists());
            Ok(fs::write(directory.join("whole"), "")?)
        });
        let other = Task { workload: "P6-warm".into(), ..task };
        let again = prepared(&other, Kind::Closed, |_| Err(Failure::Unsupported("filled twice")));
        assert_eq!(again.unwrap(), directory.unwrap());
    }

    #[test]
    fn the_closed_log_is_taken_by_who_appends_to_it_and_never_read_as_closed_again() {
        let scratch = tempfile::tempdir().unwrap();
        let task = task(scratch.path());
        let fill = |directory: &Path| Ok(fs::write(directory.join("records"), "")?);
        prepared(&task, Kind::Closed, fill).unwrap();
        let mut taken = Vec::new();
        for _ in 0..2 {
            let grown = prepared(&task, Kind::Grown, |directory| {
                taken.push(take_closed(&task, directory)?);
                Ok(())
            });
            assert!(grown.unwrap().join("records").exists());
        }
        assert_eq!(taken, [true]);
        let mut is_filled_again = false;
        prepared(&task, Kind::Closed, |_| {
            is_filled_again = true;
            Ok(())
        })
        .unwrap();
        assert!(is_filled_again);
    }
}
