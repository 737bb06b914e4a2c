//! A row of the results: one system under one workload on one file system.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One row. A figure that does not apply, or could not be had, is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The goal, `P1` to `P11`.
    pub id: String,
    /// The workload, as a reader knows it.
    pub workload: String,
    /// The file system.
    pub fs: String,
    /// `libwal`, `floor` or the name of the peer.
    pub system: String,
    /// Bytes of a record.
    pub size: u64,
    /// Threads or tasks that append; logs that are open.
    pub threads: u64,
    /// Records (or openings) per second.
    pub ops_per_s: Option<f64>,
    /// Payload, in units of 1,000,000 bytes per second.
    pub mb_per_s: Option<f64>,
    /// Latencies in microseconds: the median of the rounds' percentiles.
    pub p50_us: Option<f64>,
    /// See `p50_us`.
    pub p99_us: Option<f64>,
    /// See `p50_us`.
    pub p999_us: Option<f64>,
    /// Processor time of the process for one operation.
    pub cpu_us_per_op: Option<f64>,
    /// Data syncs in the measured time of a round (median), or of the traced run.
    pub syncs: Option<u64>,
    /// How this system compares with the floor: above 1 it is better.
    pub ratio_floor: Option<f64>,
    /// How this system compares with the best peer: above 1 it is better.
    pub ratio_best_peer: Option<f64>,
    /// The slowest operation of all rounds.
    pub max_us: Option<f64>,
    /// Data syncs for one operation.
    pub syncs_per_op: Option<f64>,
    /// Transactions of the file system's journal in the measured time of a round (median).
    pub journal_commits: Option<u64>,
    /// Bytes of the closed log on disk for one record.
    pub disk_bytes_per_record: Option<f64>,
    /// Records all followers together were given in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_per_s: Option<f64>,
    /// Resident memory that came with the work.
    pub rss_bytes: Option<u64>,
    /// The same up to the half of the work.
    pub rss_half_bytes: Option<u64>,
    /// Threads that came with the work.
    pub os_threads: Option<u64>,
    /// Descriptors that came with the work.
    pub descriptors: Option<u64>,
    /// Payload bytes of the log that is read or opened.
    pub log_bytes: Option<u64>,
    /// Counted rounds.
    pub rounds: u64,
    /// The figure that is compared, in each counted round: records per second, the median latency
    /// in microseconds, bytes of memory, or bytes on disk for a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<f64>,
    /// Which peer `ratio_best_peer` is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_peer: Option<String>,
    /// The least and the most that `ratio_floor` was in a round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_floor_range: Option<[f64; 2]>,
    /// The least and the most that `ratio_best_peer` was in a round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_best_peer_range: Option<[f64; 2]>,
    /// The workload's name on the command line.
    pub name: String,
    /// Whether the system is not libwal and no floor.
    pub is_peer: bool,
    /// The version of the system.
    pub version: Option<String>,
    /// Why it is listed apart and not compared.
    pub apart: Option<String>,
    /// Why there are no figures.
    pub note: Option<String>,
    /// The chart the row is a point of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Where on the chart's horizontal axis the row is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
}

/// Reads rows; none when there is no such file.
///
/// # Errors
/// A file that cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Vec<Row>, String> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let say = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| say(&error))?;
    serde_json::from_str(&text).map_err(|error| say(&error))
}

/// Writes rows, each in a line of its own.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, rows: &[Row]) -> Result<(), String> {
    let say = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let lines: Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|error| say(&error))?;
    fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).map_err(|error| say(&error))
}

/// Four significant digits: more would be noise, and every difference of two runs a long line.
pub fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0)).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("results.json");
        assert_eq!(read(&path), Ok(vec![]));
        let rows = vec![
            Row { id: "P1".into(), p50_us: Some(117.3), syncs: Some(7), ..Row::default() },
            Row { note: Some("a \"quoted\" note".into()), x: Some(2.0), ..Row::default() },
        ];
        write(&path, &rows).unwrap();
        assert_eq!(read(&path).unwrap(), rows);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4);
    }

    #[test]
    fn the_keys_of_the_results_are_there_and_absent_figures_are_null() {
        let row = serde_json::to_value(Row::default()).unwrap();
        let keys = [
            "id",
            "workload",
            "fs",
            "system",
            "size",
            "threads",
            "ops_per_s",
            "mb_per_s",
            "p50_us",
            "p99_us",
            "p999_us",
            "cpu_us_per_op",
            "syncs",
            "ratio_floor",
            "ratio_best_peer",
        ];
        for key in keys {
            assert!(row.get(key).is_some(), "{key}");
        }
        assert!(row["p50_us"].is_null());
    }

    #[test]
    fn numbers_are_rounded_to_four_digits() {
        assert_eq!(rounded(123_456.7), 123_457.0);
        assert_eq!(rounded(12.345_67), 12.35);
        assert_eq!(rounded(0.001_234_56), 0.001_235);
        assert_eq!(rounded(0.0), 0.0);
    }
}
