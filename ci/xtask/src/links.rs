//! What a Markdown document refers to.

/// A document's links, code and headings.
pub struct Document {
    /// Its path, relative to the checkout.
    pub path: String,
    /// The targets of its links.
    pub links: Vec<Span>,
    /// What stands in backticks, and each line of its code blocks.
    pub code: Vec<Span>,
    /// Its headings as links name them.
    pub headings: Vec<String>,
}

/// A piece of a document.
pub struct Span {
    /// Its line, counted from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

impl Document {
    /// Reads a document.
    pub fn new(path: &str, text: &str) -> Document {
        let mut document =
            Document { path: path.to_owned(), links: vec![], code: vec![], headings: vec![] };
        let mut in_block = false;
        for (index, line) in text.lines().enumerate() {
            let span = |text: &str| Span { line: index + 1, text: text.trim().to_owned() };
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            } else if in_block {
                // A line of a session starts with its prompt and may end with a comment.
                let command = line.trim().trim_start_matches("$ ");
                let command = command.split(" #").next().unwrap_or(command);
                if command.starts_with("make ") {
                    document.code.push(span(command));
                }
            } else {
                let (prose, code) = apart(line);
                document.code.extend(code.iter().map(|text| span(text)));
                document.links.extend(targets(&prose).iter().map(|text| span(text)));
                if line.starts_with('#') {
                    document.headings.push(slug(line.trim_start_matches('#').trim()));
                }
            }
        }
        document
    }
}

/// A line's prose and what stands in its backticks.
fn apart(line: &str) -> (String, Vec<String>) {
    let mut prose = String::new();
    let mut code = Vec::new();
    for (index, part) in line.split('`').enumerate() {
        match index % 2 {
            0 => prose.push_str(part),
            _ => code.push(part.to_owned()),
        }
    }
    (prose, code)
}

/// The targets of `[text](target)` and `[name]: target`.
fn targets(prose: &str) -> Vec<String> {
    let mut found = Vec::new();
    for after in prose.split("](").skip(1) {
        let target = after.split(')').next().unwrap_or(after);
        found.extend(target.split_whitespace().next().map(str::to_owned));
    }
    let named = prose.split_once("]: ").filter(|(name, _)| name.starts_with('['));
    if let Some((_, target)) = named {
        found.extend(target.split_whitespace().next().map(str::to_owned));
    }
    found
}

/// A heading as a link names it: lower case, blanks as hyphens, other signs left out.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_no_links() {
        let text = "[a](b) `[c](d)`\n```\n[e](f)\nmake g # h\n```\n[i]: j\n";
        let document = Document::new("x.md", text);
        let links: Vec<_> = document.links.iter().map(|span| span.text.as_str()).collect();
        let code: Vec<_> = document.code.iter().map(|span| span.text.as_str()).collect();
        assert_eq!(links, ["b", "j"]);
        assert_eq!(code, ["[c](d)", "make g"]);
    }

    #[test]
    fn headings_are_named_as_links_name_them() {
        let document = Document::new("x.md", "# The C ABI: `wal_open`\n## 2. Format v1\n");
        assert_eq!(document.headings, ["the-c-abi-wal_open", "2-format-v1"]);
    }
}
