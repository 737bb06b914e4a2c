//! One thing to mend, and where.

use std::fmt;

/// What a check returns: the findings, or why it could not look.
pub type Outcome = Result<Vec<Finding>, String>;

/// One thing to mend. Ordered by place, so that the output does not depend on the order of checks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the checkout.
    pub path: String,
    /// The line, counted from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and what to do instead.
    pub text: String,
}

impl Finding {
    /// A finding at a line (counted from 1).
    pub fn at(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, text: text.into() }
    }

    /// A finding about a whole file.
    pub fn of_file(path: &str, text: impl Into<String>) -> Finding {
        Finding::at(path, 0, text)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}
