//! A Rust source as the checks see it: its text, and its code without comments, strings and tests.

/// A Rust source.
pub struct Source {
    /// Its path, relative to the checkout.
    pub path: String,
    /// What stands in the file.
    pub text: String,
    /// The text with the insides of comments, strings and characters blanked: the same lines and
    /// columns, only code.
    pub code: String,
    /// `code` with the items under `#[cfg(test)]` blanked too: what is shipped.
    pub shipped: String,
}

impl Source {
    /// A source from its text.
    pub fn new(path: &str, text: String) -> Source {
        let code = without_words(&text);
        let shipped = without_tests(&code);
        Source { path: path.to_owned(), text, code, shipped }
    }

    /// Whether the whole file is a test: in a `tests` directory, or a module named so.
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "fuzz"))
    }

    /// Whether the file says that a program wrote it.
    pub fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|line| line.contains("generated from"))
    }

    /// The path's last part.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Where the bracket opened at `open` (a byte index) closes, or the end of a text that lacks it.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The line of a byte index, counted from 1.
pub fn line_of(code: &str, at: usize) -> usize {
    1 + code.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The byte indices of a word that stands alone, not inside a longer name.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(is_name);
        !inside(before) && !inside(after)
    })
}

/// Whether a character can be part of a name.
pub fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The name at the start of `code`, empty if there is none.
pub fn leading_name(code: &str) -> &str {
    let end = code.find(|c| !is_name(c)).unwrap_or(code.len());
    &code[..end]
}

/// The text with everything that is not code replaced by blanks, byte for byte.
fn without_words(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest),
            '\'' => character(rest),
            _ if code.ends_with(is_name) => 0,
            'r' | 'b' | 'c' => prefixed(rest),
            _ => 0,
        };
        if skip == 0 {
            let blanks = "    ".chars().take(first.len_utf8());
            code.extend(blanks.map(|blank| if first.is_ascii() { first } else { blank }));
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skip].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            rest = &rest[skip..];
        }
    }
    code
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a string with escapes, from quote to quote.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal, or 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// The length of a literal that starts with letters (`b"..."`, `b'x'`), or 0 for a name.
fn prefixed(rest: &str) -> usize {
    let letters = rest.find(|c| !matches!(c, 'r' | 'b' | 'c')).unwrap_or(rest.len());
    let after = &rest[letters..];
    if letters > 2 {
        return 0;
    }
    if rest[..letters].contains('r') {
        let hashes = after.find(|c| c != '#').unwrap_or(after.len());
        if !after[hashes..].starts_with('"') {
            return 0;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = &after[hashes + 1..];
        let found = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return letters + hashes + 1 + found;
    }
    match after.chars().next() {
        Some('"') => letters + quoted(after),
        Some('\'') if rest.starts_with('b') => letters + character(after),
        _ => 0,
    }
}

/// The code with every item under `#[cfg(test)]` blanked.
fn without_tests(code: &str) -> String {
    let mut shipped = code.to_owned();
    for marker in ["#[cfg(test)]", "#[cfg(all(test", "#[cfg(all(loom", "#[cfg(loom)]"] {
        while let Some(start) = shipped.find(marker) {
            let after = closing(&shipped, start + 1) + 1;
            let item = &shipped[after.min(shipped.len())..];
            let end = match item.find(['{', ';']) {
                Some(at) if item.as_bytes()[at] == b'{' => closing(&shipped, after + at) + 1,
                Some(at) => after + at + 1,
                None => shipped.len(),
            };
            let blank: String = shipped[start..end.min(shipped.len())]
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
                .collect();
            shipped.replace_range(start..end.min(shipped.len()), &blank);
        }
    }
    shipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let code = without_words("a // unsafe\n/* x /* unsafe */ y */ b \"un\\\"safe\" c");
        assert!(!code.contains("safe"), "{code}");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn raw_strings_and_characters_are_no_code_and_lifetimes_are() {
        let text = "r#\"dbg \" x\"# b'{' '\\'' '{' &'a str br\"}\" for_x";
        let code = without_words(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["&'a", "str", "for_x"]);
    }

    #[test]
    fn lines_stay_where_they_were() {
        let text = "one\n\"two\nthree\"\n/* four\n*/ five\n";
        let code = without_words(text);
        assert_eq!(line_of(&code, code.find("five").unwrap()), 5);
    }

    #[test]
    fn items_for_tests_are_not_shipped() {
        let source = Source::new(
            "a.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[cfg(test)]\nuse c;\nfn d() {}"
                .into(),
        );
        assert!(source.shipped.contains("fn a") && source.shipped.contains("fn d"));
        assert!(!source.shipped.contains("fn b") && !source.shipped.contains("use c"));
    }
}
