//! The table of what users would otherwise take, at equal durability.

use super::judged::ns;
use super::row::Row;

/// Records a second of each package and of its peers, whose rows are named `language/peer`; nothing
/// without peers.
pub(super) fn table(rows: &[Row]) -> String {
    let mut subjects: Vec<&str> = rows.iter().map(|row| row.language.as_str()).collect();
    // By language, the package first.
    subjects.sort_unstable();
    subjects.dedup();
    let has_peers = |language: &str| {
        subjects.iter().any(|subject| subject.split_once('/').is_some_and(|(of, _)| of == language))
    };
    let mut lines = String::new();
    for subject in &subjects {
        let (language, name) = subject.split_once('/').unwrap_or((subject, "**libwal**"));
        if !has_peers(language) {
            continue;
        }
        lines.push_str(&format!("| {language} | {name} |"));
        for (workload, _) in COLUMNS {
            let cell = ns(rows, subject, workload).map_or(String::new(), a_second);
            lines.push_str(&format!(" {cell} |"));
        }
        lines.push('\n');
    }
    if lines.is_empty() {
        return lines;
    }
    let mut text = String::from(
        "\nRecords of 100 bytes a second, beside what users of the language would otherwise take. \
         An empty cell is a call\nthat it does not have.\n\n| language | |",
    );
    for (_, title) in COLUMNS {
        text.push_str(&format!(" {title} |"));
    }
    text.push_str(&format!("\n| --- | --- |{}\n", " ---: |".repeat(COLUMNS.len())));
    text + &lines
}

fn a_second(ns: f64) -> String {
    let rate = 1e9 / ns;
    match rate {
        rate if rate >= 1e7 => format!("{:.0} M", rate / 1e6),
        rate if rate >= 1e6 => format!("{:.1} M", rate / 1e6),
        rate if rate >= 1e4 => format!("{:.0} k", rate / 1e3),
        rate => format!("{:.1} k", rate / 1e3),
    }
}

const COLUMNS: &[(&str, &str)] = &[
    ("os", "survives the process, one at a time"),
    ("durable", "survives power loss, one at a time"),
    ("durable-batch", "in batches of 1,000"),
    ("async", "256 in flight"),
    ("read", "read in order"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(language: &str, workload: &str, ns: f64) -> Row {
        Row::of(language, workload, vec![ns]).unwrap()
    }

    #[test]
    fn peers_stand_below_the_package_of_their_language() {
        let rows = [
            row("node/lmdb", "durable", 400_000.0),
            row("rust", "durable", 90_000.0),
            row("node", "durable", 100_000.0),
            row("node", "read", 50.0),
        ];
        let text = table(&rows);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| node")).collect();
        assert_eq!(
            lines,
            ["| node | **libwal** |  | 10 k |  |  | 20 M |", "| node | lmdb |  | 2.5 k |  |  |  |"]
        );
        assert!(!text.contains("rust"), "it has no peers here: {text}");
        assert_eq!(table(&rows[1..]), "");
    }
}
