//! The native part of the Python package `libwal`: it converts, calls `wal-core` and raises.
//!
//! The rules that keep an interpreter alive and its other threads running:
//!
//! - What may wait or touch a disk runs without the GIL ([`boundary::detached`]).
//! - No lock is waited for with the GIL held that somebody may hold while waiting for the GIL: the
//!   locks here are taken without the GIL, or held only for what needs none.
//! - The engine never calls Python. Its threads ring an event (`aio`) or fill a queue
//!   (`logging`), and a Python thread looks. So nothing of it meets an interpreter that ends.
//! - Bytes that others may change are copied with the GIL held, before anything else.

mod aio;
mod boundary;
mod error;
mod event;
mod log;
mod logging;
mod module;
mod notifier;
mod options;
mod reading;
mod record;
mod replay;
mod reports;
