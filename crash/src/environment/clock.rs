//! A clock that jumps.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wal_core::vfs::MemVfs;
use wal_core::{Error, ErrorKind, Log, Lsn, Options, Retention};

use super::Judged;
use super::history::options;
use crate::record;

/// From any time to any other one: times of records never fall, also through an opening, nothing is
/// lost but whole old segments, and never the one that is written.
pub(super) fn jumps(_: &Path, _: bool) -> Result<Judged, String> {
    let mut count = 0;
    for from in TIMES {
        for to in TIMES {
            for retains in [false, true] {
                one(from, to, retains)
                    .map_err(|what| format!("from {from} s to {to} s after 1970: {what}"))?;
                count += 1;
            }
        }
    }
    Ok(Judged::Right(count))
}

fn one(from: u64, to: u64, retains: bool) -> Result<(), String> {
    let vfs = MemVfs::new();
    let age = retains.then_some(Duration::from_secs(60));
    let options = Options { retention: Retention { age, ..Retention::default() }, ..options() };
    let open = || {
        Log::open_with(Arc::new(vfs.clone()), "/log", options.clone())
            .map_err(|error| format!("opening: {error:?}"))
    };
    let mut appended = 0;
    for (turn, seconds) in [from, to, from].into_iter().enumerate() {
        vfs.set_now(time(seconds));
        let (log, _) = open()?;
        for _ in 0..12 {
            log.append(&record(appended, 9000)).map_err(|error| format!("append: {error:?}"))?;
            appended += 1;
        }
        let first = log.first_lsn().map_or(appended + 1, Lsn::get);
        // Two of the last segments stay at least: those of this turn, which is not yet old.
        if log.last_lsn().map(Lsn::get) != Some(appended) || first > appended {
            return Err(format!("in turn {turn} the log is {first} up to {:?}", log.last_lsn()));
        }
        if !retains && first != 1 {
            return Err(format!("records before LSN {first} were removed"));
        }
        let mut before = UNIX_EPOCH;
        for lsn in first..=appended {
            let Some(lsn) = Lsn::new(lsn) else { continue };
            let found = log.time_of(lsn).and_then(|time| Ok((time, log.read(lsn)?)));
            let (time, found) = match found {
                Ok(found) => found,
                // Retention is a background job: it may come between any two calls.
                Err(error) if retains && is_trimmed(&error, lsn, appended) => continue,
                Err(error) => return Err(format!("LSN {lsn}: {error:?}")),
            };
            if time < before {
                return Err(format!("the time of LSN {lsn} is before that of the one before"));
            }
            before = time;
            if found[..] != record(lsn.get() - 1, 9000) {
                return Err(format!("LSN {lsn} has other bytes"));
            }
        }
        log.close().map_err(|error| format!("closing: {error:?}"))?;
    }
    Ok(())
}

/// Whether the error says that the log begins later now, yet not after its last record.
fn is_trimmed(error: &Error, lsn: Lsn, last: u64) -> bool {
    let first = error.lsn().map_or(0, Lsn::get);
    error.kind() == ErrorKind::Trimmed && first > lsn.get() && first <= last
}

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 1970, a second after, 2025, a year later, the end of 32 bits, and about as late as nanoseconds
/// in 64 bits go.
const TIMES: [u64; 7] =
    [0, 1, 1_735_689_600, 1_767_225_600, 2_147_483_648, 9_223_372_000, 18_446_744_000];
