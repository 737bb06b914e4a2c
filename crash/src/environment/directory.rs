//! A directory that goes away under an open log.

use std::fs;
use std::path::Path;

use wal_core::{ErrorKind, Log};

use super::Judged;
use super::history::{History, options};

/// Renamed at every stage of filling a segment: what is acknowledged is there when it is opened
/// under its new name, and nothing is left behind under the old one.
pub(super) fn renamed(root: &Path, is_full: bool) -> Result<Judged, String> {
    let step = if is_full { 1 } else { 8 };
    let mut count = 0;
    for before in (0..80_u64).step_by(step) {
        let (path, moved) = (root.join(format!("log{before}")), root.join(format!("new{before}")));
        let mut history = History::on_disk();
        let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
        history.append(&log, before, 2000);
        fs::rename(&path, &moved).map_err(|error| error.to_string())?;
        let refused = history.append(&log, 80, 2000);
        fits(refused)?;
        // A segment that nobody has read yet is not found under the old name: that is an error, and
        // never a shorter log.
        match history.judge(&log) {
            Err(what) if !what.starts_with("reading: i/o") => {
                return Err(format!("renamed after {before}: {what}"));
            }
            _ => {}
        }
        let _ = log.close();
        drop(log);
        if path.exists() {
            return Err(format!("renamed after {before}: there is a directory of the old name"));
        }
        history.judge_at(&moved).map_err(|what| format!("renamed after {before}: {what}"))?;
        count += 1;
    }
    Ok(Judged::Right(count))
}

/// Removed with all its files: the open log ends with an error or goes on in files without a name,
/// and a new one can be made at its place.
pub(super) fn removed(root: &Path, is_full: bool) -> Result<Judged, String> {
    let step = if is_full { 1 } else { 8 };
    let mut count = 0;
    for before in (0..80_u64).step_by(step) {
        let path = root.join(format!("log{before}"));
        let mut history = History::on_disk();
        let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
        history.append(&log, before, 2000);
        // A spare may be made at any moment: then the directory is not empty yet.
        let mut tries = 0;
        while let Err(error) = fs::remove_dir_all(&path) {
            tries += 1;
            if tries > 100 {
                return Err(error.to_string());
            }
        }
        fits(history.append(&log, 80, 2000))?;
        let _ = log.close();
        drop(log);
        let mut another = History::on_disk();
        let (log, _) = Log::open(&path, options()).map_err(|error| format!("anew: {error:?}"))?;
        another.append(&log, 3, 10);
        another.judge(&log)?;
        log.close().map_err(|error| error.to_string())?;
        count += 1;
    }
    Ok(Judged::Right(count))
}

/// What an append may say when files cannot be made any more.
fn fits(refused: Option<ErrorKind>) -> Result<(), String> {
    match refused {
        None | Some(ErrorKind::Io | ErrorKind::Poisoned | ErrorKind::NotFound) => Ok(()),
        Some(kind) => Err(format!("an append without a directory is {kind}")),
    }
}
