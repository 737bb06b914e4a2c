//! The layers of the engine: a module uses what lies below it or beside it, never what lies above.

use crate::finding::Finding;
use crate::source::{Source, closing, is_name, leading_name, line_of};
use crate::tree::Tree;

/// The modules of `wal-core`, lowest layer first. Every module is in exactly one layer.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "words",
        &[
            "lsn", "checksum", "le", "limits", "error", "event", "listener", "options", "stats",
            "sync", "time",
        ],
    ),
    ("the system", &["vfs", "memory"]),
    ("bytes", &["frame", "packed"]),
    ("one segment", &["segment", "record"]),
    ("the state file", &["state"]),
    (
        "behaviour",
        &[
            "append",
            "background",
            "growth",
            "keeper",
            "live",
            "meters",
            "notify",
            "recovery",
            "spares",
            "tail",
            "trim",
            "truncate",
            "views",
        ],
    ),
    (
        "the API",
        &[
            "log",
            "appender",
            "check",
            "completions",
            "copy",
            "cursor",
            "destroy",
            "fixture",
            "follow",
            "fuzzing",
            "lookup",
            "position",
            "read_only",
            "replay",
            "models",
            "simulation",
            "values",
        ],
    ),
];

/// Modules that do not know each other, although their layers would allow it.
const STRANGERS: &[(&str, &str)] = &[("frame", "vfs")];

/// Checks every shipped line of the engine's sources.
///
/// # Errors
/// A source that cannot be read.
pub fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    let contents = match tree.read(&format!("{SOURCES}lib.rs")) {
        Ok(text) => Source::new("lib.rs", text).code,
        Err(_) => return Ok(Vec::new()),
    };
    let mut findings = Vec::new();
    for file in tree.rust_files()? {
        let inside = file
            .path
            .strip_prefix(SOURCES)
            .filter(|inside| *inside != "lib.rs" && !inside.ends_with("tests.rs"));
        if let Some(inside) = inside {
            findings.extend(check_file(&file, inside, &contents));
        }
    }
    Ok(findings)
}

fn check_file(file: &Source, inside: &str, contents: &str) -> Vec<Finding> {
    let module = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
    let Some(layer) = layer_of(module) else {
        let text = format!("module `{module}` has no layer: add it to ci/xtask/src/layers.rs");
        return vec![Finding::of_file(&file.path, text)];
    };
    let mut findings = Vec::new();
    for (at, name) in uses(&file.shipped, inside) {
        let line = line_of(&file.shipped, at);
        let used = match layer_of(&name) {
            Some(_) => Some(name.clone()),
            None => exporter(contents, &name),
        };
        let Some(used) = used else {
            let text = format!("`crate::{name}`: name the module it comes from");
            findings.push(Finding::at(&file.path, line, text));
            continue;
        };
        let upward = layer_of(&used) > Some(layer);
        if upward || STRANGERS.contains(&(module, used.as_str())) {
            let text = format!("`{module}` uses `{used}`: dependencies go down the layers only");
            findings.push(Finding::at(&file.path, line, text));
        }
    }
    findings
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The names right below the crate's root that a file uses, and where.
fn uses(code: &str, inside: &str) -> Vec<(usize, String)> {
    let depth = inside.split('/').filter(|part| *part != "mod.rs").count();
    let root = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", root.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            // `$crate::` is the caller's way back, `super::super::` more than this one.
            if before.is_some_and(|c| is_name(c) || c == '$' || c == ':') {
                continue;
            }
            let after = &code[at + prefix.len()..];
            let names = match after.starts_with('{') {
                true => group(&after[..closing(after, 0)]),
                false => vec![leading_name(after).to_owned()],
            };
            let names = names.into_iter().filter(|name| name != "super" && name != "self");
            found.extend(names.map(|name| (at, name)));
        }
    }
    found
}

/// The first names in `{a::b, c::{d, e}`.
fn group(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut fresh = false;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if fresh && is_name(c) && depth == 1 {
            names.push(leading_name(&text[at..]).to_owned());
            fresh = false;
        }
        fresh |= depth == 1 && matches!(c, '{' | ',');
    }
    names
}

/// The module that `lib.rs` exports a name from.
fn exporter(contents: &str, name: &str) -> Option<String> {
    let exports = contents.split(';').filter_map(|item| item.split("pub use ").nth(1));
    for export in exports {
        let path = export.trim().trim_start_matches("crate::");
        let module = leading_name(path);
        if crate::source::words(&path[module.len()..], name).next().is_some() {
            return Some(module.to_owned());
        }
    }
    None
}

const SOURCES: &str = "wal-core/src/";

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENTS: &str = "mod log; pub use error::{Error, ErrorKind}; pub use log::Log;";

    fn findings(inside: &str, text: &str) -> Vec<Finding> {
        check_file(&Source::new(&format!("{SOURCES}{inside}"), text.into()), inside, CONTENTS)
    }

    #[test]
    fn downward_and_sideways_uses_are_right() {
        assert_eq!(findings("log.rs", "use crate::append::Ring; use crate::cursor::Cursor;"), []);
        assert_eq!(findings("segment/scan.rs", "use crate::{frame::a, vfs::{b, c}};"), []);
        assert_eq!(findings("vfs/mem.rs", "use super::File; use crate::error::Error;"), []);
    }

    #[test]
    fn an_upward_use_is_found_in_every_spelling() {
        let spellings = [
            "use crate::log::Log;",
            "use crate::{error::Error, log::{A, B}};",
            "fn a() { crate::log::open() }",
            "fn a() { super::super::log::open() }",
            "pub(crate) use crate::Log;",
        ];
        for text in spellings {
            assert_eq!(findings("frame/encode.rs", text).len(), 1, "{text}");
        }
        assert_eq!(findings("frame.rs", "use super::log::Log;").len(), 1);
        assert_eq!(findings("frame/mod.rs", "use super::log::Log;").len(), 1);
    }

    #[test]
    fn the_system_and_the_bytes_do_not_know_each_other() {
        assert_eq!(findings("frame/encode.rs", "use crate::vfs::File;").len(), 1);
        assert_eq!(findings("vfs/mem.rs", "use crate::frame::encode;").len(), 1);
    }

    #[test]
    fn an_unknown_module_is_found() {
        assert_eq!(findings("gadgets.rs", "").len(), 1);
        assert_eq!(findings("log.rs", "use crate::gadgets::Gadget;").len(), 1);
    }

    #[test]
    fn a_name_through_the_root_belongs_to_its_module() {
        assert_eq!(findings("segment/scan.rs", "fn a() -> crate::Error {}"), []);
        assert_eq!(findings("segment/scan.rs", "fn a() -> crate::Other {}").len(), 1);
    }

    #[test]
    fn tests_and_documents_may_name_what_is_above() {
        let text = "//! See [`crate::log::Log`].\n#[cfg(test)]\nmod tests { use crate::log::Log; }";
        assert_eq!(findings("frame/mod.rs", text), []);
    }

    #[test]
    fn every_module_is_in_one_layer() {
        let mut modules: Vec<_> = LAYERS.iter().flat_map(|(_, modules)| *modules).collect();
        modules.sort();
        let count = modules.len();
        modules.dedup();
        assert_eq!(modules.len(), count);
    }
}
