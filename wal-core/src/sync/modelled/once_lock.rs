//! What is initialised once.

use super::atomic::{AtomicBool, Ordering};
use super::{Mutex, PoisonError};

/// What is initialised once, by whoever comes first; the others wait in turn. Whoever sees the
/// value sees what came before it, and nobody need see it at once.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    is_set: AtomicBool,
    initialising: Mutex<()>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> OnceLock<T> {
        OnceLock::default()
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _initialising = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.value.set(value);
        self.is_set.store(true, Ordering::Release);
        result
    }

    pub(crate) fn get_or_init(&self, value: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _initialising = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        let value = match self.value.get() {
            Some(value) => value,
            None => {
                let value = value();
                self.value.get_or_init(|| value)
            }
        };
        self.is_set.store(true, Ordering::Release);
        value
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        let value = std::sync::OnceLock::new();
        OnceLock { value, is_set: AtomicBool::new(false), initialising: Mutex::new(()) }
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        let value = std::sync::OnceLock::from(value);
        OnceLock { value, is_set: AtomicBool::new(true), initialising: Mutex::new(()) }
    }
}
