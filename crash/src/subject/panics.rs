//! Logs that panic where others return an error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Failed;

/// Runs a call of a log, and makes its panic a failure with the same words.
pub fn caught<T>(call: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|panic| Err(Failed(format!("panicked: {}", message(&*panic)))))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_its_words() {
        let result: Result<(), Failed> = caught(|| panic!("disk {}", 7));
        assert!(result.is_err_and(|failed| failed.0 == "panicked: disk 7"));
    }
}
