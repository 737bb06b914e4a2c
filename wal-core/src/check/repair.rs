//! Repair: makes a damaged log usable again and says what that costs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::Backup;
use super::inspection::Inspection;
use super::plan::{Origin, Plan};
use super::step::segment_path;
use crate::error::{Damage, Error, ErrorKind, Result};
use crate::lsn::{FileOffset, LsnRange};
use crate::recovery::{STATE_FILE, lock_existing, segment_files};
use crate::time::nanoseconds;
use crate::vfs::{Access, File, Lock, RealVfs, Vfs, random_u64};

/// What [`repair`] did, or would do.
#[derive(Clone, Debug)]
pub struct RepairReport {
    /// What was (or would be) changed, a sentence each; empty when there was nothing to do.
    pub actions: Vec<String>,
    /// The records that are lost by it, as far as the readable bytes tell.
    pub lost: Vec<LsnRange>,
    /// The directory with copies of every file that was changed or removed, as they were.
    pub backup: Option<PathBuf>,
    /// Whether anything was changed.
    pub changed: bool,
}

/// Makes the log at `path` one that opens and verifies, and says exactly what is lost. With
/// `dry_run` it only says so. Needs the writer's lock.
///
/// What the log holds twice, or can be built again, costs nothing: a header copy, a state slot, a
/// footer. When both state slots are lost, a new state begins at the oldest segment there is; keys
/// and values are lost. When records are damaged or missing, one unbroken stretch of records is
/// kept, because a log is a dense sequence: everything before the first damage. The rest is cut
/// off, as a truncation does it. Where nothing stands before the damage, the log is trimmed past it
/// instead. An unacknowledged tail that a crash has torn is left to the next opening.
///
/// Before anything is changed, a copy of every file that is changed, removed or cut is made in a
/// directory beside the log, `<log>.repair-<n>` with the first free number; records that are lost
/// to the log can still be found there. A crash leaves the log repaired in part; another repair
/// does the rest and loses no more than the first one would have. A repair of a repaired log does
/// nothing.
///
/// When this returns, the repaired log and the copies survive power loss.
///
/// # Errors
/// `Locked` when a writer has the log; `NotFound`; `Unsupported` when a part of it is of a newer
/// format; `Corrupt` when nothing is left that says what log this was; `Full`, `Io`.
pub fn repair(path: impl AsRef<Path>, dry_run: bool) -> Result<RepairReport> {
    repair_with(Arc::new(RealVfs), path, dry_run)
}

/// The same on another storage.
///
/// When this returns, the repaired log and the copies survive power loss, as that storage promises.
///
/// # Errors
/// As [`repair`].
pub fn repair_with(
    vfs: Arc<dyn Vfs>,
    path: impl AsRef<Path>,
    dry_run: bool,
) -> Result<RepairReport> {
    let (vfs, path) = (&*vfs, path.as_ref());
    let lock = lock(vfs, path, dry_run)?;
    let mut report =
        RepairReport { actions: Vec::new(), lost: Vec::new(), backup: None, changed: false };
    let mut backup = Backup::new(vfs, path);
    // One round does it; another one shows that nothing is left to do.
    for _ in 0..ROUNDS_MAX {
        let inspection = Inspection::take(vfs, path, false, &mut |_, _| {})?;
        let plan = Plan::of(&inspection, origin(vfs, path)?)?;
        if plan.steps.is_empty() {
            return Ok(report);
        }
        report.actions.extend(plan.steps.iter().map(ToString::to_string));
        report.lost.extend(&plan.lost);
        let Some(state) = lock.as_ref().filter(|_| !dry_run) else { return Ok(report) };
        let state_path = path.join(STATE_FILE);
        let changed = plan.steps.iter().filter_map(|step| step.changes(&state_path));
        let evidence = plan.evidence.iter().map(|&id| segment_path(path, id));
        backup.keep(changed.chain(evidence))?;
        report.backup = backup.directory().map(Path::to_owned);
        report.changed = true;
        for step in &plan.steps {
            step.run(vfs, path, state, &state_path)?;
        }
    }
    // Right checksums over contradictions: made up, not damaged.
    Err(Error::corrupt(Damage {
        path: path.join(STATE_FILE),
        segment: None,
        offset: FileOffset(0),
        lsns: None,
        expected: "files that agree with each other after a repair".into(),
        found: "a contradiction that is still there; the copies hold the log as it was".into(),
    }))
}

/// The locked state file; a missing one is made, empty. None where a dry run finds none.
fn lock(vfs: &dyn Vfs, path: &Path, dry_run: bool) -> Result<Option<Arc<dyn File>>> {
    let error = match lock_existing(vfs, path) {
        Ok(file) => return Ok(Some(file)),
        Err(error) => error,
    };
    let has_segments = segment_files(vfs, path).is_ok_and(|files| !files.is_empty());
    if error.kind() != ErrorKind::NotFound || !has_segments {
        return Err(error);
    }
    if dry_run {
        return Ok(None);
    }
    let state_path = path.join(STATE_FILE);
    let failed = |error| Error::io("making the state file", &state_path, error);
    let file = vfs.open(&state_path, Access::Create).map_err(failed)?;
    if !file.try_lock(Lock::Exclusive).map_err(failed)? {
        return Err(Error::at_path(ErrorKind::Locked, path, "another writer has the log open"));
    }
    Ok(Some(file))
}

fn origin(vfs: &dyn Vfs, path: &Path) -> Result<Origin> {
    let salt = random_u64().map_err(|error| Error::io("reading random numbers", path, error))?;
    Ok(Origin { salt, created_ns: nanoseconds(vfs.now()) })
}

const ROUNDS_MAX: u32 = 4;
