//! What is known of a running machine, and the moment at which it loses power.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::disk::Disk;

/// When a machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When its disk gets this write or flush, which is not answered.
    Request(u64),
    /// When it has said so many lines.
    Line(u64),
    /// So long after it began to use its disk.
    After(Duration),
    /// Not before it has nothing more to do.
    Never,
}

/// The disk of a machine, what it has said, and whether it has power.
#[derive(Debug)]
pub struct Watch {
    moment: Moment,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    disk: Disk,
    requests: u64,
    first_request: Option<Instant>,
    lines: Vec<String>,
    is_over: bool,
    is_silent: bool,
}

/// Why a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The moment had come, or there was nothing more to do.
    Cut,
    /// The machine went away by itself.
    Gone,
    /// It did not come to an end.
    Hung,
}

impl Watch {
    /// Watches over a machine with this disk.
    pub fn new(disk: Disk, moment: Moment) -> Watch {
        let state = State { disk, ..State::default() };
        Watch { moment, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The size of the disk.
    pub fn disk_bytes(&self) -> u64 {
        self.state().disk.bytes()
    }

    /// Reads from the disk.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        let mut state = self.state();
        state.first_request.get_or_insert_with(Instant::now);
        state.disk.read(offset, bytes);
    }

    /// Writes to the disk, unless power is lost; whether that can be told to the machine.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.is_over {
            return false;
        }
        state.disk.write(offset, bytes);
        self.count_request(state)
    }

    /// Flushes the disk, unless power is lost; whether that can be told to the machine.
    pub fn flush(&self) -> bool {
        let mut state = self.state();
        // Power that is lost at a flush is lost before it has done anything.
        if !state.is_over && self.moment != Moment::Request(state.requests + 1) {
            state.disk.flush();
        }
        self.count_request(state)
    }

    fn count_request(&self, mut state: MutexGuard<'_, State>) -> bool {
        state.requests += 1;
        if self.moment == Moment::Request(state.requests) {
            state.is_over = true;
            self.changed.notify_all();
        }
        !state.is_over
    }

    /// Hears what the machine says, line by line, until it can say no more. A line that was cut in
    /// the middle was not said.
    pub fn hear(&self, from: impl Read) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(1..)) && line.ends_with(b"\n") {
            let text = String::from_utf8_lossy(&line[..line.len() - 1]).into_owned();
            line.clear();
            let mut state = self.state();
            state.is_over |= text == IDLE;
            state.lines.push(text);
            state.is_over |= self.moment == Moment::Line(state.lines.len() as u64);
            self.changed.notify_all();
        }
        self.state().is_silent = true;
        self.changed.notify_all();
    }

    /// Waits until the machine has said `line`.
    pub fn wait_for_line(&self, line: &str, within: Duration) -> End {
        self.wait(within, |state| state.lines.iter().any(|said| said == line))
    }

    /// Waits for the moment at which power is lost; from then on nothing reaches the disk.
    pub fn wait_for_the_cut(&self, within: Duration) -> End {
        let is_due = |state: &State| match (self.moment, state.first_request) {
            (Moment::After(time), Some(first)) => first.elapsed() >= time,
            _ => false,
        };
        let end = self.wait(within, |state| state.is_over || is_due(state));
        self.state().is_over = true;
        end
    }

    fn wait(&self, within: Duration, is_done: impl Fn(&State) -> bool) -> End {
        let until = Instant::now() + within;
        let mut state = self.state();
        loop {
            if is_done(&state) {
                return End::Cut;
            }
            if state.is_silent {
                return End::Gone;
            }
            if Instant::now() >= until {
                return End::Hung;
            }
            let woken = self.changed.wait_timeout(state, GLANCE);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the machine has said.
    pub fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut self.state().lines)
    }

    /// The disk, out of the machine.
    pub fn take_disk(&self) -> Disk {
        std::mem::take(&mut self.state().disk)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a machine says when it has nothing more to do.
pub const IDLE: &str = "idle";

/// How exactly a time is met.
const GLANCE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disks::Blocks;

    fn watch(moment: Moment) -> Watch {
        Watch::new(Disk::new(1 << 16, Blocks::default()), moment)
    }

    #[test]
    fn a_line_without_its_end_was_not_said() {
        let watch = watch(Moment::Never);
        watch.hear(&b"begin sync\ndone\nbegin appe"[..]);
        assert_eq!(watch.wait_for_the_cut(Duration::ZERO), End::Gone);
        assert_eq!(watch.take_lines(), ["begin sync", "done"]);
    }

    #[test]
    fn power_is_lost_with_the_line_that_was_chosen() {
        let watch = watch(Moment::Line(2));
        assert!(watch.write(0, b"before"));
        watch.hear(&b"one\ntwo\nthree\n"[..]);
        assert_eq!(watch.wait_for_the_cut(Duration::ZERO), End::Cut);
        assert!(!watch.write(0, b"behind") && !watch.flush());
        let mut bytes = [0; 6];
        watch.take_disk().read(0, &mut bytes);
        assert_eq!(&bytes, b"before");
    }

    #[test]
    fn a_flush_at_which_power_is_lost_has_done_nothing() {
        let watch = watch(Moment::Request(2));
        assert!(watch.write(0, b"x"));
        assert!(!watch.flush());
        let mut disk = watch.take_disk();
        let kept = disk.cut(super::super::disk::Loss::Everything, &mut crate::Rng::new(0));
        assert_eq!((kept.pending, kept.arrived), (1, 0));
    }

    #[test]
    fn who_says_nothing_is_not_waited_for_for_ever() {
        let watch = watch(Moment::Line(1));
        assert_eq!(watch.wait_for_line("ready", Duration::from_millis(2)), End::Hung);
    }
}
