//! Removing a log.

use std::path::Path;

use crate::error::{Error, Result};
use crate::recovery::{STATE_FILE, lock_existing, segment_files};
use crate::segment::file_name;
use crate::vfs::Vfs;

/// Removes the log at `path`.
///
/// The state file is emptied before anything goes and removed after everything has: a crash in
/// between leaves a log that opening refuses (row `state-lost`), or none, but never one that lacks
/// its first or last records in silence. Removing it once more finishes the work.
pub(crate) fn destroy(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    let lock = lock_existing(vfs, path)?;
    let error = |error| Error::io("removing the log", path, error);
    lock.set_len(0).and_then(|()| lock.sync()).map_err(error)?;
    for id in segment_files(vfs, path)?.into_iter().rev() {
        vfs.remove(&path.join(file_name(id))).map_err(error)?;
    }
    vfs.sync_dir(path).map_err(error)?;
    vfs.remove(&path.join(STATE_FILE)).map_err(error)?;
    vfs.sync_dir(path).map_err(error)?;
    drop(lock);
    if !vfs.list(path).map_err(error)?.is_empty() {
        return Ok(());
    }
    vfs.remove_dir(path).map_err(error)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => vfs.sync_dir(parent).map_err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::ErrorKind;
    use crate::log::Log;
    use crate::options::{Level, Options};
    use crate::vfs::MemVfs;

    /// A log of three segments, of whose newest the state file may not have heard.
    fn log_of_three_segments(is_closed: bool) -> MemVfs {
        let vfs = MemVfs::new();
        let level = Level::Os;
        let options = Options { segment_bytes: 64 * 1024, level, ..Options::default() };
        let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options).expect("it opens");
        for _ in 0..8 {
            log.append(&[1; 18_000]).expect("it is appended");
        }
        if is_closed {
            log.close().expect("it closes");
        }
        vfs.crash_at(vfs.op_count(), &mut |choices| choices - 1)
    }

    #[test]
    fn a_crash_leaves_the_whole_log_or_one_that_is_refused_or_none() {
        let mut random = 1_u64;
        for is_closed in [true, false] {
            let vfs = log_of_three_segments(is_closed);
            destroy(&vfs, Path::new("/log")).expect("it is removed");
            for op in 0..=vfs.op_count() {
                for _ in 0..30 {
                    let left = vfs.crash_at(op, &mut |choices| {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        (random >> 33) as usize % choices
                    });
                    let options = Options { create: false, ..Options::default() };
                    match Log::open_with(Arc::new(left.clone()), "/log", options) {
                        Ok((log, report)) if report.created => assert!(log.last_lsn().is_none()),
                        Ok((log, _)) => assert_eq!(log.last_lsn().map(|lsn| lsn.get()), Some(8)),
                        Err(error) => {
                            let kinds = [ErrorKind::Corrupt, ErrorKind::NotFound];
                            assert!(kinds.contains(&error.kind()), "{error:?}");
                            match destroy(&left, Path::new("/log")) {
                                Ok(()) => {}
                                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
                            }
                            let error = Log::open_with(
                                Arc::new(left),
                                "/log",
                                Options { create: false, ..Options::default() },
                            );
                            let error = error.expect_err("it is gone");
                            assert_eq!(error.kind(), ErrorKind::NotFound);
                        }
                    }
                }
            }
        }
    }
}
