//! The engine's events for `logging`: kept in a queue until a Python thread takes them.
//!
//! An event arises in the middle of the engine's work, maybe with a lock of it held, so that
//! waiting for the GIL there could stop everything. Here it is written down and a descriptor rung;
//! `libwal/_logging.py` reads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use wal_core::listener::{Told, hear, listen};

use crate::event::Event as Bell;

/// Has events up to a level of `logging` be kept for `events_take`, from now on; returns the
/// descriptor that is readable when there are some. A level of 60 or more is silence.
#[pyfunction]
pub(crate) fn events_heard(py: Python<'_>, level: u8) -> PyResult<i32> {
    py.detach(|| {
        let is_installed = listen(keep);
        hear(detail(level));
        match bell() {
            Some(bell) if is_installed => Ok(bell.fd()),
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

fn keep(told: &Told<'_>) {
    // "wal" is the library itself.
    let target = told.target.replacen("wal", "libwal", 1).replace("::", ".");
    let Some(mut kept) = kept().filter(|kept| kept.len() < KEPT_MAX) else {
        DROPPED.fetch_add(1, Ordering::AcqRel);
        return;
    };
    let message = told.text.to_owned();
    kept.push_back(Kept { level: number(told.level), target, message });
    drop(kept);
    if let Some(bell) = bell() {
        bell.ring();
    }
}

/// The engine's number for the least level of `logging` that is heard.
fn detail(level: u8) -> u8 {
    (0..=5).rev().find(|detail| *detail == 0 || number(*detail) >= level).unwrap_or(0)
}

/// The number `logging` has for one of the engine's levels.
fn number(level: u8) -> u8 {
    match level {
        1 => 40,
        2 => 30,
        3 => 20,
        4 => 10,
        _ => 5,
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

static KEPT: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Nobody takes events faster than a log makes them for long; what is more is counted.
const KEPT_MAX: usize = 4096;
/// The lock is held for a moment only.
const LOCK_TRIES_MAX: u32 = 10_000;
