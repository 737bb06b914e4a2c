//! What an operation of a workload does to a log, as a line that goes into the recording.

use std::fmt;
use std::str::FromStr;

/// The number of a record, from which its content follows, and its length.
pub type Numbered = (u64, usize);

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Appends records, all or none; `true` if that survives power loss when it returns.
    Append(bool, Vec<Numbered>),
    /// Trims everything before this LSN.
    Trim(u64),
    /// Removes everything after this LSN.
    Truncate(u64),
    /// Begins anew at this LSN.
    Reset(u64),
    /// Sets or removes values, all or none.
    Values(Vec<(u8, Option<Numbered>)>),
    /// Makes everything before it durable: `sync`, `close`.
    Sync,
    /// Opens the log, which changes nothing.
    Open,
    /// An opening served the records from the first LSN to before the second, and these values,
    /// each as the hash of its bytes.
    Opened(u64, u64, Vec<(u8, u64)>),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Append(durable, records) => {
                write!(f, "append {}", if *durable { "durable" } else { "pending" })?;
                records.iter().try_for_each(|(number, len)| write!(f, " {number}:{len}"))
            }
            Effect::Trim(before) => write!(f, "trim {before}"),
            Effect::Truncate(after) => write!(f, "truncate {after}"),
            Effect::Reset(next) => write!(f, "reset {next}"),
            Effect::Values(changes) => {
                write!(f, "values")?;
                changes.iter().try_for_each(|(key, value)| match value {
                    Some((number, len)) => write!(f, " {key}={number}:{len}"),
                    None => write!(f, " {key}=none"),
                })
            }
            Effect::Sync => write!(f, "sync"),
            Effect::Open => write!(f, "open"),
            Effect::Opened(first, next, values) => {
                write!(f, "opened {first} {next}")?;
                values.iter().try_for_each(|(key, hash)| write!(f, " {key}={hash}"))
            }
        }
    }
}

impl FromStr for Effect {
    type Err = String;

    fn from_str(line: &str) -> Result<Effect, String> {
        let mut words = line.split_whitespace();
        let effect = match words.next() {
            Some("append") => {
                let durable = words.next() == Some("durable");
                Effect::Append(durable, words.map(numbered).collect::<Option<_>>().ok_or(line)?)
            }
            Some("trim") => Effect::Trim(number(words.next()).ok_or(line)?),
            Some("truncate") => Effect::Truncate(number(words.next()).ok_or(line)?),
            Some("reset") => Effect::Reset(number(words.next()).ok_or(line)?),
            Some("values") => Effect::Values(words.map(change).collect::<Option<_>>().ok_or(line)?),
            Some("sync") => Effect::Sync,
            Some("open") => Effect::Open,
            Some("opened") => {
                let first = number(words.next()).ok_or(line)?;
                let next = number(words.next()).ok_or(line)?;
                let values = words.map(|word| {
                    let (key, hash) = word.split_once('=')?;
                    Some((key.parse().ok()?, hash.parse().ok()?))
                });
                Effect::Opened(first, next, values.collect::<Option<_>>().ok_or(line)?)
            }
            _ => return Err(line.to_owned()),
        };
        Ok(effect)
    }
}

fn number(word: Option<&str>) -> Option<u64> {
    word?.parse().ok()
}

fn numbered(word: &str) -> Option<Numbered> {
    let (number, len) = word.split_once(':')?;
    Some((number.parse().ok()?, len.parse().ok()?))
}

fn change(word: &str) -> Option<(u8, Option<Numbered>)> {
    let (key, value) = word.split_once('=')?;
    let value = if value == "none" { None } else { Some(numbered(value)?) };
    Some((key.parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_read_as_it_was_written() {
        for effect in [
            Effect::Append(true, vec![(3, 100), (4, 8)]),
            Effect::Append(false, vec![]),
            Effect::Trim(7),
            Effect::Truncate(0),
            Effect::Reset(99),
            Effect::Values(vec![(1, Some((5, 10))), (2, None)]),
            Effect::Sync,
            Effect::Open,
            Effect::Opened(1, 12, vec![(3, 9)]),
        ] {
            assert_eq!(effect.to_string().parse(), Ok(effect));
        }
        assert!("append durable 3-4".parse::<Effect>().is_err());
    }
}
