//! The JavaScript side of one environment (main thread or worker): it settles promises, makes
//! errors, and keeps the process alive while promises are pending.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::{self, Arc};

use napi::bindgen_prelude::*;
use napi::{Env, sys};
use wal_core::LsnRange;

use crate::append::Shared;
use crate::mailbox::Mailbox;
use crate::workers::{self, Stay};

/// What is used on the JavaScript thread alone.
pub(crate) struct Desk {
    /// Itself, for functions that keep it.
    this: Weak<Desk>,
    pub(crate) mailbox: Arc<Mailbox>,
    function: Cell<sys::napi_threadsafe_function>,
    /// Promises that will be settled; while there are any, the process lives.
    pending: Cell<usize>,
    /// The open logs, to be closed when the environment ends.
    logs: RefCell<Vec<sync::Weak<Shared>>>,
    /// `(token, error, value)`
    settle: Callee,
    /// `(count)`, with that many tokens and ranges in the landing.
    settle_appends: Callee,
    /// `(listener, a, b, c)`
    tell: Callee,
    /// `(kind, message, lsn, segment, offset, path, errno, cause, lastLsn)` to a `WalError`.
    make_error: Callee,
    landing: Landing,
}

/// A value of JavaScript as it is.
pub(crate) type Raw = sys::napi_value;

/// Why a call failed, as plain data that may change threads.
pub(crate) enum Failure {
    /// The engine says so.
    Engine(wal_core::Error),
    /// This side of the engine says so: the name of a kind, and why.
    Own(&'static str, String),
}

/// What work comes to.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl From<wal_core::Error> for Failure {
    fn from(error: wal_core::Error) -> Failure {
        Failure::Engine(error)
    }
}

impl Failure {
    /// A bug, or a system without memory or threads.
    pub(crate) fn internal(message: impl Into<String>) -> Failure {
        Failure::Own("internal", message.into())
    }
}

impl Desk {
    /// Sets the desk up. `functions` are the four that are called, the landing is where the
    /// outcomes of appends are put before one of them is.
    pub(crate) fn new(env: &Env, functions: [Raw; 4], landing: [Raw; 2]) -> Result<Rc<Desk>> {
        let [settle, settle_appends, tell, make_error] = functions;
        let callee = |function| Callee::new(env, function);
        let (settle, settle_appends) = (callee(settle)?, callee(settle_appends)?);
        let (tell, make_error) = (callee(tell)?, callee(make_error)?);
        let landing = Landing::new(env, landing)?;
        let desk = Rc::new_cyclic(|this| Desk {
            this: Weak::clone(this),
            mailbox: Arc::default(),
            function: Cell::new(ptr::null_mut()),
            pending: Cell::new(0),
            logs: RefCell::default(),
            settle,
            settle_appends,
            tell,
            make_error,
            landing,
        });
        let function = threadsafe_function(env, Rc::as_ptr(&desk))?;
        desk.function.set(function);
        desk.mailbox.open(function);
        // Hooks run latest first: this one before the one that ends the function. It also keeps the
        // desk, which the function points at.
        env.add_env_cleanup_hook(Rc::clone(&desk), |desk| {
            desk.leave();
            DEPARTED.with(|departed| departed.borrow_mut().push(desk));
        })?;
        Ok(desk)
    }

    /// A handle for functions that keep it.
    pub(crate) fn handle(&self) -> Result<Rc<Desk>> {
        self.this.upgrade().ok_or_else(|| Error::from_reason("the environment has ended"))
    }

    /// Closes this log when the environment ends.
    pub(crate) fn keep_track(&self, log: &Arc<Shared>) {
        let mut logs = self.logs.borrow_mut();
        logs.retain(|log| log.strong_count() > 0);
        logs.push(Arc::downgrade(log));
    }

    /// A promise was given out.
    #[inline]
    pub(crate) fn begin(&self, env: &Env) {
        let pending = self.pending.replace(self.pending.get() + 1);
        if pending == 0 {
            // SAFETY: on the environment's own thread, before it ends.
            unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.function.get()) };
        }
    }

    /// So many promises are settled.
    pub(crate) fn end(&self, env: &Env, count: usize) {
        let left = self.pending.get().saturating_sub(count);
        self.pending.set(left);
        if left == 0 && count > 0 {
            // SAFETY: on the environment's own thread, before it ends.
            unsafe { sys::napi_unref_threadsafe_function(env.raw(), self.function.get()) };
        }
    }

    /// Does the work: here and now without a token, else on another thread, and the promise of the
    /// token is settled with what it came to.
    pub(crate) fn run<T: ToNapiValue + Send + 'static>(
        &self,
        env: &Env,
        how: (Option<u32>, Stay),
        work: impl FnOnce() -> Outcome<T> + Send + 'static,
    ) -> Result<Raw> {
        self.run_with(env, how, work, |_, env, value| to_raw(env, value))
    }

    /// The same for what becomes a value of JavaScript in a way of its own.
    pub(crate) fn run_with<T: Send + 'static>(
        &self,
        env: &Env,
        (token, stay): (Option<u32>, Stay),
        work: impl FnOnce() -> Outcome<T> + Send + 'static,
        convert: fn(&Desk, &Env, T) -> Result<Raw>,
    ) -> Result<Raw> {
        let Some(token) = token else {
            let value = contained(work).map_err(|failure| self.throw(env, failure))?;
            return convert(self, env, value);
        };
        let mailbox = Arc::clone(&self.mailbox);
        let job = Box::new(move || {
            let outcome = contained(work);
            mailbox.post(Box::new(move |desk, env| {
                desk.settle_with(env, token, outcome, convert);
            }));
        });
        workers::start(stay, job).map_err(|error| {
            self.throw(env, Failure::internal(format!("no thread to be had: {error}")))
        })?;
        self.begin(env);
        undefined(env)
    }

    /// Settles the promise of a token.
    pub(crate) fn settle<T: ToNapiValue>(&self, env: &Env, token: u32, outcome: Outcome<T>) {
        self.settle_with(env, token, outcome, |_, env, value| to_raw(env, value));
    }

    fn settle_with<T>(
        &self,
        env: &Env,
        token: u32,
        outcome: Outcome<T>,
        convert: fn(&Desk, &Env, T) -> Result<Raw>,
    ) {
        self.end(env, 1);
        let arguments = || -> Result<[Raw; 3]> {
            let nothing = undefined(env)?;
            let (error, value) = match outcome {
                Ok(value) => (nothing, convert(self, env, value)?),
                Err(failure) => (self.error(env, failure)?, nothing),
            };
            Ok([to_raw(env, token)?, error, value])
        };
        let told = arguments().or_else(|error| {
            // The value cannot be made, for want of memory say.
            let failure = Failure::internal(error.reason.clone());
            Ok([to_raw(env, token)?, self.error(env, failure)?, undefined(env)?])
        });
        let _ = told.and_then(|arguments: [Raw; 3]| self.settle.call(env, &arguments));
    }

    /// Settles the promises of appends, in as few calls as there is room for in the landing.
    pub(crate) fn settle_appends(
        &self,
        env: &Env,
        ended: impl IntoIterator<Item = (u32, wal_core::Result<LsnRange>)>,
    ) {
        let mut count = 0;
        for (token, outcome) in ended {
            match outcome {
                Ok(lsns) => {
                    if self.landing.put(count, token, lsns) {
                        count += 1;
                    }
                    if count < Landing::ROOM {
                        continue;
                    }
                    self.land(env, std::mem::take(&mut count));
                }
                Err(error) => {
                    self.land(env, std::mem::take(&mut count));
                    self.settle::<()>(env, token, Err(error.into()));
                }
            }
        }
        self.land(env, count);
    }

    fn land(&self, env: &Env, count: usize) {
        self.end(env, count);
        if count > 0 {
            let _ =
                to_raw(env, count as u32).and_then(|count| self.settle_appends.call(env, &[count]));
        }
    }

    /// Calls a listener that JavaScript keeps under this number.
    pub(crate) fn tell(&self, env: &Env, listener: u32, [a, b, c]: [Raw; 3]) {
        let _ =
            to_raw(env, listener).and_then(|listener| self.tell.call(env, &[listener, a, b, c]));
    }

    /// Throws; the returned error stands for the exception that is now pending.
    pub(crate) fn throw(&self, env: &Env, failure: Failure) -> Error {
        match self.error(env, failure) {
            Ok(error) => {
                // SAFETY: a value of this environment.
                unsafe { sys::napi_throw(env.raw(), error) };
                Error::new(Status::PendingException, String::new())
            }
            Err(error) => error,
        }
    }

    /// The `WalError` of a failure.
    pub(crate) fn error(&self, env: &Env, failure: Failure) -> Result<Raw> {
        let error = match failure {
            Failure::Engine(error) => error,
            Failure::Own(kind, message) => {
                let nothing = undefined(env)?;
                let (kind, message) = (to_raw(env, kind)?, to_raw(env, message)?);
                let [a, b, c, d, e, f, g] = [nothing; 7];
                return self.make_error.call(env, &[kind, message, a, b, c, d, e, f, g]);
            }
        };
        let cause = std::error::Error::source(&error);
        let cause = match cause.and_then(|cause| cause.downcast_ref::<wal_core::Error>()) {
            Some(cause) => self.error(env, cause.clone().into())?,
            None => undefined(env)?,
        };
        let path = error.path().map(|path| path.to_string_lossy().into_owned());
        let arguments = [
            to_raw(env, error.kind().name())?,
            to_raw(env, error.to_string())?,
            to_raw(env, error.lsn().map(|lsn| BigInt::from(lsn.get())))?,
            to_raw(env, error.segment().map(|segment| BigInt::from(segment.0)))?,
            to_raw(env, error.offset().map(|offset| BigInt::from(offset.0)))?,
            to_raw(env, path)?,
            to_raw(env, error.os_errno())?,
            cause,
            to_raw(env, error.lsns().map(|lsns| BigInt::from(lsns.final_.get())))?,
        ];
        self.make_error.call(env, &arguments)
    }

    /// The environment ends: nobody will hear of anything any more. Its logs are closed here, so
    /// that everything handed to them is on disk and another worker can open them at once.
    fn leave(&self) {
        self.mailbox.close();
        for log in self.logs.take() {
            if let Some(log) = log.upgrade() {
                // There is nobody left to tell.
                let _ = catch_unwind(AssertUnwindSafe(|| log.close()));
            }
        }
    }
}

/// Where the outcomes of appends are put for JavaScript: three numbers each in memory that both
/// sides know.
struct Landing {
    /// `ROOM` of them.
    tokens: *mut u32,
    /// Twice as many: the first and the final LSN of each append.
    lsns: *mut u64,
}

impl Landing {
    /// What one call settles at the most.
    const ROOM: usize = 1024;

    fn new(env: &Env, [tokens, lsns]: [Raw; 2]) -> Result<Landing> {
        // SAFETY: both are values of this environment.
        let (tokens, lsns) = unsafe { (memory_of(env, tokens)?, memory_of(env, lsns)?) };
        if tokens.len() != Landing::ROOM * 4 || lsns.len() != Landing::ROOM * 16 {
            return Err(Error::from_reason("the landing has another size"));
        }
        Ok(Landing { tokens: tokens.as_mut_ptr().cast(), lsns: lsns.as_mut_ptr().cast() })
    }

    /// Puts one down; false where there is no room.
    fn put(&self, at: usize, token: u32, lsns: LsnRange) -> bool {
        if at >= Landing::ROOM {
            return false;
        }
        // SAFETY: `new` checked the sizes; the arrays are kept by a reference, never detached, and
        // used on this thread alone.
        unsafe {
            self.tokens.add(at).write(token);
            self.lsns.add(at * 2).write(lsns.first.get());
            self.lsns.add(at * 2 + 1).write(lsns.final_.get());
        }
        true
    }
}

/// The bytes of a typed array, which is never collected from here on.
///
/// # Safety
/// `value` is of this environment.
unsafe fn memory_of(env: &Env, value: Raw) -> Result<&'static mut [u8]> {
    let (mut data, mut bytes) = (ptr::null_mut(), 0);
    let mut reference = ptr::null_mut();
    // SAFETY: as the caller promises; the other pointers are to locals.
    unsafe {
        check(sys::napi_get_buffer_info(env.raw(), value, &mut data, &mut bytes))?;
        check(sys::napi_create_reference(env.raw(), value, 1, &mut reference))?;
        Ok(std::slice::from_raw_parts_mut(data.cast(), bytes))
    }
}

/// A function of JavaScript that is called for as long as its environment lives.
struct Callee(sys::napi_ref);

impl Callee {
    fn new(env: &Env, function: Raw) -> Result<Callee> {
        let mut reference = ptr::null_mut();
        // SAFETY: a value of this environment; the environment frees the reference with itself.
        check(unsafe { sys::napi_create_reference(env.raw(), function, 1, &mut reference) })?;
        Ok(Callee(reference))
    }

    fn call(&self, env: &Env, arguments: &[Raw]) -> Result<Raw> {
        let (mut function, mut result) = (ptr::null_mut(), ptr::null_mut());
        let this = undefined(env)?;
        // SAFETY: reference and arguments are of this environment, on its own thread.
        unsafe {
            check(sys::napi_get_reference_value(env.raw(), self.0, &mut function))?;
            let (count, first) = (arguments.len(), arguments.as_ptr());
            check(sys::napi_call_function(env.raw(), this, function, count, first, &mut result))?;
        }
        Ok(result)
    }
}

/// The function that other threads ring. It keeps no process alive until a promise is pending.
fn threadsafe_function(env: &Env, desk: *const Desk) -> Result<sys::napi_threadsafe_function> {
    let mut function = ptr::null_mut();
    let name = to_raw(env, "libwal")?;
    // SAFETY: the desk outlives the function, as `Desk::new` sees to.
    unsafe {
        check(sys::napi_create_threadsafe_function(
            env.raw(),
            ptr::null_mut(),
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            desk.cast_mut().cast(),
            Some(deliver),
            &mut function,
        ))?;
        check(sys::napi_unref_threadsafe_function(env.raw(), function))?;
    }
    Ok(function)
}

/// Reads all letters, on the JavaScript thread.
unsafe extern "C" fn deliver(env: sys::napi_env, _: Raw, context: *mut c_void, _: *mut c_void) {
    if env.is_null() || context.is_null() {
        return;
    }
    // SAFETY: the desk outlives the function whose context it is.
    let desk = unsafe { &*context.cast::<Desk>() };
    let env = Env::from_raw(env);
    for letter in desk.mailbox.take() {
        let mut scope = ptr::null_mut();
        // SAFETY: opened and closed in order on the environment's own thread.
        unsafe {
            if sys::napi_open_handle_scope(env.raw(), &mut scope) != sys::Status::napi_ok {
                return;
            }
            let _ = catch_unwind(AssertUnwindSafe(|| letter(desk, &env)));
            sys::napi_close_handle_scope(env.raw(), scope);
        }
    }
}

/// Does the work; a panic in it is an error, not the end of the host.
fn contained<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Failure::internal(format!("a panic: {}", text.unwrap_or_default())))
    })
}

/// The value as JavaScript has it.
pub(crate) fn to_raw<T: ToNapiValue>(env: &Env, value: T) -> Result<Raw> {
    // SAFETY: a live environment, on its own thread.
    unsafe { ToNapiValue::to_napi_value(env.raw(), value) }
}

/// A bigint, without the memory that `BigInt` takes for its words.
pub(crate) fn bigint(env: &Env, number: u64) -> Result<Raw> {
    let mut value = ptr::null_mut();
    // SAFETY: a live environment, on its own thread.
    check(unsafe { sys::napi_create_bigint_uint64(env.raw(), number, &mut value) })?;
    Ok(value)
}

/// `undefined`.
pub(crate) fn undefined(env: &Env) -> Result<Raw> {
    to_raw(env, ())
}

/// A status as a result.
pub(crate) fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::from_status(Status::from(status)))
}

thread_local! {
    /// Desks whose environment has ended, until the thread does.
    static DEPARTED: RefCell<Vec<Rc<Desk>>> = const { RefCell::new(Vec::new()) };
}
