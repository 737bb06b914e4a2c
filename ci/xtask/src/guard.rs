//! The guard against getting slower: counted figures against the committed baseline.
//!
//! Figures are counts (instructions, system calls), never times, so the same code gives the same
//! figure on any day. What they do depend on, besides the code, stands in the baseline, and how
//! strictly two sets are compared follows from what is different:
//!
//! | different | compared |
//! |---|---|
//! | nothing | within 3 % (openings 10 %), both ways: an uncommitted improvement is lost unseen |
//! | compiler, C library or valgrind | no more than 15 % above, nothing below is looked at |
//! | processor architecture, or the instructions valgrind lets it have | not at all |

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use crate::finding::{Finding, Outcome};
use crate::tree::Tree;

/// Compares the figures in the file `counted` with the baseline.
///
/// # Errors
/// A file that is missing or is not one of figures.
pub fn check(tree: &Tree, counted: &str) -> Outcome {
    let (baseline, counted) = both(tree, counted)?;
    Ok(compare(&baseline, &counted))
}

/// Says on one line how the figures in the file `counted` will be compared: `strictly`, `loosely:`
/// or `not at all:` and why.
///
/// # Errors
/// As [`check`].
pub fn terms(tree: &Tree, counted: &str) -> Result<String, String> {
    let (baseline, counted) = both(tree, counted)?;
    Ok(Terms::between(&baseline, &counted).to_string())
}

/// Makes the figures in the file `counted` the baseline. Sections that could not be counted here
/// stay as they were.
///
/// # Errors
/// As [`check`], and a baseline that cannot be written.
pub fn write(tree: &Tree, counted: &str) -> Outcome {
    let mut figures = read_counted(counted)?;
    if tree.has(BASELINE) {
        let baseline = Figures::parse(&tree.read(BASELINE)?)?;
        for (name, section) in baseline.sections {
            figures.sections.entry(name).or_insert(section);
        }
    }
    tree.write(BASELINE, &figures.to_text())?;
    Ok(Vec::new())
}

fn both(tree: &Tree, counted: &str) -> Result<(Figures, Figures), String> {
    let baseline = tree.read(BASELINE).and_then(|text| Figures::parse(&text));
    Ok((baseline.map_err(|error| format!("{BASELINE}: {error}"))?, read_counted(counted)?))
}

fn read_counted(path: &str) -> Result<Figures, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Figures::parse(&text).map_err(|error| format!("{path}: {error}"))
}

/// A set of figures and how they were counted.
#[derive(Clone, Debug, Default, PartialEq)]
struct Figures {
    counted_with: BTreeMap<String, String>,
    sections: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Figures {
    fn parse(text: &str) -> Result<Figures, String> {
        let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
        let mut figures = Figures::default();
        for (section, values) in &table {
            let values = values.as_table().ok_or_else(|| format!("`{section}` is no section"))?;
            for (name, value) in values {
                let (section, name) = (section.clone(), name.clone());
                if section == COUNTED_WITH {
                    let word = value.as_str().ok_or_else(|| format!("`{name}` is no text"))?;
                    figures.counted_with.insert(name, word.to_owned());
                    continue;
                }
                let number = value.as_float().filter(|number| number.is_finite());
                let number = number.ok_or_else(|| format!("`{name}` is no number with a point"))?;
                figures.sections.entry(section).or_default().insert(name, number);
            }
        }
        match figures.sections.is_empty() {
            true => Err("no figures".to_owned()),
            false => Ok(figures),
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::from(HEADING);
        text.push_str(&format!("\n[{COUNTED_WITH}]\n"));
        for (name, word) in &self.counted_with {
            text.push_str(&format!("{name} = {word:?}\n"));
        }
        for (section, figures) in &self.sections {
            text.push_str(&format!("\n[{section}]\n"));
            for (name, figure) in figures {
                text.push_str(&format!("{name} = {figure:?}\n"));
            }
        }
        text
    }
}

/// How two sets of instruction counts can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Terms {
    Strict,
    Loose(String),
    Incomparable(String),
}

impl Terms {
    fn between(baseline: &Figures, counted: &Figures) -> Terms {
        let names = baseline.counted_with.keys().chain(counted.counted_with.keys());
        let mut names: Vec<&String> = names.collect();
        names.sort();
        names.dedup();
        let word = |figures: &Figures, name: &str| {
            figures.counted_with.get(name).cloned().unwrap_or_else(|| "nothing".to_owned())
        };
        let mut differences = Vec::new();
        let mut is_comparable = true;
        for name in names {
            let (there, here) = (word(baseline, name), word(counted, name));
            if there != here {
                differences.push(format!("{name} is \"{here}\" here, \"{there}\" in {BASELINE}"));
                is_comparable &= !INCOMPARABLE.contains(&name.as_str());
            }
        }
        match (differences.is_empty(), is_comparable) {
            (true, _) => Terms::Strict,
            (false, true) => Terms::Loose(differences.join("; ")),
            (false, false) => Terms::Incomparable(differences.join("; ")),
        }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Terms::Strict => f.write_str("strictly"),
            Terms::Loose(why) => write!(f, "loosely: {why}"),
            Terms::Incomparable(why) => write!(f, "not at all: {why}"),
        }
    }
}

/// Everything that is out of bounds. A section that was not counted here is not compared; whoever
/// counts says so. A single figure that is missing is a finding.
fn compare(baseline: &Figures, counted: &Figures) -> Vec<Finding> {
    let mut findings = Vec::new();
    let terms = Terms::between(baseline, counted);
    for (section, here) in &counted.sections {
        let is_of_instructions = !EXACT.contains(&section.as_str());
        if is_of_instructions && matches!(terms, Terms::Incomparable(_)) {
            continue;
        }
        let none = BTreeMap::new();
        let there = baseline.sections.get(section).unwrap_or(&none);
        let mut say = |name: &str, text: String| {
            findings.push(Finding::of_file(BASELINE, format!("{section}.{name}: {text}")));
        };
        for name in there.keys().filter(|name| !here.contains_key(*name)) {
            say(name, "not counted any more: make guard-update".to_owned());
        }
        for (name, &figure) in here {
            let Some(&expected) = there.get(name) else {
                say(name, "not in the baseline yet: make guard-update".to_owned());
                continue;
            };
            let verdict = match is_of_instructions {
                true => judge_instructions(name, expected, figure, &terms),
                false => judge_exact(expected, figure),
            };
            if let Some(text) = verdict {
                say(name, text);
            }
        }
    }
    findings
}

fn judge_instructions(name: &str, expected: f64, figure: f64, terms: &Terms) -> Option<String> {
    let tolerance = match terms {
        Terms::Strict if name.starts_with("open") => STRICT_FOR_OPENINGS,
        Terms::Strict => STRICT,
        _ => LOOSE,
    };
    let change = (figure - expected) / expected.max(f64::MIN_POSITIVE);
    let text = format!("{figure} instructions, {:+.1} % against {expected}", change * 100.0);
    if change > tolerance {
        return Some(format!(
            "{text}: see where they go with `callgrind_annotate --inclusive=yes \
             GUARD_DIR/{name}.callgrind` after GUARD_DIR=DIRECTORY ci/guard.sh"
        ));
    }
    let is_better = change < -tolerance && *terms == Terms::Strict;
    is_better.then(|| format!("{text}: better; keep it with `make guard-update` and commit that"))
}

/// What happens once for a commit happens exactly once; what comes with time, not with commits, is
/// far below the slack.
fn judge_exact(expected: f64, figure: f64) -> Option<String> {
    let is_equal = (figure - expected).abs() <= EXACT_SLACK;
    let what = if figure > expected { "more" } else { "fewer: make guard-update" };
    (!is_equal).then(|| format!("{figure} instead of {expected} for each commit, which is {what}"))
}

const BASELINE: &str = "ci/guard.toml";
const HEADING: &str = "\
# What appends, commits and reads cost, in counts: `make guard` compares with it,
# `make guard-update` writes it. Instructions are those of the calling thread for each record of
# 256 bytes (for each opening where the name says so); the sections `commits` and `journal` are for
# each durable commit of one appender. docs/TESTING.md has more about it.
";
const COUNTED_WITH: &str = "counted_with";
/// What makes instruction counts of the same code differ by more than a tolerance could allow for.
const INCOMPARABLE: &[&str] = &["target", "processor"];
/// Sections that are no instruction counts, and the same whatever compiled them.
const EXACT: &[&str] = &["commits", "journal"];
const EXACT_SLACK: f64 = 0.05;
/// The same program differs by 0.4 % from run to run; the rest is room for changes of no account.
const STRICT: f64 = 0.03;
/// An opening meets what it opens: by how it was left, it differs by 2 %.
const STRICT_FOR_OPENINGS: f64 = 0.10;
/// What another compiler may make of the same code.
const LOOSE: f64 = 0.15;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        [counted_with]
        rustc = 'rustc 1'
        processor = 'avx2'
        [instructions]
        append = 1000.0
        read = 100.0
        [commits]
        data_syncs = 1.0
        other_calls = 0.0
    ";

    fn figures(text: &str) -> Figures {
        Figures::parse(text).unwrap()
    }

    fn findings(from: &str, to: &str) -> Vec<String> {
        let counted = TEXT.replacen(from, to, 1);
        assert!(from == to || counted != TEXT, "`{from}` is not there to be replaced");
        let found = compare(&figures(TEXT), &figures(&counted));
        found.into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn the_same_figures_pass() {
        assert!(findings("", "").is_empty());
    }

    #[test]
    fn a_planted_regression_is_found_by_name_with_its_size_and_what_to_look_at() {
        let found = findings("1000.0", "1031.0");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("instructions.append: 1031 instructions, +3.1 %"),
            "{found:?}"
        );
        assert!(found[0].contains("callgrind_annotate"), "{found:?}");
        assert!(findings("1000.0", "1029.0").is_empty());
        let [was, now] = [100.0, 109.0].map(|figure| {
            let openings =
                format!("[counted_with]\nrustc = 'a'\n[instructions]\nopen = {figure:?}");
            figures(&openings)
        });
        assert!(compare(&was, &now).is_empty());
    }

    #[test]
    fn an_improvement_has_to_be_committed() {
        let found = findings("1000.0", "969.0");
        assert!(found.len() == 1 && found[0].contains("make guard-update"), "{found:?}");
        assert!(findings("1000.0", "971.0").is_empty());
    }

    #[test]
    fn one_more_sync_or_call_for_each_commit_is_found_whatever_compiled_it() {
        assert_eq!(findings("data_syncs = 1.0", "data_syncs = 2.0").len(), 1);
        assert_eq!(findings("data_syncs = 1.0", "data_syncs = 0.5").len(), 1);
        assert_eq!(findings("other_calls = 0.0", "other_calls = 0.1").len(), 1);
        assert!(findings("other_calls = 0.0", "other_calls = 0.01").is_empty());
        let elsewhere = TEXT.replace("avx2", "neon").replace("data_syncs = 1", "data_syncs = 2");
        assert_eq!(compare(&figures(TEXT), &figures(&elsewhere)).len(), 1);
    }

    #[test]
    fn another_compiler_loosens_the_bound_and_says_so() {
        let other = TEXT.replace("rustc 1", "rustc 2");
        let terms = Terms::between(&figures(TEXT), &figures(&other)).to_string();
        assert!(terms.starts_with("loosely: rustc is \"rustc 2\" here"), "{terms}");
        let with = |append: &str| figures(&other.replace("1000.0", append));
        assert!(compare(&figures(TEXT), &with("1140.0")).is_empty());
        assert!(compare(&figures(TEXT), &with("500.0")).is_empty());
        assert_eq!(compare(&figures(TEXT), &with("1160.0")).len(), 1);
    }

    #[test]
    fn another_processor_is_not_compared_and_says_so() {
        let other = TEXT.replace("avx2", "neon").replace("1000.0", "9000.0");
        let terms = Terms::between(&figures(TEXT), &figures(&other)).to_string();
        assert!(terms.starts_with("not at all: processor is \"neon\" here"), "{terms}");
        assert!(compare(&figures(TEXT), &figures(&other)).is_empty());
    }

    #[test]
    fn a_figure_that_came_or_went_is_found_and_a_section_that_was_not_counted_is_not() {
        assert_eq!(findings("append = 1000.0", "").len(), 1);
        assert_eq!(findings("read = 100.0", "read = 100.0\nopen = 1.0").len(), 1);
        let short = &TEXT[..TEXT.find("[commits]").unwrap()];
        assert!(compare(&figures(TEXT), &figures(short)).is_empty());
    }

    #[test]
    fn what_is_no_set_of_figures_is_refused() {
        for text in ["", "[counted_with]\nrustc = 'a'", "a = 1", "[a]\nb = 'c'", "[a]\nb = nan"] {
            assert!(Figures::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_baseline_is_written_as_it_is_read() {
        let figures = figures(TEXT);
        assert_eq!(Figures::parse(&figures.to_text()).unwrap(), figures);
    }

    #[test]
    fn an_update_keeps_what_could_not_be_counted_here() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("ci")).unwrap();
        fs::write(scratch.path().join(BASELINE), TEXT).unwrap();
        let counted = scratch.path().join("counted");
        fs::write(&counted, "[counted_with]\nrustc = 'rustc 3'\n[instructions]\nappend = 7.0\n")
            .unwrap();
        let tree = Tree::of_directory(scratch.path()).unwrap();
        write(&tree, counted.to_str().unwrap()).unwrap();
        let now = figures(&tree.read(BASELINE).unwrap());
        assert_eq!(now.sections["instructions"], BTreeMap::from([("append".to_owned(), 7.0)]));
        assert_eq!(now.sections["commits"], figures(TEXT).sections["commits"]);
        assert_eq!(now.counted_with["rustc"], "rustc 3");
    }

    #[test]
    fn the_committed_baseline_is_one() {
        let baseline = figures(include_str!("../../guard.toml"));
        for section in ["instructions", "direct", "commits", "journal"] {
            assert!(baseline.sections.contains_key(section), "no [{section}]");
        }
        assert!(baseline.counted_with.contains_key("rustc"));
    }
}
