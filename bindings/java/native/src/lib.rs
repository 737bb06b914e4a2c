//! The native half of `io.libwal`: converts, calls `wal-core`, converts back, throws.
//!
//! Every function is a static native of the class `io.libwal.Native` and runs inside one boundary
//! (`boundary`), which turns errors into exceptions and lets no panic out. No thread of the engine
//! ever calls into the JVM, but for a parallel replay's: what Java is told of it fetches.
#![deny(missing_docs)]

mod appending;
mod boundary;
mod changing;
mod dispatch;
mod env;
mod following;
mod handle;
mod logging;
mod opening;
mod options;
mod reading;
mod report;
mod upcall;
