//! The fixed numbers of the ABI: what functions return and what they take for a choice.
//!
//! The codes are those of `bindings/codes.toml`; a number is never given a second meaning.

use std::ffi::{CStr, c_char};

use wal_core::ErrorKind;

/// What a function returns: `WAL_OK` or what went wrong, one code per thing a caller can do about
/// it. Functions return it as `int32_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_code {
    /// The call did what it was asked.
    WAL_OK = 0,
    /// An argument or option is wrong: correct the call. Nothing was changed.
    WAL_ERR_INVALID = -1,
    /// There is no such log, record or key.
    WAL_ERR_NOT_FOUND = -2,
    /// The position was trimmed away: go on from `wal_error.lsn`, the first record still there.
    WAL_ERR_TRIMMED = -3,
    /// The position was truncated away: go back to `wal_error.lsn`, the last record still there.
    WAL_ERR_TRUNCATED = -4,
    /// The next LSN is not the expected one; `wal_error.lsn` is. Nothing was appended.
    WAL_ERR_CONFLICT = -5,
    /// The log was closed: open it again.
    WAL_ERR_CLOSED = -6,
    /// Another writer holds the log: stop it, or wait with `wal_options.lock_wait_ms`.
    WAL_ERR_LOCKED = -7,
    /// No room: on the disk, below a limit, or in the caller's memory. Surely nothing was written.
    WAL_ERR_FULL = -8,
    /// The time was up; whatever was waited for goes on.
    WAL_ERR_TIMEOUT = -9,
    /// The call would have had to wait and was told not to.
    WAL_ERR_WOULD_BLOCK = -10,
    /// An earlier write or sync failed: reopen the log, which finds out what is on disk.
    WAL_ERR_POISONED = -11,
    /// The system refused. After a failed append the outcome is unknown until the log is reopened.
    WAL_ERR_IO = -12,
    /// Bytes on disk are not what was written: verify, restore from a copy, or repair.
    WAL_ERR_CORRUPT = -13,
    /// The file belongs to a newer version or uses a feature this one does not know: upgrade.
    WAL_ERR_UNSUPPORTED = -14,
    /// The handle was inherited through `fork`: open the log again in this process.
    WAL_ERR_FORKED = -15,
    /// A bug in libwal: please report it.
    WAL_ERR_INTERNAL = -16,
    /// A panic inside libwal was caught; the handle now answers `WAL_ERR_POISONED`.
    WAL_ERR_PANIC = -17,
}

impl wal_code {
    /// The code as functions return it.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code of one of the engine's error kinds; a kind this version does not know is a bug.
    pub fn of_kind(kind: ErrorKind) -> wal_code {
        match kind {
            ErrorKind::Invalid => wal_code::WAL_ERR_INVALID,
            ErrorKind::NotFound => wal_code::WAL_ERR_NOT_FOUND,
            ErrorKind::Trimmed => wal_code::WAL_ERR_TRIMMED,
            ErrorKind::Truncated => wal_code::WAL_ERR_TRUNCATED,
            ErrorKind::Conflict => wal_code::WAL_ERR_CONFLICT,
            ErrorKind::Closed => wal_code::WAL_ERR_CLOSED,
            ErrorKind::Locked => wal_code::WAL_ERR_LOCKED,
            ErrorKind::Full => wal_code::WAL_ERR_FULL,
            ErrorKind::Timeout => wal_code::WAL_ERR_TIMEOUT,
            ErrorKind::WouldBlock => wal_code::WAL_ERR_WOULD_BLOCK,
            ErrorKind::Poisoned => wal_code::WAL_ERR_POISONED,
            ErrorKind::Io => wal_code::WAL_ERR_IO,
            ErrorKind::Corrupt => wal_code::WAL_ERR_CORRUPT,
            ErrorKind::Unsupported => wal_code::WAL_ERR_UNSUPPORTED,
            ErrorKind::Forked => wal_code::WAL_ERR_FORKED,
            ErrorKind::Internal => wal_code::WAL_ERR_INTERNAL,
            _ => wal_code::WAL_ERR_INTERNAL,
        }
    }
}

/// What an acknowledgement promises.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_level {
    /// The log's own level; in `wal_options`, the default: disk.
    WAL_LEVEL_DEFAULT = 0,
    /// The record is in the engine's memory; it is lost with the process.
    WAL_LEVEL_BUFFERED = 1,
    /// The record was given to the kernel; it survives the death of the process.
    WAL_LEVEL_OS = 2,
    /// The record survives power loss.
    WAL_LEVEL_DISK = 3,
}

/// What happens to an append that finds the log at `wal_options.max_bytes`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_at_capacity {
    /// It fails with `WAL_ERR_FULL`.
    WAL_AT_CAPACITY_REJECT = 0,
    /// It waits until a trim makes room.
    WAL_AT_CAPACITY_BLOCK = 1,
    /// The oldest segments are trimmed, whether they were read or not.
    WAL_AT_CAPACITY_TRIM_OLDEST = 2,
}

/// How the active segment is written.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_io {
    /// The engine chooses, by measurement.
    WAL_IO_AUTO = 0,
    /// Through the page cache.
    WAL_IO_BUFFERED = 1,
    /// Past the page cache, where the file system can.
    WAL_IO_DIRECT = 2,
}

/// How records of sealed segments are read.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_read_mode {
    /// Through a mapping, without copying; a device error while reading is a signal (`SIGBUS`).
    WAL_READ_MODE_MAP = 0,
    /// Into memory of the record; every failure is an error.
    WAL_READ_MODE_PREAD = 1,
}

/// The constant's name, such as `"WAL_ERR_FULL"`; `"WAL_ERR_UNKNOWN"` for a number that is none.
///
/// - Ownership: the text is static, never freed.
/// - Thread-safety: any thread, any number at once.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn wal_code_name(code: i32) -> *const c_char {
    entry(code).map_or(c"WAL_ERR_UNKNOWN", |entry| entry.name).as_ptr()
}

/// One English sentence on what the code means and what the caller can do.
///
/// - Ownership: the text is static, never freed.
/// - Thread-safety: any thread, any number at once.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn wal_code_text(code: i32) -> *const c_char {
    entry(code).map_or(c"a code this version of libwal does not know", |entry| entry.text).as_ptr()
}

struct Entry {
    code: wal_code,
    name: &'static CStr,
    text: &'static CStr,
}

fn entry(code: i32) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.code.number() == code)
}

macro_rules! entries {
    ($($code:ident $name:literal $text:literal;)*) => {
        [$(Entry { code: wal_code::$code, name: $name, text: $text }),*]
    };
}

const ENTRIES: [Entry; 18] = entries! {
    WAL_OK c"WAL_OK" c"the call did what it was asked";
    WAL_ERR_INVALID c"WAL_ERR_INVALID" c"an argument or option is wrong: correct the call";
    WAL_ERR_NOT_FOUND c"WAL_ERR_NOT_FOUND" c"there is no such log, record or key";
    WAL_ERR_TRIMMED c"WAL_ERR_TRIMMED"
        c"the position was trimmed away: go on from the first record still there";
    WAL_ERR_TRUNCATED c"WAL_ERR_TRUNCATED"
        c"the position was truncated away: go back to the last record still there";
    WAL_ERR_CONFLICT c"WAL_ERR_CONFLICT"
        c"the next LSN is not the expected one: read what was appended in between";
    WAL_ERR_CLOSED c"WAL_ERR_CLOSED" c"the log was closed: open it again";
    WAL_ERR_LOCKED c"WAL_ERR_LOCKED"
        c"another writer holds the log: stop it, or wait with lock_wait_ms";
    WAL_ERR_FULL c"WAL_ERR_FULL"
        c"no room, and surely nothing was written: free some and try again";
    WAL_ERR_TIMEOUT c"WAL_ERR_TIMEOUT" c"the time was up; whatever was waited for goes on";
    WAL_ERR_WOULD_BLOCK c"WAL_ERR_WOULD_BLOCK"
        c"the call would have had to wait and was told not to";
    WAL_ERR_POISONED c"WAL_ERR_POISONED"
        c"an earlier write or sync failed: reopen the log to find out what is on disk";
    WAL_ERR_IO c"WAL_ERR_IO"
        c"the system refused; the outcome of an append is unknown until the log is reopened";
    WAL_ERR_CORRUPT c"WAL_ERR_CORRUPT"
        c"bytes on disk are not what was written: verify, restore from a copy, or repair";
    WAL_ERR_UNSUPPORTED c"WAL_ERR_UNSUPPORTED"
        c"the file belongs to a newer version of libwal: upgrade";
    WAL_ERR_FORKED c"WAL_ERR_FORKED"
        c"the handle was inherited through fork: open the log again in this process";
    WAL_ERR_INTERNAL c"WAL_ERR_INTERNAL" c"a bug in libwal: please report it";
    WAL_ERR_PANIC c"WAL_ERR_PANIC"
        c"a panic inside libwal was caught: release the handle, and please report it";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_engine_has_a_code_of_its_own() {
        let numbers: std::collections::BTreeSet<i32> =
            ErrorKind::ALL.iter().map(|kind| wal_code::of_kind(*kind).number()).collect();
        assert_eq!(numbers, (-16..=-1).collect());
    }

    #[test]
    fn codes_are_numbered_without_gaps_and_named_as_their_constants() {
        for (position, entry) in ENTRIES.iter().enumerate() {
            let position = i32::try_from(position).expect("eighteen entries");
            assert_eq!(entry.code.number(), position.checked_neg().expect("small"));
            assert_eq!(format!("{:?}", entry.code), entry.name.to_str().expect("ASCII"));
        }
    }

    #[test]
    fn an_unknown_code_has_a_name_and_a_text_too() {
        assert!(entry(1).is_none());
        assert!(!wal_code_name(i32::MIN).is_null());
        assert!(!wal_code_text(1).is_null());
    }
}
