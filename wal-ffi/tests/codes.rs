//! `bindings/codes.toml`, from which every language takes its names and numbers, says what the
//! library does.

use std::ffi::CStr;
use std::path::PathBuf;

#[test]
fn every_listed_code_has_its_number_and_name_here() {
    let list = list();
    let codes: Vec<_> = list.iter().filter(|entry| entry.table == "code").collect();
    assert_eq!(codes.len(), 17, "the codes below WAL_OK");
    for code in codes {
        let number: i32 = code.value("number").parse().expect("a number");
        let name = format!("WAL_ERR_{}", code.value("name").trim_matches('"'));
        assert_eq!(name_of(number), name);
    }
    assert_eq!(name_of(0), "WAL_OK");
    assert_eq!(name_of(-18), "WAL_ERR_UNKNOWN", "a code is missing in the list");
}

#[test]
fn every_listed_choice_and_option_is_in_the_header() {
    let header = read("../include/wal.h");
    let list = list();
    for entry in list.iter().filter(|entry| entry.table == "enum") {
        let prefix = entry.value("name").trim_matches('"').to_uppercase();
        for (name, number) in entry.values() {
            let line = format!("WAL_{prefix}_{} = {number},", name.to_uppercase());
            assert!(header.contains(&line), "include/wal.h lacks `{line}`");
        }
    }
    let options: Vec<_> = list.iter().filter(|entry| entry.table == "option").collect();
    assert!(options.len() > 15);
    for option in options {
        let name = option.value("name").trim_matches('"').to_owned();
        let unit = option.find("unit").map(|unit| format!("_{}", unit.trim_matches('"')));
        let field = format!(" {name}{};", unit.unwrap_or_default());
        assert!(header.contains(&field), "wal_options lacks `{field}`");
    }
}

/// One `[[table]]` of the list with its lines.
struct Entry {
    table: String,
    lines: Vec<String>,
}

impl Entry {
    fn find(&self, key: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then_some(value.trim())
        })
    }

    fn value(&self, key: &str) -> &str {
        self.find(key).unwrap_or_else(|| panic!("{:?} lacks {key}", self.lines))
    }

    /// The `{ name = "x", number = 1, .. }` lines of an enum.
    fn values(&self) -> Vec<(String, i64)> {
        let inner = self.lines.iter().filter_map(|line| line.trim().strip_prefix('{'));
        inner
            .map(|line| {
                let part = |key: &str| {
                    let field = line.split(['{', ',', '}']).find_map(|field| {
                        let (name, value) = field.split_once('=')?;
                        (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
                    });
                    field.unwrap_or_else(|| panic!("{line} lacks {key}"))
                };
                (part("name"), part("number").parse().expect("a number"))
            })
            .collect()
    }
}

fn list() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in read("../bindings/codes.toml").lines() {
        if let Some(table) = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
            entries.push(Entry { table: table.to_owned(), lines: Vec::new() });
        } else if let Some(entry) = entries.last_mut() {
            entry.lines.push(line.to_owned());
        }
    }
    entries
}

fn name_of(code: i32) -> String {
    // SAFETY: the function returns a static, terminated text.
    let name = unsafe { CStr::from_ptr(wal::wal_code_name(code)) };
    name.to_str().expect("ASCII").to_owned()
}

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
