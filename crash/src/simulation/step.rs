//! One step of a history.

use std::fmt;

use wal_core::Level;
use wal_core::vfs::{Fault, Operation};

use super::loss::Loss;
use crate::Rng;

/// What is done to a log, to its disk, or to both.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Appends a record, or a batch, of these lengths.
    Append(Level, Vec<usize>),
    /// Submits records of these lengths before it waits for any.
    Submit(Level, Vec<usize>),
    /// Trims so that so many records stay.
    Trim(u64),
    /// Truncates so many records.
    Truncate(u64),
    /// Resets the log to so far beyond the next LSN.
    Reset(u64),
    /// Sets these keys to values of these lengths, or deletes them.
    Values(Vec<(u8, Option<usize>)>),
    /// Makes everything durable.
    Sync,
    /// Closes and opens again.
    Reopen,
    /// Runs the job at this place of the queue.
    Job(usize),
    /// Lets so many milliseconds pass.
    Pass(u64),
    /// Sets the wall clock to so many seconds after 1970.
    Clock(u64),
    /// The disk has room for so many bytes in all, or for everything.
    Capacity(Option<u64>),
    /// Lets the n-th call of a kind from now on go wrong, once or for ever.
    Fault {
        /// The kind of call.
        operation: Operation,
        /// Which of them.
        nth: usize,
        /// Whether all that follow go wrong as well.
        for_ever: bool,
        /// What goes wrong.
        fault: Fault,
    },
    /// Nothing goes wrong any more.
    Heal,
    /// Looks at what a crash so many operations ago would have left.
    Probe(usize, Loss),
    /// Looks at what is found when the medium has changed bytes meanwhile.
    Damage(u64),
    /// Everything stops as it was so many operations ago, and starts again.
    Crash(usize, Loss),
}

impl Step {
    /// Any step, of a history in which faults are this frequent, in percent.
    pub fn random(rng: &mut Rng, level: Level, faults: u64) -> Step {
        if rng.chance(45) {
            let back = if rng.chance(60) { rng.below(8) } else { rng.below(80) };
            return Step::Probe(back, Loss::random(rng));
        }
        if rng.chance(faults) {
            return Step::random_fault(rng);
        }
        match rng.below(40) {
            0..12 => Step::Append(random_level(rng, level), vec![len(rng)]),
            12..15 => {
                let lens = (0..1 + rng.below(6)).map(|_| len(rng)).collect();
                Step::Append(random_level(rng, level), lens)
            }
            15..18 => {
                let lens = (0..1 + rng.below(12)).map(|_| len(rng)).collect();
                Step::Submit(random_level(rng, level), lens)
            }
            18..20 => Step::Trim(rng.below(10) as u64),
            20..22 => Step::Truncate(1 + rng.below(6) as u64),
            22 => Step::Reset([0, 0, 1, 1000][rng.below(4)]),
            23..25 => {
                let count = 1 + rng.below(3);
                let value = |rng: &mut Rng| (!rng.chance(25)).then(|| rng.below(2000));
                Step::Values((0..count).map(|_| (b'a' + rng.below(4) as u8, value(rng))).collect())
            }
            25 | 26 => Step::Sync,
            27..29 => Step::Reopen,
            29..33 => Step::Job(rng.below(3)),
            33..35 => Step::Pass([1, 3, 1500][rng.below(3)]),
            35 => Step::Clock(rng.next() >> [20, 34, 40, 63][rng.below(4)]),
            36 => Step::Damage(rng.next()),
            _ => {
                let back = if rng.chance(50) { 0 } else { rng.below(20) };
                Step::Crash(back, Loss::random(rng))
            }
        }
    }

    fn random_fault(rng: &mut Rng) -> Step {
        if rng.chance(25) {
            return Step::Heal;
        }
        if rng.chance(20) {
            return Step::Capacity((!rng.chance(30)).then(|| rng.below(400_000) as u64));
        }
        let operation = [
            Operation::Write,
            Operation::Write,
            Operation::Sync,
            Operation::Sync,
            Operation::Open,
            Operation::Create,
            Operation::Read,
            Operation::Rename,
            Operation::Remove,
            Operation::SyncDir,
            Operation::SetLen,
        ][rng.below(11)];
        let errno = [libc::EIO, libc::ENOSPC, libc::EIO, libc::EDQUOT][rng.below(4)];
        let fault = match (operation, rng.below(4)) {
            (Operation::Write, 0) if errno == libc::EIO => Fault::Tear(rng.below(5000), errno),
            // No system says that there is no room after it has written everything.
            (Operation::Write, 0) => Fault::Tear(rng.below(64), errno),
            (Operation::Write | Operation::Read, 1) => Fault::Short(1 + rng.below(3000)),
            (Operation::Sync, 0 | 1) => Fault::LoseUnsynced(libc::EIO),
            _ => Fault::Fail(errno),
        };
        // A call that is always short never ends; one that is short once is no fault.
        let for_ever = rng.chance(30) && !matches!(fault, Fault::Short(_));
        Step::Fault { operation, nth: 1 + rng.below(6), for_ever, fault }
    }

    /// Whether something goes wrong by this step.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Step::Fault { .. } | Step::Capacity(Some(_)) | Step::Damage(_) | Step::Clock(_)
        )
    }
}

fn random_level(rng: &mut Rng, level: Level) -> Level {
    match rng.chance(75) {
        true => level,
        false => [Level::Disk, Level::Os, Level::Buffered][rng.below(3)],
    }
}

fn len(rng: &mut Rng) -> usize {
    match rng.below(20) {
        0 | 1 => rng.below(4),
        2..12 => rng.below(300),
        12..18 => rng.below(6000),
        18 => rng.below(30_000),
        _ => rng.below(70_000),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Append(level, lens) => write!(f, "append {lens:?} bytes at {level:?}"),
            Step::Submit(level, lens) => write!(f, "submit {lens:?} bytes at {level:?}"),
            Step::Trim(kept) => write!(f, "trim all but {kept} records"),
            Step::Truncate(count) => write!(f, "truncate {count} records"),
            Step::Reset(ahead) => write!(f, "reset to {ahead} beyond the next LSN"),
            Step::Values(changes) => write!(f, "change values {changes:?}"),
            Step::Sync => write!(f, "sync"),
            Step::Reopen => write!(f, "close and open"),
            Step::Job(place) => write!(f, "run background job {place}"),
            Step::Pass(ms) => write!(f, "let {ms} ms pass"),
            Step::Clock(seconds) => write!(f, "set the clock to {seconds} s"),
            Step::Capacity(Some(bytes)) => write!(f, "the disk has {bytes} bytes"),
            Step::Capacity(None) => write!(f, "the disk has room again"),
            Step::Fault { operation, nth, for_ever, fault } => {
                let times = if *for_ever { "from then on" } else { "once" };
                write!(f, "FAULT: {operation:?} number {nth} from now, {times}: {fault:?}")
            }
            Step::Heal => write!(f, "the faults end"),
            Step::Probe(back, loss) => write!(f, "look: {loss}, {back} calls before this"),
            Step::Damage(seed) => write!(f, "look: the medium changes bytes (seed {seed:#x})"),
            Step::Crash(back, loss) => write!(f, "CRASH: {loss}, {back} calls before this"),
        }
    }
}
