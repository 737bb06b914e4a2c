//! Times of the ABI: nanoseconds since 1970 in an `int64_t`, waits in milliseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Failure, Outcome};

/// A moment as C gets it: 0 for one before 1970, the largest number for one after 2262.
pub(crate) fn to_ns(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A moment as C gives it.
pub(crate) fn from_ns(time_ns: i64) -> Outcome<SystemTime> {
    let since = u64::try_from(time_ns).map(Duration::from_nanos).ok();
    since.and_then(|since| UNIX_EPOCH.checked_add(since)).ok_or_else(|| {
        Failure::invalid(format!("{time_ns} is not a time: pass nanoseconds since 1970"))
    })
}

/// A duration as C gets it.
pub(crate) fn span_ns(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a call may wait: `None`, as long as it takes, for a negative number.
pub(crate) fn timeout(timeout_ms: i64) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_way_there_and_back() {
        let time = from_ns(1_700_000_000_123_456_789).expect("a time of our days");
        assert_eq!(to_ns(time), 1_700_000_000_123_456_789);
    }

    #[test]
    fn a_negative_time_is_refused_and_a_negative_wait_is_endless() {
        assert!(from_ns(-1).is_err());
        assert_eq!(timeout(-1), None);
        assert_eq!(timeout(0), Some(Duration::ZERO));
        assert_eq!(timeout(5), Some(Duration::from_millis(5)));
    }
}
