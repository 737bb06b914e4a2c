//! Reading onwards, backwards and at the tail. What is read crosses in the packed layout: one call
//! for as many records as have room.

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use napi::bindgen_prelude::*;
use napi::{Env, sys};
use wal_core::{Cursor, Follower, Record};

use crate::append::Shared;
use crate::call::{Call, Table, number};
use crate::desk::{Desk, Failure, Outcome, Raw, undefined};
use crate::mailbox::Mailbox;
use crate::options::position;
use crate::reports::nanoseconds;
use crate::workers::{self, Stay};

/// Records in the packed layout, for one `Buffer`.
#[derive(Default)]
pub(crate) struct Bytes(Vec<u8>);

impl Bytes {
    /// One record.
    pub(crate) fn of(record: &Record) -> Bytes {
        let mut bytes = Bytes(Vec::with_capacity(record.len() + 24));
        bytes.push(record);
        bytes
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &Record) {
        let flags = if record.batch_continues() { wal_core::packed::BATCH_CONTINUES } else { 0 };
        self.0.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.0.extend_from_slice(&flags.to_le_bytes());
        self.0.extend_from_slice(&record.lsn().get().to_le_bytes());
        self.0.extend_from_slice(record);
        self.0.resize(self.0.len().next_multiple_of(wal_core::packed::RECORD_ALIGN), 0);
    }

    /// Whether there is no record.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As many records as have room in so many bytes, so many at the most; one that is larger comes
    /// alone.
    fn read(cursor: &mut Cursor, size: Size) -> wal_core::Result<Bytes> {
        let mut bytes: Vec<u8> = Vec::with_capacity(size.bytes);
        loop {
            let packed = cursor.read_packed(bytes.spare_capacity_mut(), size.count)?;
            if packed.bytes_needed > 0 {
                bytes.reserve_exact(packed.bytes_needed);
                continue;
            }
            // SAFETY: the cursor has filled that many.
            unsafe { bytes.set_len(packed.bytes) };
            if bytes.len() < bytes.capacity() / 2 {
                bytes.shrink_to_fit();
            }
            return Ok(Bytes(bytes));
        }
    }
}

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, value: Bytes) -> Result<Raw> {
        let environment = Env::from_raw(env);
        // Memory that is not V8's own costs more than copying a little.
        let buffer = match value.0.len() {
            COPIED_BYTES_MAX.. => BufferSlice::from_data(&environment, value.0)?,
            _ => BufferSlice::copy_from(&environment, value.0)?,
        };
        // SAFETY: as the caller promises.
        unsafe { ToNapiValue::to_napi_value(env, buffer) }
    }
}

/// Puts one record into the memory, if it has room; returns how many bytes it takes.
pub(crate) fn put(record: &Record, memory: &mut [u8]) -> Option<usize> {
    let bytes = wal_core::packed::packed_bytes(record.len())?;
    let place = memory.get_mut(..bytes)?;
    let flags = if record.batch_continues() { wal_core::packed::BATCH_CONTINUES } else { 0 };
    let header = u128::from(record.lsn().get()) << 64 | u128::from(flags) << 32;
    let header = header | u128::from(u32::try_from(record.len()).ok()?);
    let (start, rest) = place.split_at_mut(wal_core::packed::RECORD_HEADER_BYTES);
    start.copy_from_slice(&header.to_le_bytes());
    rest.get_mut(..record.len())?.copy_from_slice(record);
    Some(bytes)
}

/// How much is read at once.
#[derive(Clone, Copy)]
struct Size {
    count: usize,
    bytes: usize,
}

/// A cursor as its functions share it: JavaScript sees to it that one is called at a time.
pub(crate) struct Reading {
    cursor: Mutex<Cursor>,
    /// The log lives as long as its cursors do.
    _log: Arc<Shared>,
}

impl Reading {
    pub(crate) fn new(cursor: Cursor, log: Arc<Shared>) -> Arc<Reading> {
        Arc::new(Reading { cursor: Mutex::new(cursor), _log: log })
    }

    fn lock(&self) -> MutexGuard<'_, Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The object of a cursor.
pub(crate) fn object(env: &Env, desk: &Rc<Desk>, reading: Arc<Reading>) -> Result<Raw> {
    let mut table = Table::new(env, desk)?;
    let cursor = Arc::clone(&reading);
    table
        .call("read", Stay::Short, size, move |size| Ok(Bytes::read(&mut cursor.lock(), size)?))?;
    let cursor = Arc::clone(&reading);
    table.call(
        "prev",
        Stay::Short,
        |_| Ok(()),
        move |()| {
            Ok(cursor.lock().prev()?.map_or_else(Bytes::default, |record| Bytes::of(&record)))
        },
    )?;
    let cursor = Arc::clone(&reading);
    let place = |call: &Call<'_>| Ok((call.get(1)?, number(call, 2)?));
    table.call("seek", Stay::Short, place, move |(kind, value)| {
        Ok(cursor.lock().seek(position(kind, value)?)?)
    })?;
    let cursor = Arc::clone(&reading);
    table.call(
        "time",
        Stay::Short,
        |_| Ok(()),
        move |()| Ok(nanoseconds(cursor.lock().time()?)),
    )?;
    let cursor = Arc::clone(&reading);
    table.call(
        "nextLsn",
        Stay::Short,
        |_| Ok(()),
        move |()| Ok(BigInt::from(cursor.lock().next_lsn().get())),
    )?;
    table.function("readInto", move |desk, env, call| read_into(&reading, desk, env, call))?;
    Ok(table.object)
}

/// `(buffer, count)`: fills the buffer on this thread. Returns how many bytes, or, below zero, how
/// many the next record needs.
fn read_into(reading: &Reading, desk: &Desk, env: &Env, call: &Call<'_>) -> Result<Raw> {
    let mut buffer: BufferSlice<'_> = call.get(0)?;
    let count: u32 = call.get(1)?;
    let Ok(mut cursor) = reading.cursor.try_lock() else {
        let busy = "the cursor is in use: wait for the call before";
        return Err(desk.throw(env, Failure::Own("invalid", busy.to_owned())));
    };
    let memory: &mut [u8] = &mut buffer;
    // SAFETY: bytes are good for what may be uninitialised, and the cursor only writes bytes there.
    let memory = unsafe { &mut *(std::ptr::from_mut(memory) as *mut [std::mem::MaybeUninit<u8>]) };
    let packed = cursor.read_packed(memory, count as usize);
    let packed = packed.map_err(|error| desk.throw(env, error.into()))?;
    let answer = match packed.bytes_needed {
        0 => packed.bytes as f64,
        needed => -(needed as f64),
    };
    crate::desk::to_raw(env, answer)
}

fn size(call: &Call<'_>) -> Result<Size> {
    let (count, bytes): (u32, u32) = (call.get(1)?, call.get(2)?);
    Ok(Size { count: count as usize, bytes: bytes as usize })
}

/// A follower: read by workers, woken by the engine, with at most one promise that waits.
pub(crate) struct Following {
    follower: Mutex<Place>,
    /// Taken by whoever settles the promise.
    parked: Mutex<Option<Parked>>,
    mailbox: Arc<Mailbox>,
    this: Weak<Following>,
    _log: Arc<Shared>,
}

struct Place {
    follower: Follower,
    /// Read for a promise that was given up meanwhile: the next one's.
    left_over: Option<wal_core::Result<Bytes>>,
}

/// A promise that waits for records.
#[derive(Clone, Copy)]
struct Parked {
    token: u32,
    size: Size,
    /// The next look is the last one: without records it ends with none.
    is_last: bool,
}

impl Following {
    pub(crate) fn new(
        follower: Follower,
        log: Arc<Shared>,
        mailbox: &Arc<Mailbox>,
    ) -> Arc<Following> {
        Arc::new_cyclic(|this| Following {
            follower: Mutex::new(Place { follower, left_over: None }),
            parked: Mutex::default(),
            mailbox: Arc::clone(mailbox),
            this: Weak::clone(this),
            _log: log,
        })
    }

    /// Has a worker look, if a promise waits.
    fn look(&self) {
        let Some(this) = self.this.upgrade() else { return };
        if let Err(error) = workers::start(Stay::Short, Box::new(move || this.work())) {
            self.settle(Err(Failure::internal(format!("no thread to be had: {error}"))));
        }
    }

    fn work(&self) {
        let mut place = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Parked { size, .. }) = *self.parked() else { return };
        let found = match place.left_over.take() {
            Some(found) => Some(found),
            None => self.poll(&mut place.follower, size),
        };
        let Some(found) = found else {
            let mut parked = self.parked();
            if let Some(Parked { token, .. }) = parked.take_if(|parked| parked.is_last) {
                self.send(token, Ok(Bytes::default()));
            }
            return;
        };
        let Some(Parked { token, .. }) = self.parked().take() else {
            place.left_over = Some(found);
            return;
        };
        drop(place);
        self.send(token, found.map_err(Failure::from));
    }

    /// What is there; with nothing, the engine wakes us when there is.
    fn poll(&self, follower: &mut Follower, size: Size) -> Option<wal_core::Result<Bytes>> {
        let waker = Waker::from(Arc::new(Alarm { following: Weak::clone(&self.this) }));
        let record = match follower.poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Ok(record)) => record,
            Poll::Ready(Err(error)) => return Some(Err(error)),
            Poll::Pending => return None,
        };
        let mut bytes = Bytes::of(&record);
        let left = Size {
            count: size.count.saturating_sub(1),
            bytes: size.bytes.saturating_sub(bytes.0.len()),
        };
        if left.count > 0 && left.bytes > 0 {
            // Trouble behind the record is found again by the next look.
            if let Ok(more) = Bytes::read_if_room(follower.cursor(), left) {
                bytes.0.extend_from_slice(&more.0);
            }
        }
        Some(Ok(bytes))
    }

    fn settle(&self, outcome: Outcome<Bytes>) {
        if let Some(Parked { token, .. }) = self.parked().take() {
            self.send(token, outcome);
        }
    }

    fn send(&self, token: u32, outcome: Outcome<Bytes>) {
        self.mailbox.post(Box::new(move |desk, env| desk.settle(env, token, outcome)));
    }

    fn parked(&self) -> MutexGuard<'_, Option<Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bytes {
    /// As `read`, but a record without room is left where it is.
    fn read_if_room(cursor: &mut Cursor, size: Size) -> wal_core::Result<Bytes> {
        let mut bytes: Vec<u8> = Vec::with_capacity(size.bytes);
        let packed = cursor.read_packed(bytes.spare_capacity_mut(), size.count)?;
        // SAFETY: the cursor has filled that many.
        unsafe { bytes.set_len(packed.bytes) };
        Ok(Bytes(bytes))
    }
}

/// Wakes a follower. The committing thread that calls leaves a letter and goes on.
struct Alarm {
    following: Weak<Following>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let Some(following) = self.following.upgrade() else { return };
        let mailbox = Arc::clone(&following.mailbox);
        mailbox.post(Box::new(move |_, _| following.look()));
    }
}

/// The object of a follower.
pub(crate) fn following(env: &Env, desk: &Rc<Desk>, following: Arc<Following>) -> Result<Raw> {
    let mut table = Table::new(env, desk)?;
    let follower = Arc::clone(&following);
    table.function("read", move |desk, env, call| {
        let parked = Parked { token: call.get(0)?, size: size(call)?, is_last: call.get(3)? };
        let before = follower.parked().replace(parked);
        desk.begin(env);
        if let Some(Parked { token, .. }) = before {
            let busy = "the follower is in use: wait for the call before";
            follower.send(token, Err(Failure::Own("invalid", busy.to_owned())));
        }
        follower.look();
        undefined(env)
    })?;
    let follower = Arc::clone(&following);
    // Looks once more for the waiting promise, which ends with what there is.
    table.function("lookOnce", move |_, env, _| {
        if let Some(parked) = &mut *follower.parked() {
            parked.is_last = true;
        }
        follower.look();
        undefined(env)
    })?;
    let follower = Arc::clone(&following);
    // Gives the waiting promise up; returns whether there was one, which is then never settled.
    table.function("giveUp", move |desk, env, _| {
        let parked = follower.parked().take();
        desk.end(env, usize::from(parked.is_some()));
        crate::desk::to_raw(env, parked.is_some())
    })?;
    let follower = Arc::clone(&following);
    let place = |call: &Call<'_>| Ok((call.get(1)?, number(call, 2)?));
    table.call("seek", Stay::Short, place, move |(kind, value)| {
        let mut place = follower.follower.lock().unwrap_or_else(PoisonError::into_inner);
        place.left_over = None;
        Ok(place.follower.cursor().seek(position(kind, value)?)?)
    })?;
    table.call(
        "nextLsn",
        Stay::Short,
        |_| Ok(()),
        move |()| {
            let mut place = following.follower.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(BigInt::from(place.follower.cursor().next_lsn().get()))
        },
    )?;
    Ok(table.object)
}

/// Up to here bytes are copied into memory of V8's own.
const COPIED_BYTES_MAX: usize = 4096;
