//! What a durable commit asks of the system: writes, syncs, and journal commits of the file system.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wal_core::vfs::{Call, FaultVfs, Operation, RealVfs};
use wal_core::{Io, Log, Options};

use crate::Outcome;
use crate::material;

/// Counts the calls of durable appends by the only appender to a log below `directory`, and the
/// transactions in the statistics file of its file system's `journal`, and prints them.
///
/// # Errors
/// A log that fails, or statistics that cannot be read.
pub fn print(directory: &Path, journal: Option<&Path>) -> Outcome<()> {
    let path = directory.join("commits");
    if path.exists() {
        Log::destroy(&path)?;
    }
    let vfs = FaultVfs::new(Arc::new(RealVfs));
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), &path, material::options())?;
    let record = material::record(1);
    // Until the file is zeroed as far as the commits below go, and the log settled.
    for _ in 0..WARM_BATCHES {
        log.append_batch(&vec![record; 900])?;
        thread::sleep(SETTLING);
    }
    // The zeroing goes on for a while, a small write at a time.
    let mut seen = 0;
    while vfs.calls().len() != seen {
        seen = vfs.calls().len();
        thread::sleep(4 * SETTLING);
    }
    vfs.clear_calls();
    let transactions_before = journal.map(transactions).transpose()?;
    let commits_before = log.stats()?.counters.commits;
    for _ in 0..COMMITS {
        log.append(&record)?;
    }
    let transactions_after = journal.map(transactions).transpose()?;
    let calls = vfs.calls();
    let commits = log.stats()?.counters.commits - commits_before;
    log.close()?;
    let count = |kind: fn(&Call) -> bool| calls.iter().filter(|call| kind(call)).count() as f64;
    let per_commit = |count: f64| count / commits as f64;
    println!("\n# Per durable commit of one appender.\n[commits]");
    println!("appends = {:.2}", COMMITS as f64 / commits as f64);
    println!("data_writes = {:.2}", per_commit(count(is_data_write)));
    println!("data_syncs = {:.2}", per_commit(count(is_data_sync)));
    println!("other_calls = {:.2}", per_commit(count(is_other)));
    if let (Some(before), Some(after)) = (transactions_before, transactions_after) {
        println!("\n# Per durable commit of one appender, in the journal of ext4.\n[journal]");
        println!("journal_commits = {:.2}", per_commit((after - before) as f64));
    }
    Ok(())
}

/// Whether logs below `directory` can be written past the page cache.
///
/// # Errors
/// A log that fails.
pub fn can_be_direct(directory: &Path) -> Outcome<bool> {
    let path = directory.join("direct");
    let (log, _) = Log::open(&path, Options { io: Io::Direct, ..material::options() })?;
    log.append(b"tells")?;
    let is_direct = log.stats()?.direct_io;
    log.close()?;
    Log::destroy(&path)?;
    Ok(is_direct)
}

/// Transactions so far, from a file such as `/proc/fs/jbd2/loop0-8/info`.
fn transactions(journal: &Path) -> Outcome<u64> {
    let text = fs::read_to_string(journal)?;
    parse_transactions(&text).ok_or_else(|| format!("{}: {text}", journal.display()).into())
}

fn parse_transactions(text: &str) -> Option<u64> {
    text.split_once(" transactions")?.0.split_whitespace().last()?.parse().ok()
}

fn is_data_write(call: &Call) -> bool {
    call.operation == Operation::Write && is_segment(call)
}

fn is_data_sync(call: &Call) -> bool {
    call.operation == Operation::Sync && is_segment(call)
}

/// Anything else that changes the disk or looks for a file.
fn is_other(call: &Call) -> bool {
    !is_data_write(call) && !is_data_sync(call)
}

fn is_segment(call: &Call) -> bool {
    call.path.extension().is_some_and(|extension| extension == "wal")
}

const WARM_BATCHES: usize = 9;
const SETTLING: Duration = Duration::from_millis(50);
/// Many enough that what happens once a second or once a segment stays below a hundredth.
const COMMITS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_read_from_the_statistics_of_a_journal() {
        let text = "42 transactions (17 requested), each up to 1024 blocks\naverage: \n";
        assert_eq!(parse_transactions(text), Some(42));
        assert_eq!(parse_transactions("no such thing"), None);
    }
}
