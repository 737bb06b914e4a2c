//! Which calls go wrong, and what calls there were.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Call, Fault, Operation};

/// A rule of a [`super::FaultVfs`].
pub(super) struct Rule {
    operation: Operation,
    applies: Box<dyn Fn(&Path) -> bool + Send + Sync>,
    /// How many calls it still lets through.
    calls_left: usize,
    for_ever: bool,
    is_spent: bool,
    fault: Fault,
}

/// The rules and the calls, shared by all handles and open files.
#[derive(Default)]
pub(super) struct Script {
    state: Mutex<State>,
}

/// What is to become of a call.
#[derive(Clone, Copy)]
pub(super) struct Verdict(pub(super) Option<Fault>);

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    delays: Vec<(Operation, Duration)>,
    calls: Vec<Call>,
}

impl Rule {
    pub(super) fn new(
        operation: Operation,
        applies: Box<dyn Fn(&Path) -> bool + Send + Sync>,
        nth: usize,
        for_ever: bool,
        fault: Fault,
    ) -> Rule {
        let calls_left = nth.saturating_sub(1);
        Rule { operation, applies, calls_left, for_ever, is_spent: false, fault }
    }

    /// What this rule says of a call. It counts the call even if another rule decides.
    fn judge(&mut self, call: &Call) -> Option<Fault> {
        if self.is_spent || self.operation != call.operation || !(self.applies)(&call.path) {
            return None;
        }
        if self.calls_left > 0 {
            self.calls_left -= 1;
            return None;
        }
        self.is_spent = !self.for_ever;
        Some(self.fault)
    }
}

impl Script {
    /// Notes a call, waits as long as it is to take, and says what is to become of it.
    pub(super) fn call(&self, call: Call) -> Verdict {
        let (delay, verdict) = {
            let mut state = self.state();
            let verdicts: Vec<Fault> =
                state.rules.iter_mut().filter_map(|rule| rule.judge(&call)).collect();
            let delays = state.delays.iter().filter(|(operation, _)| *operation == call.operation);
            let delay: Duration = delays.map(|(_, delay)| *delay).sum();
            state.calls.push(call);
            (delay, verdicts.first().copied())
        };
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        Verdict(verdict)
    }

    pub(super) fn add(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    pub(super) fn delay(&self, operation: Operation, delay: Duration) {
        self.state().delays.push((operation, delay));
    }

    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.rules.clear();
        state.delays.clear();
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(super) fn count(&self, operation: Operation) -> usize {
        self.state().calls.iter().filter(|call| call.operation == operation).count()
    }

    pub(super) fn clear_calls(&self) {
        self.state().calls.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdict {
    /// The error, for a call that can do nothing by halves.
    pub(super) fn refuse(self) -> io::Result<()> {
        match self.0 {
            Some(Fault::Fail(errno) | Fault::Tear(_, errno) | Fault::LoseUnsynced(errno)) => {
                Err(io::Error::from_raw_os_error(errno))
            }
            Some(Fault::Short(_)) | None => Ok(()),
        }
    }
}
