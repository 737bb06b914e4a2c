//! What changes a log, or looks at it as a whole.

use jni::sys::{jboolean, jbyteArray, jlong, jobject, jobjectArray};
use wal_core::check;

use crate::appending::number;
use crate::boundary::{Failure, Outcome, Reference, natives};
use crate::handle;
use crate::opening::path_of;
use crate::options::lsn;
use crate::report::Report;

natives! {
    /// Drops the records before an LSN; returns the first one still there, or 0.
    fn Java_io_libwal_Native_trim(_env, log: jlong, before: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        log.guarded(|log| Ok(log.trim(lsn(before)?)?.map_or(0, number)))
    }

    /// Drops the records after an LSN.
    fn Java_io_libwal_Native_truncate(_env, log: jlong, after: jlong) {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        log.guarded(|log| Ok(log.truncate(lsn(after)?)?))
    }

    /// Drops all records.
    fn Java_io_libwal_Native_reset(_env, log: jlong, next: jlong) {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        log.guarded(|log| Ok(log.reset_to(lsn(next)?)?))
    }

    /// The value of a key, or null.
    fn Java_io_libwal_Native_valueGet(env, log: jlong, key: jbyteArray) -> Reference {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let value = log.log.values().get(&env.bytes(key)?)?;
        value.map_or(Ok(Reference::default()), |value| env.new_bytes(&value).map(Reference))
    }

    /// Sets and deletes (null) keys at once.
    fn Java_io_libwal_Native_valuesUpdate(
        env, log: jlong, keys: jobjectArray, values: jobjectArray,
    ) {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let (keys, values) = (env.byte_arrays(keys)?, env.byte_arrays(values)?);
        let changes: Vec<(&[u8], Option<&[u8]>)> = keys
            .iter()
            .zip(&values)
            .map(|(key, value)| (key.as_deref().unwrap_or_default(), value.as_deref()))
            .collect();
        log.guarded(|log| Ok(log.values().update(&changes)?))
    }

    /// Deletes a key; returns whether it was set.
    fn Java_io_libwal_Native_valueDelete(env, log: jlong, key: jbyteArray) -> jboolean {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let key = env.bytes(key)?;
        log.guarded(|log| Ok(log.values().delete(&key)?))
    }

    /// Keys and values, in turn.
    fn Java_io_libwal_Native_valuesList(env, log: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let pairs = log.log.values().list()?;
        let flat: Vec<Vec<u8>> =
            pairs.into_iter().flat_map(|(key, value)| [key, value]).collect();
        env.new_byte_arrays(&flat).map(Reference)
    }

    /// Copies the log to a new directory.
    fn Java_io_libwal_Native_copy(env, log: jlong, path: jbyteArray) -> Reference {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let copied = log.log.copy_to(path_of(env, path)?)?;
        let mut report = Report::default();
        report.count(copied.records);
        report.lsn(copied.first_lsn);
        report.lsn(copied.last_lsn);
        report.uuid(&copied.uuid);
        report.into_java(env)
    }

    /// Figures of an open log.
    fn Java_io_libwal_Native_stats(env, log: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let mut report = Report::default();
        report.stats(&log.log.stats()?);
        report.into_java(env)
    }

    /// What a closed or open log is.
    fn Java_io_libwal_Native_info(env, path: jbyteArray) -> Reference {
        let mut report = Report::default();
        report.info(&check::info(path_of(env, path)?)?);
        report.into_java(env)
    }

    /// Holds every byte of a log against its checksums.
    fn Java_io_libwal_Native_verify(env, path: jbyteArray, progress: jobject) -> Reference {
        let path = path_of(env, path)?;
        let mut told = Outcome::Ok(());
        let found = check::verify(path, |done, total| {
            // What the callback throws ends its calls, and is thrown when the work is done.
            if told.is_ok() && !progress.is_null() {
                told = env.call_progress(progress, done, total).map_err(|_| Failure::Thrown);
            }
        });
        told?;
        let mut report = Report::default();
        report.verified(&found?);
        report.into_java(env)
    }

    /// Makes a damaged log one that opens, or says what that would take.
    fn Java_io_libwal_Native_repair(env, path: jbyteArray, dry_run: jboolean) -> Reference {
        let repaired = check::repair(path_of(env, path)?, dry_run)?;
        let mut report = Report::default();
        report.repaired(&repaired);
        report.into_java(env)
    }
}
