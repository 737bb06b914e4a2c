//! Looking into a log that is not open here: [`info`], [`verify`] and [`repair`].
//!
//! They work on a path, beside a live writer, and only [`repair`] changes anything, under the
//! writer's lock. Each has a twin for other storages, named `_with`.
//!
//! ```
//! use wal_core::{Log, Options, check};
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("log");
//! let (log, _) = Log::open(&path, Options::default())?;
//! log.append(b"first")?;
//! assert!(check::info(&path)?.writer_alive);
//! log.close()?;
//! let report = check::verify(&path, |_done, _total| {})?;
//! assert!(report.findings.is_empty());
//! assert_eq!(report.records, 1);
//! assert!(!check::repair(&path, false)?.changed);
//! # Ok::<(), wal_core::Error>(())
//! ```

mod backup;
mod bytes;
mod checked;
mod finding;
mod footer;
mod info;
mod inspection;
mod picture;
mod plan;
mod repair;
mod segment;
mod step;
mod verify;

pub use finding::Finding;
pub use info::{Info, info, info_with};
pub use repair::{RepairReport, repair, repair_with};
pub use verify::{VerifyReport, verify, verify_with};
