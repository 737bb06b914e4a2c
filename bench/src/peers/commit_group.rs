//! Group commit for a log with a single writer: the first thread that finds nobody writing takes
//! every waiting record with it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::log::{Failure, Result};

/// The records that wait for a writer, and how far it got.
pub struct CommitGroup {
    state: Mutex<State>,
    moved: Condvar,
}

impl CommitGroup {
    pub fn new() -> CommitGroup {
        CommitGroup { state: Mutex::default(), moved: Condvar::new() }
    }

    /// When this returns, `write` has made the record durable, on this thread or another.
    ///
    /// A failed write fails everything after it, as the log behind it has then given up.
    pub fn append(&self, record: &[u8], write: impl Fn(&Records) -> Result<()>) -> Result<()> {
        let mut state = self.lock();
        state.waiting.push(record);
        state.taken += 1;
        let ticket = state.taken;
        loop {
            if state.durable >= ticket {
                return Ok(());
            }
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.is_writing {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state = self.write(state, &write);
        }
    }

    fn write<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        write: &impl Fn(&Records) -> Result<()>,
    ) -> MutexGuard<'a, State> {
        let end = state.taken;
        state.is_writing = true;
        let spare = std::mem::take(&mut state.spare);
        let mut group = std::mem::replace(&mut state.waiting, spare);
        drop(state);
        let result = write(&group);
        group.clear();
        let mut state = self.lock();
        state.is_writing = false;
        state.spare = group;
        match result {
            Ok(()) => state.durable = end,
            Err(failure) => state.failure = Some(failure),
        }
        self.moved.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records one behind the other in one buffer.
#[derive(Default)]
pub struct Records {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// The records in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[derive(Default)]
struct State {
    waiting: Records,
    /// An empty buffer that keeps its memory for the next group.
    spare: Records,
    /// How many records ever came, and how many of them are durable.
    taken: u64,
    durable: u64,
    is_writing: bool,
    failure: Option<Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_written_once_and_before_its_append_returns() {
        let group = CommitGroup::new();
        let written = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..8_u8 {
                let (group, written) = (&group, &written);
                scope.spawn(move || {
                    for count in 0..100_u8 {
                        let record = [thread, count];
                        let write = |records: &Records| {
                            written.lock().unwrap().extend(records.iter().map(<[u8]>::to_vec));
                            Ok(())
                        };
                        group.append(&record, write).unwrap();
                        assert!(written.lock().unwrap().iter().any(|one| one == &record));
                    }
                });
            }
        });
        let written = written.into_inner().unwrap();
        assert_eq!(written.len(), 800);
        for thread in 0..8 {
            let own = written.iter().filter(|record| record[0] == thread).map(|record| record[1]);
            assert!(own.eq(0..100));
        }
    }

    #[test]
    fn a_failed_write_fails_all_that_comes_later() {
        let group = CommitGroup::new();
        let broken = |_: &Records| Err(Failure::Failed("broken".to_owned()));
        assert!(group.append(b"a", broken).is_err());
        assert!(group.append(b"b", |_| Ok(())).is_err());
    }
}
