//! One version number: that of the workspace, in every package, header and binding. A language that
//! is not there yet has nothing to be wrong.

use serde_json::Value;
use toml::Table;

use crate::finding::{Finding, Outcome};
use crate::tree::Tree;

/// Compares every version of the checkout with the workspace's.
///
/// # Errors
/// A file that is missing or cannot be understood.
pub fn check(tree: &Tree) -> Outcome {
    let manifest = table(WORKSPACE, &tree.read(WORKSPACE)?)?;
    let version = text_at(&manifest, &["workspace", "package", "version"])
        .ok_or_else(|| format!("{WORKSPACE}: the workspace has no version"))?;
    let mut findings = Vec::new();
    let core = text_at(&manifest, &["workspace", "dependencies", "wal-core", "version"]);
    if core != Some(version) {
        findings.push(wrong(WORKSPACE, core.unwrap_or("nothing"), version));
    }
    findings.extend(header(HEADER, &tree.read(HEADER)?, version));
    for path in tree.files().filter(|path| is_package(path)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        findings.extend(match name {
            "Cargo.toml" => crate_manifest(path, &tree.read(path)?, version)?,
            "pyproject.toml" => python(path, &tree.read(path)?, version)?,
            "package.json" | "package-lock.json" => node(path, &tree.read(path)?, version)?,
            "pom.xml" => maven(path, &tree.read(path)?, version),
            "composer.json" => composer(path, &tree.read(path)?, version)?,
            _ => Vec::new(),
        });
    }
    Ok(findings)
}

/// What is published, or depends on what is.
fn is_package(path: &str) -> bool {
    PACKAGES.iter().any(|below| path.starts_with(below))
}

fn wrong(path: &str, found: &str, version: &str) -> Finding {
    Finding::of_file(path, format!("says version {found}, the workspace says {version}"))
}

fn header(path: &str, text: &str, version: &str) -> Vec<Finding> {
    let numbers: Vec<&str> = version.split('.').collect();
    let quoted = format!("\"{version}\"");
    let names = ["WAL_VERSION_MAJOR", "WAL_VERSION_MINOR", "WAL_VERSION_PATCH", "WAL_VERSION"];
    let values = numbers.into_iter().chain([&*quoted]);
    let mut findings = Vec::new();
    for (name, value) in names.into_iter().zip(values) {
        if !text.lines().any(|line| line == format!("#define {name} {value}")) {
            findings.push(Finding::of_file(path, format!("lacks `#define {name} {value}`")));
        }
    }
    findings
}

fn crate_manifest(path: &str, text: &str, version: &str) -> Outcome {
    let manifest = table(path, text)?;
    let is_inherited = manifest
        .get("package")
        .and_then(|package| package.get("version")?.get("workspace")?.as_bool())
        .unwrap_or(false);
    let own = text_at(&manifest, &["package", "version"]);
    Ok(match own {
        None if is_inherited => Vec::new(),
        own => vec![Finding::of_file(
            path,
            format!(
                "has version {} of its own: `version.workspace = true` keeps {version}",
                own.unwrap_or("nothing")
            ),
        )],
    })
}

/// A Python project says its version, or leaves it to the crate it is built from.
fn python(path: &str, text: &str, version: &str) -> Outcome {
    let manifest = table(path, text)?;
    let project = manifest.get("project");
    let is_dynamic = project
        .and_then(|project| project.get("dynamic")?.as_array())
        .is_some_and(|names| names.iter().any(|name| name.as_str() == Some("version")));
    let own = text_at(&manifest, &["project", "version"]);
    Ok(match own {
        None if is_dynamic => Vec::new(),
        Some(own) if own == version => Vec::new(),
        own => vec![wrong(path, own.unwrap_or("nothing"), version)],
    })
}

/// A package of Node, and its platform packages where it depends on them.
fn node(path: &str, text: &str, version: &str) -> Outcome {
    let package: Value = serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    let mut findings = Vec::new();
    let is_private = package["private"] == Value::Bool(true);
    match package["version"].as_str() {
        Some(own) if own == version => {}
        // What is never published needs no version; one that is there is the right one.
        None if is_private => {}
        own => findings.push(wrong(path, own.unwrap_or("nothing"), version)),
    }
    for section in ["dependencies", "optionalDependencies", "peerDependencies"] {
        let none = serde_json::Map::new();
        for (name, wanted) in package[section].as_object().unwrap_or(&none) {
            let wanted = wanted.as_str().unwrap_or_default();
            let is_own =
                name == "libwal" || name.starts_with("libwal-") || name.starts_with("@libwal/");
            let is_place = wanted.starts_with("file:") || wanted.starts_with("workspace:");
            if is_own && !is_place && wanted != version {
                findings.push(wrong(path, &format!("{wanted} of {name}"), version));
            }
        }
    }
    Ok(findings)
}

/// A package of PHP.
fn composer(path: &str, text: &str, version: &str) -> Outcome {
    let package: Value = serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    Ok(match package["version"].as_str() {
        Some(own) if own == version => Vec::new(),
        own => vec![wrong(path, own.unwrap_or("nothing"), version)],
    })
}

/// A Maven project: its own version, its parent's, and those of the project's packages it names.
fn maven(path: &str, text: &str, version: &str) -> Vec<Finding> {
    let text = without_comments(text);
    let mut findings = Vec::new();
    let inherits = text.contains("<parent>");
    let outside: String = without_sections(&text, &SECTIONS);
    let own = element(&outside, "version");
    match own.map(|own| resolved(&text, own)) {
        Some(own) if own == version => {}
        None if inherits => {}
        own => findings.push(wrong(path, own.unwrap_or("nothing"), version)),
    }
    for named in text.split("<groupId>io.libwal</groupId>").skip(1) {
        // Up to the end of the element that names the package.
        let end = ["</parent>", "</dependency>", "</plugin>"];
        let end = end.iter().filter_map(|end| named.find(end)).min();
        let Some(found) = end.and_then(|end| element(&named[..end], "version")) else { continue };
        let found = resolved(&text, found);
        if found != version && found != "${project.version}" {
            findings.push(wrong(path, found, version));
        }
    }
    findings
}

/// A property stands for its value.
fn resolved<'a>(text: &'a str, value: &'a str) -> &'a str {
    let name = value.strip_prefix("${").and_then(|name| name.strip_suffix('}'));
    name.and_then(|name| element(text, name)).unwrap_or(value)
}

/// The text of the first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let open = format!("<{name}>");
    let begin = text.find(&open)? + open.len();
    let end = text[begin..].find(&format!("</{name}>"))?;
    Some(text[begin..begin + end].trim())
}

fn without_comments(text: &str) -> String {
    without(text, "<!--", "-->")
}

fn without_sections(text: &str, names: &[&str]) -> String {
    let mut rest = text.to_owned();
    for name in names {
        rest = without(&rest, &format!("<{name}>"), &format!("</{name}>"));
    }
    rest
}

fn without(text: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(open) {
        kept.push_str(&rest[..begin]);
        let end = rest[begin..].find(close).map(|end| begin + end + close.len());
        rest = end.map_or("", |end| &rest[end..]);
    }
    kept + rest
}

fn table(path: &str, text: &str) -> Result<Table, String> {
    text.parse().map_err(|error| format!("{path}: {error}"))
}

fn text_at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a str> {
    let (first, others) = keys.split_first()?;
    others.iter().try_fold(table.get(*first)?, |value, key| value.get(key))?.as_str()
}

const WORKSPACE: &str = "Cargo.toml";
const HEADER: &str = "include/wal.h";
const PACKAGES: [&str; 5] = ["bindings/", "wal-core/", "wal-ffi/", "wal-cli/", "examples/"];
/// Parts of a Maven project that have versions of other things.
const SECTIONS: [&str; 6] =
    ["parent", "dependencyManagement", "dependencies", "build", "profiles", "reporting"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_stayed_behind_is_found() {
        let text = include_str!("../../../include/wal.h");
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(header(HEADER, text, version), []);
        assert_eq!(header(HEADER, text, "0.1.9999").len(), 2);
    }

    #[test]
    fn a_crate_with_a_version_of_its_own_is_found() {
        let found =
            |text: &str| crate_manifest("Cargo.toml", text, "0.1.0").map(|found| found.len());
        assert_eq!(found("[package]\nversion.workspace = true\n"), Ok(0));
        assert_eq!(found("[package]\nversion = \"0.1.0\"\n"), Ok(1));
        assert_eq!(found("[package]\nname = \"a\"\n"), Ok(1));
    }

    #[test]
    fn a_python_project_of_another_version_is_found() {
        let found = |text: &str| python("pyproject.toml", text, "0.1.0").map(|found| found.len());
        assert_eq!(found("[project]\nversion = \"0.1.0\"\n"), Ok(0));
        assert_eq!(found("[project]\ndynamic = [\"version\"]\n"), Ok(0));
        assert_eq!(found("[project]\nversion = \"0.2.0\"\n"), Ok(1));
        assert_eq!(found("[project]\nname = \"libwal\"\n"), Ok(1));
    }

    #[test]
    fn a_composer_package_of_another_version_is_found() {
        let found = |text: &str| composer("composer.json", text, "0.1.0").map(|found| found.len());
        assert_eq!(found(r#"{"version": "0.1.0"}"#), Ok(0));
        assert_eq!(found(r#"{"version": "0.2.0"}"#), Ok(1));
        assert_eq!(found(r#"{"name": "libwal/libwal"}"#), Ok(1));
    }

    #[test]
    fn a_node_package_of_another_version_is_found() {
        let found = |text: &str| node("package.json", text, "0.1.0").map(|found| found.len());
        let right = r#"{"version": "0.1.0", "optionalDependencies": {"@libwal/linux": "0.1.0"}}"#;
        assert_eq!(found(right), Ok(0));
        assert_eq!(found(&right.replace("/linux\": \"0.1.0", "/linux\": \"0.0.9")), Ok(1));
        assert_eq!(found(r#"{"version": "0.2.0", "dependencies": {"tinybench": "2.0.0"}}"#), Ok(1));
        assert_eq!(found(r#"{"private": true, "dependencies": {"libwal": "file:.."}}"#), Ok(0));
        assert_eq!(found(r#"{"name": "libwal"}"#), Ok(1));
    }

    #[test]
    fn a_maven_project_of_another_version_is_found() {
        let found = |text: &str| maven("pom.xml", text, "0.1.0").len();
        let plugin = "<build><plugin><version>3.1</version></plugin></build>";
        let right = format!(
            "<project><!-- <version>9</version> -->{plugin}<version>0.1.0</version></project>"
        );
        assert_eq!(found(&right), 0);
        assert_eq!(found(&right.replace("0.1.0", "0.1.1")), 1);
        let property =
            "<properties><revision>0.1.0</revision></properties><version>${revision}</version>";
        assert_eq!(found(property), 0);
        let child = "<parent><groupId>io.libwal</groupId><version>0.1.0</version></parent>";
        assert_eq!(found(child), 0);
        assert_eq!(found(&child.replace("0.1.0", "0.0.1")), 1);
        let user = "<version>0.1.0</version><dependencies><dependency>\
                    <groupId>io.libwal</groupId><artifactId>libwal</artifactId>\
                    <version>0.0.9</version></dependency></dependencies>";
        assert_eq!(found(user), 1);
    }
}
