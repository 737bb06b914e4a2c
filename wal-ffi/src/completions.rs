//! Appends in flight whose outcomes come back in bulk, for event loops and promises.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wal_core::{Completions, LsnRange};

use crate::append::{Range, append_options, slices, wal_slice};
use crate::boundary::{self, Handle};
use crate::codes::wal_code;
use crate::error::{Failure, Outcome, wal_error};
use crate::guard::Guard;
use crate::log::wal_log;
use crate::options::wal_append_options;

/// Appends in flight, each with a token of the caller, and a file descriptor that is readable when
/// some have ended. Unlike comparing LSNs with the watermark, it tells a record that a full disk
/// refused from the one that got its LSN afterwards.
pub struct wal_completions {
    engine: Completions<u64>,
    bell: Arc<OwnedFd>,
    /// What has ended and did not fit into the caller's memory; written and read by `take` alone.
    left: Mutex<VecDeque<wal_completion>>,
    guard: Guard,
}

impl Handle for wal_completions {
    const NAME: &'static str = "completions";

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// How one append ended. The layout is fixed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wal_completion {
    /// The caller's number for the append.
    pub token: u64,
    /// The LSN of its first record, 0 if it failed.
    pub first_lsn: u64,
    /// The LSN of its last record, 0 if it failed.
    pub last_lsn: u64,
    /// `WAL_OK`: the records are at their level. Else the code: `WAL_ERR_FULL` when they were
    /// surely not written; with any other one the outcome is unknown until the log is reopened.
    pub code: i32,
    /// The system's error number, 0 unless the system refused.
    pub os_errno: i32,
}

/// Opens completions for appends to `log`. Each event loop has its own.
///
/// - Ownership: `*completions` is the caller's, who releases it with `wal_completions_release`; it
///   may outlive the log's handle.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_completions_open(
    log: *const wal_log,
    completions: *mut *mut wal_completions,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(log, err, |log| {
            let out = boundary::out(completions, "completions")?;
            // Refuses what no append could be handed to, as a notifier does.
            drop(log.engine().notifier()?);
            let bell = Arc::new(new_event()?);
            let rung = Arc::clone(&bell);
            let engine = Completions::new(log.engine(), move || raise(&rung));
            let left = Mutex::default();
            boundary::give(out, wal_completions { engine, bell, left, guard: Guard::default() });
            Ok(())
        })
    }
}

/// The file descriptor, for `poll` and its relatives; -1 when `completions` is `NULL`. It is
/// readable from the moment something has ended until `wal_completions_take` has handed out all.
///
/// - Ownership: the completions'; never read, write or close it.
/// - Thread-safety: any thread at once.
/// - Blocking: never.
/// - Errors: none; -1 instead.
/// - Since: 0.1.0
///
/// # Safety
/// `completions` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_completions_fd(completions: *const wal_completions) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { boundary::getter(completions, -1, |completions| completions.bell.as_raw_fd()) }
}

/// Hands `count` records to the engine as one batch without waiting for it; `token`, any number,
/// comes back from `wal_completions_take` when it has ended. `options` may be `NULL`; so may
/// `first_lsn` and `last_lsn`.
///
/// When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole;
/// it is at its level when its token comes back with `WAL_OK`.
///
/// - Ownership: the records and `options` are copied.
/// - Thread-safety: any thread at once; no record of another append comes in between.
/// - Blocking: only for room, as the options say.
/// - Errors: as `wal_submit_batch`; the token of a refused call does not come back.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_completions_submit(
    completions: *const wal_completions,
    records: *const wal_slice,
    count: usize,
    options: *const wal_append_options,
    token: u64,
    first_lsn: *mut u64,
    last_lsn: *mut u64,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(completions, err, |completions| {
            let records = slices(records, count, "records")?;
            let options = append_options(options)?;
            let out = Range::out(first_lsn, last_lsn)?;
            let lsns = match records.as_slice() {
                [record] => completions.engine.submit(record, &options, token)?,
                records => completions.engine.submit_batch(records, &options, token)?,
            };
            out.put(lsns);
            Ok(())
        })
    }
}

/// Fills `ended` with what has ended, at most `capacity`, and tells how many in `*count`. Appends
/// of one level come nearly in the order of their LSNs, those of a lower level do not wait for the
/// disk. Also answers after the log was closed.
///
/// When this returns `WAL_OK`, the records of every entry with `WAL_OK` are at their level: they
/// survive power loss at `WAL_LEVEL_DISK`, the death of the process at `WAL_LEVEL_OS`.
///
/// - Ownership: `ended` is the caller's.
/// - Thread-safety: any thread at once; each entry is handed out once.
/// - Blocking: never.
/// - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FORKED`. That an append failed is no error of this call.
/// - Since: 0.1.0
///
/// # Safety
/// The pointers are valid as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_completions_take(
    completions: *const wal_completions,
    ended: *mut wal_completion,
    capacity: usize,
    count: *mut usize,
    err: *mut wal_error,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        boundary::on(completions, err, |completions| {
            let out = boundary::out(count, "count")?;
            let places = boundary::places(ended, capacity, "ended")?;
            // A child of fork must not wait for a thread of its parent, nor silence its bell.
            completions.engine.check_process()?;
            let mut left = completions.left();
            completions.fetch(&mut left)?;
            let taken = left.len().min(places.len());
            for (place, completion) in places.iter_mut().zip(left.drain(..taken)) {
                place.write(completion);
            }
            if !left.is_empty() {
                raise(&completions.bell);
            }
            out.put(taken);
            Ok(())
        })
    }
}

/// Releases the completions and closes their descriptor. What is in flight is written all the same;
/// nobody is told. `NULL` is ignored.
///
/// - Ownership: `completions` and the descriptor must not be used again: take it out of `epoll`
///   first.
/// - Thread-safety: once, when no other call on it is running.
/// - Blocking: never.
/// - Errors: none.
/// - Since: 0.1.0
///
/// # Safety
/// `completions` is `NULL` or was handed out and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wal_completions_release(completions: *mut wal_completions) {
    // SAFETY: as the caller promises.
    unsafe { boundary::release(completions) }
}

impl wal_completions {
    /// Moves what the engine has to `left`. The bell is cleared before looking: what ends from then
    /// on rings again.
    fn fetch(&self, left: &mut VecDeque<wal_completion>) -> Outcome<()> {
        clear(&self.bell);
        let mut ended = Vec::new();
        self.engine.take(&mut ended)?;
        left.extend(ended.into_iter().map(|(token, outcome)| told(token, outcome)));
        Ok(())
    }

    fn left(&self) -> MutexGuard<'_, VecDeque<wal_completion>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(token: u64, outcome: wal_core::Result<LsnRange>) -> wal_completion {
    match outcome {
        Ok(lsns) => wal_completion {
            token,
            first_lsn: lsns.first.get(),
            last_lsn: lsns.final_.get(),
            code: wal_code::WAL_OK.number(),
            os_errno: 0,
        },
        Err(error) => wal_completion {
            token,
            first_lsn: 0,
            last_lsn: 0,
            code: wal_code::of_kind(error.kind()).number(),
            os_errno: error.os_errno().unwrap_or(0),
        },
    }
}

fn new_event() -> Outcome<OwnedFd> {
    // SAFETY: eventfd takes two integers and returns a new descriptor or -1.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Failure::own(wal_code::WAL_ERR_IO, format!("making completions: {error}")));
    }
    // SAFETY: the descriptor was just created and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A counter that cannot take another increment is readable already.
fn raise(event: &OwnedFd) {
    let one = 1u64;
    // SAFETY: the descriptor is open and the buffer is the eight bytes eventfd asks for.
    let _ = unsafe { libc::write(event.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
}

fn clear(event: &OwnedFd) {
    let mut count = 0u64;
    // SAFETY: the descriptor is open and the buffer is the eight bytes eventfd fills.
    let _ = unsafe { libc::read(event.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
}

const _: () = assert!(size_of::<wal_completion>() == 32);
