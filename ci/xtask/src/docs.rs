//! The documents name only what exists: links, headings, paths and make targets.

use std::collections::BTreeSet;

use crate::finding::{Finding, Outcome};
use crate::links::{Document, Span};
use crate::tree::Tree;

/// Checks every Markdown file, the comments of Rust sources and the Makefile.
///
/// # Errors
/// A file that cannot be read.
pub fn check(tree: &Tree) -> Outcome {
    let mut findings = Vec::new();
    let targets = match tree.has("Makefile") {
        true => make_targets(&tree.read("Makefile")?),
        false => BTreeSet::new(),
    };
    let paths: Vec<&str> = tree.files().collect();
    for path in paths {
        let is_comment = !path.ends_with(".md");
        if is_comment && !path.ends_with(".rs") && path != "Makefile" && !path.ends_with(".sh") {
            continue;
        }
        let text = tree.read(path)?;
        if is_comment {
            findings.extend(named_documents(tree, path, &text));
            continue;
        }
        let document = Document::new(path, &text);
        findings.extend(links(tree, &document)?);
        findings.extend(code(tree, &document, &targets));
    }
    findings.sort();
    Ok(findings)
}

fn links(tree: &Tree, document: &Document) -> Outcome {
    let mut findings = Vec::new();
    for Span { line, text: target } in &document.links {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = if file.is_empty() { document.path.clone() } else { join(&document.path, file) };
        if !tree.has(&file) {
            findings.push(Finding::at(&document.path, *line, format!("dead link `{target}`")));
        } else if !heading.is_empty() && file.ends_with(".md") {
            let there = Document::new(&file, &tree.read(&file)?);
            if !there.headings.iter().any(|slug| slug == heading) {
                let text = format!("`{file}` has no heading `#{heading}`");
                findings.push(Finding::at(&document.path, *line, text));
            }
        }
    }
    Ok(findings)
}

fn code(tree: &Tree, document: &Document, targets: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Span { line, text } in &document.code {
        for target in text.split("make ").skip(1).filter(|_| text.starts_with("make ")) {
            let end = target.find(|c: char| !(c.is_ascii_lowercase() || c == '-'));
            let (name, after) = target.split_at(end.unwrap_or(target.len()));
            if !name.is_empty() && !after.starts_with('=') && !targets.contains(name) {
                let text = format!("the Makefile has no target `{name}`");
                findings.push(Finding::at(&document.path, *line, text));
            }
        }
        if looks_like_path(tree, text) && !is_there(tree, &document.path, text) {
            findings.push(Finding::at(&document.path, *line, format!("no such path: `{text}`")));
        }
    }
    findings
}

/// A path with a directory of the project in front, or the name of a source or document.
fn looks_like_path(tree: &Tree, text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.is_empty() || !text.chars().all(plain) || text.contains("NNNN") {
        return false;
    }
    match text.split_once('/') {
        Some((first, _)) => !first.is_empty() && tree.has(first) && !tree.is_file(first),
        None => [".rs", ".md", ".sh"].iter().any(|ending| {
            text.strip_suffix(ending).is_some_and(|stem| !stem.is_empty() && !stem.contains('.'))
        }),
    }
}

fn is_there(tree: &Tree, from: &str, text: &str) -> bool {
    let tail = format!("/{text}");
    tree.has(text)
        || tree.has(&join(from, text))
        || (!text.contains('/') && tree.files().any(|path| path.ends_with(&tail)))
}

/// Comments, scripts and the Makefile name documents and scripts too.
fn named_documents(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The checks' own tests are full of names that do not exist.
    if path.starts_with("ci/xtask/") {
        return findings;
    }
    for (index, line) in text.lines().enumerate() {
        let edge = |c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c));
        for word in line.split(edge) {
            let word = word.trim_end_matches('.');
            let is_document = word.starts_with("docs/") && word.ends_with(".md");
            let is_script = word.starts_with("ci/") && word.ends_with(".sh");
            if (is_document || is_script) && !tree.has(word) {
                findings.push(Finding::at(path, index + 1, format!("no such path: `{word}`")));
            }
        }
    }
    findings
}

fn make_targets(makefile: &str) -> BTreeSet<String> {
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', '#', '.', ' ']));
    let rules = rules.filter_map(|line| line.split_once(':'));
    let rules = rules.filter(|(_, after)| !after.starts_with('='));
    rules.flat_map(|(names, _)| names.split_whitespace().map(str::to_owned)).collect()
}

/// A path relative to the file `from`, as one from the root of the checkout.
fn join(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if path.starts_with('/') {
        parts.clear();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Above the checkout nothing exists: the name is kept, and not found.
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let scratch = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = scratch.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::of_directory(scratch.path()).unwrap();
        check(&tree).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_right() {
        let readme = "# A b\n[x](docs/X.md) [y](docs/X.md#the-end) [z](#a-b) [w](https://a/b)\n";
        let other = "[up](../README.md)\n## The end\n";
        assert!(findings(&[("README.md", readme), ("docs/X.md", other)]).is_empty());
    }

    #[test]
    fn a_dead_link_and_a_dead_heading_are_found() {
        let readme = "\n[x](docs/Y.md)\n[y](docs/X.md#start)\n[z](../../outside.md)\n";
        let found = findings(&[("README.md", readme), ("docs/X.md", "## The end\n")]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "README.md:2: dead link `docs/Y.md`");
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        let readme = "`src/a.rs` `src/b.rs` `b.rs` `a.rs` `x/y` `GET /a` `src/<name>.rs`\n";
        let found = findings(&[("README.md", readme), ("src/a.rs", "")]);
        assert_eq!(found.len(), 2, "{found:?}");
        let found = findings(&[("src/a.rs", "//! As `docs/FORMAT.md` says.\n")]);
        assert_eq!(found, ["src/a.rs:1: no such path: `docs/FORMAT.md`"]);
    }

    #[test]
    fn a_make_target_that_does_not_exist_is_found() {
        let makefile = "X := 1\nall test: a\n\tmake nothing\n";
        let readme = "`make test`, `make rest`\n```\nmake all\nmake install PREFIX=x\n```\n";
        let found = findings(&[("README.md", readme), ("Makefile", makefile)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`rest`") && found[1].contains("`install`"));
    }

    #[test]
    fn a_script_the_makefile_lacks_is_found() {
        let found = findings(&[("Makefile", "a:\n\tci/a.sh\n\tci/b.sh\n"), ("ci/a.sh", "")]);
        assert_eq!(found, ["Makefile:3: no such path: `ci/b.sh`"]);
    }
}
