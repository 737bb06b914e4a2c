//! Opening, closing and removing logs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jni::sys::{jboolean, jbyteArray, jlong, jlongArray};
use wal_core::{ErrorKind, Log, Options};

use crate::boundary::{Outcome, Reference, natives};
use crate::env::Env;
use crate::handle::{self, LogHandle};
use crate::options::options;
use crate::report::Report;

natives! {
    /// The version of this library.
    fn Java_io_libwal_Native_version(env) -> Reference {
        env.new_text(env!("CARGO_PKG_VERSION")).map(Reference)
    }

    /// Opens a log: its handle, and what the opening found.
    fn Java_io_libwal_Native_open(
        env, path: jbyteArray, numbers: jlongArray, read_only: jboolean,
    ) -> Reference {
        let (path, options) = (path_of(env, path)?, options(&env.longs(numbers)?)?);
        let (log, found) = wait_for_lock(env, options, |options| {
            if read_only { Log::open_read_only(&path, options) } else { Log::open(&path, options) }
        })?;
        let mut report = Report::default();
        report.recovery(&found);
        report.text(&log.path().to_string_lossy());
        report.uuid(&log.uuid());
        let log = handle::give(LogHandle::new(log));
        report.number(log);
        report.into_java(env).inspect_err(|_| {
            // SAFETY: Java has not been told of it.
            drop(unsafe { handle::take_back::<LogHandle>(log) });
        })
    }

    /// Closes a log; a call for each one, however often it is closed.
    fn Java_io_libwal_Native_close(_env, log: jlong) {
        // SAFETY: the macro's promise.
        unsafe { handle::at::<LogHandle>(log) }?.close()
    }

    /// Frees the handle of a log, which closes it if nobody has.
    fn Java_io_libwal_Native_free(_env, log: jlong) {
        // SAFETY: the Java object is unreachable.
        drop(unsafe { handle::take_back::<LogHandle>(log) });
        Ok(())
    }

    /// Removes a log.
    fn Java_io_libwal_Native_destroy(env, path: jbyteArray) {
        Ok(Log::destroy(path_of(env, path)?)?)
    }
}

/// The path of these bytes.
pub(crate) fn path_of(env: Env, path: jbyteArray) -> Outcome<PathBuf> {
    Ok(PathBuf::from(OsString::from_vec(env.bytes(path)?)))
}

/// Opens, and goes on trying for as long as the options say, unless the thread is interrupted.
fn wait_for_lock<T>(
    env: Env,
    options: Options,
    open: impl Fn(Options) -> wal_core::Result<T>,
) -> Outcome<T> {
    let deadline = Instant::now().checked_add(options.lock_wait);
    loop {
        let left = deadline.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
        let lock_wait = left.min(PATIENCE);
        match open(Options { lock_wait, ..options.clone() }) {
            Err(error) if error.kind() == ErrorKind::Locked && left > lock_wait => {
                env.check_interrupt()?;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// How long a wait goes on before it looks whether its thread was interrupted.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);
