//! A sequence of operations on a log whose storage fails as the bytes say, held against a model.

use std::sync::Arc;

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{Error, ErrorKind, Log, Lsn, Options, Position};

use super::Input;
use super::survive::DIRECTORY;
use crate::record;

/// Does what the bytes say: the first ones choose what fails, the others what is done.
///
/// What was acknowledged and not removed has to be there after every opening, what was removed must
/// not be, and what fails has to say so.
pub fn operations(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut model = Model::new();
    for _ in 0..input.below(4) {
        model.schedule(&mut input);
    }
    for _ in 0..OPERATIONS_MAX {
        if input.is_empty() {
            break;
        }
        model.step(&mut input);
    }
    model.stop_failing();
    model.reopen(true);
    model.check();
}

/// What the log has to hold.
struct Model {
    memory: MemVfs,
    storage: FaultVfs,
    log: Option<Log>,
    /// LSN of the first record that must be there.
    first: u64,
    /// The record after those that must be there.
    acknowledged: u64,
    /// Lengths of the records from `first` on that were appended, known or not.
    lens: Vec<usize>,
    /// How often the log was emptied or cut: the contents of records follow from it.
    history: u64,
    /// Histories of the records, as `lens`.
    histories: Vec<u64>,
}

impl Model {
    fn new() -> Model {
        let memory = MemVfs::new();
        let storage = FaultVfs::over_memory(memory.clone());
        Model {
            memory,
            storage,
            log: None,
            first: 1,
            acknowledged: 1,
            lens: Vec::new(),
            history: 0,
            histories: Vec::new(),
        }
    }

    fn schedule(&self, input: &mut Input<'_>) {
        const KINDS: [Operation; 6] = [
            Operation::Write,
            Operation::Sync,
            Operation::Read,
            Operation::Open,
            Operation::Create,
            Operation::SyncDir,
        ];
        let operation = KINDS[input.below(KINDS.len())];
        let nth = input.below(60) + 1;
        let fault = match input.byte() % 5 {
            0 => Fault::Fail(libc::EIO),
            1 => Fault::Fail(libc::ENOSPC),
            // A read of nothing is the end of a file: bytes that are cut off are `Corrupt`.
            2 => Fault::Short(input.below(5000).max(usize::from(operation == Operation::Read))),
            3 => Fault::Tear(input.below(5000), libc::EIO),
            _ if operation == Operation::Sync => Fault::LoseUnsynced(libc::EIO),
            _ => Fault::Fail(libc::EINTR),
        };
        if input.byte().is_multiple_of(4) {
            self.storage.fail_from(operation, nth, fault);
        } else {
            self.storage.fail_nth(operation, nth, fault);
        }
    }

    fn stop_failing(&mut self) {
        // A new wrapper over the same memory has no faults.
        self.log = None;
        self.storage = FaultVfs::over_memory(self.memory.clone());
    }

    fn options() -> Options {
        Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        if self.log.is_none() {
            self.reopen(false);
        }
        let kind = input.byte() % 16;
        let len = input.number().min(70_000) as usize;
        match kind {
            0..=5 => self.append(&[len]),
            6 | 7 => {
                let lens: Vec<_> = (0..input.below(5)).map(|_| input.below(3000)).collect();
                self.append(&lens);
            }
            8 => self.trim(input.number()),
            9 => self.truncate(input.number()),
            10 => self.close(),
            11 => self.die(),
            12 => self.lose_power(input),
            13 => drop(self.log.as_ref().map(|log| log.values().set(b"key", &[1; 40]))),
            14 => drop(self.log.as_ref().map(Log::sync)),
            _ => self.check(),
        }
    }

    /// Opens the log; `must` it open?
    fn reopen(&mut self, must: bool) {
        self.log = None;
        let opened = Log::open_with(Arc::new(self.storage.clone()), DIRECTORY, Model::options());
        match opened {
            Ok((log, _)) => {
                self.settle(&log);
                self.log = Some(log);
            }
            Err(error) => {
                assert!(!must, "the log does not open: {error:?}");
                assert!(is_of_the_storage(&error), "the opening says {error:?}");
            }
        }
    }

    /// What was not known becomes known.
    fn settle(&mut self, log: &Log) {
        let next = log.next_lsn().get();
        let submitted = self.first + self.lens.len() as u64;
        assert!(
            next >= self.acknowledged,
            "{} were acknowledged, {next} are there",
            self.acknowledged
        );
        assert!(next <= submitted, "{submitted} were appended, {next} are there");
        self.cut(next);
        self.acknowledged = next;
    }

    fn append(&mut self, lens: &[usize]) {
        let Some(log) = &self.log else { return };
        let next = self.first + self.lens.len() as u64;
        let records: Vec<_> =
            (next..).zip(lens).map(|(lsn, &len)| record(lsn ^ self.history << 32, len)).collect();
        if records.is_empty() {
            return;
        }
        let appended = match &records[..] {
            [one] => log.append(one).map(|lsn| (lsn.get(), lsn.get())),
            many => log.append_batch(many).map(|range| (range.first.get(), range.final_.get())),
        };
        match appended {
            Ok((first, last)) => {
                assert_eq!((first, last), (next, next + records.len() as u64 - 1));
                self.lens.extend(records.iter().map(Vec::len));
                self.histories.extend(records.iter().map(|_| self.history));
                self.acknowledged = last + 1;
            }
            // Surely not written.
            Err(error) if matches!(error.kind(), ErrorKind::Full | ErrorKind::Invalid) => {}
            Err(error) => {
                assert!(is_of_the_storage(&error), "an append says {error:?}");
                if error.kind() == ErrorKind::Io {
                    self.lens.extend(records.iter().map(Vec::len));
                    self.histories.extend(records.iter().map(|_| self.history));
                }
                // Whether it is there is found out by opening.
                self.log = None;
            }
        }
    }

    fn trim(&mut self, before: u64) {
        let (Some(log), Some(lsn)) = (&self.log, Lsn::new(before)) else { return };
        match log.trim(lsn) {
            Ok(_) => {
                let gone = before.min(self.acknowledged).saturating_sub(self.first) as usize;
                self.lens.drain(..gone.min(self.lens.len()));
                self.histories.drain(..gone.min(self.histories.len()));
                self.first += gone as u64;
            }
            Err(error) if error.kind() == ErrorKind::Invalid => {}
            Err(error) => {
                assert!(is_of_the_storage(&error), "a trim says {error:?}");
                self.forget();
            }
        }
    }

    fn truncate(&mut self, after: u64) {
        let (Some(log), Some(lsn)) = (&self.log, Lsn::new(after)) else { return };
        match log.truncate(lsn) {
            Ok(()) => {
                self.history += 1;
                self.cut(after + 1);
                self.acknowledged = self.acknowledged.min(after + 1);
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Invalid | ErrorKind::Trimmed | ErrorKind::NotFound
                ) => {}
            Err(error) => {
                assert!(is_of_the_storage(&error), "a truncation says {error:?}");
                self.forget();
            }
        }
    }

    /// An operation that failed may have been done or not: what the log says next counts.
    fn forget(&mut self) {
        self.log = None;
        let fresh = FaultVfs::over_memory(self.memory.clone());
        if let Ok((log, _)) = Log::open_with(Arc::new(fresh), DIRECTORY, Model::options()) {
            let next = log.next_lsn().get();
            let first = log.first_lsn().map_or(next, Lsn::get);
            let gone = first.saturating_sub(self.first) as usize;
            self.lens.drain(..gone.min(self.lens.len()));
            self.histories.drain(..gone.min(self.histories.len()));
            self.first = first;
            self.cut(next);
            self.acknowledged = next;
            self.history += 1;
        }
    }

    fn cut(&mut self, next: u64) {
        let kept = next.saturating_sub(self.first) as usize;
        self.lens.truncate(kept);
        self.histories.truncate(kept);
    }

    fn close(&mut self) {
        if let Some(log) = self.log.take()
            && let Err(error) = log.close()
        {
            assert!(is_of_the_storage(&error), "closing says {error:?}");
        }
    }

    /// The process dies: what the kernel has stays.
    fn die(&mut self) {
        let memory = self.memory.kill_at(self.memory.op_count());
        self.on_another_machine(memory);
    }

    /// Power is lost: what was not synced may be there or not.
    fn lose_power(&mut self, input: &mut Input<'_>) {
        let memory =
            self.memory.crash_at(self.memory.op_count(), &mut |choices| input.below(choices));
        self.on_another_machine(memory);
    }

    fn on_another_machine(&mut self, memory: MemVfs) {
        self.log = None;
        self.storage = FaultVfs::over_memory(memory.clone());
        self.memory = memory;
    }

    /// Reads everything that must be there.
    fn check(&self) {
        let Some(log) = &self.log else { return };
        let mut next = self.first;
        let Ok(cursor) = log.cursor(Position::First) else { return };
        for found in cursor {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    assert!(is_of_the_storage(&error), "a read says {error:?}");
                    return;
                }
            };
            assert_eq!(found.lsn().get(), next, "LSN {next} is missing");
            let index = (next - self.first) as usize;
            let (Some(&len), Some(&history)) = (self.lens.get(index), self.histories.get(index))
            else {
                panic!("LSN {next} was never appended");
            };
            assert!(found[..] == record(next ^ history << 32, len), "LSN {next} has other bytes");
            next += 1;
        }
        assert!(next >= self.acknowledged, "{} were acknowledged, {next} read", self.acknowledged);
    }
}

/// Whether a failing storage can be the reason. Bytes it lost are `Corrupt`, where it lied.
fn is_of_the_storage(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::Full | ErrorKind::Poisoned | ErrorKind::Closed
    )
}

const OPERATIONS_MAX: usize = 60;
