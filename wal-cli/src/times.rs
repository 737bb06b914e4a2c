//! Points in time, as people write and programs read them.

use std::time::{Duration, SystemTime};

/// Reads RFC 3339 (`2024-05-01T12:00:00Z`, also with an offset or without the `Z`, which means
/// UTC), or how long ago: `10m`, `2h 30m ago`.
pub fn parse_time(text: &str) -> Result<SystemTime, String> {
    let text = text.trim();
    if let Ok(time) = parse_rfc3339(text) {
        return Ok(time);
    }
    let span = text.strip_suffix("ago").unwrap_or(text).trim();
    let ago = humantime::parse_duration(span).map_err(|_| {
        format!("`{text}` is not a time: write 2024-05-01T12:00:00Z, or how long ago, as in 10m")
    })?;
    SystemTime::now().checked_sub(ago).ok_or_else(|| format!("`{text}` is too long ago"))
}

/// RFC 3339 in UTC with nanoseconds.
pub fn format_time(time: SystemTime) -> String {
    humantime::format_rfc3339_nanos(time).to_string()
}

/// Nanoseconds since 1970; zero for times before it.
pub fn to_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The inverse of [`to_nanos`].
pub fn from_nanos(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// A duration with the unit that fits: `12.3 us`, `4.56 ms`, `7.8 s`.
pub fn format_span(span: Duration) -> String {
    let nanos = span.as_nanos() as f64;
    if nanos < 1e3 {
        format!("{nanos:.0} ns")
    } else if nanos < 1e6 {
        format!("{:.1} us", nanos / 1e3)
    } else if nanos < 1e9 {
        format!("{:.2} ms", nanos / 1e6)
    } else {
        format!("{:.2} s", nanos / 1e9)
    }
}

fn parse_rfc3339(text: &str) -> Result<SystemTime, humantime::TimestampError> {
    let Some((stem, offset, is_ahead)) = split_offset(text) else {
        return humantime::parse_rfc3339_weak(text);
    };
    let local = humantime::parse_rfc3339_weak(stem)?;
    let utc = if is_ahead { local.checked_sub(offset) } else { local.checked_add(offset) };
    utc.ok_or(humantime::TimestampError::OutOfRange)
}

/// Splits `...+02:00` into its stem, the offset and whether the clock is ahead of UTC.
fn split_offset(text: &str) -> Option<(&str, Duration, bool)> {
    let at = text.len().checked_sub(6)?;
    let (stem, tail) = (text.get(..at)?, text.get(at..)?);
    let (sign, digits) = tail.split_at_checked(1)?;
    let (hours, minutes) = digits.split_once(':')?;
    let hours: u64 = hours.parse().ok().filter(|hours| *hours < 24)?;
    let minutes: u64 = minutes.parse().ok().filter(|minutes| *minutes < 60)?;
    let is_ahead = match sign {
        "+" => true,
        "-" => false,
        _ => return None,
    };
    Some((stem, Duration::from_secs((hours * 60 + minutes) * 60), is_ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "soon", "10", "2024-13-01T00:00:00Z", "2024-05-01T12:00:00+99:00", "ago"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn offsets_are_applied() {
        let utc = parse_time("2024-05-01T12:00:00Z").expect("UTC");
        assert_eq!(parse_time("2024-05-01T14:00:00+02:00"), Ok(utc));
        assert_eq!(parse_time("2024-05-01T08:30:00-03:30"), Ok(utc));
        assert_eq!(parse_time("2024-05-01T12:00:00"), Ok(utc));
        assert_eq!(format_time(utc), "2024-05-01T12:00:00.000000000Z");
    }

    #[test]
    fn how_long_ago_counts_back_from_now() {
        for text in ["10m", "10m ago", "600s"] {
            let age = parse_time(text).expect(text).elapsed().expect("in the past");
            assert!((599..=605).contains(&age.as_secs()), "{text} is {age:?}");
        }
    }

    #[test]
    fn nanoseconds_survive_the_round_trip() {
        let time = parse_time("2024-05-01T12:00:00.123456789Z").expect("UTC");
        assert_eq!(from_nanos(to_nanos(time)), time);
    }
}
