//! Sound logs of several histories, as a start for mutations.

use std::sync::{Arc, LazyLock};

use wal_core::vfs::MemVfs;
use wal_core::{Log, Lsn, Result};

use super::survive::{DIRECTORY, Image, image_of, options};
use crate::record;

/// The logs.
pub(super) static BASES: LazyLock<Vec<Image>> = LazyLock::new(|| {
    let builders: [fn(&MemVfs) -> Result<MemVfs>; 6] =
        [reopened, killed, truncated, reset, of_one_record, without_a_footer];
    let made = builders.into_iter().map(|build| build(&MemVfs::new()).map(|vfs| image_of(&vfs)));
    made.filter_map(Result::ok).collect()
});

fn open(vfs: &MemVfs) -> Result<Log> {
    Ok(Log::open_with(Arc::new(vfs.clone()), DIRECTORY, options())?.0)
}

fn fill(vfs: &MemVfs, records: usize) -> Result<Log> {
    let log = open(vfs)?;
    log.values().set(b"term", b"3")?;
    for size in 0..records {
        log.append(&record(size as u64, size * 199))?;
    }
    log.values().set(b"vote", &[1; 300])?;
    Ok(log)
}

fn reopened(vfs: &MemVfs) -> Result<MemVfs> {
    let log = fill(vfs, 40)?;
    if let Some(lsn) = Lsn::new(12) {
        log.trim(lsn)?;
    }
    log.append_batch(&["a", "bb", "ccc"])?;
    log.close()?;
    let log = open(vfs)?;
    log.append(b"reopened")?;
    log.close()?;
    Ok(vfs.clone())
}

fn killed(vfs: &MemVfs) -> Result<MemVfs> {
    let _log = fill(vfs, 25)?;
    Ok(vfs.kill_at(vfs.op_count()))
}

fn truncated(vfs: &MemVfs) -> Result<MemVfs> {
    let log = fill(vfs, 30)?;
    if let Some(lsn) = Lsn::new(17) {
        log.truncate(lsn)?;
    }
    log.append(&[7; 500])?;
    Ok(vfs.kill_at(vfs.op_count()))
}

fn reset(vfs: &MemVfs) -> Result<MemVfs> {
    let log = fill(vfs, 10)?;
    if let Some(lsn) = Lsn::new(1 << 40) {
        log.reset_to(lsn)?;
    }
    log.append(&[0; 3000])?;
    log.append(&[9; 100_000])?;
    log.close()?;
    Ok(vfs.clone())
}

fn of_one_record(vfs: &MemVfs) -> Result<MemVfs> {
    let log = open(vfs)?;
    log.append(b"one")?;
    log.close()?;
    Ok(vfs.clone())
}

/// The process dies in a segment, and the next one begins another.
fn without_a_footer(vfs: &MemVfs) -> Result<MemVfs> {
    let log = fill(vfs, 12)?;
    let vfs = vfs.kill_at(vfs.op_count());
    drop(log);
    let log = open(&vfs)?;
    log.append(&[3; 700])?;
    log.close()?;
    Ok(vfs)
}
