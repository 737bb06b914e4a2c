//! Old programs and new libraries: what is compiled with a header of an earlier or a later version
//! works with this library, as far as the rules of growing go (docs/C_API.md, "Structs that grow").
//!
//! `abi/wal-0.1.h` is the header programs of 0.1 are compiled with. It is never edited: a break on
//! purpose puts a new one in its place, in the same change.

#[path = "contract/header.rs"]
mod contract;
#[path = "contract/program.rs"]
mod program;

use std::collections::BTreeMap;

use program::Build;

#[test]
fn whatever_was_declared_is_declared_still() {
    let (old, new) = (functions(&baseline()), functions(&contract::header()));
    assert!(old.len() > 60, "{}", old.len());
    for (name, declaration) in old {
        assert_eq!(new.get(&name), Some(&declaration), "{name} was part of the baseline");
    }
}

#[test]
fn structs_grow_at_their_end_and_numbers_stay() {
    let (old, new) = (bodies(&baseline()), bodies(&contract::header()));
    assert!(old.len() > 20, "{:?}", old.keys());
    for (name, members) in old {
        let found = new.get(&name).unwrap_or_else(|| panic!("{name} is gone"));
        let is_enum = name.starts_with("enum ");
        for (place, member) in members.iter().enumerate() {
            let is_kept = match is_enum {
                true => found.contains(member),
                false => found.get(place) == Some(member),
            };
            assert!(is_kept, "{name}: `{member}` is not where it was");
        }
        let has_grown = found.len() > members.len();
        let may_grow =
            is_enum || members.first().is_some_and(|first| first.contains("struct_size"));
        assert!(
            !has_grown || may_grow,
            "{name} has no struct_size: nobody can tell how long it is"
        );
    }
}

#[test]
fn a_program_compiled_with_the_baseline_runs_with_this_library() {
    let build = Build::with_header(&baseline());
    for name in ["main_job", "reading", "checking", "values", "notify", "packed"] {
        build.compile_and_run(name);
    }
}

#[test]
fn a_program_compiled_with_a_later_header_runs_with_this_library() {
    let mut header = contract::header();
    for name in ["wal_options", "wal_append_options", "wal_stats", "wal_info", "wal_copy_report"] {
        let end = format!("\n}} {name};");
        assert!(header.contains(&end), "{name}");
        header = header.replace(&end, &format!("\n    uint64_t of_a_later_version;{end}"));
    }
    let build = Build::with_header(&header);
    for name in ["main_job", "reading", "checking", "values"] {
        build.compile_and_run(name);
    }
}

fn baseline() -> String {
    let path = contract::root().join("wal-ffi/abi/wal-0.1.h");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every function by its name, with its declaration.
fn functions(header: &str) -> BTreeMap<String, String> {
    let text = without_comments(header);
    let statements = text.split(';').map(|text| text.split_whitespace().collect::<Vec<_>>());
    statements
        .map(|words| words.join(" "))
        .filter(|text| !text.contains("typedef") && text.contains("wal_") && text.ends_with(')'))
        .map(|text| {
            let before = text.split('(').next().unwrap_or_default();
            let name = before.rsplit([' ', '*']).next().unwrap_or_default().to_owned();
            (name, text)
        })
        .collect()
}

/// Every struct and enum by its name, with its members in order.
fn bodies(header: &str) -> BTreeMap<String, Vec<String>> {
    let text = without_comments(header);
    let mut bodies = BTreeMap::new();
    for (kind, separator) in [("struct", ';'), ("enum", ',')] {
        for part in text.split(&format!("typedef {kind} ")).skip(1) {
            let Some((name, rest)) = part.split_once('{') else { continue };
            if name.contains(';') {
                continue;
            }
            let body = rest.split('}').next().unwrap_or_default();
            let members = body
                .split(separator)
                .map(|member| member.split_whitespace().collect::<Vec<_>>().join(" "))
                .filter(|member| !member.is_empty())
                .collect();
            bodies.insert(format!("{kind} {}", name.trim()), members);
        }
    }
    bodies
}

fn without_comments(header: &str) -> String {
    let mut parts = header.split("/*");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once("*/").map_or("", |(_, after)| after));
    }
    let is_code = |line: &&str| !line.starts_with('#') && !line.contains("extern \"C\"");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}
