//! What a failed call tells: `wal_error`, and how it is filled.

use std::ffi::c_char;
use std::mem::offset_of;

use wal_core::{Error, ErrorKind};

use crate::boundary::Versioned;
use crate::codes::wal_code;

/// Why a call failed. Optional last argument of every call that can fail; written only when it
/// does. Set `struct_size` before the first use, or start from `WAL_ERROR_INIT`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_error {
    /// `sizeof(wal_error)`, set by the caller.
    pub struct_size: u32,
    /// The code, the same as was returned.
    pub code: i32,
    /// The system's error number, 0 unless the system refused.
    pub os_errno: i32,
    /// Always 0.
    pub reserved: u32,
    /// The LSN the code speaks of, 0 if none: see `wal_code`.
    pub lsn: u64,
    /// The segment the error is about, 0 if none.
    pub segment: u64,
    /// Where in the segment's file.
    pub offset: u64,
    /// What happened, for a person: one line of UTF-8, always terminated, cut if it is longer.
    pub message: [c_char; 256],
}

impl wal_error {
    /// The error that tells `failure`.
    pub(crate) fn of(failure: &Failure) -> wal_error {
        let mut error = wal_error {
            struct_size: 0,
            code: failure.code().number(),
            os_errno: 0,
            reserved: 0,
            lsn: 0,
            segment: 0,
            offset: 0,
            message: [0; 256],
        };
        if let Failure::Engine(engine) | Failure::Told(_, engine) = failure {
            error.os_errno = engine.os_errno().unwrap_or(0);
            error.lsn = engine.lsn().map_or(0, |lsn| lsn.get());
            error.segment = engine.segment().map_or(0, |segment| segment.0);
            error.offset = engine.offset().map_or(0, |offset| offset.0);
        }
        write_text(&mut error.message, &failure.message());
        error
    }
}

// SAFETY: `repr(C)`, begins with its size, every bit pattern of its fields is a value, and the
// text stands last.
unsafe impl Versioned for wal_error {
    const NAME: &'static str = "wal_error";
    const TEXT: Option<usize> = Some(offset_of!(wal_error, message));
}

/// Why a call did not do what it was asked: the engine's word or this layer's own.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The engine refused.
    Engine(Error),
    /// The engine's word under another code.
    Told(wal_code, Error),
    /// This layer refused before the engine was asked, or after it panicked.
    Own(wal_code, String),
}

/// What the body of a call returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure of this layer.
    #[cold]
    pub(crate) fn own(code: wal_code, message: String) -> Failure {
        Failure::Own(code, message)
    }

    /// A wrong argument; the message says which and what to pass.
    #[cold]
    pub(crate) fn invalid(message: impl Into<String>) -> Failure {
        Failure::Own(wal_code::WAL_ERR_INVALID, format!("invalid: {}", message.into()))
    }

    /// The caller's memory is too small for what was asked; the size needed goes out beside it.
    #[cold]
    pub(crate) fn too_small(capacity: usize, needed: usize) -> Failure {
        let message = format!("full: the buffer has {capacity} bytes, {needed} are needed");
        Failure::Own(wal_code::WAL_ERR_FULL, message)
    }

    /// The log refuses because of `cause`, which is told with its place and number.
    #[cold]
    pub(crate) fn poisoned(cause: Error) -> Failure {
        if cause.kind() == ErrorKind::Poisoned {
            return Failure::Engine(cause);
        }
        Failure::Told(wal_code::WAL_ERR_POISONED, cause)
    }

    /// The code C gets.
    pub(crate) fn code(&self) -> wal_code {
        match self {
            Failure::Engine(error) => wal_code::of_kind(error.kind()),
            Failure::Told(code, _) | Failure::Own(code, _) => *code,
        }
    }

    /// The line for a person: kind, message, place and the chain of causes.
    pub(crate) fn message(&self) -> String {
        match self {
            Failure::Engine(error) => format!("{error:?}"),
            Failure::Told(_, cause) => format!("poisoned: {cause:?}"),
            Failure::Own(_, message) => message.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Engine(error)
    }
}

/// Writes `text` into a fixed field: terminated, cut between characters, without a zero inside.
pub(crate) fn write_text(field: &mut [c_char], text: &str) {
    let room = field.len().saturating_sub(1);
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let kept = text.bytes().take(end).map(|byte| if byte == 0 { b'?' } else { byte });
    let terminated = kept.chain(std::iter::repeat(0));
    for (slot, byte) in field.iter_mut().zip(terminated) {
        *slot = byte as c_char;
    }
}

const _: () = assert!(size_of::<wal_error>() == 296);

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(field: &[c_char]) -> Vec<u8> {
        field.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect()
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_terminated() {
        let mut field = [1; 8];
        write_text(&mut field, "abcdef\u{e9}\u{e9}");
        assert_eq!(text_of(&field), b"abcdef");
        assert_eq!(field.last(), Some(&0));
    }

    #[test]
    fn a_zero_inside_a_text_does_not_hide_the_rest() {
        let mut field = [1; 8];
        write_text(&mut field, "a\0b");
        assert_eq!(text_of(&field), b"a?b");
    }

    #[test]
    fn an_empty_field_stays_untouched() {
        write_text(&mut [], "text");
    }

    #[test]
    fn an_error_of_the_engine_keeps_its_kind_and_text() {
        let failure = Failure::from(Error::invalid("level is 9"));
        let error = wal_error::of(&failure);
        assert_eq!(error.code, wal_code::WAL_ERR_INVALID.number());
        assert_eq!(text_of(&error.message), b"invalid: level is 9");
    }
}
