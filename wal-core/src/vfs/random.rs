//! Numbers nobody has seen before: the identities of logs and the salts of segments.
#![cfg_attr(not(feature = "simulate"), allow(unsafe_code))]

#[cfg(not(feature = "simulate"))]
use std::io;

/// A number nobody has seen before.
#[cfg(not(feature = "simulate"))]
pub(crate) fn random_u64() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: the buffer is valid for its eight bytes; up to 256 are always filled or refused.
    let refused = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    if refused != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(feature = "simulate")]
pub(crate) use simulated::random_u64;
#[cfg(feature = "simulate")]
pub use simulated::seed;

/// The same numbers again and again, so that a run can be repeated byte by byte.
#[cfg(feature = "simulate")]
mod simulated {
    use std::cell::Cell;
    use std::io;

    /// The next number of this thread's sequence (SplitMix64).
    #[expect(clippy::unnecessary_wraps, reason = "the system may refuse")]
    pub(crate) fn random_u64() -> io::Result<u64> {
        let state = STATE.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        STATE.set(state);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(mixed ^ (mixed >> 31))
    }

    /// Begins the sequence of this thread's random numbers anew. Processes of one simulation that
    /// could meet each other's bytes must not share a sequence.
    pub fn seed(seed: u64) {
        STATE.set(seed);
    }

    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
}
