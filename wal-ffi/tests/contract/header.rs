//! What `include/wal.h` promises, taken apart: the introduction, and every function with its
//! arguments and its documentation. Shared by the tests that hold somebody to it.
#![allow(dead_code)]

use std::path::PathBuf;

/// A declared function.
pub struct Function {
    pub name: String,
    pub arguments: Vec<Argument>,
    /// Its comment, one line after the other, without the comment's stars.
    pub doc: Vec<String>,
}

/// An argument of a function.
pub struct Argument {
    pub name: String,
    pub kind: String,
}

impl Argument {
    /// Whether it can be `NULL`.
    pub fn is_pointer(&self) -> bool {
        self.kind.contains('*') || self.kind.ends_with("_fn")
    }
}

impl Function {
    /// The text of the documentation after `- Errors: ` or another of its words.
    pub fn section(&self, word: &str) -> String {
        let start = format!("- {word}: ");
        let lines = self.doc.iter().skip_while(|line| !line.starts_with(&start));
        let mut text = String::new();
        for (number, line) in lines.enumerate() {
            if number > 0 && line.starts_with("- ") {
                break;
            }
            text.push_str(line.strip_prefix(&start).unwrap_or(line).trim());
            text.push(' ');
        }
        text.trim().to_owned()
    }

    /// Its first sentence.
    pub fn summary(&self) -> String {
        let lines = self.doc.iter().take_while(|line| !line.is_empty() && !line.starts_with("- "));
        let text = lines.cloned().collect::<Vec<_>>().join(" ");
        match text.split_once(". ") {
            Some((sentence, _)) => format!("{sentence}."),
            None => text,
        }
    }
}

/// The functions in the order of the header.
pub fn functions(header: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut doc: Vec<String> = Vec::new();
    let mut lines = header.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("/**") {
            doc = comment(line, &mut lines);
            continue;
        }
        let is_function = line.starts_with(|c: char| c.is_ascii_lowercase())
            && !line.starts_with("typedef")
            && line.contains(" wal_") | line.contains("*wal_")
            && line.contains('(');
        if !is_function {
            continue;
        }
        let mut declaration = line.to_owned();
        while !declaration.ends_with(';') {
            let next = lines.next().expect("a declaration ends");
            declaration.push(' ');
            declaration.push_str(next.trim());
        }
        functions.push(function(&declaration, std::mem::take(&mut doc)));
    }
    functions
}

/// The committed header.
pub fn header() -> String {
    let path = root().join("include/wal.h");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a generated file with the committed one, or writes it.
pub fn compare(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("WAL_UPDATE_HEADER").is_some() {
        std::fs::write(&file, expected).expect("the file is writable");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is old: run this test with WAL_UPDATE_HEADER=1");
}

/// The lines of a comment that begins in `first`.
pub fn comment<'a>(first: &str, rest: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut line = first;
    loop {
        let text = line.trim().trim_start_matches("/**").trim_end_matches("*/");
        let text = text.strip_prefix('*').unwrap_or(text);
        texts.push(text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned());
        if line.contains("*/") {
            break;
        }
        let Some(next) = rest.next() else { break };
        line = next;
    }
    texts.retain({
        let mut has_begun = false;
        move |text| {
            has_begun |= !text.is_empty();
            has_begun
        }
    });
    texts
}

fn function(declaration: &str, doc: Vec<String>) -> Function {
    let (before, after) = declaration.split_once('(').expect("a function has arguments");
    let name = before.rsplit([' ', '*']).next().expect("a name").to_owned();
    let inside = after.trim_end_matches(");");
    let arguments = inside.split(',').map(str::trim).filter(|argument| *argument != "void");
    let arguments = arguments
        .map(|argument| {
            let at = argument.rfind([' ', '*']).expect("a type and a name");
            let (kind, name) = argument.split_at(at + 1);
            Argument { name: name.to_owned(), kind: kind.trim().to_owned() }
        })
        .collect();
    Function { name, arguments, doc }
}
