//! The name of a state, by which it is had again.

use std::fmt;
use std::str::FromStr;

use super::letter::{Letter, parse};

/// A workload, a moment of it, and what was left then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The workload.
    pub letters: Vec<Letter>,
    /// After how many operations of the file system.
    pub op: usize,
    /// What has arrived, choice by choice; nothing of the kind when the process died.
    pub left: Option<Vec<usize>>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: Vec<_> = self.letters.iter().map(Letter::to_string).collect();
        let letters = if letters.is_empty() { "-".into() } else { letters.join(",") };
        write!(f, "{letters}@{}:", self.op)?;
        match &self.left {
            None => f.write_str("death"),
            Some(choices) if choices.is_empty() => f.write_str("loss"),
            Some(choices) => {
                let choices: Vec<_> = choices.iter().map(usize::to_string).collect();
                f.write_str(&choices.join("."))
            }
        }
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Case, String> {
        let wrong = || format!("`{text}` is no state: it looks like append,trim@17:1.0.1");
        let (letters, rest) = text.split_once('@').ok_or_else(wrong)?;
        let (op, left) = rest.split_once(':').ok_or_else(wrong)?;
        Ok(Case {
            letters: parse(letters).ok_or_else(wrong)?,
            op: op.parse().map_err(|_| wrong())?,
            left: match left {
                "death" => None,
                "loss" => Some(Vec::new()),
                left => {
                    let choices = left.split('.').map(str::parse).collect::<Result<_, _>>();
                    Some(choices.map_err(|_| wrong())?)
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_state_leads_back_to_it() {
        for name in ["-@0:loss", "append,trim@17:1.0.2", "os,reopen@3:death"] {
            assert_eq!(name.parse::<Case>().map(|case| case.to_string()), Ok(name.to_owned()));
        }
        for name in ["", "append@", "append@x:1", "other@1:1", "append@1:1.x"] {
            assert!(name.parse::<Case>().is_err(), "{name}");
        }
    }
}
