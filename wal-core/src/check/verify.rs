//! Verification: every checksum of every file of a log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::finding::Finding;
use super::inspection::Inspection;
use crate::error::{ErrorKind, Result};
use crate::lsn::Lsn;
use crate::recovery::{Cut, is_writer_alive};
use crate::vfs::{RealVfs, Vfs};

/// What [`verify`] found.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// Everything that is wrong; empty when every byte of the log is what was written.
    pub findings: Vec<Finding>,
    /// Segments read.
    pub segments: u64,
    /// Commits found intact.
    pub commits: u64,
    /// Records found intact, trimmed ones left out.
    pub records: u64,
    /// Bytes found intact: headers, commits and footers.
    pub bytes: u64,
    /// The first record.
    pub first_lsn: Option<Lsn>,
    /// The last record found intact.
    pub last_lsn: Option<Lsn>,
    /// Bytes at the end of the log that belong to no whole commit: on their way, beside a live
    /// writer; cut off by the next opening, after a crash. No damage.
    pub torn_tail: Option<Cut>,
}

/// Reads every byte of the log at `path` and holds it against its checksums: both copies of every
/// segment header, the chain of segments, every frame and the chain of commits, every footer with
/// its index, and both state slots. Goes on behind what is wrong. Changes nothing.
///
/// `progress` is called often, with the bytes done and the bytes in total.
///
/// Beside a live writer it verifies what stood there when it looked; what is on its way to the disk
/// is not mistaken for damage. Bytes behind the end that a truncation gave a segment, and bytes of
/// trimmed records, are no part of the log and not reported.
///
/// # Errors
/// Damage is no error but a finding. `NotFound` when there is no log, `Unsupported` when a part of
/// it is of a newer format, `Invalid` when the path is no directory, `Io`.
pub fn verify(path: impl AsRef<Path>, progress: impl FnMut(u64, u64)) -> Result<VerifyReport> {
    verify_with(Arc::new(RealVfs), path, progress)
}

/// The same on another storage.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(
    vfs: Arc<dyn Vfs>,
    path: impl AsRef<Path>,
    mut progress: impl FnMut(u64, u64),
) -> Result<VerifyReport> {
    let inspection = inspect_patiently(&*vfs, path.as_ref(), &mut progress)?;
    let first_lsn = inspection.first_lsn;
    let next_lsn = inspection.next_lsn();
    let is_empty = first_lsn >= next_lsn;
    let pieces = inspection.segments.iter().flat_map(|checked| &checked.pieces);
    let records = pieces.map(|piece| piece.next_lsn.saturating_sub(piece.first_lsn.max(first_lsn)));
    Ok(VerifyReport {
        segments: inspection.segments.len() as u64,
        commits: inspection.segments.iter().map(|checked| checked.commits).sum(),
        records: records.sum(),
        bytes: inspection.segments.iter().map(|checked| checked.bytes).sum(),
        first_lsn: Lsn::new(first_lsn).filter(|_| !is_empty),
        last_lsn: Lsn::new(next_lsn.saturating_sub(1)).filter(|_| !is_empty),
        torn_tail: inspection.torn().cloned(),
        findings: inspection.findings,
    })
}

/// Inspects the log, and again while a live writer changes it between two glances: what is really
/// wrong is found twice.
fn inspect_patiently(
    vfs: &dyn Vfs,
    path: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inspection> {
    let mut before: Option<String> = None;
    let mut tries_left = TRIES_MAX;
    loop {
        let was_alive = is_writer_alive(vfs, path).unwrap_or(false);
        let result = Inspection::take(vfs, path, was_alive, progress);
        let is_alive = was_alive || is_writer_alive(vfs, path).unwrap_or(false);
        let seen = match &result {
            Ok(inspection) if inspection.findings.is_empty() => return result,
            Ok(inspection) => format!("{:?}", inspection.findings),
            Err(error) if error.kind() == ErrorKind::Unsupported => return result,
            Err(error) => format!("{error:?}"),
        };
        tries_left -= 1;
        if !is_alive || tries_left == 0 || before.as_ref() == Some(&seen) {
            return result;
        }
        before = Some(seen);
        crate::sync::thread::sleep(PAUSE);
    }
}

const TRIES_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);
