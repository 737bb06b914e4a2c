//! The licence of everything that is linked, against the list in `deny.toml`. It needs nothing
//! installed; `cargo deny` reads the same file where there is one.

use std::process::Command;

use serde_json::Value;

use crate::finding::{Finding, Outcome};
use crate::tree::Tree;

/// Asks cargo for every package of the build and compares.
///
/// # Errors
/// No cargo, a lock file that is out of date, or a `deny.toml` without the list.
pub fn check(tree: &Tree) -> Outcome {
    let rules = Rules::parse(&tree.read("deny.toml")?)?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .args(["--filter-platform", &host()?])
        .current_dir(tree.root())
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(packages(&metadata, &rules))
}

fn packages(metadata: &Value, rules: &Rules) -> Vec<Finding> {
    let mut findings = Vec::new();
    let none = Vec::new();
    for package in metadata["packages"].as_array().unwrap_or(&none) {
        let name = package["name"].as_str().unwrap_or("?");
        let mut say = |text: String| findings.push(Finding::of_file(name, text));
        match package["license"].as_str() {
            Some(licence) if permits(licence, &rules.allowed_for(name)) => {}
            Some(licence) => say(format!("`{licence}` is not allowed by deny.toml")),
            None => say("names no licence".to_owned()),
        }
        // A path has no source; everything else comes from the registry, never from a repository.
        if package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")) {
            say("does not come from the registry".to_owned());
        }
    }
    findings
}

/// What `deny.toml` says about licences.
struct Rules {
    allowed: Vec<String>,
    exceptions: Vec<(String, Vec<String>)>,
}

impl Rules {
    fn parse(text: &str) -> Result<Rules, String> {
        let table: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let section = table.get("licenses").ok_or("deny.toml: no [licenses]")?;
        let exceptions = section.get("exceptions").and_then(toml::Value::as_array);
        let exceptions = exceptions.into_iter().flatten().map(|entry| {
            let name = entry.get("crate").and_then(toml::Value::as_str);
            let name = name.ok_or("deny.toml: an exception without a crate")?;
            Ok((name.to_owned(), names(entry, "allow")?))
        });
        Ok(Rules {
            exceptions: exceptions.collect::<Result<_, String>>()?,
            allowed: names(section, "allow")?,
        })
    }

    /// The licences one package may have.
    fn allowed_for(&self, package: &str) -> Vec<String> {
        let exceptions = self.exceptions.iter().filter(|(name, _)| name == package);
        let extra = exceptions.flat_map(|(_, allowed)| allowed.iter());
        self.allowed.iter().chain(extra).cloned().collect()
    }
}

fn names(table: &toml::Value, key: &str) -> Result<Vec<String>, String> {
    let list = table.get(key).and_then(toml::Value::as_array);
    let list = list.ok_or_else(|| format!("deny.toml: no list `{key}`"))?;
    Ok(list.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect())
}

/// Whether an SPDX expression can be met by allowed licences: of an OR one side, of an AND both.
fn permits(expression: &str, allowed: &[String]) -> bool {
    // Before SPDX, a slash meant OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let permitted = either(&words, &mut at, allowed);
    permitted && at == words.len()
}

fn either(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut permitted = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        permitted |= both(words, at, allowed);
    }
    permitted
}

fn both(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut permitted = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        permitted &= one(words, at, allowed);
    }
    permitted
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let permitted = either(words, at, allowed);
        *at += 1;
        return permitted && words.get(*at - 1) == Some(&")");
    }
    let mut name = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).unwrap_or(&"?"));
        *at += 2;
    }
    allowed.contains(&name)
}

/// The platform that is built for here.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list() -> Vec<String> {
        ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).to_vec()
    }

    #[test]
    fn an_expression_is_permitted_as_its_words_say() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "(GPL-3.0 OR MIT) AND Apache-2.0",
            "GPL-3.0 OR Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(permits(good, &list()), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT GPL-3.0", "MIT WITH X"] {
            assert!(!permits(bad, &list()), "{bad}");
        }
    }

    #[test]
    fn a_package_with_a_strange_licence_or_source_is_found() {
        let metadata = json!({"packages": [
            {"name": "a", "license": "MIT", "source": null},
            {"name": "b", "license": "MIT", "source": "registry+x"},
            {"name": "c", "license": "GPL-3.0", "source": "registry+x"},
            {"name": "d", "license": null, "source": "registry+x"},
            {"name": "e", "license": "MIT", "source": "git+x"},
            {"name": "f", "license": "MPL-2.0", "source": "registry+x"},
        ]});
        let rules = Rules {
            allowed: list(),
            exceptions: vec![("f".to_owned(), vec!["MPL-2.0".to_owned()])],
        };
        let found = packages(&metadata, &rules);
        let names: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(names, ["c", "d", "e"]);
    }

    #[test]
    fn the_rules_are_read_from_deny_toml() {
        let rules = Rules::parse(include_str!("../../../deny.toml")).unwrap();
        assert!(rules.allowed.contains(&"MIT".to_owned()));
        assert!(!rules.allowed_for("serde").contains(&"MPL-2.0".to_owned()));
        assert!(rules.allowed_for("cbindgen").contains(&"MPL-2.0".to_owned()));
        assert!(Rules::parse("[licenses]").is_err());
        assert!(Rules::parse("[licenses]\nallow = []\nexceptions = [{}]").is_err());
    }
}
