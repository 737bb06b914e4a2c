//! What a log on one disk may be, over all the machines that used it.

use super::told::Told;
use crate::disks::{Ledger, Model, Verdict, served};

/// What the log on a disk may be.
#[derive(Debug)]
pub struct History {
    models: Vec<Model>,
    last_operations: String,
}

/// What one machine has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The log was opened, and what it held was judged.
    Opened,
    /// The cut came first, and the next machine has to show it.
    Nothing,
    /// The file system did not mount: the log was not asked.
    Unmounted,
}

impl History {
    /// A disk without a log.
    ///
    /// # Errors
    ///
    /// None; those of a ledger of which nothing is read.
    pub fn new() -> Result<History, String> {
        let models = Ledger::of(&[], FIRST_LSN)?.candidates(0);
        Ok(History { models, last_operations: String::new() })
    }

    /// Holds what a machine found against what the machines before it were told, and remembers what
    /// it was told itself.
    ///
    /// # Errors
    ///
    /// How the log broke its promise.
    pub fn go_on(&mut self, told: &Told) -> Result<Shown, String> {
        let found = match &told.opening {
            Some(Verdict::Found(found)) => found,
            Some(Verdict::DidNotOpen(words)) => return Err(format!("it did not open: {words}")),
            Some(other) => return Err(format!("{other:?}")),
            None if told.unmounted.is_some() => return Ok(Shown::Unmounted),
            None => return told.failure.clone().map_or(Ok(Shown::Nothing), Err),
        };
        let models = served(found, &self.models).map_err(|(broken, words)| {
            let next = found.first + found.records.len() as u64;
            let first = found.first;
            format!("{broken:?}: {words}; it opened with the records {first}..{next}")
        })?;
        let ledger = Ledger::after(models, &told.marks)?;
        self.models = ledger.candidates(told.marks.len());
        self.last_operations = ledger.last_operations(told.marks.len());
        match &told.failure {
            Some(words) => Err(format!("nothing was wrong with the disk, and yet: {words}")),
            None => Ok(Shown::Opened),
        }
    }

    /// The last that was done to the log, for a story.
    pub fn last_operations(&self) -> &str {
        &self.last_operations
    }
}

/// Of a new log.
const FIRST_LSN: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disks::hash_of_bytes;
    use crate::record;

    /// What an opening says that finds these records from an LSN on.
    fn found(first: u64, records: &[(u64, usize)]) -> String {
        let hash = |(number, len): &(u64, usize)| hash_of_bytes(&record(*number, *len)).to_string();
        let hashes: Vec<_> = records.iter().map(hash).collect();
        format!("found {first}|{}|", hashes.join(","))
    }

    fn told(lines: &[&str]) -> Told {
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        Told::of(&lines).expect("every line is one of a machine")
    }

    /// A machine that makes a log and is told this, then one that finds that.
    fn judged(lines: &[&str], finds: &str) -> Result<Shown, String> {
        let mut history = History::new()?;
        let empty = found(1, &[]);
        assert_eq!(
            history.go_on(&told(&[&["mounted", &empty], lines].concat())),
            Ok(Shown::Opened)
        );
        history.go_on(&told(&["mounted", "begin open", "done", finds]))
    }

    const RECORD: &str = "begin append durable 0:9";
    const BATCH: &str = "begin append durable 1:9 2:9 3:9";

    #[test]
    fn a_missing_acknowledged_record_is_a_violation() {
        let lost = judged(&[RECORD, "done"], &found(1, &[]));
        assert!(lost.is_err_and(|words| words.starts_with("Lost")));
        assert_eq!(judged(&[RECORD, "done"], &found(1, &[(0, 9)])), Ok(Shown::Opened));
        assert_eq!(judged(&[RECORD], &found(1, &[])), Ok(Shown::Opened));
        assert_eq!(judged(&[RECORD], &found(1, &[(0, 9)])), Ok(Shown::Opened));
    }

    #[test]
    fn a_hole_is_a_violation() {
        let lines = [RECORD, "done", BATCH, "done"];
        let hole = judged(&lines, &found(1, &[(0, 9), (2, 9), (3, 9)]));
        assert!(hole.is_err());
        let hole = judged(&lines, &found(2, &[(1, 9), (2, 9), (3, 9)]));
        assert!(hole.is_err_and(|words| words.contains("begins at 2")));
        let gap = judged(&lines, "unopened after LSN 1 comes 3");
        assert!(gap.is_err_and(|words| words.contains("after LSN 1 comes 3")));
    }

    #[test]
    fn wrong_bytes_are_a_violation() {
        let wrong = judged(&[RECORD, "done"], &found(1, &[(5, 9)]));
        assert!(wrong.is_err_and(|words| words.starts_with("Wrong")));
        assert!(judged(&[RECORD, "done"], &found(1, &[(0, 10)])).is_err());
        assert!(judged(&[RECORD, "done"], "found 1||3=7").is_err(), "a value nobody set");
    }

    #[test]
    fn half_a_batch_is_a_violation() {
        let half = judged(&[BATCH], &found(1, &[(1, 9), (2, 9)]));
        assert!(half.is_err_and(|words| words.contains("inside a batch")));
        let whole = judged(&[BATCH], &found(1, &[(1, 9), (2, 9), (3, 9)]));
        assert_eq!(whole, Ok(Shown::Opened));
    }

    #[test]
    fn a_truncated_or_trimmed_record_that_is_back_is_a_violation() {
        let lines = [BATCH, "done", "begin truncate 1", "done"];
        assert_eq!(judged(&lines, &found(1, &[(1, 9)])), Ok(Shown::Opened));
        assert!(judged(&lines, &found(1, &[(1, 9), (2, 9), (3, 9)])).is_err());
        let lines = [BATCH, "done", "begin trim 3", "done"];
        assert_eq!(judged(&lines, &found(3, &[(3, 9)])), Ok(Shown::Opened));
        assert!(judged(&lines, &found(1, &[(1, 9), (2, 9), (3, 9)])).is_err());
    }

    #[test]
    fn what_one_opening_has_served_the_next_one_must_serve() {
        let mut history = History::new().expect("an empty ledger");
        let pending = "begin append pending 0:9";
        let first = [&found(1, &[])[..], pending, "done"];
        assert_eq!(history.go_on(&told(&first)), Ok(Shown::Opened));
        // A machine that came to nothing changes nothing.
        assert_eq!(history.go_on(&told(&["mounted", "begin open"])), Ok(Shown::Nothing));
        assert_eq!(history.go_on(&told(&[&found(1, &[(0, 9)])])), Ok(Shown::Opened));
        let lost = history.go_on(&told(&[&found(1, &[])]));
        assert!(lost.is_err_and(|words| words.starts_with("Lost")));
    }

    #[test]
    fn a_log_that_does_not_open_or_fails_on_a_sound_disk_is_a_violation() {
        assert!(judged(&[], "unopened it panicked").is_err());
        let mut history = History::new().expect("an empty ledger");
        assert!(history.go_on(&told(&["mounted", "error no home"])).is_err());
        let empty = found(1, &[]);
        let failed = [&empty[..], RECORD, "failed", "error Append: poisoned"];
        assert!(history.go_on(&told(&failed)).is_err_and(|words| words.contains("poisoned")));
    }
}
