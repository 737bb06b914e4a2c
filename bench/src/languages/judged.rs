//! The table of the languages, with their goals.

use super::beside;
use super::row::Row;

/// What a goal is about: a language may cost so many nanoseconds for a call on top of the same call
/// from C. It is 1.3 times what the bare crossing was measured to cost with a toy library.
const CROSSINGS: &[(&str, f64)] =
    &[("python", 62.4), ("java", 22.1), ("node", 36.4), ("php", 119.6)];
/// The same for each record of a batch, on top of a batch from C.
const BATCH_CROSSINGS: &[(&str, f64)] = &[("php", 32.0)];
/// Batches of every language, to those of Rust.
const OF_RUST: f64 = 0.7;
/// Durable appends in a second with 256 in flight.
const ASYNC: f64 = 200_000.0;
const ASYNC_LANGUAGES: &[&str] = &["python", "java", "node"];

/// The figures and the goals, for a document.
pub fn markdown(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "Not measured yet: `make bench-languages` does.\n".to_owned();
    }
    let mut languages: Vec<&str> = Vec::new();
    for row in rows {
        if !row.language.contains('/') && !languages.contains(&row.language.as_str()) {
            languages.push(&row.language);
        }
    }
    let mut text = String::from(
        "Nanoseconds for each record of 100 bytes: the medians of rounds taken in turns.\n\n",
    );
    text.push_str("| language |");
    for (_, title) in COLUMNS {
        text.push_str(&format!(" {title} |"));
    }
    text.push_str(&format!("\n| --- |{}\n", " ---: |".repeat(COLUMNS.len())));
    for language in &languages {
        text.push_str(&format!("| {language} |"));
        for (workload, _) in COLUMNS {
            let cell = ns(rows, language, workload).map_or(String::new(), shown);
            text.push_str(&format!(" {cell} |"));
        }
        text.push('\n');
    }
    text.push_str("\n| language | goal | found | |\n| --- | --- | ---: | --- |\n");
    for language in languages {
        for (goal, found, is_met) in goals(rows, language) {
            let verdict = if is_met { "met" } else { "missed" };
            text.push_str(&format!("| {language} | {goal} | {found} | {verdict} |\n"));
        }
    }
    text.push_str(&beside::table(rows));
    text
}

fn goals(rows: &[Row], language: &str) -> Vec<(String, String, bool)> {
    let of = |workload: &str| ns(rows, language, workload);
    let mut goals = Vec::new();
    let most = CROSSINGS.iter().find(|(of, _)| *of == language);
    if let (Some((_, most)), Some(append), Some(c)) = (most, of("append"), ns(rows, "c", "append"))
    {
        let over = append - c;
        let goal = format!("an append costs at most {most:.0} ns more than from C");
        goals.push((goal, format!("{over:.0} ns"), over <= *most));
    }
    // The quicker of two ways is the one that is taken for speed.
    let best = |language: &str, ways: [&str; 2]| {
        let both = ways.map(|workload| ns(rows, language, workload));
        both.into_iter().flatten().min_by(f64::total_cmp)
    };
    let (batch, read) = (["batch", "packed"], ["read", "read-packed"]);
    let most = BATCH_CROSSINGS.iter().find(|(of, _)| *of == language);
    if let (Some((_, most)), Some(ours), Some(c)) = (most, best(language, batch), best("c", batch))
    {
        let over = ours - c;
        let goal = format!("a record of a batch costs at most {most:.0} ns more than from C");
        goals.push((goal, format!("{over:.0} ns"), over <= *most));
    }
    for (what, ways) in [("batch append", batch), ("batch read", read)] {
        if let (Some(ours), Some(rusts)) = (best(language, ways), best("rust", ways))
            && language != "rust"
        {
            let ratio = rusts / ours;
            let goal = format!("{what}: at least {OF_RUST} x Rust");
            goals.push((goal, format!("{ratio:.2}"), ratio >= OF_RUST));
        }
    }
    if let Some(each) = of("async")
        && ASYNC_LANGUAGES.contains(&language)
    {
        let rate = 1e9 / each;
        let goal = "256 in flight: at least 200 k durable appends a second".to_owned();
        goals.push((goal, format!("{:.0} k/s", rate / 1e3), rate >= ASYNC));
    }
    goals
}

/// What a workload costs a record, if it was measured.
pub(super) fn ns(rows: &[Row], language: &str, workload: &str) -> Option<f64> {
    let row = rows.iter().find(|row| row.language == language && row.workload == workload);
    row.map(|row| row.ns)
}

fn shown(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { format!("{ns:.0}") }
}

const COLUMNS: &[(&str, &str)] = &[
    ("append", "append to memory"),
    ("batch", "batch of 1,000"),
    ("packed", "packed batch"),
    ("read", "read in batches"),
    ("read-packed", "read packed"),
    ("os", "to the kernel"),
    ("durable", "durable, one at a time"),
    ("durable-batch", "durable batch"),
    ("async", "durable, 256 in flight"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(language: &str, workload: &str, ns: f64) -> Row {
        Row::of(language, workload, vec![ns]).unwrap()
    }

    #[test]
    fn goals_are_judged_against_c_and_rust_of_the_same_run() {
        let rows = [
            row("rust", "append", 50.0),
            row("c", "append", 55.0),
            row("python", "append", 117.0),
            row("java", "append", 78.0),
            row("rust", "batch", 14.0),
            row("rust", "packed", 21.0),
            row("c", "batch", 16.0),
            row("c", "packed", 15.0),
            row("php", "batch", 48.0),
            row("python", "batch", 30.0),
            row("python", "packed", 20.0),
            row("java", "packed", 21.0),
            row("python", "async", 5_000.0),
            row("java", "async", 5_001.0),
        ];
        let text = markdown(&rows);
        for line in [
            "| python | an append costs at most 62 ns more than from C | 62 ns | met |",
            "| java | an append costs at most 22 ns more than from C | 23 ns | missed |",
            "| python | batch append: at least 0.7 x Rust | 0.70 | met |",
            "| java | batch append: at least 0.7 x Rust | 0.67 | missed |",
            "| python | 256 in flight: at least 200 k durable appends a second | 200 k/s | met |",
            "| java | 256 in flight: at least 200 k durable appends a second | 200 k/s | missed |",
            "| php | a record of a batch costs at most 32 ns more than from C | 33 ns | missed |",
            "| python | 117 | 30.0 | 20.0 |  |  |  |  |  | 5000 |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("| rust | batch append"), "{text}");
        assert!(markdown(&[]).contains("Not measured"));
    }
}
