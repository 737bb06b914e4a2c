//! Drives and judges any log there is a [`System`] for, through nothing but what all logs can do.

use std::io;
use std::path::Path;

use super::driver::wait_for_the_tracer;
use super::ledger::{Ledger, OK, SKIPPED};
use super::script::Kind;
use crate::{Failed, Subject, System, judge, record};

/// What was found where a log did not keep what it had acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A record that was acknowledged is gone.
    Lost = 10,
    /// Records that nobody appended, or in another order, or changed.
    Wrong = 11,
    /// The log does not open.
    Refused = 12,
    /// It opens, but does not append, or not so that it is there at the next opening.
    Stuck = 13,
}

impl Finding {
    /// All of them.
    pub const ALL: [Finding; 4] = [Finding::Lost, Finding::Wrong, Finding::Refused, Finding::Stuck];
}

/// Does what the ledger says: openings, appends of the records with the numbers 0, 1, 2..., closes.
///
/// # Errors
/// Those of the ledger. What the log says is noted.
pub fn drive(system: &dyn System, directory: &Path, ledger: &Path) -> io::Result<()> {
    let ledger = Ledger::open(ledger)?;
    wait_for_the_tracer();
    let mut log: Option<Box<dyn Subject>> = None;
    let mut number = 0;
    for index in 0..ledger.main_count() {
        let op = ledger.op(index);
        ledger.begin(index, number);
        let outcome = match (op.kind, log.take()) {
            (Kind::Open, _) => system.open(directory).and_then(|(opened, found)| {
                log = Some(opened);
                judge(&found, number, number).map_err(Failed)
            }),
            (Kind::Append, Some(open)) => {
                let appended = open.append(&record(number, op.a as usize));
                number += 1;
                log = Some(open);
                appended
            }
            (Kind::Close, Some(open)) => open.close(),
            _ => Err(Failed("not open".into())),
        };
        match outcome {
            Ok(()) => ledger.end(index, OK, [0; 3], ""),
            Err(Failed(text)) => ledger.end(index, SKIPPED, [0; 3], &text),
        }
    }
    Ok(())
}

/// Opens what is left, holds it against what was acknowledged and submitted; appends, closes,
/// opens and compares again.
///
/// # Errors
/// What is wrong, and in words.
pub fn go_on(
    system: &dyn System,
    directory: &Path,
    acknowledged: u64,
    submitted: u64,
) -> Result<(), (Finding, String)> {
    let (log, found) = system.open(directory).map_err(|Failed(text)| (Finding::Refused, text))?;
    judge(&found, acknowledged, submitted).map_err(|text| {
        let is_lost = text.contains("were acknowledged");
        (if is_lost { Finding::Lost } else { Finding::Wrong }, text)
    })?;
    let stuck = |Failed(text): Failed| (Finding::Stuck, text);
    let mut count = found.len() as u64;
    for len in [300, 30_000, 10] {
        log.append(&record(count, len)).map_err(stuck)?;
        count += 1;
    }
    log.close().map_err(stuck)?;
    let (log, found) = system.open(directory).map_err(stuck)?;
    judge(&found, count, count).map_err(|text| (Finding::Stuck, text))?;
    log.close().map_err(stuck)
}
