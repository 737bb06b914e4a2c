//! What the threads of a case do.

use wal_core::{Level, Options};

use super::stage::Fault;
use crate::Rng;

/// A kind of case: each seed makes one of it.
pub struct Scenario {
    /// As reports name it.
    pub name: &'static str,
    /// What meets what.
    pub about: &'static str,
    pub(super) script: fn(&mut Rng) -> Script,
}

/// One case: the log, what each thread does to it, and what goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) options: Options,
    /// Records of so many bytes are there before the threads start.
    pub(super) prefill: Vec<usize>,
    pub(super) threads: Vec<Vec<Step>>,
    pub(super) fault: Option<Fault>,
    /// Whether the log is closed in the end, or only let go.
    pub(super) closes: bool,
}

/// What a thread does next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Appends a batch of so many records of so many bytes, and waits.
    Append(Level, u32, usize),
    /// The same without waiting.
    Submit(Level, u32, usize),
    /// Waits for all that was submitted, the last first if so said.
    Wait { backwards: bool },
    /// The same, giving up after a moment at first.
    WaitBriefly,
    /// Awaits all that was submitted, as a task.
    Await,
    /// Lets go of what was submitted, after it was polled as a task if so said.
    Forget { polled: bool },
    /// Makes everything durable.
    Sync,
    /// Waits until the record so far ahead of the durable ones is durable.
    WaitDurable { ahead: u64, briefly: bool },
    /// Drops all records but so many of those that are durable.
    Trim { left: u64 },
    /// Goes on dropping all durable records until so many appends have ended.
    KeepTrimming(usize),
    /// Drops so many of the submitted records, and all after them.
    Truncate { back: u64 },
    /// Drops all records; goes on so far ahead.
    Reset { ahead: u64 },
    /// Sets the version of the values.
    Set,
    /// Looks at the durable mark.
    Look,
    /// Reads everything there is.
    Scan,
    /// Follows the log for so many records.
    Follow(u32),
    /// Is told of the durable mark from here on.
    Subscribe,
    /// Closes the log.
    Close,
    /// Lets go of the log.
    Leave,
}

impl Script {
    /// A log as small as can be, at this level.
    pub(super) fn new(level: Level) -> Script {
        let options = Options {
            level,
            segment_bytes: 64 * 1024,
            ring_bytes: 64 * 1024,
            ..Options::default()
        };
        let (prefill, threads) = (Vec::new(), Vec::new());
        Script { options, prefill, threads, fault: None, closes: true }
    }
}
