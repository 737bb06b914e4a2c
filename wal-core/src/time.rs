//! Times as the format records them: nanoseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time as the format records it; one before 1970 counts as 1970.
pub(crate) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A recorded time as the standard library has it.
pub(crate) fn system_time(time_ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(time_ns)
}
