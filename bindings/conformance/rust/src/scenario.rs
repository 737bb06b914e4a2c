//! A line of a scenario: an operation and its words.

use std::cell::Cell;
use std::str::FromStr;

use crate::literal::read_bytes;

/// One operation. Words are taken out by name; what nobody took is a mistake of the scenario.
pub struct Line<'a> {
    /// The line as it stands.
    pub text: &'a str,
    /// The operation.
    pub name: &'a str,
    words: Vec<(&'a str, &'a str, Cell<bool>)>,
}

/// The lines that are operations, in order.
///
/// # Errors
/// A line that is not `NAME key=value ...` in ASCII, with its number.
pub fn operations(text: &str) -> Result<Vec<Line<'_>>, String> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            parse(line).ok_or_else(|| format!("line {} is no operation: {line}", index + 1))
        })
        .collect()
}

fn parse(text: &str) -> Option<Line<'_>> {
    let mut parts = text.split(' ');
    let name = parts.next().filter(|name| !name.is_empty() && text.is_ascii())?;
    let words = parts.map(|part| {
        let (key, value) = part.split_once('=')?;
        Some((key, value, Cell::new(false)))
    });
    Some(Line { text, name, words: words.collect::<Option<_>>()? })
}

impl<'a> Line<'a> {
    /// The value of a word, if it is there.
    pub fn optional(&self, key: &str) -> Option<&'a str> {
        let (_, value, taken) = self.words.iter().find(|(name, ..)| *name == key)?;
        taken.set(true);
        Some(value)
    }

    /// The value of a word that must be there.
    ///
    /// # Errors
    /// That it is missing.
    pub fn word(&self, key: &str) -> Result<&'a str, String> {
        self.optional(key).ok_or_else(|| format!("lacks {key}="))
    }

    /// The value of a word that may be left out, as a number or whatever else is parsed from text.
    ///
    /// # Errors
    /// A value that is none.
    pub fn parsed<T: FromStr>(&self, key: &str) -> Result<Option<T>, String> {
        let Some(value) = self.optional(key) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| format!("{key}={value} is out of the question"))
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// That it is missing or no number.
    pub fn number<T: FromStr>(&self, key: &str) -> Result<T, String> {
        self.parsed(key)?.ok_or_else(|| format!("lacks {key}="))
    }

    /// 1 or 0; the default if it is left out.
    ///
    /// # Errors
    /// Another value.
    pub fn yes(&self, key: &str, default: bool) -> Result<bool, String> {
        match self.optional(key) {
            None => Ok(default),
            Some("1") => Ok(true),
            Some("0") => Ok(false),
            Some(other) => Err(format!("{key}={other} is neither 1 nor 0")),
        }
    }

    /// Bytes that must be there.
    ///
    /// # Errors
    /// That they are missing or no literal.
    pub fn bytes(&self, key: &str) -> Result<Vec<u8>, String> {
        let literal = self.word(key)?;
        read_bytes(literal).ok_or_else(|| format!("{key}={literal} is no literal"))
    }

    /// The items of a list that must be there.
    ///
    /// # Errors
    /// That it is missing.
    pub fn items(&self, key: &str) -> Result<Vec<&'a str>, String> {
        let list = self.word(key)?;
        Ok(if list.is_empty() { Vec::new() } else { list.split(',').collect() })
    }

    /// A list of bytes that must be there.
    ///
    /// # Errors
    /// That it is missing or holds something else.
    pub fn many_bytes(&self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let item = |literal: &str| read_bytes(literal).ok_or(format!("{literal} is no literal"));
        self.items(key)?.into_iter().map(item).collect()
    }

    /// Sees that every word was looked at.
    ///
    /// # Errors
    /// Those that were not.
    pub fn all_taken(&self) -> Result<(), String> {
        let left = self.words.iter().filter(|(.., taken)| !taken.get());
        let left: Vec<&str> = left.map(|(key, ..)| *key).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("does not know {}", left.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_operation_is_refused() {
        for wrong in ["append record", " append", "append  record=text:", "append record=\u{e9}"] {
            assert!(operations(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn comments_and_empty_lines_are_no_operations() {
        let lines = operations("# one\n\nopen dir=a level=os\nclose\n").expect("operations");
        let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
        assert_eq!(names, ["open", "close"]);
        assert_eq!(lines[0].word("level"), Ok("os"));
        assert_eq!(lines[0].all_taken(), Err("does not know dir".to_owned()));
    }

    #[test]
    fn a_value_ends_at_the_space_alone() {
        let lines = operations("append record=text:a=b,c").expect("operations");
        assert_eq!(lines[0].word("record"), Ok("text:a=b,c"));
        assert_eq!(lines[0].items("record"), Ok(vec!["text:a=b", "c"]));
        let lines = operations("append_batch records=").expect("operations");
        assert_eq!(lines[0].many_bytes("records"), Ok(vec![]));
    }
}
