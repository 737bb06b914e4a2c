//! What a workload cost in a language.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The figures of one workload in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The language, such as `python`; `python/sqlite3` is another library for it.
    pub language: String,
    /// One of the workloads.
    pub workload: String,
    /// Nanoseconds for each record: the median of the rounds.
    pub ns: f64,
    /// Each round.
    pub rounds: Vec<f64>,
}

impl Row {
    /// The row of these rounds; none without any.
    pub fn of(language: &str, workload: &str, mut rounds: Vec<f64>) -> Option<Row> {
        for round in &mut rounds {
            *round = (*round * 10.0).round() / 10.0;
        }
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let ns = *sorted.get(sorted.len() / 2)?;
        Some(Row { language: language.to_owned(), workload: workload.to_owned(), ns, rounds })
    }
}

/// Reads the rows of a file; none when there is no file.
///
/// # Errors
/// A file that cannot be read or holds something else.
pub fn read(path: &Path) -> Result<Vec<Row>, String> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

pub(super) fn write(path: &Path, rows: &[Row]) -> Result<(), String> {
    let text = serde_json::to_string_pretty(rows).map_err(|error| error.to_string())?;
    fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_median_of_its_rounds_and_comes_back_from_its_file() {
        assert_eq!(Row::of("c", "append", Vec::new()), None);
        let row = Row::of("c", "append", vec![9.0, 1.04, 5.0]).unwrap();
        assert_eq!((row.ns, &*row.rounds), (5.0, &[9.0, 1.0, 5.0][..]));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("languages.json");
        assert_eq!(read(&path).unwrap(), []);
        write(&path, std::slice::from_ref(&row)).unwrap();
        assert_eq!(read(&path).unwrap(), [row]);
    }
}
