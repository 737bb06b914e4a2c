//! What is initialised once.

use super::{Mutex, PoisonError, step};

/// What is initialised once, by whoever comes first; the others wait in turn.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    initialising: Mutex<()>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> OnceLock<T> {
        OnceLock { value: std::sync::OnceLock::new(), initialising: Mutex::new(()) }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        step();
        self.value.get()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _initialising = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        self.value.set(value)
    }

    pub(crate) fn get_or_init(&self, value: impl FnOnce() -> T) -> &T {
        step();
        if self.value.get().is_none() {
            let _initialising = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
            if self.value.get().is_none() {
                let value = value();
                return self.value.get_or_init(|| value);
            }
        }
        self.value.get_or_init(|| unreachable!("it was initialised above"))
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        OnceLock { value: value.into(), initialising: Mutex::new(()) }
    }
}
