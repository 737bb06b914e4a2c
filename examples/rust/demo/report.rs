//! The table at the end.

use std::time::Duration;

use crate::input::Input;

/// What the run adds up to.
#[derive(Default)]
pub struct Totals {
    /// Kills after which everything acknowledged was there.
    pub kills_survived: u64,
    /// Records acknowledged over all lives.
    pub acknowledged: u64,
    /// Records in the log at the end, each compared with its line.
    pub records: u64,
    /// Acknowledgements heard.
    pub commits: u64,
    /// Records that were there although their acknowledgement was not heard any more.
    pub unacknowledged: u64,
    /// Openings that had to cut a torn tail.
    pub tails_cut: u64,
    /// How long each opening after a kill took.
    pub recoveries: Vec<Duration>,
    /// The whole run with its kills.
    pub took: Duration,
    /// The same text once more in one go.
    pub sprint: Duration,
}

impl Totals {
    /// The table's lines.
    pub fn table(&mut self, input: &Input) -> Vec<String> {
        self.recoveries.sort();
        let p50 = self.recoveries.get(self.recoveries.len() / 2).copied().unwrap_or_default();
        let max = self.recoveries.last().copied().unwrap_or_default();
        let (records, bytes) = (input.line_count(), input.bytes.len());
        let rate = |took: Duration| {
            let seconds = took.as_secs_f64().max(1e-9);
            format!(
                "{:.1} MB/s, {} records/s",
                bytes as f64 / 1e6 / seconds,
                count((records as f64 / seconds) as u64)
            )
        };
        let rows = [
            ("input", input.name.clone()),
            ("records", count(records)),
            ("bytes", format!("{} ({:.1} MB)", count(bytes as u64), bytes as f64 / 1e6)),
            ("kills survived", format!("{} of {}", self.kills_survived, self.recoveries.len())),
            (
                "acknowledged",
                format!("{} in {} batches", count(self.acknowledged), count(self.commits)),
            ),
            ("lost", count(self.acknowledged.saturating_sub(self.records))),
            ("twice", count(self.records.saturating_sub(records))),
            (
                "there, not yet said",
                format!("{} at the kills, kept and not repeated", count(self.unacknowledged)),
            ),
            ("torn tails cut", count(self.tails_cut)),
            ("recovery time", format!("p50 {}, max {}", millis(p50), millis(max))),
            ("content", "equals the input byte for byte".to_owned()),
            ("with the kills", format!("{:.1} s, fed slowly", self.took.as_secs_f64())),
            ("in one go, durable", rate(self.sprint)),
        ];
        let rule = format!("+{}+{}+", "-".repeat(NAME_CELLS + 2), "-".repeat(FACT_CELLS + 2));
        let mut lines = vec![rule.clone()];
        lines.extend(
            rows.map(|(name, fact)| format!("| {name:<NAME_CELLS$} | {fact:<FACT_CELLS$} |")),
        );
        lines.push(rule);
        lines
    }
}

/// Milliseconds with two digits.
pub fn millis(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1e3)
}

/// A number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

const NAME_CELLS: usize = 22;
const FACT_CELLS: usize = 46;
