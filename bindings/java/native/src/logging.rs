//! The engine's events, kept until Java's logging thread fetches them: no logger runs in the middle
//! of the engine's work.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Condvar, Mutex, Once, PoisonError};

use jni::sys::jint;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, LevelFilter, Metadata, Subscriber, callsite};

use crate::boundary::{Reference, natives};
use crate::report::Report;

natives! {
    /// Keeps the events up to a level: 0 none, 1 errors, to 5 everything.
    fn Java_io_libwal_Native_hear(_env, level: jint) {
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            // This library's copy of the registry is its own: nobody was here before.
            let _ = tracing_core::dispatcher::set_global_default(Dispatch::new(Listener));
        });
        if HEARD.swap(level, Ordering::AcqRel) != level {
            callsite::rebuild_interest_cache();
        }
        Ok(())
    }

    /// Waits for events: for each a level, its target and its text.
    fn Java_io_libwal_Native_events(env) -> Reference {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.events.is_empty() {
            kept = ARRIVED.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
        let (events, lost) = (std::mem::take(&mut kept.events), std::mem::take(&mut kept.lost));
        drop(kept);
        let mut report = Report::default();
        for event in events {
            report.number(event.level.into());
            report.text(&event.target);
            report.text(&event.text);
        }
        if lost > 0 {
            report.number(2);
            report.text("wal");
            report.text(&format!("{lost} events came faster than they were logged and are lost"));
        }
        report.into_java(env)
    }
}

struct Told {
    level: i32,
    target: String,
    text: String,
}

struct Kept {
    /// At most `EVENTS_MAX`.
    events: VecDeque<Told>,
    lost: u64,
}

/// Hears the engine's events. Spans are not told: events carry all they mean in their fields.
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
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        let told = Told {
            level: number(*metadata.level()),
            target: metadata.target().to_owned(),
            text: line.message + &line.fields,
        };
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.events.len() < EVENTS_MAX {
            kept.events.push_back(told);
        } else {
            kept.lost += 1;
        }
        drop(kept);
        ARRIVED.notify_one();
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
        Level::TRACE => 5,
    }
}

const EVENTS_MAX: usize = 1024;

/// The most detailed level heard; asked on every thread before an event is made.
static HEARD: AtomicI32 = AtomicI32::new(0);
static KEPT: Mutex<Kept> = Mutex::new(Kept { events: VecDeque::new(), lost: 0 });
static ARRIVED: Condvar = Condvar::new();
