//! The engine's events for hosts that know no `tracing`: packages for other languages.
//!
//! A Rust program installs a subscriber of its own instead, and needs nothing of this.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Level, Metadata, Subscriber, callsite};

/// One event, valid while it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// 1 for an error, 2 for a warning, 3 for information, 4 for debugging, 5 for tracing.
    pub level: u8,
    /// The part of the library it comes from: `wal`.
    pub target: &'a str,
    /// Its message, then its fields as ` name=value`.
    pub text: &'a str,
}

/// Has every event of all logs of this process up to the level that [`hear`] sets be told to
/// `tell`, for good: in the middle of the engine's work, maybe with a lock of it held, on any
/// thread, several at once. It must be quick, and it must not call the library. What it causes to
/// happen on its own thread is not told. Whoever comes first in a process stays; returns whether
/// that is `tell`.
///
/// ```
/// fn tell(told: &wal_core::listener::Told<'_>) {
///     eprintln!("{} {}", told.target, told.text);
/// }
/// if wal_core::listener::listen(tell) {
///     wal_core::listener::hear(2);
/// }
/// ```
pub fn listen(tell: fn(&Told<'_>)) -> bool {
    static LISTENER: OnceLock<Option<fn(&Told<'_>)>> = OnceLock::new();
    let installed =
        LISTENER.get_or_init(|| set_global_default(Listener { tell }).is_ok().then_some(tell));
    installed.is_some_and(|installed| std::ptr::fn_addr_eq(installed, tell))
}

/// Sets how much is told from now on: the most detailed level of [`Told::level`], 0 for nothing, as
/// it is at first. What is not told is not made either.
pub fn hear(level: u8) {
    if HEARD.swap(level, Ordering::AcqRel) != level {
        callsite::rebuild_interest_cache();
    }
}

/// Spans are not told: the events carry all they mean in their fields.
struct Listener {
    tell: fn(&Told<'_>),
}

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(*metadata.level()) <= HEARD.load(Ordering::Acquire)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match HEARD.load(Ordering::Acquire) {
            0 => LevelFilter::OFF,
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
        // An event that telling one causes would cause the next, without an end.
        if TELLING.with(|telling| telling.replace(true)) {
            return;
        }
        let _telling = Telling;
        let mut line = Line::default();
        event.record(&mut line);
        line.message.push_str(&line.fields);
        let metadata = event.metadata();
        (self.tell)(&Told {
            level: number(*metadata.level()),
            target: metadata.target(),
            text: &line.message,
        });
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// Telling ends when it is over, also by a panic.
struct Telling;

impl Drop for Telling {
    fn drop(&mut self) {
        TELLING.with(|telling| telling.set(false));
    }
}

/// The text of an event in its two parts.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
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

fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// The most detailed level told; asked on every thread before an event is made.
static HEARD: AtomicU8 = AtomicU8::new(0);

thread_local! {
    /// Whether this thread is telling an event.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}
