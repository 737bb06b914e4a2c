//! The engine's events for `logging`: kept in a queue until a Python thread takes them.
//!
//! An event arises in the middle of the engine's work, maybe with a lock of it held, so that
//! waiting for the GIL there could stop everything. Here it is written down and a descriptor rung;
//! `libwal/_logging.py` reads.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, LevelFilter, Metadata, Subscriber, callsite};

use crate::event::Event as Bell;

/// Has events up to a level of `logging` be kept for `events_take`, from now on; returns the
/// descriptor that is readable when there are some. A level of 60 or more is silence.
#[pyfunction]
pub(crate) fn events_heard(py: Python<'_>, level: u8) -> PyResult<i32> {
    py.detach(|| {
        HEARD.store(level, Ordering::Release);
        let is_installed = INSTALLED.get_or_init(|| {
            tracing_core::dispatcher::set_global_default(Dispatch::new(Listener)).is_ok()
        });
        callsite::rebuild_interest_cache();
        match bell() {
            Some(bell) if *is_installed => Ok(bell.fd()),
            _ => Err(PyRuntimeError::new_err("no listener for the engine's events is to be had")),
        }
    })
}

/// Takes the events that are kept: level of `logging`, logger, message.
#[pyfunction]
pub(crate) fn events_take(py: Python<'_>) -> Vec<(u8, String, String)> {
    py.detach(|| {
        if let Some(bell) = bell() {
            bell.clear();
        }
        let Some(mut kept) = kept() else { return Vec::new() };
        kept.drain(..).map(|event| (event.level, event.target, event.message)).collect()
    })
}

/// How many events found no room since this was asked last.
#[pyfunction]
pub(crate) fn events_dropped() -> u64 {
    DROPPED.swap(0, Ordering::AcqRel)
}

struct Kept {
    level: u8,
    target: String,
    message: String,
}

/// Hears the engine's events. Spans are not told: the events carry all they mean in their fields.
struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(*metadata.level()) >= HEARD.load(Ordering::Acquire)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match HEARD.load(Ordering::Acquire) {
            ..=5 => LevelFilter::TRACE,
            6..=10 => LevelFilter::DEBUG,
            11..=20 => LevelFilter::INFO,
            21..=30 => LevelFilter::WARN,
            31..=50 => LevelFilter::ERROR,
            51.. => LevelFilter::OFF,
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
        // "wal" is the library itself.
        let target = metadata.target().replacen("wal", "libwal", 1).replace("::", ".");
        let message = line.finish();
        let Some(mut kept) = kept().filter(|kept| kept.len() < KEPT_MAX) else {
            DROPPED.fetch_add(1, Ordering::AcqRel);
            return;
        };
        kept.push_back(Kept { level: number(*metadata.level()), target, message });
        drop(kept);
        if let Some(bell) = bell() {
            bell.ring();
        }
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

/// The number `logging` has for a level.
fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

/// The events that are kept. Given up where the lock does not become free: in a process that was
/// forked while another thread had it, it never does.
fn kept() -> Option<MutexGuard<'static, VecDeque<Kept>>> {
    for _ in 0..LOCK_TRIES_MAX {
        match KEPT.try_lock() {
            Ok(kept) => return Some(kept),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}

fn bell() -> Option<&'static Bell> {
    static BELL: OnceLock<Option<Bell>> = OnceLock::new();
    BELL.get_or_init(|| Bell::new().ok()).as_ref()
}

/// Whether this module's listener is the one of its copy of `tracing`.
static INSTALLED: OnceLock<bool> = OnceLock::new();
/// The least level kept; asked on every thread before an event is made.
static HEARD: AtomicU8 = AtomicU8::new(u8::MAX);
static KEPT: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Nobody takes events faster than a log makes them for long; what is more is counted.
const KEPT_MAX: usize = 4096;
/// The lock is held for a moment only.
const LOCK_TRIES_MAX: u32 = 10_000;
