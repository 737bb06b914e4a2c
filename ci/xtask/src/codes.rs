//! `bindings/codes.toml` against the engine, the C header and the document of the C API.

use crate::finding::{Finding, Outcome};
use crate::source::{Source, closing, leading_name};
use crate::table::{Codes, LIST, OpenOption};
use crate::tree::Tree;

/// Compares everything that carries a code or an option with the list.
///
/// # Errors
/// A file that is missing or cannot be read.
pub fn check(tree: &Tree) -> Outcome {
    let list = Codes::parse(&tree.read(LIST)?)?;
    let mut findings = numbers(&list);
    findings.extend(kinds(&list, &tree.read(ERRORS)?));
    findings.extend(options(&list, &tree.read(OPTIONS)?));
    findings.extend(header(&list, &tree.read(HEADER)?));
    match with_table(&list, &tree.read(DOCUMENT)?) {
        Some(text) if text == tree.read(DOCUMENT)? => {}
        Some(_) => findings.push(Finding::of_file(
            DOCUMENT,
            "the table of codes is out of date: cargo run -p xtask -- codes --write",
        )),
        None => findings.push(Finding::of_file(
            DOCUMENT,
            format!("no table of codes: it stands between `{BEGIN}` and `{END}`"),
        )),
    }
    Ok(findings)
}

/// Writes the table of the document, then checks everything.
///
/// # Errors
/// As [`check`], and a document that cannot be written.
pub fn write(tree: &Tree) -> Outcome {
    let list = Codes::parse(&tree.read(LIST)?)?;
    let text = tree.read(DOCUMENT)?;
    if let Some(renewed) = with_table(&list, &text).filter(|renewed| *renewed != text) {
        tree.write(DOCUMENT, &renewed)?;
    }
    check(tree)
}

/// Numbers are what programs were compiled with: dense, and none used twice. An option that need
/// not be given has a default, and only that.
fn numbers(list: &Codes) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (code, expected) in list.codes.iter().zip(1i64..) {
        if code.number != -expected {
            let text = format!("`{}` is {}, expected {}", code.name, code.number, -expected);
            findings.push(Finding::of_file(LIST, text));
        }
        if !code.next.ends_with('.') || code.next.contains('\n') {
            findings.push(Finding::of_file(LIST, format!("`{}`: one sentence", code.name)));
        }
    }
    for entry in &list.enums {
        // The first value is 0 where it is the default, 1 where 0 stands for somebody else's.
        let first = entry.values.first().map_or(0, |(_, number, _)| *number);
        for ((name, number, _), expected) in entry.values.iter().zip(first..) {
            if *number != expected || first > 1 {
                let text = format!("`{}` {name} is {number}, expected {expected}", entry.name);
                findings.push(Finding::of_file(LIST, text));
            }
        }
    }
    for option in &list.options {
        if option.kind.ends_with('?') == option.default.is_some() {
            let text = format!("`{}`: a default, or a type that ends in `?`", option.name);
            findings.push(Finding::of_file(LIST, text));
        }
    }
    findings
}

fn kinds(list: &Codes, errors: &str) -> Vec<Finding> {
    let engine = members(&Source::new(ERRORS, errors.to_owned()).code, "enum ErrorKind");
    let engine: Vec<&str> = engine.iter().map(|(name, _)| name.as_str()).collect();
    let listed: Vec<&str> = list.codes.iter().filter_map(|code| code.kind.as_deref()).collect();
    if engine == listed {
        return Vec::new();
    }
    let text = format!("the engine's kinds are {engine:?}, the list has {listed:?}");
    vec![Finding::of_file(LIST, text)]
}

fn options(list: &Codes, source: &str) -> Vec<Finding> {
    let code = Source::new(OPTIONS, source.to_owned()).code;
    let mut engine = Vec::new();
    for (name, kind) in members(&code, "struct Options") {
        match kind.as_str() {
            "Retention" => engine.extend(
                members(&code, "struct Retention")
                    .into_iter()
                    .map(|(inner, kind)| (format!("{name}_{inner}"), kind)),
            ),
            _ => engine.push((name, kind)),
        }
    }
    let mut findings = Vec::new();
    let listed: Vec<(String, String)> =
        list.options.iter().map(|o| (o.name.clone(), rust_type(list, &o.kind))).collect();
    for missing in engine.iter().filter(|option| !listed.contains(option)) {
        let text = format!("the engine's option `{}: {}` is missing", missing.0, missing.1);
        findings.push(Finding::of_file(LIST, text));
    }
    for extra in listed.iter().filter(|option| !engine.contains(option)) {
        let text = format!("the engine has no option `{}: {}`", extra.0, extra.1);
        findings.push(Finding::of_file(LIST, text));
    }
    for entry in &list.enums {
        let variants = members(&code, &format!("enum {}", entry.rust));
        let variants: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
        let listed: Vec<&str> = entry.values.iter().map(|(_, _, rust)| rust.as_str()).collect();
        if variants != listed {
            let text = format!("`{}` is {variants:?} in the engine, not {listed:?}", entry.rust);
            findings.push(Finding::of_file(LIST, text));
        }
    }
    findings
}

/// The engine's type for a type in the words of the list.
fn rust_type(list: &Codes, kind: &str) -> String {
    if let Some(inner) = kind.strip_suffix('?') {
        return format!("Option<{}>", rust_type(list, inner));
    }
    let named = list.enums.iter().find(|entry| entry.name == kind);
    match kind {
        "count" => "u64".to_owned(),
        "duration" => "Duration".to_owned(),
        "bool" => "bool".to_owned(),
        "lsn" => "Lsn".to_owned(),
        _ => named.map_or_else(|| format!("<{kind}?>"), |entry| entry.rust.clone()),
    }
}

/// The members of a struct or enum: name, and type where there is one.
fn members(code: &str, item: &str) -> Vec<(String, String)> {
    let starts = code.match_indices(item).find(|(at, _)| {
        let after = code[at + item.len()..].trim_start();
        after.starts_with('{')
    });
    let Some((start, _)) = starts else { return Vec::new() };
    let open = start + code[start..].find('{').unwrap_or(0);
    let body = &code[open + 1..closing(code, open)];
    body.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .map(|line| {
            let name = leading_name(line);
            let kind = line[name.len()..].trim_matches([':', ',', ' ']);
            (name.to_owned(), kind.to_owned())
        })
        .collect()
}

/// The header carries every code with its number, as a macro or as a constant of an enum, and every
/// option as a field.
fn header(list: &Codes, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let spaced: String = text.chars().map(|c| if "=,()".contains(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let carries = |name: &str, number: i64| {
        let number = number.to_string();
        words.windows(2).any(|pair| pair == [name, number.as_str()])
    };
    let codes = list.codes.iter().map(|code| (format!("WAL_ERR_{}", code.name), code.number));
    let values = list.enums.iter().flat_map(|entry| {
        let prefix = format!("WAL_{}", entry.name.to_uppercase());
        entry
            .values
            .iter()
            .map(move |(name, number, _)| (format!("{prefix}_{}", name.to_uppercase()), *number))
    });
    for (name, number) in codes.chain(values) {
        if !carries(&name, number) {
            findings.push(Finding::of_file(HEADER, format!("lacks `{name}` = {number}")));
        }
    }
    for field in list.options.iter().map(OpenOption::plain_name) {
        if !words.contains(&format!("{field};").as_str()) {
            findings.push(Finding::of_file(HEADER, format!("`wal_options` lacks `{field}`")));
        }
    }
    findings
}

/// The document with a fresh table, `None` if it has no place for one.
fn with_table(list: &Codes, document: &str) -> Option<String> {
    let begin = document.find(BEGIN)? + BEGIN.len();
    let end = begin + document[begin..].find(END)?;
    let table = list.markdown();
    Some(format!("{}\n{table}{}", &document[..begin], &document[end..]))
}

const ERRORS: &str = "wal-core/src/error.rs";
const OPTIONS: &str = "wal-core/src/options.rs";
const HEADER: &str = "include/wal.h";
const DOCUMENT: &str = "docs/C_API.md";
const BEGIN: &str = "<!-- codes: generated from bindings/codes.toml -->";
const END: &str = "<!-- codes: end -->";

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Value;
    use wal_core::{AtCapacity, Io, Level, Options, ReadMode};

    fn list() -> Codes {
        Codes::parse(include_str!("../../../bindings/codes.toml")).unwrap()
    }

    const ENGINE_ERRORS: &str = include_str!("../../../wal-core/src/error.rs");
    const ENGINE_OPTIONS: &str = include_str!("../../../wal-core/src/options.rs");

    #[test]
    fn a_reused_or_skipped_number_is_found() {
        let mut list = list();
        assert_eq!(numbers(&list), []);
        list.codes[3].number = -3;
        list.enums[0].values[1].1 = 1;
        list.options[0].default = None;
        assert_eq!(numbers(&list).len(), 3);
    }

    #[test]
    fn a_kind_the_list_lacks_is_found() {
        assert_eq!(kinds(&list(), ENGINE_ERRORS), []);
        let grown = ENGINE_ERRORS.replace("    Internal,\n}", "    Internal,\n    Other,\n}");
        assert_eq!(kinds(&list(), &grown).len(), 1);
    }

    #[test]
    fn an_option_on_one_side_only_is_found() {
        assert_eq!(options(&list(), ENGINE_OPTIONS), []);
        let renamed = ENGINE_OPTIONS.replace("pub ring_bytes: u64", "pub ring_size: u64");
        assert_eq!(options(&list(), &renamed).len(), 2);
        let retyped = ENGINE_OPTIONS.replace("pub create: bool", "pub create: u64");
        assert_eq!(options(&list(), &retyped).len(), 2);
        let fewer = ENGINE_OPTIONS.replace("    Direct,\n", "");
        assert_eq!(options(&list(), &fewer).len(), 1);
    }

    #[test]
    fn the_kinds_stand_in_the_order_of_their_numbers() {
        let listed: Vec<_> = list().codes.into_iter().filter_map(|code| code.kind).collect();
        let engine = wal_core::ErrorKind::ALL.map(|kind| format!("{kind:?}"));
        assert_eq!(listed, engine);
    }

    #[test]
    fn the_defaults_are_the_engines() {
        let list = list();
        let engine = Options::default();
        let default = |name: &str| {
            list.options.iter().find(|option| option.name == name).and_then(|o| o.default.clone())
        };
        let counts = [
            ("segment_bytes", engine.segment_bytes),
            ("record_bytes_max", engine.record_bytes_max),
            ("batch_bytes_max", engine.batch_bytes_max),
            ("ring_bytes", engine.ring_bytes),
            ("max_batch_bytes", engine.max_batch_bytes),
            ("max_batch_delay", engine.max_batch_delay.as_micros() as u64),
            ("lock_wait", engine.lock_wait.as_millis() as u64),
            ("first_lsn", engine.first_lsn.get()),
        ];
        for (name, count) in counts {
            assert_eq!(default(name), Some(Value::Integer(count as i64)), "{name}");
        }
        for (name, on) in [("create", engine.create), ("pad_to_block", engine.pad_to_block)] {
            assert_eq!(default(name), Some(Value::Boolean(on)), "{name}");
        }
        let words = [
            ("level", engine.level == Level::Disk, "disk"),
            ("at_capacity", engine.at_capacity == AtCapacity::Reject, "reject"),
            ("io", engine.io == Io::Auto, "auto"),
            ("read_mode", engine.read_mode == ReadMode::Map, "map"),
        ];
        for (name, holds, word) in words {
            assert!(holds, "{name} is {word} in the list only");
            assert_eq!(default(name), Some(Value::String(word.to_owned())), "{name}");
        }
        for option in list.options.iter().filter(|option| option.kind.ends_with('?')) {
            assert_eq!(option.default, None, "{}", option.name);
        }
    }

    #[test]
    fn a_header_with_another_number_or_field_is_found() {
        let mut list = list();
        list.codes.truncate(1);
        list.enums.clear();
        list.options.retain(|option| option.name == "lock_wait");
        let found = |code: &str, field: &str| {
            header(
                &list,
                &format!(
                    "{code}
struct wal_options {{
  uint64_t {field};
}};
"
                ),
            )
            .len()
        };
        for code in
            ["#define WAL_ERR_INVALID -1", "#define WAL_ERR_INVALID (-1)", "WAL_ERR_INVALID = -1,"]
        {
            assert_eq!(found(code, "lock_wait_ms"), 0, "{code}");
        }
        assert_eq!(found("#define WAL_ERR_INVALID -10", "lock_wait_ms"), 1);
        assert_eq!(found("#define WAL_ERR_INVALID -1", "lock_wait"), 1);
    }

    #[test]
    fn the_table_of_the_document_is_renewed_in_its_place() {
        let list = list();
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let renewed = with_table(&list, &text).unwrap();
        assert!(renewed.starts_with("before\n") && renewed.ends_with("after\n"));
        assert!(!renewed.contains("old") && renewed.contains("| `WAL_ERR_PANIC` | -17 |"));
        assert_eq!(with_table(&list, &renewed).unwrap(), renewed);
        assert_eq!(with_table(&list, "no place"), None);
    }
}
