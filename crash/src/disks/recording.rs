//! What a disk was asked to do, in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blocks::Blocks;
use super::event::Event;

/// Which request is answered with an error of the device. Requests count from the workload's first
/// mark on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The flush with this number fails; what it covered stays volatile.
    Flush(u64),
    /// The write with this number fails; the blocks keep what they held.
    Write(u64),
    /// The write with this number and all later ones to the same blocks fail.
    Blocks(u64),
}

/// A disk with a volatile cache that remembers every request.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: u64,
    blocks: Blocks,
    events: Vec<Event>,
    fault: Option<Fault>,
    has_struck: bool,
    broken: Option<(u64, u64)>,
    is_marked: bool,
    writes: u64,
    flushes: u64,
}

/// The disk answers with an error of the device.
#[derive(Debug)]
pub struct Broken;

impl Disk {
    /// Puts another disk in the place of this one: its size, what it holds, and how it will fail.
    pub fn insert(&self, bytes: u64, blocks: Blocks, fault: Option<Fault>) {
        *self.state() = State { bytes, blocks, fault, ..State::default() };
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// What it was asked to do since it was inserted; it forgets.
    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    /// How many writes and flushes came since the first mark, and whether the fault was met.
    pub fn counts(&self) -> (u64, u64, bool) {
        let state = self.state();
        (state.writes, state.flushes, state.has_struck)
    }

    /// Reads.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        self.state().blocks.read(offset, bytes);
    }

    /// Writes into the volatile cache.
    ///
    /// # Errors
    ///
    /// If that is the fault.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Broken> {
        let mut state = self.state();
        let end = offset + bytes.len() as u64;
        if state.is_marked {
            state.writes += 1;
        }
        if state.broken.is_some_and(|(from, to)| offset < to && from < end) {
            return Err(Broken);
        }
        let strikes = match state.fault {
            Some(Fault::Write(number) | Fault::Blocks(number)) => {
                number == state.writes && !state.has_struck && state.is_marked
            }
            _ => false,
        };
        if strikes {
            state.has_struck = true;
            if matches!(state.fault, Some(Fault::Blocks(_))) {
                state.broken = Some((offset, end));
            }
            return Err(Broken);
        }
        state.blocks.write(offset, bytes);
        state.events.push(Event::Write(offset, bytes.into()));
        Ok(())
    }

    /// When this returns, everything written before is on stable storage.
    ///
    /// # Errors
    ///
    /// If that is the fault.
    pub fn flush(&self) -> Result<(), Broken> {
        let mut state = self.state();
        if state.is_marked {
            state.flushes += 1;
        }
        if state.is_marked && state.fault == Some(Fault::Flush(state.flushes)) && !state.has_struck
        {
            state.has_struck = true;
            return Err(Broken);
        }
        state.events.push(Event::Flush);
        Ok(())
    }

    /// Puts a word of the workload between the requests.
    pub fn mark(&self, text: String) {
        let mut state = self.state();
        state.is_marked = true;
        state.events.push(Event::Mark(text));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_once_and_only_after_the_first_mark() {
        let disk = Disk::default();
        disk.insert(1 << 20, Blocks::default(), Some(Fault::Write(2)));
        for _ in 0..3 {
            assert!(disk.write(0, b"before").is_ok());
        }
        disk.mark("begin".into());
        assert!(disk.write(0, b"first").is_ok());
        assert!(disk.write(0, b"second").is_err());
        assert!(disk.write(0, b"third").is_ok());
        let mut bytes = [0; 5];
        disk.read(0, &mut bytes);
        assert_eq!((&bytes, disk.counts()), (b"third", (3, 0, true)));
    }

    #[test]
    fn broken_blocks_stay_broken() {
        let disk = Disk::default();
        disk.insert(1 << 20, Blocks::default(), Some(Fault::Blocks(1)));
        disk.mark("begin".into());
        assert!(disk.write(4096, &[1; 8192]).is_err());
        assert!(disk.write(8192, &[1; 4096]).is_err());
        assert!(disk.write(12288, &[1; 4096]).is_ok());
        assert_eq!(disk.take_events().len(), 2);
    }
}
