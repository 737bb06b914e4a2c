//! Appending.

use std::time::{Duration, Instant};

use jni::sys::{jbyteArray, jint, jlong, jobject};
use wal_core::{AppendOptions, ErrorKind, Lsn, Result, Wait, packed};

use crate::boundary::{Failure, Outcome, natives};
use crate::env::Env;
use crate::handle;
use crate::opening::PATIENCE;
use crate::options::{append_options, lsn};

natives! {
    /// Appends a part of an array, as the log's options say.
    fn Java_io_libwal_Native_append(
        env, log: jlong, record: jbyteArray, offset: jint, len: jint,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        env.with_bytes(record, offset, len, |record| {
            log.guarded(|log| {
                waiting(env, DEFAULTS, |asked| log.with(*asked).append(record)).map(number)
            })
        })
    }

    /// Appends a part of a direct buffer, as the log's options say.
    fn Java_io_libwal_Native_appendDirect(
        env, log: jlong, record: jobject, offset: jint, len: jint,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let record = env.direct(record, offset, len)?;
        log.guarded(|log| {
            waiting(env, DEFAULTS, |asked| log.with(*asked).append(record)).map(number)
        })
    }

    /// Appends with options, at an expected LSN unless that is 0.
    fn Java_io_libwal_Native_appendWith(
        env, log: jlong, record: jbyteArray, offset: jint, len: jint,
        at: jint, wait_ns: jlong, time_ns: jlong, expected: jlong,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let asked = append_options(at, wait_ns, time_ns)?;
        let expected = if expected == 0 { None } else { Some(lsn(expected)?) };
        env.with_bytes(record, offset, len, |record| {
            log.guarded(|log| {
                let call = |asked: &AppendOptions| match expected {
                    Some(expected) => log.with(*asked).append_at(expected, record),
                    None => log.with(*asked).append(record),
                };
                waiting(env, asked, call).map(number)
            })
        })
    }

    /// Appends a packed batch that lies in an array; returns the first LSN.
    fn Java_io_libwal_Native_appendBatch(
        env, log: jlong, batch: jbyteArray, len: jint, at: jint, wait_ns: jlong, time_ns: jlong,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let asked = append_options(at, wait_ns, time_ns)?;
        env.with_bytes(batch, 0, len, |batch| {
            let records = packed::unpack(batch)?;
            log.guarded(|log| {
                waiting(env, asked, |asked| log.with(*asked).append_batch(&records))
                    .map(|lsns| number(lsns.first))
            })
        })
    }

    /// Appends a packed batch that lies at an address; returns the first LSN.
    fn Java_io_libwal_Native_appendPacked(
        env, log: jlong, address: jlong, len: jlong, at: jint, wait_ns: jlong, time_ns: jlong,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let asked = append_options(at, wait_ns, time_ns)?;
        // SAFETY: the memory of a `PackedRecords`, which is reachable and that long.
        let batch = unsafe { memory(address, len) }?;
        let records = packed::unpack(batch)?;
        log.guarded(|log| {
            waiting(env, asked, |asked| log.with(*asked).append_batch(&records))
                .map(|lsns| number(lsns.first))
        })
    }

    /// Submits a part of an array under a token, which comes back through the dispatcher.
    fn Java_io_libwal_Native_submit(
        env, log: jlong, token: jlong, record: jbyteArray, offset: jint, len: jint,
        at: jint, wait_ns: jlong, time_ns: jlong,
    ) {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let asked = append_options(at, wait_ns, time_ns)?;
        let hub = log.hub.get().ok_or_else(no_hub)?;
        env.with_bytes(record, offset, len, |record| {
            log.guarded(|_| {
                waiting(env, asked, |asked| hub.completions().submit(record, asked, token))?;
                Ok(())
            })
        })
    }

    /// Submits a packed batch that lies in an array under a token.
    fn Java_io_libwal_Native_submitBatch(
        env, log: jlong, token: jlong, batch: jbyteArray, len: jint,
        at: jint, wait_ns: jlong, time_ns: jlong,
    ) {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let asked = append_options(at, wait_ns, time_ns)?;
        let hub = log.hub.get().ok_or_else(no_hub)?;
        env.with_bytes(batch, 0, len, |batch| {
            let records = packed::unpack(batch)?;
            log.guarded(|_| {
                let completions = hub.completions();
                waiting(env, asked, |asked| completions.submit_batch(&records, asked, token))?;
                Ok(())
            })
        })
    }

    /// Makes everything appended so far durable; returns the durable LSN or 0.
    fn Java_io_libwal_Native_sync(_env, log: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        log.guarded(|log| Ok(log.sync()?.map_or(0, number)))
    }

    /// Waits until a record is durable; returns the durable LSN, 0 when the time is up.
    fn Java_io_libwal_Native_waitDurable(env, log: jlong, at: jlong, timeout_ns: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let at = lsn(at)?;
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
            match log.log.wait_durable(at, Some(left.min(PATIENCE))) {
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    if left < PATIENCE {
                        return Ok(0);
                    }
                    env.check_interrupt()?;
                }
                outcome => return Ok(number(outcome?)),
            }
        }
    }

    /// The address of a direct buffer.
    fn Java_io_libwal_Native_address(env, buffer: jobject) -> jlong {
        Ok(env.address(buffer))
    }
}

/// Calls at once; where that would have to wait, again and again until it has its turn, the time of
/// the options is up, or the thread is interrupted. Nothing was appended by a call that ran out of
/// time.
#[inline]
fn waiting<R>(
    env: Env,
    asked: AppendOptions,
    call: impl Fn(&AppendOptions) -> Result<R>,
) -> Outcome<R> {
    match call(&AppendOptions { wait: Wait::Try, ..asked }) {
        Err(error) if error.kind() == ErrorKind::WouldBlock && asked.wait != Wait::Try => {
            wait_for_room(env, asked, call)
        }
        outcome => Ok(outcome?),
    }
}

#[cold]
fn wait_for_room<R>(
    env: Env,
    asked: AppendOptions,
    call: impl Fn(&AppendOptions) -> Result<R>,
) -> Outcome<R> {
    let deadline = match asked.wait {
        Wait::AtMost(wait) => Instant::now().checked_add(wait),
        Wait::Block | Wait::Try => None,
    };
    loop {
        let left = deadline.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
        let wait = Wait::AtMost(left.min(PATIENCE));
        match call(&AppendOptions { wait, ..asked }) {
            Err(error) if error.kind() == ErrorKind::Timeout && left >= PATIENCE => {
                env.check_interrupt()?;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Memory that Java has allocated.
///
/// # Safety
/// It is there, and that long.
unsafe fn memory<'a>(address: jlong, len: jlong) -> Outcome<&'a [u8]> {
    match (address as *const u8, usize::try_from(len)) {
        (_, Ok(0)) => Ok(&[]),
        (start, Ok(len)) if !start.is_null() => {
            // SAFETY: as the caller promises.
            Ok(unsafe { std::slice::from_raw_parts(start, len) })
        }
        _ => Err(Failure::internal("no memory")),
    }
}

/// An LSN as Java gets it.
pub(crate) fn number(lsn: Lsn) -> jlong {
    lsn.get() as jlong
}

fn no_hub() -> Failure {
    Failure::internal("nobody was asked to tell of completions")
}

const DEFAULTS: AppendOptions = AppendOptions { level: None, wait: Wait::Block, time: None };
