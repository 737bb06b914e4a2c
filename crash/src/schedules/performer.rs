//! A thread of a case: does its steps, and notes what it was told.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use wal_core::{
    AppendOptions, Error, ErrorKind, Level, Log, Lsn, LsnRange, Position, Record, Subscription,
    Ticket,
};

use super::history::{Append, ChangeKind, History, Moment, Outcome};
use super::scenario::Step;
use crate::record;

/// Plays one thread.
pub struct Performer {
    writer: u32,
    log: Option<Log>,
    history: History,
    numbers: u64,
    /// Appends in flight, each with its place in the history.
    tickets: Vec<(usize, Ticket)>,
    subscriptions: Vec<Subscription>,
}

impl Performer {
    pub fn new(writer: u32, log: Log, history: History) -> Performer {
        let (tickets, subscriptions) = (Vec::new(), Vec::new());
        Performer { writer, log: Some(log), history, numbers: 0, tickets, subscriptions }
    }

    /// Does all the steps; what was submitted and not waited for is let go.
    pub fn perform(mut self, steps: &[Step]) {
        for step in steps {
            self.history.note(self.writer, || format!("{step:?}"));
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Wait { backwards } => return self.wait_all(backwards),
            Step::WaitBriefly => return self.wait_briefly(),
            Step::Await => return self.await_all(),
            Step::Forget { polled } => return self.forget(polled),
            Step::Leave => {
                self.subscriptions.clear();
                self.log = None;
                return;
            }
            _ => {}
        }
        let Some(log) = self.log.clone() else { return };
        match *step {
            Step::Append(level, count, bytes) => self.append(&log, level, count, bytes),
            Step::Submit(level, count, bytes) => self.submit(&log, level, count, bytes),
            Step::Sync => self.sync(&log),
            Step::WaitDurable { ahead, briefly } => self.wait_durable(&log, ahead, briefly),
            Step::Trim { left } => self.trim(&log, left),
            Step::KeepTrimming(count) => {
                while self.history.ended_count() < count {
                    self.trim(&log, 0);
                    shuttle::thread::yield_now();
                }
            }
            Step::Truncate { back } => {
                // Also what is on its way may be where the log is to end.
                let submitted = log.submitted_lsn().map_or(0, Lsn::get);
                let after = submitted.saturating_sub(back).max(1);
                self.change(ChangeKind::Truncate(after), || log.truncate(lsn(after)));
            }
            Step::Reset { ahead } => {
                let next = log.next_lsn().get() + ahead;
                self.change(ChangeKind::Reset(next), || log.reset_to(lsn(next)));
            }
            Step::Set => {
                self.numbers += 1;
                let version = self.numbers;
                let text = version.to_string();
                let set = || log.values().set(b"version", text.as_bytes());
                self.change(ChangeKind::Set(version), set);
            }
            Step::Look => {
                let since = self.history.now().0;
                if let Some(durable) = log.durable_lsn() {
                    self.history.mark(durable.get(), since);
                }
            }
            Step::Scan => self.scan(&log),
            Step::Follow(count) => self.follow(&log, count),
            Step::Subscribe => self.subscribe(&log),
            Step::Close => self.change(ChangeKind::Close, || log.close()),
            _ => unreachable!("it was done above"),
        }
    }

    /// Notes an append that begins; returns its place in the history and its records.
    fn begin(&mut self, level: Level, count: u32, bytes: usize) -> (usize, Vec<Vec<u8>>) {
        let number = (u64::from(self.writer) << 32) + self.numbers;
        self.numbers += u64::from(count);
        let records = (0..u64::from(count)).map(|i| record(number + i, bytes)).collect();
        let (begun, mut history) = self.history.now();
        history.appends.push(Append {
            writer: self.writer,
            number,
            count,
            bytes,
            level,
            begun,
            claimed: None,
            outcome: Outcome::Open,
        });
        (history.appends.len() - 1, records)
    }

    fn append(&mut self, log: &Log, level: Level, count: u32, bytes: usize) {
        let (place, records) = self.begin(level, count, bytes);
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        let result = match &records[..] {
            [only] => {
                log.with(options).append(only).map(|lsn| LsnRange { first: lsn, final_: lsn })
            }
            _ => log.with(options).append_batch(&records),
        };
        self.end(place, result, false);
        if let (Level::Disk, Outcome::Done(_)) = (level, self.outcome(place)) {
            self.read_back(log, place, &records[0]);
        }
    }

    fn submit(&mut self, log: &Log, level: Level, count: u32, bytes: usize) {
        let (place, records) = self.begin(level, count, bytes);
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        match log.with(options).submit_batch(&records) {
            Ok(ticket) => {
                let (at, mut history) = self.history.now();
                history.appends[place].claimed = Some((ticket.lsn().get(), at));
                drop(history);
                self.tickets.push((place, ticket));
            }
            Err(error) => self.end(place, Err(error), true),
        }
    }

    /// Notes how an append ended. `is_refused` when it never began.
    fn end(&self, place: usize, result: Result<LsnRange, Error>, is_refused: bool) {
        let (at, mut history) = self.history.now();
        let append = &mut history.appends[place];
        append.outcome = match result {
            Ok(lsns) => {
                append.claimed.get_or_insert((lsns.first.get(), at));
                Outcome::Done(at)
            }
            Err(error) => {
                let kind = error.kind();
                let is_absent = matches!(kind, ErrorKind::Full | ErrorKind::WouldBlock);
                match is_refused || is_absent {
                    true => Outcome::Absent(kind, at),
                    false => Outcome::Unknown(kind, at),
                }
            }
        };
        let expected = [
            ErrorKind::Full,
            ErrorKind::Io,
            ErrorKind::Poisoned,
            ErrorKind::Closed,
            ErrorKind::Timeout,
        ];
        if let Outcome::Absent(kind, _) | Outcome::Unknown(kind, _) = append.outcome
            && !expected.contains(&kind)
        {
            let text = format!("append {:#x} failed with {kind:?}", append.number);
            history.violations.push(text);
        }
    }

    fn outcome(&self, place: usize) -> Outcome {
        self.history.now().1.appends[place].outcome
    }

    /// What was acknowledged as durable can be read at once, unless it was taken away again.
    fn read_back(&self, log: &Log, place: usize, expected: &[u8]) {
        let Some((first, _)) = self.history.now().1.appends[place].claimed else { return };
        let found = log.read(lsn(first));
        if self.history.now().1.changes.iter().any(|change| change.kind.may_hide()) {
            return;
        }
        match found {
            Ok(found) if *found == *expected => {}
            Ok(_) => self.history.violation(format!("LSN {first} reads as another record")),
            Err(error) => self.history.violation(format!("LSN {first} was durable: {error}")),
        }
    }

    fn wait_all(&mut self, backwards: bool) {
        let mut tickets = std::mem::take(&mut self.tickets);
        if backwards {
            tickets.reverse();
        }
        for (place, ticket) in tickets {
            self.end(place, ticket.wait(), false);
        }
    }

    fn wait_briefly(&mut self) {
        for (place, ticket) in std::mem::take(&mut self.tickets) {
            let waited = match ticket.wait_timeout(BRIEFLY) {
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    self.history.note(self.writer, || "gave up waiting, and waits again".into());
                    ticket.wait()
                }
                waited => waited,
            };
            self.end(place, waited, false);
        }
    }

    fn await_all(&mut self) {
        for (place, ticket) in std::mem::take(&mut self.tickets) {
            let awaited = shuttle::future::block_on(ticket);
            self.end(place, awaited, false);
        }
    }

    fn forget(&mut self, polled: bool) {
        for (place, mut ticket) in std::mem::take(&mut self.tickets) {
            if polled {
                let once = std::future::poll_fn(|context| {
                    Poll::Ready(Pin::new(&mut ticket).poll(context))
                });
                if let Poll::Ready(result) = shuttle::future::block_on(once) {
                    self.end(place, result, false);
                }
            }
        }
    }

    fn sync(&self, log: &Log) {
        let since = self.history.now().0;
        match log.sync() {
            Ok(durable) => {
                self.history.synced(since);
                if let Some(lsn) = durable {
                    self.history.mark(lsn.get(), since);
                }
            }
            Err(error) => self.history.note(self.writer, || format!("the sync failed: {error}")),
        }
    }

    fn wait_durable(&self, log: &Log, ahead: u64, briefly: bool) {
        let since = self.history.now().0;
        let next = log.durable_lsn().map_or(0, Lsn::get) + ahead;
        // Nobody may ever append so much: only with a limit.
        let timeout = if briefly { BRIEFLY } else { BRIEFLY * 100 };
        match log.wait_durable(lsn(next), Some(timeout)) {
            Ok(durable) => self.history.mark(durable.get().max(next), since),
            Err(error) => self.history.note(self.writer, || format!("did not come: {error}")),
        }
    }

    fn trim(&self, log: &Log, left: u64) {
        // Where nothing is left, that says nothing of where the log goes on.
        let Some(durable) = log.durable_lsn().map(Lsn::get) else { return };
        let before = (durable + 1).saturating_sub(left).max(1);
        self.change(ChangeKind::Trim(before), || log.trim(lsn(before)).map(drop));
    }

    fn change(&self, kind: ChangeKind, change: impl FnOnce() -> Result<(), Error>) {
        let place = self.history.begin_change(self.writer, kind);
        match change() {
            Ok(()) => self.history.end_change(place),
            Err(error) => {
                self.history.note(self.writer, || format!("{kind:?} failed: {error}"));
                if error.kind() == ErrorKind::Invalid {
                    self.history.void_change(place);
                }
            }
        }
    }

    fn scan(&self, log: &Log) {
        let Ok(mut cursor) = log.cursor(Position::First) else { return };
        let mut before = None;
        loop {
            let since = self.history.now().0;
            match cursor.next() {
                Ok(None) => return,
                Ok(Some(found)) => {
                    if before.is_some_and(|before| found.lsn().get() != before + 1) {
                        self.history.violation(format!("a cursor skipped to {}", found.lsn()));
                    }
                    before = Some(found.lsn().get());
                    self.seen(&found, since);
                }
                Err(error) => return self.read_failed(&error),
            }
        }
    }

    fn follow(&self, log: &Log, count: u32) {
        let Ok(mut follower) = log.follow(Position::First) else { return };
        for _ in 0..count {
            let since = self.history.now().0;
            match follower.next_timeout(BRIEFLY * 20) {
                Ok(Some(found)) => self.seen(&found, since),
                Ok(None) => self.history.note(self.writer, || "nothing to follow".into()),
                Err(error) => return self.read_failed(&error),
            }
        }
    }

    /// A record that readers see is one that was appended, and at `Disk` it is durable.
    fn seen(&self, found: &Record, since: Moment) {
        let lsn = found.lsn().get();
        let mut history = self.history.now().1;
        let known = history.appends.iter().find(|append| append.holds(lsn, found));
        if known.is_none() {
            history.violations.push(format!("LSN {lsn} reads as bytes that nobody appended there"));
        }
        drop(history);
        if self.history.is_durable_only() {
            self.history.mark(lsn, since);
        }
    }

    fn read_failed(&self, error: &Error) {
        let may_hide = self.history.now().1.changes.iter().any(|change| change.kind.may_hide());
        let is_expected = match error.kind() {
            ErrorKind::Trimmed | ErrorKind::Truncated | ErrorKind::NotFound => may_hide,
            ErrorKind::Closed => may_hide,
            ErrorKind::Poisoned => true,
            _ => false,
        };
        if !is_expected {
            self.history.violation(format!("reading failed: {error}"));
        }
    }

    fn subscribe(&mut self, log: &Log) {
        let history = self.history.clone();
        let subscription = log.on_durable(move |news| {
            if let Ok(lsn) = news {
                let at = history.now().0;
                history.mark(lsn.get(), at);
            }
        });
        self.subscriptions.extend(subscription);
    }
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap_or(Lsn::MAX)
}

const BRIEFLY: Duration = Duration::from_micros(3);
