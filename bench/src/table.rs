//! The rows as a table: for a terminal, and for a document.

use crate::row::Row;

/// A table for a terminal.
pub fn plain(rows: &[Row]) -> String {
    let mut text = format!("{LEGEND}\n\n");
    let is_used = |cell: &Cell| rows.iter().any(|row| !cell(row).is_empty());
    let columns = || COLUMNS.iter().filter(|(_, cell)| is_used(cell));
    let mut lines = vec![columns().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()];
    for row in rows {
        lines.push(columns().map(|(_, cell)| cell(row)).collect());
    }
    let widths = widths(&lines);
    let mut group = None;
    for (number, line) in lines.iter().enumerate() {
        let row = number.checked_sub(1).and_then(|number| rows.get(number));
        let here = row.map(|row| (&row.workload, &row.fs));
        if here != group {
            text.push('\n');
            group = here;
        }
        let cells = line.iter().zip(&widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(column, (cell, width))| match column < LEFT {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(padded.join("  ").trim_end());
        if let Some(row) = row {
            text.push_str(&remark(row));
        }
        text.push('\n');
    }
    text
}

/// A table for a document: one for each workload, with the columns that have figures in it.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = format!("{LEGEND}\n");
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.dedup();
    let mut shown: Vec<&str> = Vec::new();
    for name in names {
        if !shown.contains(&name) {
            shown.push(name);
            text.push_str(&section(rows, name));
        }
    }
    text
}

fn section(rows: &[Row], name: &str) -> String {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.name == name).collect();
    let Some(first) = rows.first() else { return String::new() };
    let mut text = format!("\n### {} {}\n\n", first.id, first.workload);
    let (loose, strict): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.apart.is_some());
    let measured = |row: &&&Row| row.rounds > 0;
    text.push_str(&grid(&strict.iter().filter(measured).copied().collect::<Vec<_>>()));
    if loose.iter().any(|row| row.rounds > 0) {
        text.push_str("\nListed apart and not compared, for the reason below:\n\n");
        text.push_str(&grid(&loose.iter().filter(measured).copied().collect::<Vec<_>>()));
    }
    let mut notes: Vec<String> = Vec::new();
    for row in rows {
        if !remark(row).is_empty() {
            let note = format!("- {}{}\n", row.system, remark(row).replace("  # ", ": "));
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(&notes.concat());
    }
    text
}

fn grid(rows: &[&Row]) -> String {
    let columns = COLUMNS.iter().enumerate().filter(|(number, (name, cell))| {
        *number >= 2 && *name != "size" && rows.iter().any(|row| !cell(row).is_empty())
    });
    let columns: Vec<_> = columns.collect();
    let mut text = String::new();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(columns.iter().map(|(_, (name, _))| (*name).to_owned()).collect()));
    let rule = |number: usize| if number < LEFT { "---" } else { "---:" }.to_owned();
    text.push_str(&line(columns.iter().map(|(number, _)| rule(*number)).collect()));
    for row in rows {
        let is_ours = row.system == "libwal";
        let emphasis = |text: String| match is_ours && !text.is_empty() {
            true => format!("**{text}**"),
            false => text,
        };
        let cells = columns.iter().map(|(_, (_, cell))| emphasis(cell(row)));
        text.push_str(&line(cells.collect()));
    }
    text
}

fn remark(row: &Row) -> String {
    let parts: Vec<&str> =
        [row.apart.as_deref(), row.note.as_deref()].into_iter().flatten().collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("  # {}", parts.join("; ")),
    }
}

fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let columns = 0..lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    columns.map(|column| width(column).unwrap_or(0)).collect()
}

/// A number with as many digits as it deserves.
pub fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e7.. => format!("{:.1} M", value / 1e6),
        1e6.. => format!("{:.2} M", value / 1e6),
        1e4.. => format!("{:.1} k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.1.. => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The value that a reader of `figure` sees, so that no verdict contradicts what is shown.
pub fn shown(value: f64) -> f64 {
    let text = figure(value);
    let (digits, factor) = match text.split_once(' ') {
        Some((digits, "M")) => (digits, 1e6),
        Some((digits, _)) => (digits, 1e3),
        None => (text.as_str(), 1.0),
    };
    digits.parse::<f64>().map_or(value, |shown| shown * factor)
}

fn number(value: Option<f64>) -> String {
    value.map(figure).unwrap_or_default()
}

fn count(value: Option<u64>) -> String {
    number(value.map(|value| value as f64))
}

fn kib(value: Option<u64>) -> String {
    number(value.map(|bytes| bytes as f64 / 1024.0))
}

type Cell = fn(&Row) -> String;

/// The first columns are words.
const LEFT: usize = 4;
const COLUMNS: &[(&str, Cell)] = &[
    ("id", |row| row.id.clone()),
    ("workload", |row| row.workload.clone()),
    ("file system", |row| row.fs.clone()),
    ("system", |row| row.system.clone()),
    ("size", |row| row.size.to_string()),
    ("at", |row| {
        row.series.as_ref().map(|name| format!("{name} {}", number(row.x))).unwrap_or_default()
    }),
    ("ops/s", |row| number(row.ops_per_s)),
    ("MB/s", |row| number(row.mb_per_s)),
    ("p50 us", |row| number(row.p50_us)),
    ("p99 us", |row| number(row.p99_us)),
    ("p99.9 us", |row| number(row.p999_us)),
    ("max us", |row| number(row.max_us)),
    ("cpu us/op", |row| number(row.cpu_us_per_op)),
    ("syncs/op", |row| number(row.syncs_per_op)),
    ("journal", |row| count(row.journal_commits)),
    ("disk B/rec", |row| number(row.disk_bytes_per_record)),
    ("RSS KiB", |row| kib(row.rss_bytes)),
    ("threads", |row| count(row.os_threads)),
    ("fds", |row| count(row.descriptors)),
    ("vs floor", |row| number(row.ratio_floor)),
    ("vs best peer", |row| number(row.ratio_best_peer)),
];
const LEGEND: &str = "\
`vs floor` and `vs best peer`: above 1 the system of the row is better, also where less is better \
(latency, memory, disk);\nin the rows of libwal, above 1 means that libwal is better. `journal`: \
commits of the file system's journal in a measured round.";

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |system: &str, rounds| Row {
            id: "P1".into(),
            name: "P1".into(),
            workload: "1 waiting appender".into(),
            fs: "ext4".into(),
            system: system.into(),
            size: 256,
            p50_us: (rounds > 0).then_some(117.25),
            ratio_floor: (rounds > 0).then_some(0.95),
            rounds,
            ..Row::default()
        };
        let mut loose = row("peer b", 5);
        loose.apart = Some("msync".into());
        let mut unable = row("peer a", 0);
        unable.note = Some("cannot: no appends".into());
        vec![row("floor", 5), row("libwal", 5), unable, loose]
    }

    #[test]
    fn every_row_is_a_line_and_says_why_it_is_empty() {
        let text = plain(&rows());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().any(|line| line.contains("libwal") && line.contains("117")));
        let unable = lines.iter().find(|line| line.contains("peer a")).unwrap();
        assert!(unable.ends_with("# cannot: no appends"), "{unable}");
        assert!(text.contains("above 1 means that libwal is better"));
    }

    #[test]
    fn a_document_lists_apart_what_is_not_compared() {
        let text = markdown(&rows());
        let apart = text.find("Listed apart").unwrap();
        assert!(text[apart..].contains("| peer b |"), "{text}");
        assert!(text[..apart].contains("| **libwal** |") && !text[..apart].contains("| peer b"));
        assert!(text.contains("- peer a: cannot: no appends"));
        assert!(!text.contains("ops/s"), "a column without figures is left out");
    }

    #[test]
    fn figures_keep_the_digits_that_mean_something() {
        let cases = [
            (10_530_000.0, "10.5 M"),
            (3_141_592.0, "3.14 M"),
            (99_123.0, "99.1 k"),
            (117.25, "117"),
            (1.234, "1.23"),
            (0.0123, "0.0123"),
        ];
        for (value, wanted) in cases {
            assert_eq!(figure(value), wanted);
        }
        for (value, wanted) in [(0.8961, 0.90), (4_996_000.0, 5e6), (99_123.0, 99_100.0)] {
            assert_eq!(shown(value), wanted);
        }
    }
}
