//! The engine's events for the host's own logger: nothing is ever printed.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, LevelFilter, Metadata, Subscriber, callsite};

use crate::boundary;
use crate::callback::{Home, Payload, scope};
use crate::codes::wal_code;
use crate::error::{Failure, Outcome, wal_error};
use crate::panic::contain;

/// How much the log callback hears of.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_verbosity {
    /// Nothing.
    WAL_LOG_OFF = 0,
    /// Failures nobody was there to be told of.
    WAL_LOG_ERROR = 1,
    /// What an operator should look at, such as a cut tail.
    WAL_LOG_WARN = 2,
    /// Openings, closings, rotations.
    WAL_LOG_INFO = 3,
    /// What helps to find a fault.
    WAL_LOG_DEBUG = 4,
    /// Everything.
    WAL_LOG_TRACE = 5,
}

/// Gets one event: its level (one of `enum wal_verbosity`), the part of the library it comes from,
/// its text with its fields (both terminated UTF-8, valid until the callback returns) and the
/// caller's pointer.
pub type wal_log_fn = Option<
    unsafe extern "C-unwind" fn(
        level: i32,
        target: *const c_char,
        message: *const c_char,
        payload: *mut c_void,
    ),
>;

/// Has `callback` called for every event of the library up to `level` (one of `enum
/// wal_verbosity`), for all logs of the process. `NULL` or `WAL_LOG_OFF` ends it. Without a
/// callback the library is silent.
///
/// - Ownership: `payload` must stay valid for good: a call may still be running when this returns.
/// - Thread-safety: any thread at once. The callback runs on any thread, several at once, in the
///   middle of the library's work: it must be quick and must not call the library.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`; `WAL_ERR_CONFLICT` in a Rust program that has a subscriber already.
/// - Since: 0.1.0
///
/// # Safety
/// `err` is valid as the header says, `payload` may be used on any thread, and the callback returns
/// without a jump or exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_set_log_callback(
    level: i32,
    callback: wal_log_fn,
    payload: *mut c_void,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::call(err, || {
            if !(OFF..=TRACE).contains(&level) {
                return Err(Failure::invalid(format!(
                    "level is {level}: pass one of enum wal_verbosity"
                )));
            }
            let sink = callback.map(|callback| Sink { callback, payload: Payload(payload) });
            install()?;
            let heard = if sink.is_some() { level } else { OFF };
            *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
            HEARD.store(heard, Ordering::Release);
            callsite::rebuild_interest_cache();
            Ok(())
        })
    }
}

/// Where events go.
#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C-unwind" fn(i32, *const c_char, *const c_char, *mut c_void),
    payload: Payload,
}

/// Becomes the process's listener for the engine's events, once.
fn install() -> Outcome {
    let is_installed = INSTALLED.get_or_init(|| {
        tracing_core::dispatcher::set_global_default(Dispatch::new(Listener)).is_ok()
    });
    if *is_installed {
        return Ok(());
    }
    Err(Failure::own(
        wal_code::WAL_ERR_CONFLICT,
        "conflict: this program has a tracing subscriber, which hears the events already".into(),
    ))
}

/// Hears the engine's events and hands them to the sink. Spans are not told: the engine's events
/// carry all they mean in their fields.
struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(*metadata.level()) <= HEARD.load(Ordering::Acquire)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match HEARD.load(Ordering::Acquire) {
            OFF => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let sink = *SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = sink else { return };
        // An event inside the callback would call it again, without an end.
        if TELLING.with(|telling| telling.replace(true)) {
            return;
        }
        let _ = contain(|| tell(sink, event));
        TELLING.with(|telling| telling.set(false));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

fn tell(sink: Sink, event: &Event<'_>) {
    let mut line = Line::default();
    event.record(&mut line);
    let metadata = event.metadata();
    let (target, message) = (terminated(metadata.target()), terminated(&line.finish()));
    let level = number(*metadata.level());
    scope(Home::Engine, || {
        // SAFETY: both texts live until the callback is over; the rest is the caller's promise.
        unsafe {
            (sink.callback)(level, target.as_ptr(), message.as_ptr(), sink.payload.pointer());
        }
    });
}

/// The text of an event: its message, then its fields as `name=value`.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn finish(mut self) -> String {
        self.message.push_str(&self.fields);
        self.message
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

fn number(level: Level) -> i32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => TRACE,
    }
}

fn terminated(text: &str) -> CString {
    CString::new(text.replace('\0', "?")).unwrap_or_default()
}

const OFF: i32 = wal_verbosity::WAL_LOG_OFF as i32;
const TRACE: i32 = wal_verbosity::WAL_LOG_TRACE as i32;

/// Whether this library's listener is the process's; `false` when another one was there first.
static INSTALLED: OnceLock<bool> = OnceLock::new();
/// Written by `wal_set_log_callback`, read by every event that is heard.
static SINK: RwLock<Option<Sink>> = RwLock::new(None);
/// The most detailed level heard; asked on every thread before an event is made.
static HEARD: AtomicI32 = AtomicI32::new(OFF);

thread_local! {
    /// Whether this thread is inside the callback.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}
