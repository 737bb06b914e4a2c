//! Calling back into Java with records.

use std::ops::ControlFlow;

use jni::sys::jobject;
use wal_core::{Error, Record};

use crate::appending::number;
use crate::boundary::{Failure, Outcome};
use crate::env::{Env, Global};

/// A callback of Java.
pub(crate) struct Caller(Global);

/// What ended a walk early.
pub(crate) enum Stop {
    Engine(Error),
    /// The callback has thrown this.
    Thrown(Global),
    Failed(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Engine(error)
    }
}

impl Caller {
    pub(crate) fn new(env: Env, callback: jobject) -> Caller {
        Caller(env.global(callback))
    }

    pub(crate) fn release(self, env: Env) {
        self.0.release(env);
    }

    /// Calls back on the thread of `env`.
    pub(crate) fn record(&self, env: Env, record: &Record) -> Result<ControlFlow<()>, Stop> {
        let called = env
            .new_record(number(record.lsn()), record.batch_continues(), record)
            .and_then(|record| env.call_replay(self.0.object(), record));
        match called {
            Ok(true) => Ok(ControlFlow::Continue(())),
            Ok(false) => Ok(ControlFlow::Break(())),
            Err(Failure::Thrown) => Err(Stop::Thrown(env.take_exception())),
            Err(failure) => Err(Stop::Failed(failure)),
        }
    }

    /// Calls back on a thread that the JVM may not know.
    pub(crate) fn record_anywhere(&self, record: &Record) -> Result<ControlFlow<()>, Stop> {
        let mut outcome = Ok(ControlFlow::Continue(()));
        Env::attached(|env| {
            outcome = self.record(env, record);
            Ok(())
        })
        .map_err(Stop::Failed)?;
        outcome
    }
}

/// The outcome of a walk, on the thread that began it.
pub(crate) fn finish<T>(env: Env, walked: Result<T, Stop>) -> Outcome<T> {
    match walked {
        Ok(value) => Ok(value),
        Err(Stop::Engine(error)) => Err(Failure::Engine(error)),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Thrown(exception)) => {
            env.throw(exception.object());
            exception.release(env);
            Err(Failure::Thrown)
        }
    }
}
