//! The shape of a Rust source: how long files and functions are, what they are called, and that
//! `lib.rs` and `mod.rs` are only tables of contents.

use crate::finding::Finding;
use crate::source::{Source, closing, leading_name, line_of, words};

/// Everything wrong with the shape of one source.
pub fn check(file: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if FILE_NAMES_REFUSED.contains(&file.name()) {
        findings.push(Finding::of_file(&file.path, "the name says nothing: name it by its noun"));
    }
    if file.is_test() || file.is_generated() {
        return findings;
    }
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(Finding::of_file(
            &file.path,
            format!(
                "{lines} lines, at most {FILE_LINES_MAX}: which noun inside wants its own file?"
            ),
        ));
    }
    findings.extend(long_functions(file));
    if matches!(file.name(), "lib.rs" | "mod.rs") {
        findings.extend(more_than_contents(file));
    }
    findings
}

fn long_functions(file: &Source) -> Vec<Finding> {
    let code = &file.shipped;
    let mut findings = Vec::new();
    for at in words(code, "fn") {
        let name = leading_name(code[at + 2..].trim_start());
        // Without a name it is the type of a function pointer.
        let Some(open) = (!name.is_empty()).then(|| body(code, at)).flatten() else { continue };
        let first = line_of(code, at);
        let lines = line_of(code, closing(code, open)) - first + 1;
        if lines > FUNCTION_LINES_MAX {
            findings.push(Finding::at(
                &file.path,
                first,
                format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}"),
            ));
        }
    }
    findings
}

/// Where the body of the function at `at` opens; a declaration in a trait has none.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut here = at;
    loop {
        here += code[here..].find(['(', '[', '{', ';'])?;
        match code.as_bytes().get(here)? {
            b'{' => return Some(here),
            b';' => return None,
            _ => here = closing(code, here) + 1,
        }
        if here >= code.len() {
            return None;
        }
    }
}

fn more_than_contents(file: &Source) -> Vec<Finding> {
    let code = &file.code;
    let mut findings = Vec::new();
    let mut here = 0;
    while let Some(skip) = code[here..].find(|c: char| !c.is_whitespace()) {
        here += skip;
        if code[here..].starts_with('#') {
            let open = here + code[here..].find('[').unwrap_or(0);
            here = closing(code, open) + 1;
            continue;
        }
        let end = here + code[here..].find([';', '{']).unwrap_or(code.len() - here - 1);
        let item = &code[here..end];
        let is_use = words(item, "use").next().is_some();
        let is_contents = is_use || words(item, "mod").next().is_some();
        if !is_contents || (!is_use && code[end..].starts_with('{')) {
            findings.push(Finding::at(
                &file.path,
                line_of(code, here),
                "lib.rs and mod.rs hold only docs, lints, `mod` and `pub use`: move the item",
            ));
        }
        here = match code[end..].starts_with('{') {
            true if is_use => end + code[end..].find(';').unwrap_or(0) + 1,
            true => closing(code, end) + 1,
            false => end + 1,
        };
        if here >= code.len() {
            break;
        }
    }
    findings
}

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_NAMES_REFUSED: &[&str] =
    &["utils.rs", "util.rs", "common.rs", "helpers.rs", "types.rs", "manager.rs", "misc.rs"];

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        check(&Source::new(path, text.to_owned()))
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_a_test_or_generated() {
        let text = "\n".repeat(501);
        assert_eq!(findings("a/src/b.rs", &text).len(), 1);
        assert_eq!(findings("a/src/b.rs", &text[1..]).len(), 0);
        assert_eq!(findings("a/tests/b.rs", &text).len(), 0);
        assert_eq!(findings("a/src/b.rs", &format!("// generated from c\n{text}")).len(), 0);
    }

    #[test]
    fn a_long_function_is_found_where_it_starts() {
        let long = format!("\nfn a(b: [u8; 3]) -> u8 {{\n{}}}\n", "b;\n".repeat(69));
        let found = findings("a.rs", &long);
        assert_eq!((found.len(), found[0].line), (1, 2));
        assert!(found[0].text.contains("`a` has 71 lines"), "{}", found[0].text);
        let short = long.replacen("b;\n", "", 1);
        assert_eq!(findings("a.rs", &short).len(), 0);
        let test = format!("#[cfg(test)]\nmod tests {{{long}}}");
        assert_eq!(findings("a.rs", &test).len(), 0);
    }

    #[test]
    fn declarations_and_function_pointers_have_no_body() {
        let text = format!("trait A {{ fn a(&self) -> u8; }} type B = fn(u8);{}", "\n".repeat(90));
        assert_eq!(findings("a.rs", &text).len(), 0);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert_eq!(findings("a/src/utils.rs", "").len(), 1);
        assert_eq!(findings("a/tests/common.rs", "").len(), 1);
    }

    #[test]
    fn an_item_in_a_table_of_contents_is_found() {
        let good =
            "//! A.\n#![deny(b)]\n#[cfg(c)]\nmod d;\npub mod e;\npub use d::{F, G};\nuse h;\n";
        assert_eq!(findings("a/src/lib.rs", good), []);
        assert_eq!(findings("a/src/lib.rs", &format!("{good}fn i() {{}}\n")).len(), 1);
        assert_eq!(findings("a/src/b/mod.rs", &format!("{good}mod k {{ }}\nstruct L;")).len(), 2);
        assert_eq!(findings("a/src/b.rs", "fn i() {}"), []);
    }
}
