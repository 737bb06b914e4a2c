//! Keeps panics inside the library: caught, silent on stderr, told in the error.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Runs `body`; a panic in it becomes the text of the panic.
///
/// What `body` was changing may be left half changed: the caller poisons the handle it worked on.
pub(crate) fn contain<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    INSTALL.call_once(install_hook);
    let _inside = Inside::enter();
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| told(&*payload))
}

/// Marks the thread as running inside a boundary, so that the hook keeps silent.
struct Inside;

impl Inside {
    fn enter() -> Inside {
        DEPTH.with(|depth| depth.set(depth.get().saturating_add(1)));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// The text of a caught panic: what the hook noted, with the place, or the payload itself.
#[cold]
fn told(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(noted) = NOTED.with(|noted| noted.borrow_mut().take()) {
        return noted;
    }
    message_of(payload).to_owned()
}

fn message_of(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// Keeps the hook of a Rust host for panics that are none of ours. In the shared library the
/// standard library is a private copy, so the host's own panics never come here at all.
fn install_hook() {
    let previous = take_hook();
    set_hook(Box::new(move |info| {
        if !is_ours() {
            previous(info);
            return;
        }
        let text = describe(info);
        // A thread that is ending has no place left for the note; the payload still has the text.
        let _ = NOTED.try_with(|noted| *noted.borrow_mut() = Some(text));
    }));
}

/// Whether the panic is the library's: in a call from C or on one of the engine's threads.
fn is_ours() -> bool {
    let inside = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
    inside || std::thread::current().name().is_some_and(|name| name.starts_with("wal"))
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = message_of(info.payload());
    match info.location() {
        Some(place) => format!("{message} ({}:{})", place.file(), place.line()),
        None => message.to_owned(),
    }
}

static INSTALL: Once = Once::new();

thread_local! {
    /// How many boundaries this thread is inside of; more than one inside a callback.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the hook noted of the panic now unwinding on this thread.
    static NOTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contained_panic_tells_its_text_and_place() {
        let told = contain(|| panic!("the {}th thing went wrong", 7)).expect_err("it panicked");
        assert!(told.starts_with("the 7th thing went wrong ("), "{told}");
        assert!(told.contains("panic.rs:"), "{told}");
    }

    #[test]
    fn a_boundary_inside_a_boundary_keeps_the_outer_one_whole() {
        let outer = contain(|| {
            let inner = contain(|| panic!("inner"));
            assert!(inner.is_err());
            5
        });
        assert_eq!(outer, Ok(5));
        DEPTH.with(|depth| assert_eq!(depth.get(), 0));
    }

    /// The default hook of the standard library prints; a library must not. The child process is
    /// this test binary itself, told by the variable to panic inside a boundary.
    #[test]
    fn a_contained_panic_prints_nothing() {
        if std::env::var_os("WAL_TEST_PANIC").is_some() {
            assert!(contain(|| panic!("should not be printed")).is_err());
            return;
        }
        let program = std::env::current_exe().expect("the test binary has a path");
        let output = std::process::Command::new(program)
            .args(["--exact", "panic::tests::a_contained_panic_prints_nothing", "--nocapture"])
            .env("WAL_TEST_PANIC", "1")
            .output()
            .expect("the test binary runs");
        assert!(output.status.success());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("should not be printed"), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
