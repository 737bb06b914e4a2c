//! The functions of an open log, and those that need none.
//!
//! A log's object has one function for each call, bound to the log: half as long a way as a method
//! of a class. Where the first argument is a token, the call is done on another thread and the
//! token's promise settled; without one it is done at once and its value returned.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use wal_core::packed::unpack;
use wal_core::{AppendOptions, Log, Lsn, check};

use crate::append::{Payload, Shared};
use crate::call::{
    Call, Table, bytes, many_bytes, nothing, number, options, path, token, with_bytes,
};
use crate::cursor::{self, Bytes, Following, Reading};
use crate::desk::{Desk, Outcome, Raw, bigint, to_raw, undefined};
use crate::logging;
use crate::options::{OpenOptions, position};
use crate::reports::{
    CopyObject, InfoObject, LsnRangeObject, RecoveryObject, RepairObject, StatsObject,
    VerifyObject, lsn, nanoseconds, uuid,
};
use crate::workers::Stay;

/// Connects an environment: `settle`, `settleAppends`, `tell` and `makeError` are what is called
/// back, `tokens` and `lsns` the memory that outcomes of appends land in. Returns the functions
/// that need no log.
#[napi]
pub fn connect(env: Env, functions: Vec<Unknown<'_>>, landing: Vec<Unknown<'_>>) -> Result<Raw> {
    let wrong = |_| Error::from_reason("connect takes four functions and two arrays");
    let raws =
        |values: Vec<Unknown<'_>>| values.iter().map(|value| value.raw()).collect::<Vec<_>>();
    let functions = raws(functions).try_into().map_err(wrong)?;
    let landing = raws(landing).try_into().map_err(wrong)?;
    let desk = Desk::new(&env, functions, landing)?;
    let mut table = Table::new(&env, &desk)?;
    table.function("open", |desk, env, call| {
        let (path, options) = (path(call, 1)?, call.get::<OpenOptions>(2)?);
        open(desk, env, token(call)?, path, options)
    })?;
    table.call("destroy", Stay::Long, |call| path(call, 1), |path| Ok(Log::destroy(path)?))?;
    table.call(
        "info",
        Stay::Long,
        |call| path(call, 1),
        |path| Ok(InfoObject::from(&check::info(path)?)),
    )?;
    table.call(
        "repair",
        Stay::Long,
        |call| Ok((path(call, 1)?, call.get(2)?)),
        |(path, dry_run)| Ok(RepairObject::from(check::repair(path, dry_run)?)),
    )?;
    table.function("verify", verify)?;
    table.function("setLogger", |desk, _, call| {
        logging::set(&desk.mailbox, call.get(0)?, &call.get::<String>(1)?)
    })?;
    table.function("version", |_, env, _| to_raw(env, env!("CARGO_PKG_VERSION")))?;
    Ok(table.object)
}

fn open(
    desk: &Rc<Desk>,
    env: &Env,
    token: Option<u32>,
    path: PathBuf,
    options: OpenOptions,
) -> Result<Raw> {
    let work = move || {
        let engine_options = options.read()?;
        let open = match options.read_only {
            Some(true) => Log::open_read_only,
            _ => Log::open,
        };
        let (log, report) = open(path, engine_options)?;
        Ok((log, RecoveryObject::from(&report)))
    };
    desk.run_with(env, (token, Stay::Long), work, |desk, env, (log, report)| {
        let shared = Shared::new(log, &desk.mailbox);
        desk.keep_track(&shared);
        let mut table = Table::new(env, &desk.handle()?)?;
        table.value("recovery", report)?;
        table.value("uuid", uuid(shared.log.uuid()))?;
        table.value("path", shared.log.path().to_string_lossy().into_owned())?;
        appending(&mut table, &shared)?;
        waiting(&mut table, &shared)?;
        reading(&mut table, &shared)?;
        changing(&mut table, &shared)?;
        looking(&mut table, &shared)?;
        Ok(table.object)
    })
}

fn verify(desk: &Rc<Desk>, env: &Env, call: &Call<'_>) -> Result<Raw> {
    let (path, listener) = (path(call, 1)?, call.get::<Option<u32>>(2)?);
    let mailbox = Arc::clone(&desk.mailbox);
    desk.run(env, (token(call)?, Stay::Long), move || {
        let mut told = 0;
        let progress = |done: u64, total: u64| {
            let Some(listener) = listener else { return };
            if done < total && done < told + PROGRESS_BYTES {
                return;
            }
            told = done;
            mailbox.post(Box::new(move |desk, env| {
                let numbers = (to_raw(env, done as f64), to_raw(env, total as f64));
                if let ((Ok(done), Ok(total)), Ok(nothing)) = (numbers, undefined(env)) {
                    desk.tell(env, listener, [done, total, nothing]);
                }
            }));
        };
        Ok(VerifyObject::from(&check::verify(path, progress)?))
    })
}

/// The calls that many programs make many thousand times a second.
fn appending(table: &mut Table<'_>, shared: &Arc<Shared>) -> Result<()> {
    let log = Arc::clone(shared);
    table.function("submit", move |desk, env, call| {
        submit(desk, env, &log, call, false, AppendOptions::default())
    })?;
    let log = Arc::clone(shared);
    table.function("submitWith", move |desk, env, call| {
        submit(desk, env, &log, call, false, options(call, 2)?)
    })?;
    let log = Arc::clone(shared);
    table.function("submitPacked", move |desk, env, call| {
        submit(desk, env, &log, call, true, options(call, 2)?)
    })?;
    let log = Arc::clone(shared);
    table.function("append", move |desk, env, call| {
        let options = options(call, 1)?;
        log.wait_for_turn(&options);
        let appended = with_bytes(env, call, 0, |record| log.log.with(options).append(record))?;
        let Some(appended) = appended else { return undefined(env) };
        bigint(env, appended.map_err(|error| desk.throw(env, error.into()))?.get())
    })?;
    let log = Arc::clone(shared);
    table.function("appendPacked", move |desk, env, call| {
        let options = options(call, 1)?;
        log.wait_for_turn(&options);
        let append = |packed: &[u8]| log.log.with(options).append_batch(&unpack(packed)?);
        let Some(appended) = with_bytes(env, call, 0, append)? else { return undefined(env) };
        let lsns = appended.map_err(|error| desk.throw(env, error.into()))?;
        to_raw(env, LsnRangeObject::from(lsns))
    })?;
    table.log_call(
        shared,
        "appendAt",
        Stay::Short,
        |call| Ok((number(call, 1)?, bytes(call, 2)?, options(call, 3)?)),
        |log, (expected, record, options)| {
            let lsns = log.log.with(options).append_at(Lsn::try_from(expected)?, &record)?;
            Ok(BigInt::from(lsns.get()))
        },
    )
}

/// `(bytes, token, level, waitMs, timeNs)`. Returns whether the bytes were an `Uint8Array`.
fn submit(
    desk: &Desk,
    env: &Env,
    log: &Arc<Shared>,
    call: &Call<'_>,
    is_batch: bool,
    options: AppendOptions,
) -> Result<Raw> {
    let token: u32 = call.get(1)?;
    let submitted = with_bytes(env, call, 0, |bytes| {
        let payload = if is_batch { Payload::Packed(bytes) } else { Payload::Record(bytes) };
        log.submit(payload, options, token)
    })?;
    match submitted {
        Some(Ok(())) => {
            desk.begin(env);
            to_raw(env, true)
        }
        Some(Err(failure)) => Err(desk.throw(env, failure)),
        None => to_raw(env, false),
    }
}

fn waiting(table: &mut Table<'_>, shared: &Arc<Shared>) -> Result<()> {
    table.log_call(shared, "sync", Stay::Short, nothing, |log, ()| Ok(lsn(log.log.sync()?)))?;
    table.log_call(shared, "close", Stay::Long, nothing, |log, ()| Ok(log.close()?))?;
    table.log_call(
        shared,
        "waitDurable",
        Stay::Long,
        |call| Ok((number(call, 1)?, call.get::<Option<f64>>(2)?)),
        |log, (lsn, timeout_ms)| {
            let timeout = timeout_ms.map(|ms| Duration::try_from_secs_f64(ms / 1000.0));
            let timeout = timeout.map(|timeout| timeout.unwrap_or(Duration::MAX));
            let durable = log.log.wait_durable(Lsn::try_from(lsn)?, timeout)?;
            Ok(BigInt::from(durable.get()))
        },
    )?;
    let log = Arc::clone(shared);
    table.function("onDurable", move |desk, env, call| {
        let listener: u32 = call.get(0)?;
        let mailbox = Arc::clone(&desk.mailbox);
        let subscription = log.log.on_durable(move |news| {
            mailbox.post(Box::new(move |desk, env| {
                let told = match news {
                    Ok(lsn) => to_raw(env, BigInt::from(lsn.get())).map(|lsn| (None, Some(lsn))),
                    Err(error) => desk.error(env, error.into()).map(|error| (Some(error), None)),
                };
                if let (Ok((error, lsn)), Ok(nothing)) = (told, undefined(env)) {
                    let news = [error.unwrap_or(nothing), lsn.unwrap_or(nothing), nothing];
                    desk.tell(env, listener, news);
                }
            }));
        });
        let subscription = subscription.map_err(|error| desk.throw(env, error.into()))?;
        log.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(listener, subscription);
        undefined(env)
    })?;
    let log = Arc::clone(shared);
    table.function("offDurable", move |_, env, call| {
        let listener: u32 = call.get(0)?;
        let mut all = log.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = all.remove(&listener);
        drop(all);
        to_raw(env, ended.is_some())
    })
}

fn reading(table: &mut Table<'_>, shared: &Arc<Shared>) -> Result<()> {
    let log = Arc::clone(shared);
    table.function("readInto", move |desk, env, call| read_into(&log, desk, env, call))?;
    table.log_call(
        shared,
        "read",
        Stay::Short,
        |call| number(call, 1),
        |log, lsn| Ok(Bytes::of(&log.log.read(Lsn::try_from(lsn)?)?)),
    )?;
    table.log_call(
        shared,
        "readMany",
        Stay::Short,
        |call| Ok(call.get::<BigUint64Array>(1)?.to_vec()),
        |log, lsns| read_many(&log.log, &lsns),
    )?;
    table.log_call(
        shared,
        "timeOf",
        Stay::Short,
        |call| number(call, 1),
        |log, lsn| Ok(nanoseconds(log.log.time_of(Lsn::try_from(lsn)?)?)),
    )?;
    let log = Arc::clone(shared);
    table.function("cursor", move |desk, env, call| {
        let (kind, value) = (call.get(1)?, number(call, 2)?);
        let shared = Arc::clone(&log);
        let work = move || Ok((shared.log.cursor(position(kind, value)?)?, shared));
        desk.run_with(env, (token(call)?, Stay::Short), work, |desk, env, (cursor, shared)| {
            cursor::object(env, &desk.handle()?, Reading::new(cursor, shared))
        })
    })?;
    let log = Arc::clone(shared);
    table.function("follow", move |desk, env, call| {
        let (kind, value) = (call.get(1)?, number(call, 2)?);
        let shared = Arc::clone(&log);
        let work = move || Ok((shared.log.follow(position(kind, value)?)?, shared));
        desk.run_with(env, (token(call)?, Stay::Short), work, |desk, env, (follower, shared)| {
            let following = Following::new(follower, shared, &desk.mailbox);
            cursor::following(env, &desk.handle()?, following)
        })
    })
}

/// `(buffer, lsn)`: puts the packed record into the buffer. Returns how many bytes, or 0 without
/// room for it.
fn read_into(log: &Shared, desk: &Desk, env: &Env, call: &Call<'_>) -> Result<Raw> {
    let mut buffer: BufferSlice<'_> = call.get(0)?;
    let read = Lsn::try_from(number(call, 1)?).and_then(|lsn| log.log.read(lsn));
    let record = read.map_err(|error| desk.throw(env, error.into()))?;
    to_raw(env, cursor::put(&record, &mut buffer).map_or(0, |bytes| bytes as u32))
}

/// The records before the first LSN that cannot be read; whoever wants to know why reads that one.
fn read_many(log: &Log, lsns: &[u64]) -> Outcome<Bytes> {
    let lsns: Vec<Lsn> = lsns.iter().map_while(|lsn| Lsn::new(*lsn)).collect();
    let mut bytes = Bytes::default();
    let all = log.read_many(&lsns, |record| {
        bytes.push(record);
        Ok::<_, wal_core::Error>(ControlFlow::Continue(()))
    });
    match all {
        Err(error) if bytes.is_empty() && !lsns.is_empty() => Err(error.into()),
        _ => Ok(bytes),
    }
}

fn changing(table: &mut Table<'_>, shared: &Arc<Shared>) -> Result<()> {
    table.log_call(
        shared,
        "trim",
        Stay::Short,
        |call| number(call, 1),
        |log, before| Ok(lsn(log.log.trim(Lsn::try_from(before)?)?)),
    )?;
    table.log_call(
        shared,
        "truncate",
        Stay::Short,
        |call| number(call, 1),
        |log, after| Ok(log.log.truncate(Lsn::try_from(after)?)?),
    )?;
    table.log_call(
        shared,
        "resetTo",
        Stay::Short,
        |call| number(call, 1),
        |log, next| Ok(log.log.reset_to(Lsn::try_from(next)?)?),
    )?;
    table.log_call(
        shared,
        "getValue",
        Stay::Short,
        |call| bytes(call, 1),
        |log, key| Ok(log.log.values().get(&key)?.map(Buffer::from)),
    )?;
    table.log_call(
        shared,
        "updateValues",
        Stay::Short,
        |call| Ok((many_bytes(call, 1)?, many_bytes(call, 2)?)),
        |log, (keys, values)| {
            let present = |key: Option<Vec<u8>>| key.unwrap_or_default();
            let keys: Vec<Vec<u8>> = keys.into_iter().map(present).collect();
            let changes: Vec<(&[u8], Option<&[u8]>)> =
                keys.iter().zip(&values).map(|(key, value)| (&key[..], value.as_deref())).collect();
            Ok(log.log.values().update(&changes)?)
        },
    )?;
    table.log_call(
        shared,
        "deleteValue",
        Stay::Short,
        |call| bytes(call, 1),
        |log, key| Ok(log.log.values().delete(&key)?),
    )?;
    table.log_call(shared, "listValues", Stay::Short, nothing, |log, ()| {
        let values = log.log.values().list()?.into_iter();
        let (keys, values): (Vec<_>, Vec<_>) =
            values.map(|(key, value)| (Buffer::from(key), Buffer::from(value))).unzip();
        Ok(vec![keys, values])
    })?;
    table.log_call(
        shared,
        "copyTo",
        Stay::Long,
        |call| path(call, 1),
        |log, path| Ok(CopyObject::from(&log.log.copy_to(path)?)),
    )
}

fn looking(table: &mut Table<'_>, shared: &Arc<Shared>) -> Result<()> {
    table.log_call(shared, "stats", Stay::Short, nothing, |log, ()| {
        Ok(StatsObject::from(&log.log.stats()?))
    })?;
    let marks: [(&str, Mark); 6] = [
        ("firstLsn", Log::first_lsn),
        ("lastLsn", Log::last_lsn),
        ("durableLsn", Log::durable_lsn),
        ("writtenLsn", Log::written_lsn),
        ("submittedLsn", Log::submitted_lsn),
        ("nextLsn", |log| Some(log.next_lsn())),
    ];
    for (name, mark) in marks {
        let log = Arc::clone(shared);
        table.function(name, move |_, env, _| match mark(&log.log) {
            Some(lsn) => bigint(env, lsn.get()),
            None => to_raw(env, Null),
        })?;
    }
    Ok(())
}

/// A watermark of a log.
type Mark = fn(&Log) -> Option<Lsn>;

/// From how many bytes to how many a verification tells how far it is.
const PROGRESS_BYTES: u64 = 1 << 20;
