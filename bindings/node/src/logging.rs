//! The engine's events for a JavaScript function: nothing is ever printed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use napi::bindgen_prelude::*;
use wal_core::listener::{Told, hear, listen};

use crate::desk::{Raw, to_raw};
use crate::mailbox::Mailbox;

/// Has the events up to a level told to this environment's listener; without a listener it ends.
pub(crate) fn set(mailbox: &Arc<Mailbox>, listener: Option<u32>, level: &str) -> Result<Raw> {
    if !listen(tell) {
        return Err(Error::from_reason("this program has another listener for the events"));
    }
    let mut sinks = SINKS.write().unwrap_or_else(PoisonError::into_inner);
    sinks.retain(|sink| {
        sink.mailbox.strong_count() > 0 && !std::ptr::eq(sink.mailbox.as_ptr(), &**mailbox)
    });
    if let Some(listener) = listener {
        let level = NAMES.iter().position(|name| *name == level).unwrap_or(0) as u8 + 1;
        let mailbox = Arc::downgrade(mailbox);
        sinks.push(Sink { mailbox, listener, level, in_flight: Arc::default() });
    }
    let heard = sinks.iter().map(|sink| sink.level).max().unwrap_or(0);
    drop(sinks);
    hear(heard);
    Ok(std::ptr::null_mut())
}

/// An environment that listens.
struct Sink {
    mailbox: Weak<Mailbox>,
    listener: u32,
    /// The most detailed level it wants, in the engine's numbers.
    level: u8,
    /// Events it has yet to hear.
    in_flight: Arc<AtomicUsize>,
}

impl Sink {
    fn tell(&self, told: &Told<'_>) {
        let wants = told.level <= self.level;
        let Some(mailbox) = self.mailbox.upgrade().filter(|_| wants) else { return };
        // A thread that does not get round to listening must not fill the memory.
        if self.in_flight.fetch_add(1, Ordering::AcqRel) >= IN_FLIGHT_MAX {
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let (listener, in_flight) = (self.listener, Arc::clone(&self.in_flight));
        let level = NAMES.get(usize::from(told.level.saturating_sub(1)));
        let level = level.copied().unwrap_or("trace");
        let (target, message) = (told.target.to_owned(), told.text.to_owned());
        mailbox.post(Box::new(move |desk, env| {
            in_flight.fetch_sub(1, Ordering::AcqRel);
            let event = || Ok([to_raw(env, level)?, to_raw(env, target)?, to_raw(env, message)?]);
            let event: Result<[Raw; 3]> = event();
            if let Ok(event) = event {
                desk.tell(env, listener, event);
            }
        }));
    }
}

fn tell(told: &Told<'_>) {
    for sink in &*SINKS.read().unwrap_or_else(PoisonError::into_inner) {
        sink.tell(told);
    }
}

/// What the levels are called, from the engine's first.
const NAMES: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
/// Events that may wait to be heard.
const IN_FLIGHT_MAX: usize = 1024;

/// Written by `set`, read by every event that is heard.
static SINKS: RwLock<Vec<Sink>> = RwLock::new(Vec::new());
