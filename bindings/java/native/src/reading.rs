//! Reading: by LSN, cursors, replay.

use std::mem::MaybeUninit;
use std::sync::Mutex;

use jni::sys::{jboolean, jint, jlong, jlongArray, jobject};
use wal_core::packed::Packed;
use wal_core::{Cursor, Lsn, Record, ReplayOptions};

use crate::appending::number;
use crate::boundary::{Failure, Outcome, Reference, natives};
use crate::env::Env;
use crate::handle::{self, CursorHandle, alone};
use crate::options::{lsn, position, time_ns};
use crate::upcall::{Caller, Stop, finish};

natives! {
    /// The record with this LSN.
    fn Java_io_libwal_Native_read(env, log: jlong, at: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        record(env, &log.log.read(lsn(at)?)?)
    }

    /// Calls back with the records of these LSNs; returns how many there were.
    fn Java_io_libwal_Native_readMany(
        env, log: jlong, lsns: jlongArray, callback: jobject,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let lsns: Vec<Lsn> = env.longs(lsns)?.into_iter().map(lsn).collect::<Outcome<_>>()?;
        let caller = Caller::new(env, callback);
        let read = log.log.read_many(&lsns, |found| caller.record(env, found));
        caller.release(env);
        Ok(finish(env, read)? as jlong)
    }

    /// When the record was committed, in nanoseconds since 1970.
    fn Java_io_libwal_Native_timeOf(_env, log: jlong, at: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        Ok(time_ns(log.log.time_of(lsn(at)?)?))
    }

    /// One of the log's LSNs: first, last, durable, written, submitted, next; 0 for none.
    fn Java_io_libwal_Native_mark(_env, log: jlong, which: jint) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let log = &log.log;
        Ok(match which {
            0 => log.first_lsn(),
            1 => log.last_lsn(),
            2 => log.durable_lsn(),
            3 => log.written_lsn(),
            4 => log.submitted_lsn(),
            _ => Some(log.next_lsn()),
        }
        .map_or(0, number))
    }

    /// Opens a cursor.
    fn Java_io_libwal_Native_cursor(_env, log: jlong, from: jint, at: jlong) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let cursor = log.log.cursor(position(from, at)?)?;
        Ok(handle::give(CursorHandle(Mutex::new(Some(cursor)))))
    }

    /// The record after the position, null at the end.
    fn Java_io_libwal_Native_cursorNext(env, cursor: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let next = unsafe { on(cursor, |cursor| Ok(cursor.next()?)) }?;
        next.map_or(Ok(Reference::default()), |found| record(env, &found))
    }

    /// The record before the position, null at the beginning.
    fn Java_io_libwal_Native_cursorPrev(env, cursor: jlong) -> Reference {
        // SAFETY: the macro's promise.
        let prev = unsafe { on(cursor, |cursor| Ok(cursor.prev()?)) }?;
        prev.map_or(Ok(Reference::default()), |found| record(env, &found))
    }

    /// Moves a cursor.
    fn Java_io_libwal_Native_cursorSeek(_env, cursor: jlong, to: jint, at: jlong) {
        let to = position(to, at)?;
        // SAFETY: the macro's promise.
        unsafe { on(cursor, |cursor| Ok(cursor.seek(to)?)) }
    }

    /// The LSN of the record after the position.
    fn Java_io_libwal_Native_cursorNextLsn(_env, cursor: jlong) -> jlong {
        // SAFETY: the macro's promise.
        unsafe { on(cursor, |cursor| Ok(number(cursor.next_lsn()))) }
    }

    /// When the record last returned was committed.
    fn Java_io_libwal_Native_cursorTime(_env, cursor: jlong) -> jlong {
        // SAFETY: the macro's promise.
        unsafe { on(cursor, |cursor| Ok(time_ns(cursor.time()?))) }
    }

    /// Fills the memory of a `PackedRecords`: how many records, or how many bytes the first one
    /// needs, negative.
    fn Java_io_libwal_Native_cursorRead(
        _env, cursor: jlong, address: jlong, capacity: jlong, count_max: jint,
    ) -> jlong {
        // SAFETY: the memory is Java's, which keeps it while the call lasts.
        let memory = unsafe { room(address, capacity) }?;
        let count_max = usize::try_from(count_max).unwrap_or(0);
        // SAFETY: the macro's promise.
        unsafe { on(cursor, |cursor| Ok(count(cursor.read_packed(memory, count_max)?))) }
    }

    /// Lets go of what a cursor holds.
    fn Java_io_libwal_Native_cursorClose(_env, cursor: jlong) {
        // SAFETY: the macro's promise.
        handle::empty(&unsafe { handle::at::<CursorHandle>(cursor) }?.0);
        Ok(())
    }

    /// Frees the handle of a cursor.
    fn Java_io_libwal_Native_cursorFree(_env, cursor: jlong) {
        // SAFETY: the Java object is unreachable.
        drop(unsafe { handle::take_back::<CursorHandle>(cursor) });
        Ok(())
    }

    /// Calls back with every record from a position on; returns the last LSN, or 0.
    fn Java_io_libwal_Native_replay(
        env, log: jlong, from: jint, at: jlong, callback: jobject,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let from = position(from, at)?;
        let caller = Caller::new(env, callback);
        let last = log.log.replay::<Stop>(from, |found| caller.record(env, found));
        caller.release(env);
        Ok(finish(env, last)?.map_or(0, number))
    }

    /// The same with several threads; returns how many records there were.
    fn Java_io_libwal_Native_replayParallel(
        env, log: jlong, from: jint, at: jlong, threads: jint, in_order: jboolean,
        callback: jobject,
    ) -> jlong {
        // SAFETY: the macro's promise.
        let log = unsafe { handle::log(log) }?;
        let from = position(from, at)?;
        let threads = usize::try_from(threads).unwrap_or(0);
        let caller = Caller::new(env, callback);
        let options = ReplayOptions { threads, in_order };
        let replayed = log.log.replay_parallel::<Stop>(from, options, |found| {
            caller.record_anywhere(found)
        });
        caller.release(env);
        Ok(finish(env, replayed)? as jlong)
    }
}

/// A record as Java gets it.
pub(crate) fn record(env: Env, record: &Record) -> Outcome<Reference> {
    env.new_record(number(record.lsn()), record.batch_continues(), record).map(Reference)
}

/// What a packed read came to, in one number.
pub(crate) fn count(packed: Packed) -> jlong {
    match packed.count {
        0 => -jlong::try_from(packed.bytes_needed).unwrap_or(jlong::MAX),
        count => jlong::try_from(count).unwrap_or(jlong::MAX),
    }
}

/// Memory of Java to be filled.
///
/// # Safety
/// It is there, that long, and nothing else of this process's uses it meanwhile.
pub(crate) unsafe fn room<'a>(
    address: jlong,
    capacity: jlong,
) -> Outcome<&'a mut [MaybeUninit<u8>]> {
    match (address as *mut MaybeUninit<u8>, usize::try_from(capacity)) {
        (start, Ok(capacity)) if !start.is_null() => {
            // SAFETY: as the caller promises.
            Ok(unsafe { std::slice::from_raw_parts_mut(start, capacity) })
        }
        _ => Err(Failure::internal("no memory")),
    }
}

/// Runs a call on a cursor that no other thread is using.
///
/// # Safety
/// The handle is a cursor's.
unsafe fn on<R>(cursor: jlong, call: impl FnOnce(&mut Cursor) -> Outcome<R>) -> Outcome<R> {
    // SAFETY: as the caller promises.
    let handle = unsafe { handle::at::<CursorHandle>(cursor) }?;
    match &mut *alone(&handle.0, "cursor")? {
        Some(cursor) => call(cursor),
        None => Err(Failure::closed("cursor")),
    }
}
