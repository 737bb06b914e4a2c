//! The native part of the npm package `libwal`.
//!
//! JavaScript in `lib/` is what users see; it checks and converts arguments, so that whatever comes
//! in here is well-formed. The modules, in the order of a call:
//!
//! | module | what it is |
//! |---|---|
//! | `log` | the functions of an open log, and those that need none |
//! | `call` | the functions themselves, and what they are called with |
//! | `cursor` | reading onwards, backwards and at the tail |
//! | `append` | appends in flight, and those that wait for room |
//! | `options`, `reports` | what comes in and goes out as plain objects |
//! | `desk` | the JavaScript side of one environment: promises, errors, calls |
//! | `mailbox` | how other threads reach it |
//! | `workers` | the threads that wait and read, so that the event loop never does |
//! | `logging` | the engine's events for a JavaScript function |

mod append;
mod call;
mod cursor;
mod desk;
mod log;
mod logging;
mod mailbox;
mod options;
mod reports;
mod workers;

pub use log::connect;
