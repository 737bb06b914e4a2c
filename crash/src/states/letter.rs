//! The alphabet of workloads.

use std::fmt;

/// One operation of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// Appends a small record.
    Append,
    /// Appends a record that makes a rotation come soon: a few sectors with bytes, zeros between.
    Large,
    /// Appends a batch of three records over several sectors.
    Batch,
    /// Appends a small record that is acknowledged when the kernel has it.
    Os,
    /// Makes everything durable.
    Sync,
    /// Appends a record that fits no segment but an empty one.
    Rotate,
    /// Trims all but the last record.
    Trim,
    /// Truncates the last record.
    Truncate,
    /// Rotates, trims to the newest segment, and lets the file left over become a spare.
    Recycle,
    /// Changes two values at once.
    Value,
    /// Closes; what follows opens again.
    Close,
    /// The process dies, and another one opens.
    Reopen,
}

impl Letter {
    /// All of them.
    pub const ALL: [Letter; 12] = [
        Letter::Append,
        Letter::Large,
        Letter::Batch,
        Letter::Os,
        Letter::Sync,
        Letter::Rotate,
        Letter::Trim,
        Letter::Truncate,
        Letter::Recycle,
        Letter::Value,
        Letter::Close,
        Letter::Reopen,
    ];

    fn name(self) -> &'static str {
        match self {
            Letter::Append => "append",
            Letter::Large => "large",
            Letter::Batch => "batch",
            Letter::Os => "os",
            Letter::Sync => "sync",
            Letter::Rotate => "rotate",
            Letter::Trim => "trim",
            Letter::Truncate => "truncate",
            Letter::Recycle => "recycle",
            Letter::Value => "value",
            Letter::Close => "close",
            Letter::Reopen => "reopen",
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The workload with these names, separated by commas; `-` is the one that only opens.
pub fn parse(text: &str) -> Option<Vec<Letter>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let letter = |name: &str| Letter::ALL.into_iter().find(|letter| letter.name() == name);
    text.split(',').map(letter).collect()
}
