//! The engine's events, kept until Java's logging thread fetches them: no logger runs in the middle
//! of the engine's work.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use jni::sys::jint;
use wal_core::listener::{Told, hear, listen};

use crate::boundary::{Reference, natives};
use crate::report::Report;

natives! {
    /// Keeps the events up to a level: 0 none, 1 errors, to 5 everything.
    fn Java_io_libwal_Native_hear(_env, level: jint) {
        // This library's copy of the registry is its own: nobody was here before.
        let _ = listen(keep);
        hear(u8::try_from(level).unwrap_or(0));
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

struct Happened {
    level: u8,
    target: String,
    text: String,
}

struct Kept {
    /// At most `EVENTS_MAX`.
    events: VecDeque<Happened>,
    lost: u64,
}

fn keep(told: &Told<'_>) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.events.len() < EVENTS_MAX {
        kept.events.push_back(Happened {
            level: told.level,
            target: told.target.to_owned(),
            text: told.text.to_owned(),
        });
    } else {
        kept.lost += 1;
    }
    drop(kept);
    ARRIVED.notify_one();
}

const EVENTS_MAX: usize = 1024;

static KEPT: Mutex<Kept> = Mutex::new(Kept { events: VecDeque::new(), lost: 0 });
static ARRIVED: Condvar = Condvar::new();
