//! An embeddable, crash-safe write-ahead log.
//!
//! A log is a directory with one append-only sequence of records. [`Log::append`] returns when the
//! record is on stable storage (or earlier, by the [`Level`] chosen), many threads share one sync,
//! and after a crash [`Log::open`] gives back exactly a prefix of what was appended that holds
//! everything acknowledged.
//!
//! ```
//! use wal_core::{Log, Options, Position};
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("orders");
//! let (log, _report) = Log::open(&path, Options::default())?;
//! log.append(b"order 1")?;
//! log.append_batch(&["order 2", "order 3"])?; // all or nothing after a crash
//! for record in log.cursor(Position::First)? {
//!     let record = record?;
//!     assert!(record.starts_with(b"order"));
//! }
//! log.close()?;
//! # Ok::<(), wal_core::Error>(())
//! ```
//!
//! Nothing is ever printed, no call panics on any input, and no thread of the library outlives the
//! logs that need it by more than seconds.
#![deny(missing_docs)]
#![deny(unsafe_code)]

mod append;
mod appender;
mod background;
pub mod check;
mod checksum;
mod completions;
mod copy;
mod cursor;
mod destroy;
mod error;
mod event;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;
mod follow;
mod frame;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod growth;
mod keeper;
mod le;
pub mod limits;
#[cfg(feature = "tracing")]
pub mod listener;
mod live;
mod log;
mod lookup;
mod lsn;
mod memory;
mod meters;
#[cfg(feature = "loom")]
pub mod models;
mod notify;
mod options;
pub mod packed;
mod position;
mod read_only;
mod record;
mod recovery;
mod replay;
mod segment;
#[cfg(any(feature = "simulate", feature = "shuttle"))]
pub mod simulation;
mod spares;
mod state;
mod stats;
mod sync;
mod tail;
mod time;
mod trim;
mod truncate;
mod values;
pub mod vfs;
mod views;

pub use append::Ticket;
pub use appender::Appender;
pub use completions::Completions;
pub use copy::CopyReport;
pub use cursor::Cursor;
pub use error::{Damage, Error, ErrorKind, Result};
pub use follow::Follower;
pub use log::Log;
pub use lsn::{FileOffset, Lsn, LsnRange, Place, SegmentId};
pub use notify::{Notifier, Subscription};
pub use options::{AppendOptions, AtCapacity, Io, Level, Options, ReadMode, Retention, Wait};
pub use position::Position;
pub use record::Record;
pub use recovery::{Cut, RecoveryCase, RecoveryReport};
pub use replay::ReplayOptions;
pub use stats::{Counters, Histogram, SegmentStats, Stats};
pub use values::Values;
