//! The state every handle carries: usable, poisoned by a panic, or closing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::codes::wal_code;
use crate::error::{Failure, Outcome};

/// Refuses calls on a handle that a panic left in an unknown state, or whose close was asked for
/// inside a callback.
///
/// Written by the call that panicked or closed, read by every call on any thread; the state only
/// ever leaves `USABLE`.
#[derive(Default)]
pub(crate) struct Guard {
    state: AtomicU8,
    cause: OnceLock<String>,
}

impl Guard {
    /// Lets a call through, or says why not.
    #[inline]
    pub(crate) fn admit(&self) -> Outcome {
        match self.state.load(Ordering::Acquire) {
            USABLE => Ok(()),
            state => Err(self.refusal(state)),
        }
    }

    /// Notes a panic and makes the failure that tells it.
    #[cold]
    pub(crate) fn poison(&self, panic: String) -> Failure {
        let failure = Failure::own(wal_code::WAL_ERR_PANIC, format!("panic: {panic}"));
        let _ = self.cause.set(panic);
        self.state.store(POISONED, Ordering::Release);
        failure
    }

    /// From now on calls are refused as closed; the close itself follows.
    pub(crate) fn mark_closing(&self) {
        let _ = self.state.compare_exchange(USABLE, CLOSING, Ordering::AcqRel, Ordering::Acquire);
    }

    #[cold]
    fn refusal(&self, state: u8) -> Failure {
        if state == CLOSING {
            return Failure::own(wal_code::WAL_ERR_CLOSED, "closed: open the log again".into());
        }
        let cause = self.cause.get().map_or("unknown", String::as_str);
        Failure::own(
            wal_code::WAL_ERR_POISONED,
            format!("poisoned by an earlier panic: release the handle; it was: {cause}"),
        )
    }
}

const USABLE: u8 = 0;
const POISONED: u8 = 1;
const CLOSING: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_once_and_then_the_handle_is_poisoned() {
        let guard = Guard::default();
        assert!(guard.admit().is_ok());
        assert_eq!(guard.poison("boom".into()).code(), wal_code::WAL_ERR_PANIC);
        let refusal = guard.admit().expect_err("poisoned");
        assert_eq!(refusal.code(), wal_code::WAL_ERR_POISONED);
        assert!(refusal.message().contains("boom"));
    }

    #[test]
    fn closing_does_not_hide_a_panic() {
        let guard = Guard::default();
        guard.poison("boom".into());
        guard.mark_closing();
        assert_eq!(guard.admit().expect_err("poisoned").code(), wal_code::WAL_ERR_POISONED);
    }
}
