//! Appends in flight: handed to the engine by the JavaScript thread, which never waits, and told of
//! in bulk. Those that find no room wait in line, with a thread that waits for them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use wal_core::packed::unpack;
use wal_core::{AppendOptions, Completions, ErrorKind, Log, LsnRange, Subscription, Wait};

use crate::desk::{Failure, Outcome};
use crate::mailbox::Mailbox;
use crate::workers::{self, Stay};

/// An open log as the functions of its JavaScript object share it.
pub(crate) struct Shared {
    pub(crate) log: Log,
    completions: Completions<u32>,
    mailbox: Arc<Mailbox>,
    line: Mutex<Line>,
    /// Told when the line is empty, or was given up.
    moved: Condvar,
    /// The length of the line, with whoever is being served: looked at by each append.
    in_line: AtomicUsize,
    /// The log is to be closed: nobody waits in line for long any more.
    is_closing: AtomicBool,
    /// Held while it is being closed, so that whoever closes it too, at the end of the process say,
    /// returns when it is.
    closing: Mutex<()>,
    /// Ended by whoever made them, or with the log.
    pub(crate) subscriptions: Mutex<HashMap<u32, Subscription>>,
}

/// Appends that wait for room, in the order of their calls.
#[derive(Default)]
struct Line {
    /// Bounded by the promises that JavaScript has in flight.
    waiting: VecDeque<Waiting>,
    is_served: bool,
    /// Nothing moved for a while, and the log is closing.
    is_given_up: bool,
}

struct Waiting {
    payload: Payload<Vec<u8>>,
    options: AppendOptions,
    until: Option<Instant>,
    token: u32,
}

/// What is appended.
#[derive(Clone, Copy)]
pub(crate) enum Payload<B> {
    /// One record.
    Record(B),
    /// A batch in the packed layout.
    Packed(B),
}

impl Shared {
    /// Takes a log into the care of the environment whose mailbox this is.
    pub(crate) fn new(log: Log, mailbox: &Arc<Mailbox>) -> Arc<Shared> {
        Arc::new_cyclic(|shared: &Weak<Shared>| {
            let (bell, shared) = (Arc::clone(mailbox), Weak::clone(shared));
            let wake = move || {
                let shared = Weak::clone(&shared);
                bell.post(Box::new(move |desk, env| {
                    let Some(shared) = shared.upgrade() else { return };
                    let mut ended = Vec::new();
                    // Refused in a child of fork alone, and Node has none that goes on as Node.
                    if shared.completions.take(&mut ended).is_ok() {
                        desk.settle_appends(env, ended);
                    }
                }));
            };
            Shared {
                completions: Completions::new(&log, wake),
                log,
                mailbox: Arc::clone(mailbox),
                line: Mutex::default(),
                moved: Condvar::new(),
                in_line: AtomicUsize::new(0),
                is_closing: AtomicBool::new(false),
                closing: Mutex::default(),
                subscriptions: Mutex::default(),
            }
        })
    }

    /// Hands an append to the engine, or puts a copy of it in line. The token's promise is settled
    /// later, unless this fails. Never waits.
    pub(crate) fn submit(
        self: &Arc<Shared>,
        payload: Payload<&[u8]>,
        options: AppendOptions,
        token: u32,
    ) -> Outcome<()> {
        let is_impatient = options.wait == Wait::Try;
        // Nobody overtakes those in line, but for those who would rather fail than wait.
        if is_impatient || self.in_line.load(Ordering::Acquire) == 0 {
            match self.hand_over(payload, AppendOptions { wait: Wait::Try, ..options }, token) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && !is_impatient => {}
                handed => return Ok(handed.map(drop)?),
            }
        }
        let until = match options.wait {
            Wait::AtMost(time) => Instant::now().checked_add(time),
            _ => None,
        };
        self.wait_in_line(Waiting { payload: payload.to_owned(), options, until, token })
    }

    /// Waits until nobody is in line, so that a synchronous append comes after those before it.
    pub(crate) fn wait_for_turn(&self, options: &AppendOptions) {
        if self.in_line.load(Ordering::Acquire) == 0 || options.wait == Wait::Try {
            return;
        }
        let line = self.lock();
        let is_long = |line: &mut Line| line.is_served && !line.is_given_up;
        let _line = match options.wait {
            Wait::AtMost(time) => {
                let waited = self.moved.wait_timeout_while(line, time, is_long);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            _ => self.moved.wait_while(line, is_long).unwrap_or_else(PoisonError::into_inner),
        };
    }

    /// Lets those in line have their turn as long as they get on, and closes the log.
    pub(crate) fn close(&self) -> wal_core::Result<()> {
        self.is_closing.store(true, Ordering::SeqCst);
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for_turn(&AppendOptions::default());
        let closed = self.log.close();
        // News of a closed log would be no news.
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        closed
    }

    fn hand_over(
        &self,
        payload: Payload<&[u8]>,
        options: AppendOptions,
        token: u32,
    ) -> wal_core::Result<LsnRange> {
        match payload {
            Payload::Record(record) => self.completions.submit(record, &options, token),
            Payload::Packed(packed) => {
                self.completions.submit_batch(&unpack(packed)?, &options, token)
            }
        }
    }

    fn wait_in_line(self: &Arc<Shared>, waiting: Waiting) -> Outcome<()> {
        let mut line = self.lock();
        line.waiting.push_back(waiting);
        self.in_line.fetch_add(1, Ordering::AcqRel);
        if std::mem::replace(&mut line.is_served, true) {
            return Ok(());
        }
        let shared = Arc::clone(self);
        workers::start(Stay::Long, Box::new(move || shared.serve())).map_err(|error| {
            line.waiting.pop_back();
            line.is_served = false;
            self.in_line.fetch_sub(1, Ordering::AcqRel);
            Failure::internal(format!("no thread to wait for room: {error}"))
        })
    }

    /// Serves those in line, on a thread that may wait.
    fn serve(&self) {
        loop {
            let mut line = self.lock();
            let Some(first) = line.waiting.pop_front() else {
                line.is_served = false;
                drop(line);
                self.moved.notify_all();
                return;
            };
            drop(line);
            let token = first.token;
            if let Err(error) = self.serve_one(first) {
                self.mailbox.post(Box::new(move |desk, env| {
                    desk.settle::<()>(env, token, Err(error.into()));
                }));
            }
            self.in_line.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn serve_one(&self, waiting: Waiting) -> wal_core::Result<LsnRange> {
        loop {
            let now = Instant::now();
            let left = waiting.until.map(|until| until.saturating_duration_since(now));
            let wait = Wait::AtMost(left.unwrap_or(LOOK).min(LOOK));
            let options = AppendOptions { wait, ..waiting.options };
            match self.hand_over(waiting.payload.as_ref(), options, waiting.token) {
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    if waiting.until.is_some_and(|until| until <= Instant::now()) {
                        return Err(error);
                    }
                    if self.is_closing.load(Ordering::SeqCst) {
                        // What closes the log goes on, and the engine refuses the rest.
                        self.lock().is_given_up = true;
                        self.moved.notify_all();
                    }
                }
                handed => return handed,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payload<&[u8]> {
    fn to_owned(self) -> Payload<Vec<u8>> {
        match self {
            Payload::Record(bytes) => Payload::Record(bytes.to_vec()),
            Payload::Packed(bytes) => Payload::Packed(bytes.to_vec()),
        }
    }
}

impl Payload<Vec<u8>> {
    fn as_ref(&self) -> Payload<&[u8]> {
        match self {
            Payload::Record(bytes) => Payload::Record(bytes),
            Payload::Packed(bytes) => Payload::Packed(bytes),
        }
    }
}

impl Drop for Shared {
    /// The JavaScript object was collected, or its environment has ended. Closing syncs, which is
    /// nothing for a thread that collects garbage.
    fn drop(&mut self) {
        let log = self.log.clone();
        let close = move || drop(log.close());
        if workers::start(Stay::Long, Box::new(close)).is_err() {
            // Without a thread it has to be here.
            let _ = self.log.close();
        }
    }
}

/// How long those in line wait at a time, before they look whether the log is closing.
const LOOK: Duration = Duration::from_millis(250);
