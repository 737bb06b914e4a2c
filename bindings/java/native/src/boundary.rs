//! The boundary every native runs inside of: errors and panics become exceptions.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use jni::sys::{JNIEnv, jlong};
use wal_core::{Error, ErrorKind};

use crate::env::Env;

/// What a native's body comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a native did not do what it was asked.
pub(crate) enum Failure {
    /// The engine says so.
    Engine(Error),
    /// An exception is pending.
    Thrown,
    /// One of the binding's own, with a code of `bindings/codes.toml`.
    Own(i32, String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Engine(error)
    }
}

impl Failure {
    #[cold]
    pub(crate) fn internal(message: &str) -> Failure {
        Failure::Own(INTERNAL, format!("internal: {message}"))
    }

    #[cold]
    pub(crate) fn invalid(message: String) -> Failure {
        Failure::Own(INVALID, format!("invalid: {message}"))
    }

    #[cold]
    pub(crate) fn closed(what: &str) -> Failure {
        Failure::Own(CLOSED, format!("closed: the {what} was closed"))
    }

    /// Something only one thread at a time can use.
    #[cold]
    pub(crate) fn in_use(what: &str) -> Failure {
        Failure::Own(IN_USE, format!("the {what} is in use by another thread"))
    }

    /// The exception of this failure; none when it is pending already.
    pub(crate) fn exception(&self, env: Env) -> Outcome<jni::sys::jthrowable> {
        match self {
            Failure::Thrown => Err(Failure::Thrown),
            Failure::Engine(error) => new_exception(env, error),
            Failure::Own(code, message) => env.new_error(
                &[jlong::from(*code), ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT],
                [Some(message), None],
            ),
        }
    }
}

/// The numbers of an error as `Upcalls.error` takes them.
pub(crate) fn error_numbers(error: &Error) -> [jlong; 7] {
    let lsns = error.lsns();
    [
        jlong::from(code(error.kind())),
        error.lsn().map_or(ABSENT, |lsn| lsn.get() as jlong),
        error.segment().map_or(ABSENT, |segment| segment.0 as jlong),
        error.offset().map_or(ABSENT, |offset| offset.0 as jlong),
        error.os_errno().map_or(ABSENT, jlong::from),
        lsns.map_or(ABSENT, |lsns| lsns.first.get() as jlong),
        lsns.map_or(ABSENT, |lsns| lsns.final_.get() as jlong),
    ]
}

/// The whole story of an error on one line, its causes included.
pub(crate) fn error_text(error: &Error) -> String {
    format!("{error:?}")
}

/// The exception of an error of the engine.
pub(crate) fn new_exception(env: Env, error: &Error) -> Outcome<jni::sys::jthrowable> {
    let path = error.path().map(|path| path.to_string_lossy());
    env.new_error(&error_numbers(error), [Some(&error_text(error)), path.as_deref()])
}

/// The number of a kind in `bindings/codes.toml`; those are in the order of `ErrorKind::ALL`.
fn code(kind: ErrorKind) -> i32 {
    let place = ErrorKind::ALL.iter().position(|other| *other == kind);
    place.and_then(|place| i32::try_from(place).ok()).map_or(INTERNAL, |place| -1 - place)
}

/// Runs `body` and returns what it does, or what is zero with an exception pending.
///
/// # Safety
/// `env` is the environment of the running thread.
#[inline]
pub(crate) unsafe fn call<R: Default>(env: *mut JNIEnv, body: impl FnOnce(Env) -> Outcome<R>) -> R {
    // SAFETY: as the caller promises.
    let env = unsafe { Env::of(env) };
    match catch_unwind(AssertUnwindSafe(|| body(env))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => raise(env, &failure),
        Err(payload) => raise(env, &Failure::Own(PANIC, told(&*payload))),
    }
}

#[cold]
fn raise<R: Default>(env: Env, failure: &Failure) -> R {
    // An error that cannot be made leaves the exception that kept it from being made.
    if let Ok(Ok(exception)) = catch_unwind(AssertUnwindSafe(|| failure.exception(env))) {
        env.throw(exception);
    }
    R::default()
}

/// The text of a caught panic.
#[cold]
fn told(payload: &(dyn std::any::Any + Send)) -> String {
    let noted = NOTED.with(|noted| noted.borrow_mut().take());
    let text = || payload.downcast_ref::<&str>().copied().unwrap_or("a panic without a text");
    format!("panic: {}", noted.unwrap_or_else(|| text().to_owned()))
}

/// The hook: a panic prints nothing. The library has a standard library of its own, so that every
/// panic that comes here is libwal's.
pub(crate) fn note(info: &PanicHookInfo<'_>) {
    // A thread that is ending has no place left for the note.
    let _ = NOTED.try_with(|noted| *noted.borrow_mut() = Some(info.to_string()));
}

thread_local! {
    /// What the hook noted of the panic now unwinding on this thread.
    static NOTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// An object a native returns, or null.
#[repr(transparent)]
pub struct Reference(pub(crate) jni::sys::jobject);

impl Default for Reference {
    fn default() -> Reference {
        Reference(std::ptr::null_mut())
    }
}

/// Defines natives of `io.libwal.Native`.
macro_rules! natives {
    ($($(#[$meta:meta])* fn $name:ident($env:ident $(, $arg:ident: $type:ty)* $(,)?)
        $(-> $result:ty)? $body:block)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// Called by the JVM, as the class `Native` declares it, with handles that live.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name(
            env: *mut jni::sys::JNIEnv,
            _class: jni::sys::jclass,
            $($arg: $type),*
        ) $(-> $result)? {
            let body = |$env: $crate::env::Env| -> $crate::boundary::Outcome<_> { $body };
            // SAFETY: the JVM calls with the environment of the thread.
            unsafe { $crate::boundary::call(env, body) }
        }
    )*};
}
pub(crate) use natives;

/// Stands for what an error does not have.
pub(crate) const ABSENT: jlong = -1;
const INVALID: i32 = -1;
const CLOSED: i32 = -6;
const INTERNAL: i32 = -16;
const PANIC: i32 = -17;
/// None of the list's: an `IllegalStateException`.
const IN_USE: i32 = 1;
