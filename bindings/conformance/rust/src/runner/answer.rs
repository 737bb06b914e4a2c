//! What an operation came to, as a line of the transcript.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wal_core::{Error, ErrorKind, Lsn, Record};

use crate::literal::print_bytes;

/// The last line of an operation, or why there is none like it.
pub(super) type Answer = Result<String, Trouble>;

/// Why an operation did not do what it was asked.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The log said so: a line of the transcript.
    Refused(Error),
    /// The scenario is wrong, or a file cannot be handled: the end.
    Misread(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Refused(error)
    }
}

impl From<String> for Trouble {
    fn from(message: String) -> Trouble {
        Trouble::Misread(message)
    }
}

/// The name of a kind in `bindings/codes.toml`, in small letters.
pub(super) fn kind_name(kind: ErrorKind) -> String {
    kind.name().replace(' ', "_").replace('/', "")
}

/// The line of an error.
pub(super) fn refusal(error: &Error) -> String {
    let mut line = format!("error {}", kind_name(error.kind()));
    if let Some(lsn) = error.lsn() {
        line.push_str(&format!(" lsn={lsn}"));
    }
    if let Some(segment) = error.segment() {
        let offset = error.offset().map_or(0, |offset| offset.0);
        line.push_str(&format!(" segment={segment} offset={offset}"));
    }
    line
}

/// A value that may be absent.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// The line of one of many records.
pub(super) fn record_line(record: &Record) -> String {
    format!("record {}", record_words(record))
}

/// The words that tell a record.
pub(super) fn record_words(record: &Record) -> String {
    let more = u8::from(record.batch_continues());
    format!("lsn={} more={more} bytes={}", record.lsn(), print_bytes(record))
}

/// The line of the record a reader moved over, or of its end.
pub(super) fn step_line(record: Option<Record>) -> String {
    record.map_or("ok end".to_owned(), |record| format!("ok {}", record_words(&record)))
}

/// A time as nanoseconds since 1970.
pub(super) fn nanoseconds(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The time so many nanoseconds after 1970.
pub(super) fn time_of(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// The LSN of this number.
///
/// # Errors
/// `Invalid`, as the engine says it.
pub(super) fn lsn(number: u64) -> Result<Lsn, Trouble> {
    Ok(Lsn::try_from(number)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_names_of_the_list() {
        let list = include_str!("../../../../codes.toml");
        for kind in ErrorKind::ALL {
            let name = format!("name = \"{}\"", kind_name(kind).to_uppercase());
            assert!(list.contains(&name), "{name}");
        }
    }
}
