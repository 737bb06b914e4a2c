//! `wal-bench report`: tables and charts of the documents, from the JSON files alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::args::ReportArgs;
use crate::chart;
use crate::goals;
use crate::languages;
use crate::machine::Machine;
use crate::row::{self, Row};
use crate::scale::{SERIES, Series};
use crate::table;

/// Writes `docs/PERFORMANCE.md` and its charts, or says where they are not what the files say.
///
/// # Errors
/// A file that cannot be read or written; with `check`, everything that is out of date.
pub fn run(args: &ReportArgs) -> Result<(), String> {
    let root = &args.root;
    let results = row::read(&root.join("bench/results.json"))?;
    if results.is_empty() {
        return Err("no rows in bench/results.json: run the benchmark first".to_owned());
    }
    let scale = row::read(&root.join("bench/scale.json"))?;
    let languages = languages::read(&root.join("bench/languages.json"))?;
    let machine = Machine::read(&root.join("bench/machine.json"))?;
    let document = root.join(DOCUMENT);
    let before = fs::read_to_string(&document).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let charts = chart::all(&results, &scale)?;
    let after = with_parts(&before, &parts(&results, &scale, &languages, &machine, &charts))?;
    match args.check {
        true => check(&root.join(CHARTS), &charts, before == after),
        false => {
            write(&root.join(CHARTS), &charts)?;
            fs::write(&document, after).map_err(|error| format!("{DOCUMENT}: {error}"))
        }
    }
}

/// What stands between the markers of each name.
fn parts(
    results: &[Row],
    scale: &[Row],
    languages: &[languages::Row],
    machine: &Machine,
    charts: &[(String, String)],
) -> Vec<(&'static str, String)> {
    let lines: Vec<String> = machine.lines().iter().map(|line| format!("- {line}\n")).collect();
    let quick = match machine.quick {
        true => "\nThese figures are from a quick run: good for a look, not for a claim.\n",
        false => "",
    };
    let mut parts = vec![
        ("machine", lines.concat() + quick),
        ("goals", goals::markdown(&goals::judge(results))),
        ("results", with_charts(&table::markdown(results), results)),
        ("large", large(scale)),
        ("languages", languages::markdown(languages)),
    ];
    // One for each chart, so that a text by hand can stand below it.
    parts.extend(SERIES.iter().map(|series| (series.name, growth(series, charts))));
    parts
}

/// Puts its chart below the heading of each workload.
fn with_charts(markdown: &str, rows: &[Row]) -> String {
    let mut text = String::new();
    for line in markdown.lines() {
        text.push_str(line);
        text.push('\n');
        let Some(heading) = line.strip_prefix("### ") else { continue };
        let of = |row: &&Row| format!("{} {}", row.id, row.workload) == heading && row.rounds > 0;
        if let Some(row) = rows.iter().find(of) {
            let file = chart::file_name(&row.name);
            text.push_str(&format!("\n![{heading}](performance/{file})\n"));
        }
    }
    text
}

fn growth(series: &Series, charts: &[(String, String)]) -> String {
    let file = chart::file_name(series.name);
    match charts.iter().any(|(name, _)| *name == file) {
        true => format!("![{}](performance/{file})\n", series.title),
        false => UNMEASURED.to_owned(),
    }
}

fn large(rows: &[Row]) -> String {
    let large: Vec<Row> = rows.iter().filter(|row| row.series.is_none()).cloned().collect();
    match large.is_empty() {
        true => UNMEASURED.to_owned(),
        false => goals::markdown(&goals::judge(&large)),
    }
}

/// The document with each part between its markers.
fn with_parts(document: &str, parts: &[(&str, String)]) -> Result<String, String> {
    let mut text = document.to_owned();
    for (name, part) in parts {
        let (start, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
        let from = text.find(&start).map(|at| at + start.len());
        let from = from.ok_or_else(|| format!("{DOCUMENT} has no `{}`", start.trim()))?;
        let until = text[from..].find(end).map(|at| at + from);
        let until = until.ok_or_else(|| format!("{DOCUMENT}: no `{end}` after `{name}`"))?;
        text.replace_range(from..until, &format!("\n{}\n", part.trim()));
    }
    Ok(text)
}

fn check(directory: &Path, charts: &[(String, String)], is_same: bool) -> Result<(), String> {
    let mut stale = Vec::new();
    if !is_same {
        stale.push(DOCUMENT.to_owned());
    }
    for (name, chart) in charts {
        if fs::read_to_string(directory.join(name)).ok().as_ref() != Some(chart) {
            stale.push(format!("{CHARTS}/{name}"));
        }
    }
    let wanted: BTreeSet<&str> = charts.iter().map(|(name, _)| name.as_str()).collect();
    let left = names(directory).into_iter().filter(|name| !wanted.contains(name.as_str()));
    stale.extend(left.map(|name| format!("{CHARTS}/{name} (of no row)")));
    match stale.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "not what bench/*.json say: {}; `cargo run -p wal-bench -- report` writes them",
            stale.join(", ")
        )),
    }
}

fn write(directory: &Path, charts: &[(String, String)]) -> Result<(), String> {
    let say = |error: std::io::Error| format!("{CHARTS}: {error}");
    fs::create_dir_all(directory).map_err(say)?;
    for name in names(directory) {
        fs::remove_file(directory.join(name)).map_err(say)?;
    }
    charts.iter().try_for_each(|(name, chart)| fs::write(directory.join(name), chart).map_err(say))
}

/// The charts that are there.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".svg")).collect()
}

const DOCUMENT: &str = "docs/PERFORMANCE.md";
const CHARTS: &str = "docs/performance";
const UNMEASURED: &str = "Not measured in this run: `make bench-scale` does.\n";

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout with one result, reported.
    fn reported() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("bench")).unwrap();
        fs::create_dir_all(root.path().join("docs")).unwrap();
        let parts = ["machine", "goals", "results", "large", "languages"].into_iter();
        let parts = parts.chain(SERIES.iter().map(|series| series.name));
        let markers: String =
            parts.map(|name| format!("<!-- generated: {name} -->\n<!-- end -->\n")).collect();
        fs::write(root.path().join(DOCUMENT), format!("# Speed\n{markers}")).unwrap();
        write_result(root.path(), 117.0);
        run(&ReportArgs { root: root.path().into(), check: false }).unwrap();
        root
    }

    fn write_result(root: &Path, p50_us: f64) {
        let row = Row {
            id: "P1".into(),
            name: "P1".into(),
            workload: "1 waiting appender, durable".into(),
            fs: "ext4".into(),
            system: "libwal".into(),
            p50_us: Some(p50_us),
            rounds: 5,
            ..Row::default()
        };
        row::write(&root.join("bench/results.json"), &[row]).unwrap();
        Machine::here(&[], false, 60).write(&root.join("bench/machine.json")).unwrap();
    }

    fn checked(root: &Path) -> Result<(), String> {
        run(&ReportArgs { root: root.into(), check: true })
    }

    #[test]
    fn a_report_holds_the_figures_and_its_charts_and_is_stable() {
        let root = reported();
        let text = fs::read_to_string(root.path().join(DOCUMENT)).unwrap();
        assert!(text.contains("117") && text.contains("(performance/p1.svg)"), "{text}");
        checked(root.path()).unwrap();
        run(&ReportArgs { root: root.path().into(), check: false }).unwrap();
        assert_eq!(fs::read_to_string(root.path().join(DOCUMENT)).unwrap(), text);
    }

    #[test]
    fn figures_that_changed_make_document_and_chart_out_of_date() {
        let root = reported();
        write_result(root.path(), 99.0);
        let stale = checked(root.path()).unwrap_err();
        assert!(stale.contains(DOCUMENT) && stale.contains("p1.svg"), "{stale}");
    }

    #[test]
    fn a_document_edited_by_hand_and_a_chart_of_nothing_are_found() {
        let root = reported();
        let text = fs::read_to_string(root.path().join(DOCUMENT)).unwrap();
        fs::write(root.path().join(DOCUMENT), text.replace("117", "17")).unwrap();
        fs::write(root.path().join(CHARTS).join("p0.svg"), "").unwrap();
        let stale = checked(root.path()).unwrap_err();
        assert!(stale.contains(DOCUMENT) && stale.contains("p0.svg"), "{stale}");
    }

    #[test]
    fn prose_outside_the_markers_is_kept_and_a_missing_marker_is_found() {
        let root = reported();
        let path = root.path().join(DOCUMENT);
        let text = fs::read_to_string(&path).unwrap() + "\nProse.\n";
        fs::write(&path, &text).unwrap();
        checked(root.path()).unwrap();
        fs::write(&path, text.replace("generated: goals", "goals")).unwrap();
        assert!(checked(root.path()).unwrap_err().contains("generated: goals"));
    }
}
