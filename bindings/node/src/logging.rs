//! The engine's events for a JavaScript function: nothing is ever printed.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use napi::bindgen_prelude::*;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, LevelFilter, Metadata, Subscriber, callsite};

use crate::desk::{Raw, to_raw};
use crate::mailbox::Mailbox;

/// Has the events up to a level told to this environment's listener; without a listener it ends.
pub(crate) fn set(mailbox: &Arc<Mailbox>, listener: Option<u32>, level: &str) -> Result<Raw> {
    let is_installed = INSTALLED.get_or_init(|| {
        tracing_core::dispatcher::set_global_default(Dispatch::new(Listener)).is_ok()
    });
    if !is_installed {
        return Err(Error::from_reason("this program has another listener for the events"));
    }
    let mut sinks = SINKS.write().unwrap_or_else(PoisonError::into_inner);
    sinks.retain(|sink| {
        sink.mailbox.strong_count() > 0 && !std::ptr::eq(sink.mailbox.as_ptr(), &**mailbox)
    });
    if let Some(listener) = listener {
        let level = NAMES.iter().position(|name| *name == level).unwrap_or(0);
        let mailbox = Arc::downgrade(mailbox);
        sinks.push(Sink { mailbox, listener, level, in_flight: Arc::default() });
    }
    let heard = sinks.iter().map(|sink| sink.level + 1).max().unwrap_or(0);
    drop(sinks);
    HEARD.store(heard, Ordering::Release);
    callsite::rebuild_interest_cache();
    Ok(std::ptr::null_mut())
}

/// An environment that listens.
struct Sink {
    mailbox: Weak<Mailbox>,
    listener: u32,
    /// An index of `NAMES`.
    level: usize,
    /// Events it has yet to hear.
    in_flight: Arc<AtomicUsize>,
}

impl Sink {
    fn tell(&self, level: usize, target: &str, message: &str) {
        let Some(mailbox) = self.mailbox.upgrade().filter(|_| level <= self.level) else { return };
        // A thread that does not get round to listening must not fill the memory.
        if self.in_flight.fetch_add(1, Ordering::AcqRel) >= IN_FLIGHT_MAX {
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let (listener, in_flight) = (self.listener, Arc::clone(&self.in_flight));
        let (target, message) = (target.to_owned(), message.to_owned());
        mailbox.post(Box::new(move |desk, env| {
            in_flight.fetch_sub(1, Ordering::AcqRel);
            let level = NAMES.get(level).copied().unwrap_or("trace");
            let event = || Ok([to_raw(env, level)?, to_raw(env, target)?, to_raw(env, message)?]);
            let event: Result<[Raw; 3]> = event();
            if let Ok(event) = event {
                desk.tell(env, listener, event);
            }
        }));
    }
}

/// Hears the engine's events. Spans are not told: the events carry all they mean in their fields.
struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        index(*metadata.level()) < HEARD.load(Ordering::Acquire)
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
        if TELLING.with(|telling| telling.replace(true)) {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let (metadata, message) = (event.metadata(), line.finish());
        for sink in &*SINKS.read().unwrap_or_else(PoisonError::into_inner) {
            sink.tell(index(*metadata.level()), metadata.target(), &message);
        }
        TELLING.with(|telling| telling.set(false));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
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

fn index(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

/// What the levels are called.
const NAMES: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
/// Events that may wait to be heard.
const IN_FLIGHT_MAX: usize = 1024;

/// Whether this library's listener is the process's.
static INSTALLED: OnceLock<bool> = OnceLock::new();
/// Written by `set`, read by every event that is heard.
static SINKS: RwLock<Vec<Sink>> = RwLock::new(Vec::new());
/// One more than the index of the most detailed level heard; asked before an event is made.
static HEARD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is telling an event.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}
