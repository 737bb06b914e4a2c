//! A histogram of latencies drawn with ASCII bars.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::sizes::format_count;
use crate::times::format_span;

/// A line per power of two between the fastest and the slowest value.
pub fn draw(latencies: &Histogram<u64>) -> Vec<String> {
    let rows = rows(latencies);
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(1);
    rows.iter()
        .map(|row| {
            // What happened at all is seen, however rare it is beside the rest.
            let cells = (row.count * BAR_CELLS).div_ceil(most) as usize;
            format!(
                "{:>9} - {:<9} |{:<width$}| {:>6.2}% {}",
                format_span(Duration::from_nanos(row.from)),
                format_span(Duration::from_nanos(row.to)),
                "#".repeat(cells),
                row.count as f64 * 100.0 / latencies.len().max(1) as f64,
                format_count(row.count),
                width = BAR_CELLS as usize,
            )
        })
        .collect()
}

struct Row {
    from: u64,
    to: u64,
    count: u64,
}

fn rows(latencies: &Histogram<u64>) -> Vec<Row> {
    let mut rows = Vec::new();
    if latencies.is_empty() {
        return rows;
    }
    let mut from = 1u64 << latencies.min().max(1).ilog2();
    while from <= latencies.max() {
        let to = from.saturating_mul(2);
        rows.push(Row { from, to, count: latencies.count_between(from, to - 1) });
        from = to;
    }
    rows
}

const BAR_CELLS: u64 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_exactly_one_row() {
        let mut latencies = Histogram::new(3).expect("three digits");
        assert!(draw(&latencies).is_empty());
        for value in [1u64, 2, 3, 1_000, 1_023, 1_024, 5_000_000] {
            latencies.record(value).expect("it grows");
        }
        let rows = rows(&latencies);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 7);
        assert!(draw(&latencies)[0].contains('#'));
    }
}
