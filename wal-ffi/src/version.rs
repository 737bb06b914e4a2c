//! Which libwal this is.

use std::ffi::{CStr, c_char};

/// The library's version, such as `"0.1.0"`.
///
/// - Ownership: the text is static, never freed.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn wal_version() -> *const c_char {
    TEXT.as_ptr()
}

/// The library's version as one number, comparable with `WAL_VERSION_NUMBER` of the header the
/// program was compiled with: major * 1000000 + minor * 1000 + patch.
///
/// - Ownership: none.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn wal_version_number() -> u32 {
    NUMBER
}

const fn terminated(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no zero byte inside"),
    }
}

const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a version is three numbers"),
    }
}

const TEXT: &CStr = terminated(concat!(env!("CARGO_PKG_VERSION"), "\0"));
const NUMBER: u32 = number(env!("CARGO_PKG_VERSION_MAJOR"))
    .saturating_mul(1_000_000)
    .saturating_add(number(env!("CARGO_PKG_VERSION_MINOR")).saturating_mul(1_000))
    .saturating_add(number(env!("CARGO_PKG_VERSION_PATCH")));
